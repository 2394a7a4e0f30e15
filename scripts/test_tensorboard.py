#!/usr/bin/env python3
"""Reads the event files of a run with PyPI's tensorboard and compares them with its JSONL files and samples.

    test_tensorboard.py SLOPEGAN     the program to test

The run is resumed once from an older checkpoint, which removes points that an open reader has already read.
Exits with 77 if tensorboard is not installed.
"""
import json
import math
import os
import pathlib
import struct
import subprocess
import sys
import tempfile

try:
    from tensorboard.backend.event_processing import event_accumulator
except ImportError as error:
    print(f"skipped: {error}; SLOPEGAN_TEST=1 scripts/setup.sh installs it")
    sys.exit(77)

SOURCE = pathlib.Path(__file__).resolve().parent.parent
IMAGES = pathlib.Path("/usr/share/datasets/fashion-mnist")
HISTORY_TAGS = {
    "loss/discriminator": "discriminator_loss",
    "loss/generator": "generator_loss",
    "answers/D(real)": "d_real",
    "answers/D(fake)": "d_fake",
    "gradient_norm/discriminator": "discriminator_gradient_norm",
    "gradient_norm/generator": "generator_gradient_norm",
    "loss/gradient_penalty": "gradient_penalty",
    "negative_slope/generator": "generator_slope",
    "machine/images_per_second": "images_per_second",
    "machine/memory_mib": "memory_mib",
}


def train(program: str, directory: pathlib.Path, *more: str) -> None:
    # Links only the images: without labels, no classifier is trained for the metrics.
    data = directory / "images"
    data.mkdir(exist_ok=True)
    for name in ("train-images-idx3-ubyte.gz", "t10k-images-idx3-ubyte.gz"):
        if not (data / name).exists():
            (data / name).symlink_to(IMAGES / name)
    values = {
        "run.output_dir": directory, "data.path": data, "training.threads": 1, "training.total_images": 1280,
        "checkpoint.every_images": 640, "samples.every_images": 320, "diagnostics.every_images": 320,
        "diagnostics.probes": 100, "metrics.every_images": 640, "metrics.samples": 100,
        "generator.negative_slope": "{from: 0.3, to: 0.1, over_images: 1280}",
    }
    command = [program, "--quiet", "train", str(SOURCE / "configs/smoke.yaml")]
    subprocess.run([*command, *(f"{key}={value}" for key, value in values.items()), *more], check=True,
                   stdout=subprocess.DEVNULL)


def read_records(file: pathlib.Path):
    return [json.loads(line) for line in file.read_text().splitlines()]


def float32(number) -> float:
    return math.nan if number is None else struct.unpack("f", struct.pack("f", number))[0]


def expect_scalars(reader, tag: str, points) -> None:
    found = [(event.step, event.value) for event in reader.Scalars(tag)]
    expected = [(step, float32(value)) for step, value in points]
    assert [step for step, _ in found] == [step for step, _ in expected], (tag, found, expected)
    for (_, value), (_, other) in zip(found, expected):
        assert value == other or (math.isnan(value) and math.isnan(other)), (tag, found, expected)


def check(reader, run: pathlib.Path) -> int:
    """Compares the reader's content with the files of the run. Returns the number of scalars."""
    expected = {}

    def add(tag, step, value):
        expected.setdefault(tag, []).append((step, value))

    for line in read_records(run / "history.jsonl"):
        for tag, name in HISTORY_TAGS.items():
            add(tag, line["images"], line[name])
    for line in read_records(run / "metrics.jsonl"):
        for name, value in line["values"].items():
            add("metrics/" + name, line["images"], value)
        for name, value in line.get("floors", {}).items():
            add("metrics_floor/" + name, line["images"], value)
        for name in ("fd_bias", "fd_repeat"):
            if name in line:
                add("metrics/" + name, line["images"], line[name])
    diagnostics = read_records(run / "diagnostics.jsonl")
    for line in diagnostics:
        for layer in line["layers"]:
            for name in ("dead", "always_negative", "always_positive", "dormant", "negative_fraction", "slope_energy"):
                if name in layer:
                    add(f"{name}/{layer['name']}", line["images"], layer[name])
        for parameter in line["parameters"]:
            for name in ("gradient_norm", "zero_gradients", "update_ratio"):
                add(f"parameter_{name}/{parameter['name']}", line["images"], parameter[name])
        for name, value in line["discriminator"].items():
            kind = name.removeprefix("accuracy_")
            add(f"accuracy/{kind}" if kind != name else f"discriminator/{name}", line["images"], value)
        for name, value in line["samples"].items():
            add("images/" + name, line["images"], value)
    tags = reader.Tags()
    assert sorted(tags["scalars"]) == sorted(expected), (sorted(tags["scalars"]), sorted(expected))
    for tag, points in expected.items():
        expect_scalars(reader, tag, points)

    samples = sorted(int(file.stem) for file in (run / "samples").iterdir())
    assert tags["images"] == ["samples"], tags["images"]
    assert [image.step for image in reader.Images("samples")] == samples
    for image in reader.Images("samples"):
        png = (run / "samples" / f"{image.step}.png").read_bytes()
        assert image.encoded_image_string == png
        assert (image.width, image.height) == struct.unpack(">II", png[16:24])

    layers = [layer["name"] for layer in diagnostics[0]["layers"]]
    assert sorted(tags["histograms"]) == sorted("pre_activations/" + name for name in layers), tags["histograms"]
    for number, name in enumerate(layers):
        found = reader.Histograms("pre_activations/" + name)
        assert [event.step for event in found] == [line["images"] for line in diagnostics]
        for event, line in zip(found, diagnostics):
            layer, histogram = line["layers"][number], event.histogram_value
            assert histogram.num == sum(histogram.bucket) == layer["units"] * layer["values"]
            negative = sum(n for limit, n in zip(histogram.bucket_limit, histogram.bucket) if limit <= 0)
            assert math.isclose(negative / histogram.num, layer["negative_fraction"], abs_tol=1e-12)
    return sum(len(points) for points in expected.values())


def new_reader(path: pathlib.Path):
    everything = {key: 0 for key in event_accumulator.DEFAULT_SIZE_GUIDANCE}
    return event_accumulator.EventAccumulator(str(path), size_guidance=everything).Reload()


def main() -> int:
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    program = sys.argv[1]
    with tempfile.TemporaryDirectory() as scratch:
        directory = pathlib.Path(scratch)
        run = directory / "smoke"
        train(program, directory)
        open_reader = new_reader(run)
        check(open_reader, run)
        train(program, directory, "--resume", str(run / "checkpoints/640"))
        assert len(list(run.glob("events.out.tfevents.*"))) == 2
        check(open_reader.Reload(), run)
        count = check(new_reader(run), run)
        # A reader of individual files, such as tbparse, finds no step in more than one file.
        first, second = (new_reader(file).Scalars("loss/generator") for file in sorted(run.glob("events.out.*")))
        assert first[-1].step <= 640 < second[0].step and second[-1].step == 1280
        train(program, directory, "run.name=off", "events.tensorboard=false")
        assert not list((directory / "off").glob("events.*"))
    print(f"tensorboard read {count} scalars, the sample grids and the histograms of a resumed run")
    return 0


if __name__ == "__main__":
    sys.exit(main())
