#!/usr/bin/env python3
"""Measures slopegan's time as a function of images, width, resolution, batch size, threads and arms.

    .venv/bin/python scripts/bench_growth.py [--axis AXIS]... [--rounds 3] [--seconds 3] [--json FILE] [--plot FILE.png]

Prints one table per axis: the time, its ratio to the previous row, and, for the training step, the operations per image
and per second. Each round measures all rows of an axis in turn, so that other load on the machine affects all of them
alike; the tables show medians over the rounds. --plot needs matplotlib (.venv/bin/pip install matplotlib).
"""
import argparse
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
BINARY = ROOT / "build/release/slopegan"
CORES = len(os.sched_getaffinity(0))


def run_bench(kind, *arguments):
    output = subprocess.run([BINARY, "--quiet", "bench", kind, *arguments], capture_output=True, text=True, check=True)
    return json.loads(output.stdout)["rows"]


def time_step(seconds, *overrides, threads=CORES):
    """The time in seconds to train on 1,000 images, with the operations per image and per second."""
    row = run_bench("step", "--seconds", str(seconds), "--vary", f"training.threads={threads}", *overrides)[-1]
    return {"seconds": 1000 / row["images_per_second"], "mflop_per_image": row["flop_per_image"] / 1e6,
            "gflop_per_second": row["gflop_per_second"]}


def both_networks(key, value):
    return [f"generator.{key}={value}", f"discriminator.{key}={value}"]


def time_program(_, value):
    """The time in seconds for the whole program: startup, training, samples and a checkpoint."""
    with tempfile.TemporaryDirectory() as folder:
        begin = time.perf_counter()
        subprocess.run([BINARY, "--quiet", "train", ROOT / "configs/fashion_mnist.yaml", f"run.output_dir={folder}",
                        f"training.total_images={value}", "metrics.every_images=0"], check=True, capture_output=True)
        return {"seconds": time.perf_counter() - begin}


def time_sweep(_, value):
    return {"seconds": run_bench("sweep", "--arms", str(value), "--rounds", "1", "training.total_images=12800",
                                 "metrics.every_images=0")[0]["seconds"]}


# axis: label of the time, values, function that measures one value
AXES = {
    "images": ("s for the whole program", [6400, 12800, 25600, 51200, 102400], time_program),
    "width": ("s per 1,000 images", [8, 16, 32, 64, 128], lambda s, v: time_step(s, *both_networks("width", v))),
    "resolution": ("s per 1,000 images", [32, 64, 128], lambda s, v: time_step(s, f"data.resolution={v}")),
    "batch": ("s per 1,000 images", [8, 16, 32, 64, 128, 256], lambda s, v: time_step(s, f"training.batch_size={v}")),
    "threads": ("s per 1,000 images", list(range(1, CORES + 1)), lambda s, v: time_step(s, threads=v)),
    "arms": ("s (12,800 images per arm)", [1, 2, 4, 8], time_sweep),
}


def measure(axis, arguments):
    _, values, function = AXES[axis]
    rounds = [[function(arguments.seconds, value) for value in values] for _ in range(arguments.rounds)]
    return [{"value": value, **{key: statistics.median(r[i][key] for r in rounds) for key in rounds[0][i]}}
            for i, value in enumerate(values)]


def print_table(axis, rows):
    print(f"{axis:>10}{AXES[axis][0]:>30}{'vs. previous row':>18}{'MFLOP per image':>16}{'GFLOP/s':>9}")
    before = None
    for row in rows:
        growth = f"{row['seconds'] / before:17.2f}x" if before else " " * 18
        arithmetic = f"{row['mflop_per_image']:16.1f}{row['gflop_per_second']:9.0f}" if "mflop_per_image" in row else ""
        print(f"{row['value']:10}{row['seconds']:30.3f}{growth}{arithmetic}")
        before = row["seconds"]
    print(flush=True)


def plot(results, file):
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    columns = (len(results) + 1) // 2
    figure, places = pyplot.subplots(2, columns, figsize=(4 * columns, 6), layout="constrained", squeeze=False)
    for place, (axis, rows) in zip(places.flat, results.items()):
        values, seconds = [row["value"] for row in rows], [row["seconds"] for row in rows]
        place.loglog(values, seconds, "o-", base=2, label="measured")
        if "mflop_per_image" in rows[0] and axis not in ("threads", "batch"):
            line, name = [seconds[-1] * row["mflop_per_image"] / rows[-1]["mflop_per_image"] for row in rows], "arithmetic"
        elif axis == "batch":
            line, name = [seconds[-1]] * len(rows), "constant"
        elif axis == "threads":
            line, name = [seconds[0] / value for value in values], "ideal"
        else:
            line, name = [seconds[-1] * value / values[-1] for value in values], "linear"
        place.loglog(values, line, "--", base=2, color="gray", label=name)
        place.set(xlabel=axis, ylabel=AXES[axis][0], xticks=values, xticklabels=[str(value) for value in values])
        place.minorticks_off()
        place.legend()
    for place in list(places.flat)[len(results):]:
        place.remove()
    figure.savefig(file, dpi=80)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--axis", action="append", choices=AXES, help="can be repeated; default: all")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=3, help="duration of each measurement of the step")
    parser.add_argument("--json", type=pathlib.Path, help="write the medians to this JSON file")
    parser.add_argument("--plot", type=pathlib.Path, help="plot the medians to this PNG or SVG file")
    arguments = parser.parse_args()
    results = {}
    for axis in arguments.axis or AXES:
        results[axis] = measure(axis, arguments)
        print_table(axis, results[axis])
    if arguments.json:
        arguments.json.write_text(json.dumps(results, indent=2))
    if arguments.plot:
        plot(results, arguments.plot)
    return 0


if __name__ == "__main__":
    sys.exit(main())
