#!/usr/bin/env python3
"""Creates a folder of square patches of photographs: 64 x 64 pixels, RGB, without labels.

    SLOPEGAN_IMAGES=1 scripts/setup.sh               # Pillow
    .venv/bin/python scripts/make_photo_patches.py   # to ~/.cache/slopegan/photo_patches, the path in
                                                     # configs/photo_patches.yaml
    .venv/bin/python scripts/make_photo_patches.py FOLDER [--patches N]

The photographs come from Debian's packages mate-backgrounds (GPL 2 or later) and lomiri-wallpapers-16.04 and -20.04 (CC
BY-SA 3.0 and 4.0). The packages are downloaded and unpacked, but not installed. Every call creates the same patches.
"""
import argparse
import pathlib
import random
import tempfile

from image_sets import apt_packages, default_folder, fail, finish

PACKAGES = ["mate-backgrounds", "lomiri-wallpapers-16.04", "lomiri-wallpapers-20.04"]
# The paintings and graphics among the JPEG files of the packages.
NOT_PHOTOGRAPHS = {"Elephants", "Elephants_3840x2160", "Elephants_5640x3172", "analogpattern_by_Peter_Nerlich",
                   "umang_by_Abhishek_Mudgal", "Fossa_by_Jasper_Roks", "Infinite-Sea_by_Aury88",
                   "Painting-Colors_by__herobrine7gamer"}
SIDE = 64


def photographs(folder: pathlib.Path) -> list[pathlib.Path]:
    files = [file for file in sorted(folder.rglob("*.jpg")) if file.is_file() and not file.is_symlink()
             and file.stem not in NOT_PHOTOGRAPHS and file.stat().st_size > 200_000]
    if not files:
        fail("the packages contain no photographs")
    return files


def write_patches(file: pathlib.Path, count: int, folder: pathlib.Path) -> None:
    """Crops squares at random positions and scales them to SIDE pixels. Before scaling, their side is between a sixth
    and a half of the photograph's shorter side."""
    from PIL import Image

    image = Image.open(file).convert("RGB")
    source = random.Random(file.stem)
    shorter = min(image.size)
    for index in range(count):
        side = source.randint(shorter // 6, shorter // 2)
        left, top = source.randint(0, image.width - side), source.randint(0, image.height - side)
        patch = image.resize((SIDE, SIDE), Image.Resampling.BOX, box=(left, top, left + side, top + side))
        patch.save(folder / f"{file.stem}_{index:04}.png")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", nargs="?", type=pathlib.Path)
    parser.add_argument("--patches", type=int, default=240, help="patches per photograph")
    arguments = parser.parse_args()
    folder = arguments.folder or default_folder("photo_patches")
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch:
        apt_packages(PACKAGES, pathlib.Path(scratch))
        files = photographs(pathlib.Path(scratch))
        for file in files:
            write_patches(file, arguments.patches, folder)
    finish(folder, len(files) * arguments.patches)


if __name__ == "__main__":
    main()
