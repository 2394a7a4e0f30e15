#!/usr/bin/env python3
"""Writes tests/golden/torchscript/*.pt, extractors whose features have a closed form.

    .venv/bin/python scripts/golden_torchscript.py tests/golden/torchscript

extractor.pt has the conventions of inception-2015-12-05.pt: uint8 RGB in; with return_features=True the mean byte of each
channel and quarter of the image (12 features); with no_output_bias=True class probabilities: the channels' shares of all
bytes (3 classes). plain.pt has neither argument and gives each channel's mean. broken.pt fails on every image,
infinite.pt gives infinity for black ones.
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
