#!/usr/bin/env python3
"""Imports networks of PyTorch's DCGAN example with random weights, and compares slopegan's images with PyTorch's.

    test_import_dcgan.py SLOPEGAN     the program to test

Exits with 77 if torch, numpy or safetensors is not installed.
"""
import os
import pathlib
import pickle
import subprocess
import sys
import tempfile

try:
    import numpy
    import torch
    from safetensors.torch import load_file
    from torch import nn
except ImportError as error:
    print(f"skipped: {error}; SLOPEGAN_TEST=1 scripts/setup.sh installs it")
    sys.exit(77)

import import_dcgan

SOURCE = pathlib.Path(__file__).resolve().parent.parent


class Network(nn.Module):
    """A network of the example, which consists of a Sequential named main."""

    def __init__(self, *layers: nn.Module):
        super().__init__()
        self.main = nn.Sequential(*layers)

    def forward(self, x):
        return self.main(x)


def generator(nz: int, ngf: int, nc: int) -> Network:
    layers, channels = [], [nz, 8 * ngf, 4 * ngf, 2 * ngf, ngf]
    for i, (before, after) in enumerate(zip(channels, channels[1:])):
        layers += [nn.ConvTranspose2d(before, after, 4, 2 if i else 1, 1 if i else 0, bias=False),
                   nn.BatchNorm2d(after), nn.ReLU(True)]
    return Network(*layers, nn.ConvTranspose2d(ngf, nc, 4, 2, 1, bias=False), nn.Tanh())


def discriminator(ndf: int, nc: int) -> Network:
    layers = [nn.Conv2d(nc, ndf, 4, 2, 1, bias=False), nn.LeakyReLU(0.2, inplace=True)]
    for factor in (1, 2, 4):
        layers += [nn.Conv2d(factor * ndf, 2 * factor * ndf, 4, 2, 1, bias=False), nn.BatchNorm2d(2 * factor * ndf),
                   nn.LeakyReLU(0.2, inplace=True)]
    return Network(*layers, nn.Conv2d(8 * ndf, 1, 4, 1, 0, bias=False), nn.Sigmoid())


def randomise(network: Network, inputs: torch.Tensor) -> Network:
    """Draws larger weights than the example does, so that the outputs reach the nonlinear range of tanh. Updates the
    running statistics."""
    for module in network.modules():
        if isinstance(module, (nn.Conv2d, nn.ConvTranspose2d)):
            nn.init.normal_(module.weight, 0, 0.1)
        if isinstance(module, nn.BatchNorm2d):
            nn.init.normal_(module.weight, 1, 0.1)
            nn.init.normal_(module.bias, 0, 0.1)
    with torch.no_grad():
        for _ in range(20):
            network.train()(inputs)
    return network.eval()


def run(*command) -> subprocess.CompletedProcess:
    return subprocess.run([str(part) for part in command], check=False, capture_output=True, text=True)


def run_checked(*command) -> str:
    result = run(*command)
    assert result.returncode == 0, result
    return result.stdout


class Code:
    """An object whose unpickling executes code."""

    def __init__(self, file: pathlib.Path):
        self.file = file

    def __reduce__(self):
        return (pathlib.Path.touch, (self.file,))


def check_images(program: str, run_dir: pathlib.Path, network: Network, channels: int) -> float:
    reference = run_dir.with_suffix(".safetensors")
    run_checked(program, "export", run_dir, "--format", "torchscript", "--out", run_dir.with_suffix(".pt"),
                "--reference", reference)
    content = load_file(reference)
    with torch.no_grad():
        images = network(content["latents"][:, :, None, None])
    difference = (images - content["slopegan_images"]).abs().max().item()
    assert difference <= 1e-5 and images.shape == (64, channels, 64, 64) and images.std() > 0.1, difference
    run_checked(program, "generate", run_dir, "--count", 5, "--out", run_dir.with_suffix(".npz"))
    with numpy.load(run_dir.with_suffix(".npz")) as file:
        expected = ((images[:5].permute(0, 2, 3, 1) + 1) * 127.5).numpy()
        assert numpy.abs(file["arr_0"] - expected).max() <= 0.5 + 1e-2
    run_checked(program, "grid", run_dir, "--out", run_dir.with_suffix(".png"))
    assert run_dir.with_suffix(".png").stat().st_size > 1000
    return difference


def check_training_continues(program: str, run_dir: pathlib.Path, netd: Network) -> None:
    weights = load_file(run_dir / "checkpoints/0/state.safetensors")
    assert torch.equal(weights["discriminator.block3.norm.running_var"], netd.main[9].running_var)
    assert torch.equal(weights["discriminator.block4.conv.weight"], netd.main[11].weight)
    run_checked(program, "train", run_dir / "config.yaml", "--resume", "auto", "training.total_images=64",
                "metrics.every_images=0", "diagnostics.every_images=0")
    assert (run_dir / "checkpoints/64").is_dir()


def check_training_on_other_data(program: str, run_dir: pathlib.Path) -> None:
    """Trains with data.kind and data.path on the command line, as described in scripts/README.md, because an import
    does not know the data."""
    images = run_dir.with_name("images.npz")
    run_checked(program, "generate", run_dir, "--count", 64, "--out", images)
    run_checked(program, "train", run_dir / "config.yaml", "--resume", "auto", "data.kind=npz", f"data.path={images}",
                "training.total_images=64", "metrics.every_images=0", "diagnostics.every_images=0")
    assert (run_dir / "checkpoints/64").is_dir()


def check_conversion_refuses(folder: pathlib.Path, netg: Network, netd: Network) -> None:
    """Calls the script's functions in this process. Starting Python with torch for every case would take a minute."""
    file = str(folder / "bad.pth")

    def refused(content, hint: str) -> None:
        torch.save(content, file)
        try:
            import_dcgan.convert(import_dcgan.read_state_dict(file, "generator"), file, "generator")
        except ValueError as error:
            assert hint in str(error) and file in str(error) and "\n" not in str(error), error
        else:
            raise AssertionError(hint)

    state = netg.state_dict()
    refused({"main.0.weight": Code(folder / "executed")}, "")
    refused(netd.state_dict(), "is not the generator")
    refused([1, 2], "no state dict")
    refused({}, "no convolution")
    refused({name: tensor for name, tensor in state.items() if name != "main.4.bias"}, "main.4.bias is missing")
    refused(state | {"more": torch.zeros(1)}, "more")


def check_wrapped_checkpoints(folder: pathlib.Path, netg: Network, netd: Network) -> None:
    """Checks the forms in which training scripts save one or both networks."""
    file = str(folder / "wrapped.pt")
    g, d = netg.state_dict(), netd.state_dict()

    def prefixed(prefix: str, state: dict) -> dict:
        return {prefix + name: tensor for name, tensor in state.items()}

    forms = [
        {"netG": g, "netD": d, "epoch": 3},
        {"netG_state_dict": g, "netD_state_dict": d, "optimizerG": {"state": {}}},
        {"generator": {"state_dict": g}, "discriminator": {"state_dict": d}},
        {"state_dict": prefixed("generator.", g) | prefixed("discriminator.", d), "epoch": 1},
        {"model": {"G": prefixed("module.", g), "D": prefixed("_orig_mod.", d)}},
        prefixed("netG.module.", g) | prefixed("netD._orig_mod.", d),
    ]
    for form in forms:
        torch.save(form, file)
        for network, state in (("generator", g), ("discriminator", d)):
            found = import_dcgan.read_state_dict(file, network)
            assert found.keys() == state.keys() and all(found[name].equal(state[name]) for name in state), form.keys()
    for form in ({"state_dict": g}, {"generator": prefixed("_orig_mod.module.", g)}):
        torch.save(form, file)
        assert import_dcgan.read_state_dict(file, "generator").keys() == g.keys()
        assert import_dcgan.find_state_dict(form, "discriminator") is None


def check_refusals(importer: list, folder: pathlib.Path, netg: Network) -> None:
    def refused(file: str, code: int, hint: str, *more) -> None:
        result = run(*importer, folder / file, folder / "bad", *more)
        assert result.returncode == code and hint in result.stderr and result.stderr.count("\n") == 1, result
        assert not (folder / "bad").exists()

    with open(folder / "code.pkl", "wb") as file:
        pickle.dump(Code(folder / "executed"), file)
    refused("code.pkl", 4, "code.pkl")
    assert not (folder / "executed").exists()
    refused("missing.pth", 4, "missing.pth")
    state = netg.state_dict()
    torch.save(state | {"main.3.weight": torch.zeros(1, 2, 4, 4)}, folder / "shape.pth")
    refused("shape.pth", 4, "does not fit the configuration")
    refused("gray.pth", 2, "generator.wdth", "generator.wdth=3")
    # Existing files are kept.
    (folder / "bad").mkdir()
    (folder / "bad/mine.txt").write_text("mine")
    assert run(*importer, folder / "gray.pth", folder / "bad").returncode == 2
    assert [file.name for file in (folder / "bad").iterdir()] == ["mine.txt"]


def main() -> int:
    os.environ["OMP_NUM_THREADS"] = "1"
    torch.set_num_threads(1)
    torch.manual_seed(0)
    program = sys.argv[1]
    importer = [sys.executable, SOURCE / "scripts/import_dcgan.py", "--slopegan", program]
    with tempfile.TemporaryDirectory() as scratch:
        folder = pathlib.Path(scratch)
        colour = randomise(generator(20, 8, 3), torch.randn(64, 20, 1, 1))
        # nn.DataParallel adds this prefix, for example in PyTorch's DCGAN tutorial.
        torch.save({"module." + name: tensor for name, tensor in colour.state_dict().items()}, folder / "colour.pth")
        run_checked(*importer, folder / "colour.pth", folder / "colour", "training.threads=1")
        largest = check_images(program, folder / "colour", colour, 3)
        check_training_on_other_data(program, folder / "colour")

        gray = randomise(generator(100, 6, 1), torch.randn(64, 100, 1, 1))
        netd = randomise(discriminator(4, 1), torch.randn(64, 1, 64, 64))
        torch.save(gray.state_dict(), folder / "gray.pth")
        torch.save(netd.state_dict(), folder / "netD.pth")
        run_checked(*importer, folder / "gray.pth", folder / "gray", "--discriminator", folder / "netD.pth",
                    "training.threads=1")
        largest = max(largest, check_images(program, folder / "gray", gray, 1))
        check_training_continues(program, folder / "gray", netd)
        check_conversion_refuses(folder, gray, netd)
        check_wrapped_checkpoints(folder, gray, netd)
        torch.save({"netG": gray.state_dict(), "netD": netd.state_dict()}, folder / "both.pt")
        run_checked(*importer, folder / "both.pt", folder / "both", "training.threads=1")
        check_training_continues(program, folder / "both", netd)
        check_refusals(importer, folder, gray)
    print(f"two imported generators reproduce PyTorch's images: pixels in [-1, 1] differ by at most {largest:.2g}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
