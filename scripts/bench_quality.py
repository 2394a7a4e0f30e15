#!/usr/bin/env python3
"""Measures how long slopegan and other trainers take to reach a given Fréchet distance (FD) on 32 x 32 Fashion-MNIST.

    .venv/bin/python scripts/bench_quality.py --plan                       # what would be trained, and the expected time
    .venv/bin/python scripts/bench_quality.py [--plot FILE.png]            # measure; run it again after an interruption
    .venv/bin/python scripts/bench_quality.py --contestants slopegan --config old=FILE --config new=FILE,KEY=VALUE
    .venv/bin/python scripts/bench_quality.py --table                      # the results so far

Contestants: `slopegan` (each --config), `pytorch` (the first --config in PyTorch), `tutorial` and `tutorial-compiled`
(PyTorch's DCGAN tutorial at 32 x 32, gray and width 32; eager and torch.compile), `tensorflow` (the DCGAN tutorial of
tensorflow.org) and `keras` (the DCGAN example of keras.io; slow, so it runs only if --contestants names it). The last
two need `pip install tensorflow-cpu`, for example in a separate virtual environment (--keras-python).

Time: seconds since the start of the process, including imports and reading the data. Saving and evaluating are not
counted: PyTorch and TensorFlow wait in the meantime; slopegan is resumed (see Slopegan.advance). PyTorch runs in the
precision and variant (eager or tuned; compiled for tutorial-compiled) that are fastest on this machine. Compiled code
comes from a warm cache.

Order: one seed at a time. For each seed, the contestants take turns from checkpoint to checkpoint, so that other load
on the machine affects all of them alike. A contestant stops at the lowest target, at --images, at the end of
its learning-rate decay or after --max-seconds.
"""
import argparse
import json
import math
import os
import pathlib
import re
import sys
import time

from quality_contestants import CONTESTANTS, ROOT, Failed, make_contestants, run_program
from quality_scores import checkpoint_grid, fd_table, pace_table, summarise, table

CORES = len(os.sched_getaffinity(0))
SLOPES = "generator.negative_slope=0.1,discriminator.negative_slope=0.1"
DEFAULT_CONFIG = f"default={ROOT / 'configs/quickstart.yaml'},{SLOPES}"
# Images per second per core, and seconds per evaluation on one core; used only by --plan, until there are results.
ROUGH_SPEED = {"slopegan": 1800, "pytorch": 700, "tutorial": 1000, "tutorial-compiled": 1000, "tensorflow": 120, "keras": 20}
ROUGH_EVALUATION = 18


# --- Arguments ----------------------------------------------------------------------------------------------------------
def split_overrides(text: str) -> list[str]:
    """Splits KEY=VALUE,KEY=VALUE; values may contain commas."""
    return re.split(r",(?=[a-z][a-z0-9_.]*=)", text)


def parse_config(text: str) -> tuple[str, str, list[str]]:
    """NAME=FILE[,KEY=VALUE…]"""
    match = re.fullmatch(r"([A-Za-z0-9._-]+)=([^,]+)(?:,(.*))?", text)
    if not match:
        raise argparse.ArgumentTypeError(f"'{text}' is not NAME=FILE[,KEY=VALUE...]")
    return match[1], match[2], split_overrides(match[3]) if match[3] else []


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--config", action="append", type=parse_config, metavar="NAME=FILE[,KEY=VALUE...]",
                        help="can be repeated (default: configs/quickstart.yaml with slope 0.1)")
    parser.add_argument("--contestants", nargs="+", choices=CONTESTANTS, default=CONTESTANTS[:-1], metavar="NAME",
                        help=f"one or more of {', '.join(CONTESTANTS)} (default: all but keras); ratios are relative "
                             "to the first one")
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2, 3, 4])
    parser.add_argument("--targets", nargs="+", type=float, default=[2, 1, 0.5], metavar="FD")
    parser.add_argument("--images", type=int, default=1_000_000, help="largest number of images (default: 1,000,000)")
    parser.add_argument("--max-seconds", type=float, default=1200, help="stop a contestant after this time (default: 1200)")
    parser.add_argument("--first", type=int, default=10_000, help="images at the first checkpoint (default: 10,000)")
    parser.add_argument("--factor", type=float, default=2 ** 0.5, help="ratio of successive checkpoints (default: 1.414)")
    parser.add_argument("--samples", type=int, default=10_000, help="generated images per checkpoint (default: 10,000)")
    parser.add_argument("--threads", type=int, default=CORES, help="threads of each contestant (default: all cores)")
    parser.add_argument("--against", default=str(ROOT / "configs/quickstart.yaml"), help="configuration with the real images")
    parser.add_argument("--program", default=str(ROOT / "build/release/slopegan"))
    parser.add_argument("--keras-python", default=sys.executable, metavar="PYTHON", help="a Python interpreter with TensorFlow")
    parser.add_argument("--out", type=pathlib.Path, default=ROOT / "build/bench_quality", help="directory for the results")
    parser.add_argument("--plan", action="store_true", help="print what would be trained and the expected time, and exit")
    parser.add_argument("--table", action="store_true", help="print the results so far, and exit")
    parser.add_argument("--plot", type=pathlib.Path, help="plot FD against seconds to this PNG or SVG file (needs matplotlib)")
    arguments = parser.parse_args()
    arguments.config = arguments.config or [parse_config(DEFAULT_CONFIG)]
    names = [name for name, _, _ in arguments.config]
    if len({*names, *CONTESTANTS[1:]}) < len(names) + len(CONTESTANTS) - 1:
        parser.error("the names in --config must differ from each other and from those of the contestants")
    if not arguments.factor > 1 or arguments.first < 1 or arguments.images < 1:
        parser.error("--factor must exceed 1, and --first and --images must be positive")
    return arguments


# --- Results: one file per contestant and seed. First line: the settings; last line: the reason why the run ended --------
class Results:
    def __init__(self, contestant, seed: int, arguments):
        self.file = arguments.out / f"{contestant.name}-seed_{seed}.jsonl"
        self.lowest = min(arguments.targets)
        shared = {key: getattr(arguments, key) for key in ("images", "max_seconds", "first", "factor", "samples", "threads")}
        self.settings = {"contestant": contestant.name, "seed": seed, **shared, **contestant.settings}
        self.lines = [json.loads(line) for line in self.file.read_text().splitlines()] if self.file.exists() else []

    def points(self) -> list[dict]:
        return [line for line in self.lines if "fd" in line]

    def why_ended(self) -> str:
        """The reason why the run ended; empty if it is not finished, or ended at a target above the lowest one."""
        end = self.lines[-1].get("end", "") if self.lines else ""
        return "" if end == "reached" and self.points()[-1]["fd"] > self.lowest else end

    def check_settings(self) -> None:
        for key, value in (self.lines[0].items() if self.lines else ()):
            if self.settings.get(key) != value:
                sys.exit(f"bench_quality.py: {self.file} was measured with {key} = {json.dumps(value)}, not "
                         f"{json.dumps(self.settings.get(key))}; choose another --out, or delete the file")

    def begin(self) -> None:
        self.lines = []
        self.file.write_text("")
        self.add(self.settings)

    def add(self, line: dict) -> None:
        self.lines.append(line)
        with self.file.open("a") as file:
            print(json.dumps(line), file=file)


# --- Measuring ----------------------------------------------------------------------------------------------------------
def evaluate(file: pathlib.Path, arguments) -> dict:
    begin = time.monotonic()
    answer = json.loads(run_program(arguments, "--quiet", "evaluate", str(file), "--against", arguments.against, "--samples",
                                    str(arguments.samples)))
    return {"fd": answer["values"]["fd"], "extractor": answer["extractor"], "evaluation_seconds": time.monotonic() - begin}


def take_turn(contestant, results: Results, images: int, arguments) -> bool:
    """Trains a contestant to a checkpoint and measures it. Returns whether the contestant continues."""
    file = arguments.out / "images.npz"
    try:
        seen, seconds = contestant.advance(images, file)
        point = {"contestant": contestant.name, "seed": results.settings["seed"], "checkpoint": images, "images": seen,
                 "seconds": seconds, **evaluate(file, arguments)}
    except Failed as reason:
        results.add({"end": f"failed: {reason}"})
        print(f"{contestant.name}, seed {results.settings['seed']}: {reason}", file=sys.stderr)
        return False
    results.add(point)
    print(f"seed {point['seed']}  {contestant.name:<24}{seen:>10,} images{seconds:9.1f} s   FD {point['fd']:.3f}", flush=True)
    reasons = {"reached": point["fd"] <= min(arguments.targets), "images": images >= contestant.cap,
               "seconds": seconds >= arguments.max_seconds}
    end = next((reason for reason, holds in reasons.items() if holds), None)
    if end:
        results.add({"end": end})
    return not end


def grid_of(contestant, arguments) -> list[int]:
    return checkpoint_grid(arguments.first, contestant.cap, arguments.factor)


def warm_up(contestants, arguments) -> None:
    """Runs each contestant once without measuring it, to read its files into memory and fill the cache of torch.compile.

    Otherwise, the first contestant would also pay for loading the libraries that it shares with the others.
    """
    for c in contestants:
        c.start(0)
        try:
            _, seconds = c.advance(256, arguments.out / "images.npz")
            print(f"{c.name}: {seconds:.1f} s for the first 256 images after a cold start (not counted)", flush=True)
        except Failed as reason:
            print(f"{c.name}: {reason}", file=sys.stderr)
        c.end()


def measure(contestants, arguments) -> None:
    warm = set()
    for turn, seed in enumerate(arguments.seeds):
        results = {c: Results(c, seed, arguments) for c in contestants}
        for result in results.values():
            result.check_settings()
        shift = turn % len(contestants)
        active = [c for c in contestants[shift:] + contestants[:shift] if not results[c].why_ended()]
        warm_up([c for c in active if c not in warm], arguments)
        warm.update(active)
        try:
            for c in active:
                results[c].begin()
            started = set()
            for images in sorted({images for c in active for images in grid_of(c, arguments)}):
                for c in [c for c in active if images in grid_of(c, arguments)]:
                    if c not in started:
                        started.add(c)
                        c.start(seed)
                    if not take_turn(c, results[c], images, arguments):
                        active.remove(c)
                        c.end()
        finally:
            for c in active:
                c.end()


# --- Reports ------------------------------------------------------------------------------------------------------------
def clock(seconds: float) -> str:
    return f"{seconds / 3600:.1f} h" if seconds >= 3600 else f"{seconds / 60:.0f} min"


def print_plan(contestants, arguments) -> None:
    """Prints the expected time, assuming that no contestant reaches the lowest target."""
    evaluation, total = ROUGH_EVALUATION / arguments.threads, 0.0
    print(f"seeds {arguments.seeds}, {arguments.threads} threads, targets {arguments.targets}; at most per seed:")
    for c in contestants:
        grid = grid_of(c, arguments)
        points = [p for seed in arguments.seeds for p in Results(c, seed, arguments).points()]
        done = sum(bool(Results(c, seed, arguments).why_ended()) for seed in arguments.seeds)
        speed = points[-1]["images"] / points[-1]["seconds"] if points else ROUGH_SPEED[c.kind] * arguments.threads
        training = min(grid[-1] / speed, arguments.max_seconds)
        count = sum(images <= speed * arguments.max_seconds for images in grid) + (grid[-1] > speed * arguments.max_seconds)
        seconds = training + count * (sum(p["evaluation_seconds"] for p in points) / len(points) if points else evaluation)
        total += seconds * (len(arguments.seeds) - done)
        print(f"  {c.name:<24}{min(grid[-1], int(training * speed)):>10,} images{training:7.0f} s of training at {speed:5.0f} "
              f"images/s{'' if points else ' (estimated)'}, {count} evaluations: {clock(seconds)}; {done} of "
              f"{len(arguments.seeds)} seeds done")
    print(f"at most {clock(total)} in total; less if a contestant reaches FD {min(arguments.targets):g} earlier")


def print_tables(contestants, arguments) -> dict:
    runs = {c.name: {seed: Results(c, seed, arguments).points() for seed in arguments.seeds} for c in contestants}
    extractors = {p["extractor"] for points in runs.values() for run in points.values() for p in run}
    if len(extractors) > 1:
        sys.exit(f"bench_quality.py: the results were measured by different extractors: {', '.join(sorted(extractors))}")
    print(f"FD[{''.join(extractors)}, n={arguments.samples}], {arguments.threads} threads; between checkpoints, log FD is "
          "interpolated linearly in log images")
    print("", *pace_table(runs), "", *fd_table(runs), sep="\n")
    summaries = {}
    for target in sorted(arguments.targets, reverse=True):
        summaries[target] = {name: summarise(by_seed, runs[contestants[0].name], target) for name, by_seed in runs.items()}
        print("", *table(target, summaries[target]), sep="\n")
    for c in contestants:
        for seed in arguments.seeds:
            if (end := Results(c, seed, arguments).why_ended()).startswith("failed"):
                print(f"{c.name}, seed {seed}: {end}")
    (arguments.out / "summary.json").write_text(json.dumps(summaries, indent=2))
    return runs


def plot(runs: dict, arguments) -> None:
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, place = pyplot.subplots(figsize=(7, 5), layout="constrained")
    for i, (name, by_seed) in enumerate(runs.items()):
        drawn = [points for points in by_seed.values() if points]
        for j, points in enumerate(drawn):
            place.loglog([p["seconds"] for p in points], [p["fd"] for p in points], "o-", color=f"C{i}", markersize=2,
                         linewidth=1, alpha=0.7, label=None if j else name)
    for target in arguments.targets:
        place.axhline(target, color="gray", linewidth=0.5, linestyle="--")
    place.set(xlabel=f"seconds, including start-up ({arguments.threads} threads)", ylabel="FD")
    place.legend()
    figure.savefig(arguments.plot, dpi=120)


def main() -> int:
    arguments = parse_arguments()
    arguments.out.mkdir(parents=True, exist_ok=True)
    contestants = make_contestants(arguments)
    if not contestants:
        sys.exit("bench_quality.py: no contestant can run on this machine")
    if arguments.plan:
        print_plan(contestants, arguments)
        return 0
    if not arguments.table:
        measure(contestants, arguments)
    runs = print_tables(contestants, arguments)
    if arguments.plot:
        plot(runs, arguments)
    return 0


if __name__ == "__main__":
    sys.exit(main())
