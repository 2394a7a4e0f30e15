#!/usr/bin/env python3
"""Creates a slopegan run from networks trained by PyTorch's DCGAN example (pytorch/examples).

    import_dcgan.py GENERATOR.pth RUN_DIR [--discriminator DISCRIMINATOR.pth] [key=value ...]
    import_dcgan.py CHECKPOINT.pt RUN_DIR [key=value ...]

The files are state dicts with the names used in the example (main.0.weight ...), or checkpoints that contain them under
names such as netG and netD, generator and discriminator, or state_dict. Prefixes added by DataParallel (module.) and
torch.compile (_orig_mod.) are removed. The files are read as data; no code in them is executed. The sizes of the
networks are derived from the shapes of the tensors.
RUN_DIR must not exist. `slopegan generate`, `grid` and `export` read the new run.
key=value arguments override keys of slopegan's configuration. To continue the training, run `slopegan train
RUN_DIR/config.yaml --resume auto data.kind=... data.path=...`, or set these keys here.
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


# Keys under which checkpoints store each network, endings of these keys, keys that wrap both networks, and prefixes
# that PyTorch adds to tensor names.
NETWORKS = {"generator": ("netG", "net_G", "generator", "gen", "G"),
            "discriminator": ("netD", "net_D", "discriminator", "disc", "D")}
ENDINGS = ("", "_state_dict", "_state")
WRAPPERS = ("state_dict", "model_state_dict", "model", "models", "params")
PREFIXES = ("module", "_orig_mod")


def read_file(file: str) -> dict:
    try:
        with warnings.catch_warnings(action="ignore"):  # no warnings about old pickle formats
            content = torch.load(file, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError:  # PyTorch's message recommends loading the file with code execution
        raise ValueError(f"{file} contains objects other than tensors, which could be code") from None
    except (OSError, EOFError, RuntimeError) as error:
        raise ValueError(f"{file}: {str(error).splitlines()[0]}") from None
    if not isinstance(content, dict):
        raise ValueError(f"{file} contains no state dict")
    return content


def is_state_dict(content: object) -> bool:
    return isinstance(content, dict) and all(isinstance(value, torch.Tensor) for value in content.values())


def without_prefixes(name: str) -> str:
    return ".".join(part for part in str(name).split(".") if part not in PREFIXES)


def tensors_under(state: dict, name: str) -> dict[str, torch.Tensor]:
    """The tensors whose names start with `name.`, without this prefix."""
    return {key.removeprefix(name + "."): tensor for key, tensor in state.items() if key.startswith(name + ".")}


def find_state_dict(content: dict, network: str) -> dict[str, torch.Tensor] | None:
    """The state dict of a network in a checkpoint; None if there is none under a known name."""
    for name in (name + ending for name in NETWORKS[network] for ending in ENDINGS):
        if isinstance(content.get(name), dict):
            inner = content[name]
            return find_plain(inner) if not is_state_dict(inner) else renamed(inner)
    if is_state_dict(content):
        state = renamed(content)
        return next((found for name in NETWORKS[network] if (found := tensors_under(state, name))), None)
    for name in WRAPPERS:
        if isinstance(content.get(name), dict) and (found := find_state_dict(content[name], network)):
            return found
    return None


def find_plain(content: dict) -> dict[str, torch.Tensor] | None:
    """The state dict of a file that contains a single network."""
    if is_state_dict(content):
        return renamed(content)
    return next((found for name in WRAPPERS if isinstance(content.get(name), dict) and (found := find_plain(content[name]))),
                None)


def renamed(state: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    return {without_prefixes(name): tensor for name, tensor in state.items()}


def read_state_dict(file: str, network: str) -> dict[str, torch.Tensor]:
    content = read_file(file)
    state = find_state_dict(content, network) or find_plain(content)
    if state is None:
        names = ", ".join(str(name) for name in list(content)[:8])
        raise ValueError(f"{file} contains no state dict for a {network}; it contains: {names}")
    return state


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
    """The configuration, given the weight shapes [in, out, 4, 4] (generator) and [out, in, 4, 4] (discriminator)."""
    values = {
        "run.output_dir": str(run.parent).replace("$", "$$"),  # slopegan expands $NAME in paths
        "run.name": run.name,
        "data.resolution": 4 << (len(generator) - 1), "data.channels": generator[-1][1],
        "generator.latent_dim": generator[0][0], "generator.width": generator[-1][0],
        "generator.activation": "relu", "generator.norm": "batch",
        "discriminator.width": discriminator[0][0] if discriminator else generator[-1][0],
        "discriminator.activation": "leaky_relu", "discriminator.negative_slope": 0.2, "discriminator.norm": "batch",
    }
    return [f"{key}={value}" for key, value in values.items()]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("generator", help="state dict of the generator, such as netG_epoch_24.pth, or a checkpoint of "
                        "both networks")
    parser.add_argument("run", metavar="RUN_DIR", type=pathlib.Path, help="the run directory to create")
    parser.add_argument("overrides", metavar="key=value", nargs="*", help="keys of slopegan's configuration")
    parser.add_argument("--discriminator", help="state dict of the discriminator; default: random initialisation")
    parser.add_argument("--slopegan", default=SOURCE / "build/release/slopegan",
                        help="the slopegan program; default: build/release/slopegan")
    arguments = parser.parse_intermixed_args()
    try:
        file = arguments.generator
        tensors, generator = convert(read_state_dict(file, "generator"), file, "generator")
        discriminator = None
        netd = find_state_dict(read_file(file), "discriminator")
        if arguments.discriminator:
            file = arguments.discriminator
            netd = read_state_dict(file, "discriminator")
        if netd:
            more, discriminator = convert(netd, file, "discriminator")
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
