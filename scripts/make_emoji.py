#!/usr/bin/env python3
"""Creates a folder of small RGB images of emoji.

    SLOPEGAN_IMAGES=1 scripts/setup.sh         # the font, fonttools and Pillow
    .venv/bin/python scripts/make_emoji.py     # Debian's Noto Color Emoji font, for configs/emoji.yaml: 136 x 136
                                               # pixels on white, in ~/.cache/slopegan/emoji
    .venv/bin/python scripts/make_emoji.py --designers google twitter
                                               # two designs, one directory per Unicode group, for
                                               # configs/emoji_groups.yaml: 64 x 64 pixels, transparent, in
                                               # ~/.cache/slopegan/emoji_groups

The designs come from the npm packages emoji-datasource-NAME: google is Noto Emoji (SIL Open Font License 1.1), twitter
is Twemoji (CC BY 4.0).
"""
import argparse
import io
import json
import os
import pathlib

from image_sets import NpmPackages, default_folder, fail, finish

FONT = "/usr/share/fonts/truetype/noto/NotoColorEmoji.ttf"
SIDE = 136
VERSION = "16.0.0"  # of emoji-datasource
DESIGNERS = ("google", "twitter", "facebook", "apple")


def read_bitmaps(font_file: str):
    """Yields (glyph name, PNG bytes) for every colour bitmap in the largest size of the font."""
    from fontTools.ttLib import TTFont

    font = TTFont(font_file)
    if "CBDT" not in font:
        fail(f"{font_file} has no colour bitmaps (CBDT table)")
    for name, glyph in sorted(font["CBDT"].strikeData[-1].items()):
        yield name, glyph.imageData


def composite_on_white(png: bytes):
    from PIL import Image

    emoji = Image.open(io.BytesIO(png)).convert("RGBA")
    image = Image.new("RGBA", (SIDE, SIDE), "white")
    image.alpha_composite(emoji, ((SIDE - emoji.width) // 2, (SIDE - emoji.height) // 2))
    return image.convert("RGB")


def write_font(font: str, folder: pathlib.Path) -> int:
    if not os.path.isfile(font):
        fail(f"{font} does not exist (Debian: fonts-noto-color-emoji)")
    folder.mkdir(parents=True, exist_ok=True)
    count = 0
    for name, png in read_bitmaps(font):
        composite_on_white(png).save(folder / f"{name}.png")
        count += 1
    return count


def images_of(emoji: list) -> dict[str, str]:
    """The group of each image file; skin-tone variants belong to the group of their base emoji."""
    groups = {}
    for entry in emoji:
        if entry["category"] == "Component":  # skin tones without an emoji
            continue
        group = entry["category"].lower().replace(" & ", "_and_").replace(" ", "_")
        for variant in [entry, *entry.get("skin_variations", {}).values()]:
            groups[variant["image"]] = group
    return groups


def write_designers(designers: list[str], folder: pathlib.Path) -> int:
    names = [f"emoji-datasource-{designer}@{VERSION}" for designer in designers]
    packages = NpmPackages(names)
    count = 0
    for designer, name in zip(designers, names):
        with packages.open(name) as archive:
            groups = images_of(json.load(archive.extractfile("package/emoji.json")))
            for member in archive:
                path = pathlib.PurePosixPath(member.name)
                if path.parent != pathlib.PurePosixPath(f"package/img/{designer}/64") or path.name not in groups:
                    continue
                group = folder / groups[path.name]
                group.mkdir(parents=True, exist_ok=True)
                (group / f"{designer}_{path.name}").write_bytes(archive.extractfile(member).read())
                count += 1
    return count


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", nargs="?", type=pathlib.Path)
    parser.add_argument("--font", default=FONT)
    parser.add_argument("--designers", nargs="+", choices=DESIGNERS, help="designs from npm instead of the font")
    arguments = parser.parse_args()
    folder = arguments.folder or default_folder("emoji_groups" if arguments.designers else "emoji")
    count = write_designers(arguments.designers, folder) if arguments.designers else write_font(arguments.font, folder)
    finish(folder, count)


if __name__ == "__main__":
    main()
