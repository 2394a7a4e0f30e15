#!/usr/bin/env python3
"""Writes tests/golden/torchscript/*.pt: feature extractors with closed-form features.

    .venv/bin/python scripts/golden_torchscript.py tests/golden/torchscript

extractor.pt follows the conventions of inception-2015-12-05.pt. It takes uint8 RGB images. With return_features=True it
returns the mean of each channel in each quarter of the image (12 features); with no_output_bias=True it returns class
probabilities: the fraction that each channel contributes to the sum of all bytes (3 classes). plain.pt takes neither
argument and returns the mean of each channel. broken.pt fails for every image; infinite.pt returns infinity for black
images.
"""
import pathlib
import sys

import torch


class Extractor(torch.nn.Module):
    def forward(self, x: torch.Tensor, return_features: bool = False, no_output_bias: bool = False) -> torch.Tensor:
        assert x.dtype == torch.uint8
        x = x.to(torch.float32)
        if return_features:
            return torch.nn.functional.adaptive_avg_pool2d(x, [2, 2]).flatten(1)
        channels = x.mean([2, 3]) + 1e-6
        return channels / channels.sum(1, keepdim=True)


class Plain(torch.nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x.to(torch.float32).mean([2, 3])


class Infinite(torch.nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return 1 / x.to(torch.float32).mean([2, 3])


class Broken(torch.nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.nn.functional.linear(x.to(torch.float32), torch.zeros([7, 5]))


def main():
    folder = pathlib.Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    for module in (Extractor(), Plain(), Infinite(), Broken()):
        torch.jit.script(module).save(str(folder / f"{type(module).__name__.lower()}.pt"))


if __name__ == "__main__":
    main()
