#!/usr/bin/env python3
"""Loads the committed sweeps of the study with pandas, and imports them into Optuna.

Exits with 77 if pandas or Optuna is not installed.
"""
import json
import math
import pathlib
import sys
import tempfile

try:
    import optuna
    import pandas
except ImportError as error:
    print(f"skipped: {error}; SLOPEGAN_TEST=1 scripts/setup.sh installs it")
    sys.exit(77)

import import_optuna


def check_pandas(sweep: pathlib.Path) -> int:
    """Runs the two lines from outputs/README.md."""
    arms = pandas.read_csv(sweep / "results.csv")
    comparisons = pandas.json_normalize(json.loads((sweep / "statistics.json").read_text()), "comparisons")
    for _, row in comparisons.iterrows():
        slope = arms[(arms.negative_slope == row.negative_slope) & (arms.status == "done")]
        assert len(slope) >= row.pairs - row.lost
        assert math.isfinite(slope.fd.mean())
    return int((arms.status != "not needed").sum())


def check_optuna(sweep: pathlib.Path, storage: str, count: int) -> None:
    for _ in range(2):  # importing again replaces the study
        study, omitted = import_optuna.import_sweep(optuna, sweep, storage, sweep.name)
        assert (len(study.trials), omitted) == (count, 0)
    loaded = optuna.load_study(study_name=sweep.name, storage=storage)
    arms = [arm for arm in import_optuna.read_arms(sweep) if "fd" in arm]
    best = min(arms, key=lambda arm: arm["fd"])
    assert loaded.best_value == best["fd"] and loaded.best_params["negative_slope"] == best["negative_slope"]
    assert loaded.best_trial.user_attrs["arm"] == best["arm"]


def check_states() -> None:
    """Diverged and collapsed arms become failed trials; unfinished arms, and arms that a race did not need, are
    omitted; columns named after keys become parameters."""
    with tempfile.TemporaryDirectory() as scratch:
        sweep = pathlib.Path(scratch) / "crossed"
        (sweep / "runs/a").mkdir(parents=True)
        (sweep / "runs/a/metrics.jsonl").write_text(
            '{"images":50,"values":{"fd":9.5}}\n{"images":100,"values":{"fd":2}}\n{"im')
        header = "arm,negative_slope,seed,generator.norm,status,images,metrics_images,fd\n"
        (sweep / "results.csv").write_text(
            header + "a,0.2,0,batch,done,100,100,2\nb,0.5,0,none,diverged,60,50,9\n"
            "c,0,0,none,running,60,50,9\nd,1,0,none,pending,0,,\ne,2,0,none,not needed,0,,\n"
            "f,0.5,1,none,collapsed,100,100,80\n")
        study, omitted = import_optuna.import_sweep(optuna, sweep, f"sqlite:///{scratch}/x.db", "crossed")
        states = [trial.state.name for trial in study.trials]
        assert (states, omitted) == (["COMPLETE", "FAIL", "FAIL"], 2), (states, omitted)
        assert study.trials[0].params == {"negative_slope": 0.2, "seed": 0, "generator.norm": "batch"}
        assert 2 not in study.trials[0].distributions["negative_slope"].choices
        assert study.trials[0].intermediate_values == {50: 9.5, 100: 2}


def main() -> int:
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    source = pathlib.Path(__file__).resolve().parent.parent
    sweeps = sorted(file.parent for file in (source / "outputs/study").glob("*/results.csv"))
    assert sweeps
    with tempfile.TemporaryDirectory() as scratch:
        for sweep in sweeps:
            check_optuna(sweep, f"sqlite:///{scratch}/study.db", check_pandas(sweep))
    check_states()
    print(f"{len(sweeps)} sweeps were loaded with pandas {pandas.__version__} and imported into Optuna {optuna.__version__}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
