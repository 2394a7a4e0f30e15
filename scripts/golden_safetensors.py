#!/usr/bin/env python3
"""Writes tests/golden/safetensors.safetensors with the reference library, or checks a file against the same tensors.

    python3 -m venv VENV && VENV/bin/pip install safetensors==0.8.0
    VENV/bin/python scripts/golden_safetensors.py write tests/golden/safetensors.safetensors
    VENV/bin/python scripts/golden_safetensors.py check FILE

tests/run/safetensors_test.cpp defines the same tensors: a 2 x 3 matrix of each dtype (-1.5, -0.5, ..., 3.5 for floating
point; 0, 1, ..., 5 for integers; 0, 1, 0, 1, 0, 1 for BOOL), a scalar and an empty tensor.
"""
import ctypes
import struct
import sys

from safetensors import TensorSpec, deserialize, serialize

METADATA = {"made_by": "slopegan"}
FLOATS = [i - 1.5 for i in range(6)]
INTEGERS = list(range(6))


def bfloat16(values):
    return b"".join(struct.pack("<f", value)[2:] for value in values)  # these values need no rounding


MATRICES = {  # name: (dtype in the Python API, dtype in the file, bytes)
    "bool": ("bool", "BOOL", struct.pack("<6B", 0, 1, 0, 1, 0, 1)),
    "uint8": ("uint8", "U8", struct.pack("<6B", *INTEGERS)),
    "int8": ("int8", "I8", struct.pack("<6b", *INTEGERS)),
    "int16": ("int16", "I16", struct.pack("<6h", *INTEGERS)),
    "int32": ("int32", "I32", struct.pack("<6i", *INTEGERS)),
    "int64": ("int64", "I64", struct.pack("<6q", *INTEGERS)),
    "float16": ("float16", "F16", struct.pack("<6e", *FLOATS)),
    "bfloat16": ("bfloat16", "BF16", bfloat16(FLOATS)),
    "float32": ("float32", "F32", struct.pack("<6f", *FLOATS)),
    "float64": ("float64", "F64", struct.pack("<6d", *FLOATS)),
}
TENSORS = {name: (dtype, tag, [2, 3], data) for name, (dtype, tag, data) in MATRICES.items()}
TENSORS["scalar"] = ("float32", "F32", [], struct.pack("<f", 0.25))
TENSORS["empty"] = ("float32", "F32", [0, 4], b"")


def write(path):
    buffers = {name: ctypes.create_string_buffer(data, max(len(data), 1)) for name, (_, _, _, data) in TENSORS.items()}
    specs = {
        name: TensorSpec(dtype=dtype, shape=shape, data_ptr=ctypes.addressof(buffers[name]), data_len=len(data))
        for name, (dtype, _, shape, data) in TENSORS.items()
    }
    with open(path, "wb") as file:
        file.write(serialize(specs, METADATA))


def check(path):
    with open(path, "rb") as file:
        found = {name: (entry["dtype"], list(entry["shape"]), bytes(entry["data"]))
                 for name, entry in deserialize(file.read())}
    expected = {name: (tag, shape, data) for name, (_, tag, shape, data) in TENSORS.items()}
    if found != expected:
        sys.exit(f"{path}: expected {expected}, found {found}")
    print(f"{path}: {len(found)} tensors as expected")


if __name__ == "__main__":
    if len(sys.argv) != 3 or sys.argv[1] not in ("write", "check"):
        sys.exit(__doc__)
    {"write": write, "check": check}[sys.argv[1]](sys.argv[2])
