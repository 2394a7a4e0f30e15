#!/usr/bin/env python3
"""Imports a run and a small sweep with import_wandb.py into a fake wandb package and checks the logged values.

    test_import_wandb.py SLOPEGAN     the program that trains the runs

import_wandb.py was tested manually with the real package (0.31.0). Exits with 77 if PyYAML is not installed.
"""
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import types

try:
    import yaml  # noqa: F401  import_wandb.py needs it
except ImportError as error:
    print(f"skipped: {error}; SLOPEGAN_TEST=1 scripts/setup.sh installs it")
    sys.exit(77)

import import_wandb


class Session:
    """The part of wandb's Run object that import_wandb.py uses."""

    def __init__(self, options):
        self.options, self.config, self.metrics, self.logged, self.finished = options, {}, {}, [], False

    def define_metric(self, name, step_metric=None):
        self.metrics[name] = step_metric

    def log(self, values):
        assert not self.finished
        self.logged.append(values)

    def finish(self):
        self.finished = True


def import_all(*arguments):
    sessions = []
    wandb = types.ModuleType("wandb")
    wandb.init = lambda **options: sessions.append(Session(options)) or sessions[-1]
    wandb.Image = lambda path: ("image", path)
    sys.modules["wandb"] = wandb
    sys.argv = ["import_wandb.py", *map(str, arguments)]
    assert import_wandb.main() == 0
    return sessions


def check_flatten():
    record = {"images": 640, "extractor": "lenet@1a", "values": {"fd": 3.5}, "others": [
        {"extractor": "random@2b", "values": {"fd": 7.25}, "floors": {"fd": 0.5}},
        {"extractor": "lite@3c", "values": {"fd": 9}}]}
    assert import_wandb.flatten(record, "metrics/") == {
        "metrics/values/fd": 3.5, "metrics/others/random@2b/values/fd": 7.25,
        "metrics/others/random@2b/floors/fd": 0.5, "metrics/others/lite@3c/values/fd": 9}
    assert import_wandb.flatten({"layers": [{"name": "a", "dead": 1}, {"dead": 2}, 3]}) == {"layers/a/dead": 1}


def main() -> int:
    check_flatten()
    source = pathlib.Path(__file__).resolve().parent.parent
    with tempfile.TemporaryDirectory() as scratch:
        directory = pathlib.Path(scratch).resolve()
        for arm in ("a", "b"):
            subprocess.run([sys.argv[1], "--quiet", "train", str(source / "configs/smoke.yaml"), f"run.name={arm}",
                            f"run.output_dir={directory}/sweep/runs", "training.threads=1", "training.total_images=640",
                            "diagnostics.every_images=320", "diagnostics.probes=100", "samples.every_images=200",
                            "optimizer.generator_lr=4e-4"],
                           check=True, stdout=subprocess.DEVNULL, env={**os.environ, "OMP_NUM_THREADS": "1"})
        run = directory / "sweep/runs/a"
        with open(run / "history.jsonl", "a") as history:
            history.write('{"images":700,"st')  # an incomplete line, as in an unfinished run
        session, = import_all(run, "--dir", directory / "out", "--project", "slopes")
        assert session.finished and session.options["mode"] == "offline" and session.options["project"] == "slopes"
        assert session.options["name"] == "a" and session.options["group"] is None
        assert session.options["config"]["optimizer"]["generator_lr"] == 0.0004
        assert session.options["config"]["generator"]["negative_slope"] == 0.2
        assert session.config["slopegan_run"]["status"] == "done"
        assert session.metrics == {"images": None, "*": "images"}
        steps = [values["images"] for values in session.logged]
        assert steps == sorted(set(steps)) and steps[-1] == 640, steps
        by_step = {values["images"]: values for values in session.logged}
        for line in (run / "history.jsonl").read_text().splitlines()[:-1]:
            record = json.loads(line)
            assert by_step[record["images"]]["history/generator_loss"] == record["generator_loss"]
        assert by_step[640]["samples"] == ("image", str(run / "samples/640.png"))
        assert "diagnostics/layers/generator.block0/negative_fraction" in by_step[640]
        assert 0 < by_step[640]["diagnostics/parameters/generator.block0.conv.weight/gradient_norm"]

        (directory / "sweep/sweep.yaml").write_text("")
        arms = import_all(directory / "sweep", "--dir", directory / "out", "--online")
        assert [(arm.options["name"], arm.options["group"], arm.options["mode"]) for arm in arms] == [
            ("a", "sweep", "online"), ("b", "sweep", "online")]
        try:
            import_all(directory)
            raise AssertionError("a directory that is not a run was imported")
        except SystemExit as end:
            assert "neither a run nor a sweep" in str(end)
    print("a run and a sweep were imported")
    return 0


if __name__ == "__main__":
    sys.exit(main())
