#!/usr/bin/env python3
"""Creates a slopegan run from networks trained by PyTorch's DCGAN example (pytorch/examples).

    import_dcgan.py GENERATOR.pth RUN_DIR [--discriminator DISCRIMINATOR.pth] [key=value ...]

Both files are state dicts with the names of the example (main.0.weight ...). They are read as data; no code in them is
executed. Sizes are taken from the tensors. RUN_DIR must not exist. `slopegan generate`, `grid` and `export` read the new run.
key=value arguments are slopegan's configuration. If they set data.* to your images, `slopegan train RUN_DIR/config.yaml
--resume auto` continues the training.
"""
import argparse
import pathlib
import pickle
import subprocess
import sys
import tempfile
import warnings

try:
    import torch
    from safetensors.torch import save_file
except ImportError as error:
    sys.exit(f"import_dcgan.py: {error}; install it with SLOPEGAN_TEST=1 scripts/setup.sh, or with pip")

SOURCE = pathlib.Path(__file__).resolve().parent.parent
NORM = ("weight", "bias", "running_mean", "running_var")


def read_state_dict(file: str) -> dict[str, torch.Tensor]:
    try:
        with warnings.catch_warnings(action="ignore"):  # about old pickle formats
            content = torch.load(file, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError:  # its message recommends executing the code
        raise ValueError(f"{file} contains objects other than tensors, which could be code") from None
    except (OSError, EOFError, RuntimeError) as error:
        raise ValueError(f"{file}: {str(error).splitlines()[0]}") from None
    if not isinstance(content, dict) or not all(isinstance(value, torch.Tensor) for value in content.values()):
        raise ValueError(f"{file} contains no state dict")
    # DataParallel, which the example uses on several GPUs, prefixes the names with "module.".
    return {name.removeprefix("module."): tensor for name, tensor in content.items()}


def convert(state: dict[str, torch.Tensor], file: str, network: str) -> tuple[dict[str, torch.Tensor], list]:
    """Returns the tensors with slopegan's names, and the shapes of the convolutions in order."""
    state = dict(state)

    def take(name: str) -> torch.Tensor:
        if name not in state:
            raise ValueError(f"{file} is not the {network} of the DCGAN example: {name} is missing")
        return state.pop(name).float().contiguous()

    # Layers of the generator: conv, norm, ReLU, ...; of the discriminator: conv, LeakyReLU, conv, norm, LeakyReLU, ...
    convolutions = sorted(int(name.split(".")[1]) for name, tensor in state.items()
                          if name.startswith("main.") and name.endswith(".weight") and tensor.dim() == 4)
    converted, shapes = {}, []
    for block, layer in enumerate(convolutions):
        prefix = f"{network}.block{block}"
        converted[f"{prefix}.conv.weight"] = take(f"main.{layer}.weight")
        shapes.append(tuple(converted[f"{prefix}.conv.weight"].shape))
        last, bare = block == len(convolutions) - 1, network == "discriminator" and block == 0
        if last or bare:
            continue
        for name in NORM:
            converted[f"{prefix}.norm.{name}"] = take(f"main.{layer + 1}.{name}")
        batches = state.pop(f"main.{layer + 1}.num_batches_tracked", torch.tensor(0))  # missing in files from before 2018
        converted[f"{prefix}.norm.num_batches_tracked"] = batches
    if state or not convolutions:
        raise ValueError(f"{file} is not the {network} of the DCGAN example: "
                         + (f"unexpected {', '.join(sorted(state)[:3])}" if state else "it contains no convolution"))
    return converted, shapes


def config_arguments(generator: list, discriminator: list | None, run: pathlib.Path) -> list[str]:
    """The configuration of networks with these shapes: [in, out, 4, 4] (generator), [out, in, 4, 4] (discriminator)."""
    values = {
        "run.output_dir": run.parent, "run.name": run.name,
        "data.resolution": 4 << (len(generator) - 1), "data.channels": generator[-1][1],
        "generator.latent_dim": generator[0][0], "generator.width": generator[-1][0],
        "generator.activation": "relu", "generator.norm": "batch",
        "discriminator.width": discriminator[0][0] if discriminator else generator[-1][0],
        "discriminator.activation": "leaky_relu", "discriminator.negative_slope": 0.2, "discriminator.norm": "batch",
    }
    return [f"{key}={value}" for key, value in values.items()]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("generator", help="state dict of the generator, such as netG_epoch_24.pth")
    parser.add_argument("run", metavar="RUN_DIR", type=pathlib.Path, help="the run directory to create")
    parser.add_argument("overrides", metavar="key=value", nargs="*", help="keys of slopegan's configuration")
    parser.add_argument("--discriminator", help="state dict of the discriminator; default: a randomly initialised one")
    parser.add_argument("--slopegan", default=SOURCE / "build/release/slopegan",
                        help="the program; default: build/release/slopegan")
    arguments = parser.parse_intermixed_args()
    try:
        tensors, generator = convert(read_state_dict(arguments.generator), arguments.generator, "generator")
        discriminator = None
        if arguments.discriminator:
            file = arguments.discriminator
            more, discriminator = convert(read_state_dict(file), file, "discriminator")
            tensors |= more
    except ValueError as error:
        print(f"import_dcgan.py: {error}", file=sys.stderr)
        return 4  # slopegan's exit code for an unreadable checkpoint
    with tempfile.TemporaryDirectory() as scratch:
        weights, config = pathlib.Path(scratch, "weights.safetensors"), pathlib.Path(scratch, "dcgan.yaml")
        save_file(tensors, weights)
        config.write_text("# The arguments set all keys.\n")
        command = [arguments.slopegan, "import", "--weights", weights, config,
                   *config_arguments(generator, discriminator, arguments.run.absolute()), *arguments.overrides]
        return subprocess.run(command, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
