#!/usr/bin/env python3
"""Verifies an exported generator with ONNX's checker and onnxruntime.

    verify_onnx.py FILE.onnx [--reference FILE.safetensors]

The reference is written by `slopegan export --reference`. It contains latents and the images that LibTorch's operators
compute from them. Every pixel must agree to within 1e-5, for several batch sizes. Without a reference, only the range
of the images is checked. Exits with 0 on success, 1 on failure, and 77 if a required package is missing
(SLOPEGAN_TEST=1 scripts/setup.sh installs all of them).
"""
import argparse
import sys

try:
    import numpy
    import onnx
    import onnxruntime
    from safetensors.numpy import load_file
except ImportError as error:
    print(f"skipped: {error}; SLOPEGAN_TEST=1 scripts/setup.sh installs it")
    sys.exit(77)

TOLERANCE = 1e-5


def verify(file: str, reference: str | None) -> str:
    model = onnx.load(file)
    onnx.checker.check_model(model, full_check=True)
    session = onnxruntime.InferenceSession(file, providers=["CPUExecutionProvider"])
    (latents_info,), (images_info,) = session.get_inputs(), session.get_outputs()
    assert (latents_info.name, images_info.name) == ("latents", "images"), (latents_info, images_info)
    assert latents_info.shape[0] == images_info.shape[0] == "batch", "the batch size is not dynamic"
    if reference:
        content = load_file(reference)
        latents, images = content["latents"], content["images"]
    else:
        latents = numpy.random.default_rng(0).standard_normal((8, latents_info.shape[1]), dtype=numpy.float32)
        images = None
    largest = 0.0
    for count in sorted({1, 3, len(latents)}):
        (result,) = session.run(["images"], {"latents": latents[:count]})
        assert result.shape == (count, *images_info.shape[1:]) and result.dtype == numpy.float32, result.shape
        # onnxruntime's tanh, a rational approximation, reaches 1.0000001.
        assert numpy.abs(result).max() <= 1 + 1e-6, "the images are not in [-1, 1]"
        if images is not None:
            largest = max(largest, float(numpy.abs(result - images[:count]).max()))
    assert largest <= TOLERANCE, f"pixels differ from LibTorch's by up to {largest:.3g}, more than {TOLERANCE}"
    operators = " ".join(dict.fromkeys(node.op_type for node in model.graph.node))
    compared = f"pixels differ from LibTorch's by at most {largest:.2g}" if reference else "not compared with a reference"
    return f"opset {model.opset_import[0].version}, {operators}: valid ONNX; {compared}"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("file")
    parser.add_argument("--reference", help="safetensors file written by `slopegan export --reference`")
    arguments = parser.parse_args()
    try:
        print(f"{arguments.file}: {verify(arguments.file, arguments.reference)}")
    except Exception as error:  # exceptions of the checker and the runtime have no common base class
        print(f"{arguments.file}: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
