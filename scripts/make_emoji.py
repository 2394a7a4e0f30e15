#!/usr/bin/env python3
"""Creates a folder of small RGB images: the emoji of Debian's Noto Color Emoji font on white, 136 x 136 pixels.

    SLOPEGAN_EMOJI=1 scripts/setup.sh          # the font, fonttools and Pillow
    .venv/bin/python scripts/make_emoji.py     # to ~/.cache/slopegan/emoji, the path in configs/emoji.yaml
    .venv/bin/python scripts/make_emoji.py FOLDER [--font FILE]
"""
import argparse
import io
import os
import pathlib
import sys

FONT = "/usr/share/fonts/truetype/noto/NotoColorEmoji.ttf"
SIDE = 136


def default_folder() -> pathlib.Path:
    """The directory emoji in slopegan's cache; see src/support/cache_directory.h."""
    if chosen := os.environ.get("SLOPEGAN_CACHE"):
        return pathlib.Path(chosen) / "emoji"
    caches = os.environ.get("XDG_CACHE_HOME", "")
    base = pathlib.Path(caches) if os.path.isabs(caches) else pathlib.Path.home() / ".cache"
    return base / "slopegan" / "emoji"


def read_bitmaps(font_file: str):
    """Yields (glyph name, PNG bytes) of every colour bitmap in the largest size of the font."""
    from fontTools.ttLib import TTFont

    font = TTFont(font_file)
    if "CBDT" not in font:
        sys.exit(f"make_emoji.py: {font_file} has no colour bitmaps (CBDT table)")
    for name, glyph in sorted(font["CBDT"].strikeData[-1].items()):
        yield name, glyph.imageData


def composite_on_white(png: bytes):
    from PIL import Image

    emoji = Image.open(io.BytesIO(png)).convert("RGBA")
    image = Image.new("RGBA", (SIDE, SIDE), "white")
    image.alpha_composite(emoji, ((SIDE - emoji.width) // 2, (SIDE - emoji.height) // 2))
    return image.convert("RGB")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", nargs="?", type=pathlib.Path, default=default_folder())
    parser.add_argument("--font", default=FONT)
    arguments = parser.parse_args()
    if not os.path.isfile(arguments.font):
        sys.exit(f"make_emoji.py: {arguments.font} does not exist (Debian: fonts-noto-color-emoji)")
    arguments.folder.mkdir(parents=True, exist_ok=True)
    count = 0
    for name, png in read_bitmaps(arguments.font):
        composite_on_white(png).save(arguments.folder / f"{name}.png")
        count += 1
    print(f"{count} images in {arguments.folder}", file=sys.stderr)
    print(arguments.folder)


if __name__ == "__main__":
    main()
