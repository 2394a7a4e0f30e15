#!/usr/bin/env python3
"""Imports a run of slopegan, or all runs of a sweep, into Weights & Biases from what they left in their directories.

    pip install wandb pyyaml pillow
    scripts/import_wandb.py outputs/fashion_mnist                    # offline: writes wandb/offline-run-*
    wandb sync wandb/offline-run-*                                   # sends it, whenever you like
    scripts/import_wandb.py outputs/fashion_mnist_sweep --online     # sends it at once; a run an arm, grouped

Reads config.yaml, run.json, history.jsonl, metrics.jsonl, diagnostics.jsonl and samples/. A run that is still going can
be imported; what it adds later takes another import.
"""
import argparse
import json
import pathlib
import sys

from config_yaml import read_yaml


def records(file: pathlib.Path):
    """The lines of a JSONL file; the last one may be half written."""
    if not file.is_file():
        return []
    lines = file.read_text(encoding="utf-8").split("\n")[:-1]
    return [json.loads(line) for line in lines if line]


def figures(record: dict, prefix: str = "") -> dict:
    """The numbers of a record, flat, with names such as metrics/values/fd; an item of a list goes by its name."""
    flat = {}
    for key, value in record.items():
        if isinstance(value, dict):
            flat.update(figures(value, f"{prefix}{key}/"))
        elif isinstance(value, list):
            for item in value:
                if isinstance(item, dict) and "name" in item:
                    flat.update(figures(item, f"{prefix}{key}/{item['name']}/"))
        elif isinstance(value, (int, float)) and key != "images":
            flat[prefix + key] = value
    return flat


def points(run: pathlib.Path) -> dict:
    """All figures by the number of images seen, in its order."""
    merged = {}
    for name in ("history", "metrics", "diagnostics"):
        for record in records(run / f"{name}.jsonl"):
            merged.setdefault(record["images"], {}).update(figures(record, f"{name}/"))
    return dict(sorted(merged.items()))


def samples(run: pathlib.Path) -> dict:
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
    merged, pictures = points(run), samples(run)
    for images in sorted(merged.keys() | pictures.keys()):
        values = {"images": images, **merged.get(images, {})}
        if images in pictures:
            values["samples"] = wandb.Image(str(pictures[images]))
        session.log(values)
    session.finish()
    return len(merged)


def runs_of(path: pathlib.Path):
    """The run directories that `path` stands for, and the name of the sweep that they are of."""
    if (path / "sweep.yaml").is_file():
        return sorted(run for run in (path / "runs").iterdir() if (run / "config.yaml").is_file()), path.name
    if not (path / "config.yaml").is_file():
        sys.exit(f"import_wandb: {path} is neither a run nor a sweep")
    return [path], None


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("path", type=pathlib.Path, metavar="RUN|SWEEP")
    parser.add_argument("--project", default="slopegan")
    parser.add_argument("--dir", type=pathlib.Path, default=pathlib.Path("."), help="where wandb/ is written")
    parser.add_argument("--online", action="store_true", help="send it, which takes `wandb login`")
    arguments = parser.parse_args()
    try:
        import wandb
    except ImportError:
        sys.exit("import_wandb: the package wandb is missing: pip install wandb pyyaml pillow")
    runs, group = runs_of(arguments.path.resolve())
    arguments.dir.mkdir(parents=True, exist_ok=True)
    for run in runs:
        count = import_run(wandb, run, arguments, group)
        print(f"{run}: {count} points")
    return 0


if __name__ == "__main__":
    sys.exit(main())
