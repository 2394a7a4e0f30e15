#!/usr/bin/env python3
"""Times whole commands of slopegan on the quiet machine and while other processes occupy cores.

    .venv/bin/python scripts/bench_busy.py [--busy 1] [--rounds 5] [--json FILE]

The commands are `train`, `generate`, `evaluate`, and `evaluate` with an empty cache, which trains the classifier; each
uses all cores. Each round runs every command twice, first quiet and then busy. Prints the median times, which include
the start of the process, and the median and range of the ratios: the speed on the busy machine relative to the quiet
one.
"""
import argparse
import json
import os
import pathlib
import shutil
import statistics
import subprocess
import tempfile
import time

from bench_peers import BINARY, ROOT, busy_processes


def seconds_of(arguments, cache: pathlib.Path) -> float:
    begin = time.perf_counter()
    subprocess.run([str(BINARY), "--quiet", *arguments], check=True, capture_output=True,
                   env={**os.environ, "SLOPEGAN_CACHE": str(cache)})
    return time.perf_counter() - begin


def commands(directory: pathlib.Path, images: int) -> dict:
    """Returns {name: (arguments, whether the cache is emptied before)}. The commands after `train` use its run."""
    run = directory / "bench"
    train = ["train", str(ROOT / "configs/quickstart.yaml"), f"run.output_dir={directory}", "run.name=bench",
             f"training.total_images={images}", "metrics.every_images=0", "diagnostics.every_images=0"]
    return {"train": (train, False),
            "generate": (["generate", str(run), "--count", str(images), "--out", str(directory / "images.npz"), "--overwrite"],
                         False),
            "evaluate": (["evaluate", str(run), "--samples", "10000"], False),
            "evaluate, training the classifier": (["evaluate", str(run), "--samples", "10000"], True)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--busy", type=int, default=1, metavar="N", help="number of busy processes (default: 1)")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--images", type=int, default=40000, help="images to train on, and to generate (default: 40000)")
    parser.add_argument("--json", type=pathlib.Path, help="write all times to this JSON file")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        directory = pathlib.Path(name)
        cache = directory / "cache"
        all_commands = commands(directory, arguments.images)
        for command, _ in all_commands.values():  # fills the cache
            seconds_of(command, cache)
        times = {command: [] for command in all_commands}
        for _ in range(arguments.rounds):
            for command, (words, empties_cache) in all_commands.items():
                pair = []
                for busy in (0, arguments.busy):
                    if command == "train":
                        shutil.rmtree(directory / "bench", ignore_errors=True)
                    with busy_processes(busy):
                        pair.append(seconds_of(words, pathlib.Path(tempfile.mkdtemp(dir=name)) if empties_cache else cache))
                times[command].append(pair)
    print(f"{'':36}{'quiet':>9}{f'{arguments.busy} busy':>9}   speed, relative to quiet")
    for command, pairs in times.items():
        quiet, busy = zip(*pairs)
        ratios = [q / b for q, b in pairs]
        print(f"{command:36}{statistics.median(quiet):7.1f} s{statistics.median(busy):7.1f} s   "
              f"{statistics.median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f})")
    if arguments.json:
        arguments.json.write_text(json.dumps({**vars(arguments), "json": None, "seconds": times}, indent=2))


if __name__ == "__main__":
    main()
