#!/usr/bin/env python3
"""Writes tests/golden/npz: archives written by NumPy, in the layout of MedMNIST. Needs NumPy.

Image i contains i, i + 1, ... (modulo 251) in row-major order; its label is i % 3.
"""
import pathlib

import numpy

FOLDER = pathlib.Path(__file__).resolve().parent.parent / "tests/golden/npz"


def images(count, *shape):
    size = int(numpy.prod(shape))
    rows = numpy.arange(count)[:, None] + numpy.arange(size)[None, :]
    return (rows % 251).astype(numpy.uint8).reshape(count, *shape)


def labels(count, kind):
    return (numpy.arange(count) % 3).astype(kind)[:, None]


def main():
    FOLDER.mkdir(parents=True, exist_ok=True)
    numpy.savez_compressed(FOLDER / "rgb.npz", train_images=images(7, 4, 5, 3), train_labels=labels(7, "u1"),
                           val_images=images(3, 4, 5, 3), val_labels=labels(3, "u1"),
                           test_images=images(4, 4, 5, 3), test_labels=labels(4, "u1"))
    numpy.savez(FOLDER / "gray.npz", train_images=images(6, 4, 4), train_labels=labels(6, "<i8"),
                val_images=images(2, 4, 4), val_labels=labels(2, "<i8"))


if __name__ == "__main__":
    main()
