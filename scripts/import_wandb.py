#!/usr/bin/env python3
"""Imports a run directory, or all runs of a sweep, into Weights & Biases.

    pip install wandb pyyaml pillow
    scripts/import_wandb.py outputs/fashion_mnist                    # offline: writes wandb/offline-run-*
    wandb sync wandb/offline-run-*                                   # uploads it later
    scripts/import_wandb.py outputs/fashion_mnist_sweep --online     # uploads it now; one run per arm, grouped

Reads config.yaml, run.json, history.jsonl, metrics.jsonl, diagnostics.jsonl and samples/. An unfinished run can be
imported; importing it again later creates another run with all its results.
"""
import argparse
import json
import pathlib
import sys

from config_yaml import read_yaml


def read_records(file: pathlib.Path):
    """The records of a JSONL file, without an incomplete last line."""
    if not file.is_file():
        return []
    lines = file.read_text(encoding="utf-8").split("\n")[:-1]
    return [json.loads(line) for line in lines if line]


def flatten(record: dict, prefix: str = "") -> dict:
    """The numbers of a record as a flat dict with keys such as metrics/values/fd. List items are keyed by their name or
    extractor."""
    flat = {}
    for key, value in record.items():
        if isinstance(value, dict):
            flat.update(flatten(value, f"{prefix}{key}/"))
        elif isinstance(value, list):
            for item in value:
                label = item.get("name", item.get("extractor")) if isinstance(item, dict) else None
                if label is not None:
                    flat.update(flatten(item, f"{prefix}{key}/{label}/"))
        elif isinstance(value, (int, float)) and key != "images":
            flat[prefix + key] = value
    return flat


def merge_records(run: pathlib.Path) -> dict:
    """All values, keyed by the number of images seen, in ascending order."""
    merged = {}
    for name in ("history", "metrics", "diagnostics"):
        for record in read_records(run / f"{name}.jsonl"):
            merged.setdefault(record["images"], {}).update(flatten(record, f"{name}/"))
    return dict(sorted(merged.items()))


def sample_files(run: pathlib.Path) -> dict:
    files = (file for file in (run / "samples").glob("*.png") if file.stem.isdigit())
    return {int(file.stem): file for file in files}


def import_run(wandb, run: pathlib.Path, arguments, group) -> int:
    info = json.loads((run / "run.json").read_text(encoding="utf-8")) if (run / "run.json").is_file() else {}
    session = wandb.init(
        project=arguments.project, name=run.name, group=group, dir=str(arguments.dir), job_type="slopegan",
        mode="online" if arguments.online else "offline", config=read_yaml((run / "config.yaml").read_text(encoding="utf-8")))
    session.config.update({"slopegan_run": info})
    session.define_metric("images")
    session.define_metric("*", step_metric="images")
    merged, pictures = merge_records(run), sample_files(run)
    for images in sorted(merged.keys() | pictures.keys()):
        values = {"images": images, **merged.get(images, {})}
        if images in pictures:
            values["samples"] = wandb.Image(str(pictures[images]))
        session.log(values)
    session.finish()
    return len(merged)


def find_runs(path: pathlib.Path):
    """Returns the run directories of a run or sweep, and the name of the sweep (None for a single run)."""
    if (path / "sweep.yaml").is_file():
        return sorted(run for run in (path / "runs").iterdir() if (run / "config.yaml").is_file()), path.name
    if not (path / "config.yaml").is_file():
        sys.exit(f"import_wandb: {path} is neither a run nor a sweep")
    return [path], None


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("path", type=pathlib.Path, metavar="RUN|SWEEP")
    parser.add_argument("--project", default="slopegan")
    parser.add_argument("--dir", type=pathlib.Path, default=pathlib.Path("."), help="parent directory of wandb/")
    parser.add_argument("--online", action="store_true", help="upload now; needs `wandb login`")
    arguments = parser.parse_args()
    try:
        import wandb
    except ImportError:
        sys.exit("import_wandb: the wandb package is not installed: pip install wandb pyyaml pillow")
    runs, group = find_runs(arguments.path.resolve())
    arguments.dir.mkdir(parents=True, exist_ok=True)
    for run in runs:
        count = import_run(wandb, run, arguments, group)
        print(f"{run}: {count} points")
    return 0


if __name__ == "__main__":
    sys.exit(main())
