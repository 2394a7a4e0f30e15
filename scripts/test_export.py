#!/usr/bin/env python3
"""Loads exported generators in Python and compares their images with slopegan's.

    test_export.py SLOPEGAN                      SLOPEGAN: the program to test
    test_export.py SLOPEGAN --opencv PROGRAM     loads ONNX with OpenCV's dnn module instead; PROGRAM is built from
                                                 tests/consumer/opencv_dnn.cpp

safetensors is loaded with the code from outputs/README.md, TorchScript with torch.jit.load, ONNX with
scripts/verify_onnx.py. Exits with 77 if torch, safetensors, onnx, onnxruntime or OpenCV's dnn module is not installed.
"""
import argparse
import contextlib
import os
import pathlib
import re
import subprocess
import sys
import tempfile

try:
    import onnx
    import onnxruntime  # noqa: F401  verify_onnx.py needs it
    import torch
    from safetensors.torch import load_file
except ImportError as error:
    print(f"skipped: {error}; SLOPEGAN_TEST=1 scripts/setup.sh installs it")
    sys.exit(77)

SOURCE = pathlib.Path(__file__).resolve().parent.parent
RUNS = {
    "leaky": ["generator.negative_slope=0.2"],
    "layers": ["generator.negative_slope=[0.3, 0, 1]", "generator.norm=none"],
    "schedule": ["generator.negative_slope={from: 0.3, to: 0.1, over_images: 128}", "ema.half_life_images=0"],
    "channels": ["generator.activation=prelu", "generator.prelu=channel", "data.resolution=64", "data.channels=3"],
    "bounded": ["generator.activation=prelu", "generator.prelu=bounded"],
    "modulated": ["generator.norm=self_modulated", "generator.negative_slope=0.1"],
    "random": ["generator.activation=rrelu", "data.resolution=128", "generator.width=2", "discriminator.width=2"],
}
OPERATORS = {
    "leaky": "LeakyRelu", "layers": "Relu", "schedule": "LeakyRelu", "channels": "PRelu", "bounded": "PRelu",
    "random": "LeakyRelu", "modulated": "Gemm",
}


def slopegan(program: str, *arguments) -> None:
    subprocess.run([program, "--quiet", *map(str, arguments)], check=True, stdout=subprocess.DEVNULL)


def readme_generator(folder: pathlib.Path):
    """The generator that the Python block of outputs/README.md loads from generator.safetensors in the folder."""
    (block,) = re.findall(r"^```python\n(.*?)^```", (SOURCE / "outputs/README.md").read_text(), re.M | re.S)
    names: dict = {}
    with contextlib.chdir(folder):
        exec(block, names)  # noqa: S102  the code is in our own README
    assert names["images"].shape[0] == 64 and names["images"].abs().max() <= 1
    return names["generator"]


def is_same_libtorch() -> bool:
    """Whether the program uses the LibTorch of this Python's torch package. Another one may round differently."""
    chosen = SOURCE / "build/torch.cmake"
    return chosen.is_file() and f'"{pathlib.Path(torch.__file__).parent}/' in chosen.read_text()


def check_images(images, expected) -> None:
    difference = (images - expected).abs().max()
    assert images.shape == expected.shape and difference <= (0 if is_same_libtorch() else 1e-5), difference


def check_safetensors(folder: pathlib.Path, reference) -> None:
    with torch.no_grad():
        images = readme_generator(folder)(reference["latents"])
    check_images(images, reference["images"])


def check_torchscript(file: pathlib.Path, reference) -> None:
    module = torch.jit.load(file)
    with torch.no_grad():
        for _ in range(3):  # the first calls are profiled; later ones are optimised
            images = module(reference["latents"])
        check_images(images, reference["images"])
        assert module(reference["latents"][:1]).shape == images[:1].shape
        # The module can be converted to double, with all its parameters and buffers.
        difference = (module.double()(reference["latents"].double()) - images).abs().max()
        assert difference < 1e-4, difference


def check_onnx(file: pathlib.Path, reference_file: pathlib.Path, operator: str, folded: bool) -> None:
    subprocess.run([sys.executable, SOURCE / "scripts/verify_onnx.py", file, "--reference", reference_file], check=True)
    operators = {node.op_type for node in onnx.load(file).graph.node}
    assert operator in operators, operators
    assert not folded or "BatchNormalization" not in operators


def check_damage_is_detected(file: pathlib.Path, reference_file: pathlib.Path) -> None:
    model = onnx.load(file)
    tensor = model.graph.initializer[1]
    values = onnx.numpy_helper.to_array(tensor).copy()
    values.flat[0] += 1
    tensor.CopyFrom(onnx.numpy_helper.from_array(values, tensor.name))
    onnx.save(model, file.with_suffix(".damaged"))
    result = subprocess.run([sys.executable, SOURCE / "scripts/verify_onnx.py", file.with_suffix(".damaged"),
                             "--reference", reference_file], check=False, capture_output=True, text=True)
    assert result.returncode == 1 and "differ from LibTorch's" in result.stderr, result


def train_and_export(program: str, folder: pathlib.Path, name: str, values: list[str]) -> pathlib.Path:
    """Returns the directory of a run with generator.safetensors and reference.safetensors."""
    run = folder / name
    slopegan(program, "train", SOURCE / "configs/smoke.yaml", f"run.output_dir={folder}", f"run.name={name}",
             "training.total_images=64", "training.threads=1", "init.std=0.15", "diagnostics.every_images=0", *values)
    slopegan(program, "export", run, "--format", "safetensors", "--out", run / "generator.safetensors",
             "--reference", run / "reference.safetensors")
    reference = load_file(run / "reference.safetensors")
    assert (reference["images"] - reference["slopegan_images"]).abs().max() <= 1e-5
    assert reference["images"].std() > 0.05  # otherwise the tolerance of 1e-5 is meaningless
    return run


def onnx_files(program: str, run: pathlib.Path):
    """Yields (file, whether batch norm is folded)."""
    for folded in (False, True):
        file = run / f"generator{'_folded' if folded else ''}.onnx"
        slopegan(program, "export", run, "--format", "onnx", "--out", file, *(["--fold-batch-norm"] if folded else []))
        yield file, folded


def check_formats(program: str, folder: pathlib.Path) -> None:
    for name, values in RUNS.items():
        run = train_and_export(program, folder, name, values)
        reference = load_file(run / "reference.safetensors")
        check_safetensors(run, reference)
        slopegan(program, "export", run, "--format", "torchscript", "--out", run / "generator.pt")
        check_torchscript(run / "generator.pt", reference)
        for file, folded in onnx_files(program, run):
            check_onnx(file, run / "reference.safetensors", OPERATORS[name], folded)
    check_damage_is_detected(folder / "leaky/generator.onnx", folder / "leaky/reference.safetensors")
    agree = "agree bit for bit" if is_same_libtorch() else "agree to within 1e-5"
    print(f"{len(RUNS)} generators: the README's loader and torch.jit.load {agree}, onnxruntime to within 1e-5")


def check_opencv(program: str, reader: str, folder: pathlib.Path) -> None:
    largest = 0.0
    for name, values in RUNS.items():
        run = train_and_export(program, folder, name, values)
        reference = load_file(run / "reference.safetensors")
        for file, _ in onnx_files(program, run):
            for count in (1, 3, len(reference["latents"])):
                latents, expected = reference["latents"][:count].contiguous(), reference["images"][:count]
                (folder / "latents").write_bytes(latents.numpy().tobytes())
                subprocess.run([reader, file, folder / "latents", folder / "images", str(latents.shape[1])], check=True)
                images = torch.frombuffer(bytearray((folder / "images").read_bytes()), dtype=torch.float32)
                largest = max(largest, float((images.view(expected.shape) - expected).abs().max()))
    assert largest <= 1e-4, f"pixels differ from LibTorch's by up to {largest:.3g}"
    print(f"{len(RUNS)} generators: OpenCV's dnn module agrees with LibTorch to within {largest:.2g}")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("program")
    parser.add_argument("--opencv")
    arguments = parser.parse_args()
    if arguments.opencv == "":
        print("skipped: OpenCV's dnn module is not installed; SLOPEGAN_TEST=1 scripts/setup.sh installs it")
        return 77
    os.environ["OMP_NUM_THREADS"] = "1"
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as scratch:
        if arguments.opencv:
            check_opencv(arguments.program, arguments.opencv, pathlib.Path(scratch))
        else:
            check_formats(arguments.program, pathlib.Path(scratch))
    return 0


if __name__ == "__main__":
    sys.exit(main())
