"""The contestants of bench_quality.py. Each trains on a given number of images, saves images and reports its time."""
import argparse
import json
import os
import pathlib
import shutil
import subprocess
import sys
import time

import bench_peers

ROOT = pathlib.Path(__file__).resolve().parent.parent
DATA = "/usr/share/datasets/fashion-mnist"
CONTESTANTS = ["slopegan", "pytorch", "tutorial", "tutorial-compiled", "tensorflow", "keras"]
TUTORIAL = {"batch_size": 128, "generator_slope": 0.0, "half_life_images": 0}


class Failed(Exception):
    """A contestant cannot run or has ended early; the message is the reason."""


# --- Recipes ------------------------------------------------------------------------------------------------------------
# slopegan's keys, and the fields of peer_pytorch.Recipe with the same meaning.
FIELDS = {"generator.latent_dim": "latent_dim", "generator.width": "generator_width",
          "discriminator.width": "discriminator_width", "generator.negative_slope": "generator_slope",
          "discriminator.negative_slope": "discriminator_slope", "init.std": "std", "training.batch_size": "batch_size",
          "ema.half_life_images": "half_life_images", "loss.real_label": "real_label", "loss.r1": "r1",
          "loss.r1_every": "r1_every",
          **{f"optimizer.{key}": key for key in ("generator_lr", "discriminator_lr", "beta1", "beta2", "lr_warmup_images",
                                                 "lr_decay", "lr_decay_images")}}
# The only values that the PyTorch contestant supports.
REQUIRED = {"generator.activation": "leaky_relu", "discriminator.activation": "leaky_relu", "generator.norm": "batch",
            "discriminator.norm": "batch", "discriminator.augment": [], "init.mode": "normal", "loss.kind": "bce",
            "loss.label_noise": 0, "loss.r2": 0, "loss.gradient_penalty": 0, "optimizer.discriminator_steps": 1,
            "data.flip": False, "data.resolution": 32, "data.kind": "idx", "data.path": DATA}
# Any other key must have a value that disables its feature.
OFF = (0, False, "none", [], {})
# Keys that the recipe does not need: they are set elsewhere, do not affect the weights, or have no effect with the
# required values.
UNUSED = {"seed", "generator.prelu", "generator.rrelu", "discriminator.prelu", "discriminator.rrelu",
          *(f"training.{key}" for key in ("total_images", "precision", "device", "threads", "sync_batch_norm")),
          *(f"data.{key}" for key in ("channels", "transpose", "fit", "background", "labels", "max_unreadable"))}
SECTIONS_OF_OUTPUT = {"run", "samples", "checkpoint", "metrics", "diagnostics", "events", "sweep"}


def flatten(config: dict) -> dict:
    flat = {}
    for section, values in config.items():
        if isinstance(values, dict):
            flat.update({f"{section}.{key}": value for key, value in values.items()})
        else:
            flat[section] = values
    return flat


def pytorch_recipe(config: dict) -> dict:
    """The fields of peer_pytorch.Recipe for a configuration printed by slopegan. Raises Failed if a value is unsupported."""
    recipe, flat = {}, flatten({key: value for key, value in config.items() if key not in SECTIONS_OF_OUTPUT})
    for key, value in flat.items():
        if key in FIELDS and (isinstance(value, (int, float)) or key == "optimizer.lr_decay"):
            recipe[FIELDS[key]] = value
        elif value != REQUIRED[key] if key in REQUIRED else key not in UNUSED and value not in OFF:
            raise Failed(f"the PyTorch step does not support {key}: {json.dumps(value)}")
    if recipe["lr_decay"] != "none" and not recipe["lr_decay_images"]:
        recipe["lr_decay_images"] = config["training"]["total_images"]
    return recipe


def last_line(text: str) -> str:
    lines = text.strip().splitlines()
    return lines[-1] if lines else "no message"


def run_program(arguments, *command: str) -> str:
    result = subprocess.run([arguments.program, *command], capture_output=True, text=True, check=False,
                            env=environment(arguments))
    if result.returncode != 0:
        raise Failed(f"{command[0] if command[0] != '--quiet' else command[1]}: {last_line(result.stderr)}")
    return result.stdout


def environment(arguments) -> dict:
    return {**os.environ, "OMP_NUM_THREADS": str(arguments.threads), "MKL_NUM_THREADS": str(arguments.threads),
            "TORCHINDUCTOR_CACHE_DIR": str(arguments.out.resolve() / "inductor")}


# --- Contestants --------------------------------------------------------------------------------------------------------
class Slopegan:
    """A configuration of slopegan. Samples, metrics, diagnostics and events are disabled; otherwise, it is an ordinary
    run."""

    def __init__(self, name: str, file: str, overrides: list[str], arguments):
        from config_yaml import read_yaml

        self.name, self.kind, self.file, self.arguments = name, "slopegan", file, arguments
        self.config = read_yaml(run_program(arguments, "train", file, *overrides, "--print-config"))
        self.overrides, self.cap = list(overrides), arguments.images
        optimizer = self.config["optimizer"]
        if optimizer["lr_decay"] != "none":  # 0 means total_images, which `advance` changes
            end = optimizer["lr_decay_images"] or self.config["training"]["total_images"]
            self.overrides.append(f"optimizer.lr_decay_images={end}")
            self.cap = min(self.cap, end)
        kept = {key: value for key, value in self.config.items() if key not in SECTIONS_OF_OUTPUT}
        self.settings = {"config": kept, "program": run_program(arguments, "--version").splitlines()[0]}

    def start(self, seed: int) -> None:
        self.seed, self.seconds = seed, 0.0
        self.run = self.arguments.out / "runs" / f"{self.name}-seed_{seed}"
        shutil.rmtree(self.run, ignore_errors=True)

    def advance(self, images: int, file: pathlib.Path) -> tuple[int, float]:
        """Resumes the run until it has seen `images`, and generates images.

        Each call trains one part of the run. The training time of a part is read from the last line of history.jsonl,
        which is written before the last checkpoint.
        For the first part, the start-up time is added: the modification time of history.jsonl minus the time when the
        process was started, minus the training time. An ordinary run has only one part, so later start-ups are not
        counted.
        """
        command = [self.arguments.program, "--quiet", "train", self.file, *self.overrides, "--resume", "auto",
                   f"seed={self.seed}", f"run.output_dir={self.run.parent}", f"run.name={self.run.name}", f"training.total_images={images}",
                   f"training.threads={self.arguments.threads}", "checkpoint.every_images=0", "samples.every_images=0",
                   "metrics.every_images=0", "diagnostics.every_images=0", "events.tensorboard=false"]
        begin = time.time()
        result = subprocess.run(command, capture_output=True, text=True, check=False, env=environment(self.arguments))
        if result.returncode != 0:
            raise Failed(last_line(result.stderr))
        history = self.run / "history.jsonl"
        last = json.loads(history.read_text().splitlines()[-1])
        if self.seconds == 0:
            self.seconds = history.stat().st_mtime - begin - last["seconds"]
        self.seconds += last["seconds"]
        run_program(self.arguments, "--quiet", "generate", str(self.run), "--count", str(self.arguments.samples), "--out",
                    str(file), "--overwrite")
        return last["images"], self.seconds

    def end(self) -> None:
        shutil.rmtree(self.run, ignore_errors=True)


class Peer:
    """A trainer of quality_trainers.py in a separate process, which waits between checkpoints."""

    def __init__(self, kind: str, python: str, spec: dict, arguments):
        self.name, self.kind, self.python, self.arguments, self.cap = kind, kind, python, arguments, arguments.images
        self.spec = {**spec, "threads": arguments.threads, "samples": arguments.samples, "data": DATA}
        self.settings, self.process = spec, None

    def start(self, seed: int) -> None:
        self.log = (self.arguments.out / f"{self.name}.log").open("w+")
        spec = {**self.spec, "seed": seed, "begin": time.monotonic()}
        self.process = subprocess.Popen([self.python, ROOT / "scripts/quality_trainers.py", json.dumps(spec)], text=True,
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.log,
                                        env=environment(self.arguments), preexec_fn=bench_peers.end_with_parent)

    def advance(self, images: int, file: pathlib.Path) -> tuple[int, float]:
        try:
            print(json.dumps({"images": images, "file": str(file)}), file=self.process.stdin, flush=True)
            answer = self.process.stdout.readline()
        except BrokenPipeError:
            answer = ""
        if not answer:
            self.process.wait()
            self.log.seek(0)
            raise Failed(last_line(self.log.read()))
        point = json.loads(answer)
        return point["images"], point["seconds"]

    def end(self) -> None:
        if self.process and self.process.poll() is None:
            self.process.stdin.close()
            self.process.wait()
        self.process = None


def fastest_variant(arguments, batch_size: int, compiled: bool) -> dict:
    """The PyTorch variant of bench_peers.py with the most images/s on this machine; measured once, then read from a file."""
    file = arguments.out / "pytorch.json"
    known = json.loads(file.read_text()) if file.exists() else {}
    task = argparse.Namespace(resolution=32, width=32, channels=1, batch=batch_size, threads=arguments.threads, seconds=4,
                              inference=False)
    for name, (_, _, needs_compilation) in bench_peers.PEERS.items():
        key = f"{name}, batch {batch_size}, {arguments.threads} threads"
        if needs_compilation == compiled and key not in known:
            measured = bench_peers.measure_peer(name, task)
            known[key] = measured["images_per_second"] if measured else 0
            print(f"{key}: {known[key]:.0f} images/s", flush=True)
            file.write_text(json.dumps(known, indent=2))
    speeds = {name: known[f"{name}, batch {batch_size}, {arguments.threads} threads"]
              for name, variant in bench_peers.PEERS.items() if variant[2] == compiled}
    precision, tuned, _ = bench_peers.PEERS[max(speeds, key=speeds.get)]
    return {"trainer": "pytorch", "precision": precision, "tuned": tuned, "compiled": compiled}


def make_contestants(arguments) -> list:
    """The contestants that can run on this machine. Prints why the others cannot."""
    contestants, measures = [], not (arguments.plan or arguments.table)
    ours = [Slopegan(*config, arguments) for config in arguments.config]
    for kind in arguments.contestants:
        try:
            if kind == "slopegan":
                contestants += ours
            elif kind in ("pytorch", "tutorial", "tutorial-compiled"):
                recipe = pytorch_recipe(ours[0].config) if kind == "pytorch" else TUTORIAL
                variant = fastest_variant(arguments, recipe["batch_size"], "compiled" in kind) if measures else {}
                contestants.append(Peer(kind, sys.executable, {**variant, "recipe": recipe}, arguments))
                contestants[-1].cap = ours[0].cap if kind == "pytorch" else arguments.images
            elif subprocess.run([arguments.keras_python, "-c", "import tensorflow, keras"], capture_output=True).returncode == 0:
                contestants.append(Peer(kind, arguments.keras_python, {"trainer": kind}, arguments))
            else:
                raise Failed(f"{arguments.keras_python} cannot import TensorFlow and Keras "
                             "(pip install tensorflow-cpu, or use --keras-python)")
        except Failed as reason:
            print(f"{kind} is skipped: {reason}", file=sys.stderr)
    return contestants
