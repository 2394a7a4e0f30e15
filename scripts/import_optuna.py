#!/usr/bin/env python3
"""Imports a sweep into Optuna as a study with one trial per arm, so that Optuna's tools and dashboard can show it.

    pip install optuna optuna-dashboard
    scripts/import_optuna.py outputs/fashion_mnist_sweep             # writes outputs/fashion_mnist_sweep/optuna.db
    optuna-dashboard sqlite:///outputs/fashion_mnist_sweep/optuna.db

Reads results.csv and each arm's metrics.jsonl. The objective is the FD at the end of training (lower is better), and the
FDs measured during training are the trial's intermediate values, with the number of images as the step. An arm that
diverged or collapsed becomes a failed trial; unfinished and failed arms, and arms that a race did not need, are
omitted. Importing again replaces the study.
"""
import argparse
import csv
import json
import pathlib
import sys


def read_number(text: str):
    """The value of a cell: an int or float if it is a number, None if it is empty, otherwise the text."""
    if not text:
        return None
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text


def read_fds(run: pathlib.Path) -> dict:
    """The FDs of a run, keyed by the number of images seen. An incomplete last line is ignored."""
    file = run / "metrics.jsonl"
    if not file.is_file():
        return {}
    records = [json.loads(line) for line in file.read_text(encoding="utf-8").split("\n")[:-1] if line]
    return {record["images"]: record["values"]["fd"] for record in records if "fd" in record["values"]}


def read_arms(sweep: pathlib.Path):
    """The lines of results.csv as dicts without empty cells."""
    with open(sweep / "results.csv", newline="", encoding="utf-8") as file:
        for line in csv.DictReader(file):
            yield {name: read_number(cell) for name, cell in line.items() if cell}


def parameters_of(arm: dict) -> dict:
    """The values that differ between arms. A column with a dot in its name is a configuration key from sweep.cross."""
    crossed = {name: value for name, value in arm.items() if "." in name}
    return {"negative_slope": arm["negative_slope"], "seed": arm["seed"], **crossed}


def find_distributions(optuna, arms) -> dict:
    """One categorical distribution per parameter. Its choices are the values that occur in `arms`."""
    choices = {}
    for arm in arms:
        for name, value in parameters_of(arm).items():
            choices.setdefault(name, set()).add(value)
    return {name: optuna.distributions.CategoricalDistribution(sorted(values, key=lambda v: (isinstance(v, str), v)))
            for name, values in choices.items()}


def make_trial(optuna, sweep: pathlib.Path, arm: dict, distributions: dict):
    """The trial of an arm that is done and has a final FD, or that diverged or collapsed; None for any other arm."""
    parameters = parameters_of(arm)
    scored = arm["status"] == "done" and "fd" in arm and arm.get("metrics_images") == arm.get("images")
    if not scored and arm["status"] not in ("diverged", "collapsed"):
        return None
    return optuna.trial.create_trial(
        state=optuna.trial.TrialState.COMPLETE if scored else optuna.trial.TrialState.FAIL,
        value=arm["fd"] if scored else None,
        params=parameters,
        distributions={name: distributions[name] for name in parameters},
        user_attrs={name: value for name, value in arm.items() if name not in parameters},
        intermediate_values=read_fds(sweep / "runs" / str(arm["arm"])))


def import_sweep(optuna, sweep: pathlib.Path, storage: str, name: str):
    """Replaces the study `name` in `storage`. Returns the new study and the number of arms that were omitted."""
    arms = [arm for arm in read_arms(sweep) if arm["status"] != "not needed"]
    distributions = find_distributions(optuna, arms)
    trials = [make_trial(optuna, sweep, arm, distributions) for arm in arms]
    if name in optuna.study.get_all_study_names(storage):
        optuna.delete_study(study_name=name, storage=storage)
    study = optuna.create_study(study_name=name, storage=storage, direction="minimize")
    study.add_trials([trial for trial in trials if trial])
    return study, trials.count(None)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sweep", type=pathlib.Path, metavar="SWEEP")
    parser.add_argument("--storage", help="database (default: sqlite:///SWEEP/optuna.db)")
    parser.add_argument("--name", help="name of the study (default: the name of the sweep's directory)")
    arguments = parser.parse_args()
    sweep = arguments.sweep.resolve()
    if not (sweep / "results.csv").is_file():
        sys.exit(f"import_optuna: {arguments.sweep} is not a sweep: it does not contain results.csv")
    try:
        import optuna
    except ImportError:
        sys.exit("import_optuna: the package optuna is not installed: pip install optuna")
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    storage = arguments.storage or f"sqlite:///{sweep / 'optuna.db'}"
    study, omitted = import_sweep(optuna, sweep, storage, arguments.name or sweep.name)
    print(f"{storage}: study {study.study_name} with {len(study.trials)} trials"
          + (f"; {omitted} unfinished, failed or unmeasured arms were omitted" if omitted else ""))
    return 0


if __name__ == "__main__":
    sys.exit(main())
