#!/usr/bin/env python3
"""Creates a folder of coloured letters and digits in 108 free fonts: 64 x 64 pixels, RGB, one directory for each of the
62 characters.

    SLOPEGAN_IMAGES=1 scripts/setup.sh         # Pillow
    .venv/bin/python scripts/make_letters.py   # to ~/.cache/slopegan/letters, the path in configs/letters.yaml
    .venv/bin/python scripts/make_letters.py FOLDER [--gray] [--families N]

The fonts come from the npm packages @fontsource/NAME, all under the SIL Open Font License 1.1 or the Apache License 2.0.
The characters are drawn on black. Their colours are a function of font and character, so every call creates the same
images.
"""
import argparse
import colorsys
import hashlib
import io
import pathlib
import re
import string

from image_sets import NpmPackages, default_folder, fail, finish

SIDE = 64
INK = 46  # the character's longer side, in pixels
CHARACTERS = {**{c: f"upper_{c}" for c in string.ascii_uppercase}, **{c: f"lower_{c}" for c in string.ascii_lowercase},
              **{c: f"digit_{c}" for c in string.digits}}
FAMILIES = """
abeezee abel abril-fatface acme alegreya alegreya-sans alfa-slab-one amatic-sc anton archivo arimo arvo asap assistant
barlow barlow-condensed bebas-neue bitter bree-serif cabin cairo cardo catamaran caveat chivo cinzel comfortaa
concert-one cookie cormorant-garamond courgette courier-prime crete-round crimson-text dancing-script dm-sans dosis
exo-2 fira-sans fira-mono fjalla-one francois-one fredoka gloria-hallelujah great-vibes heebo hind ibm-plex-mono
ibm-plex-serif inconsolata indie-flower inter josefin-sans josefin-slab jost kalam kanit karla lato lexend
libre-baskerville libre-franklin lobster lora luckiest-guy merriweather monda montserrat mulish nunito old-standard-tt
open-sans orbitron oswald overpass oxygen pacifico passion-one patua-one permanent-marker playfair-display poppins
prompt pt-sans pt-serif quicksand rajdhani raleway righteous roboto roboto-slab rokkitt rubik russo-one satisfy
shadows-into-light slabo-27px source-code-pro space-grotesk spectral teko tinos titillium-web ubuntu vollkorn work-sans
yanone-kaffeesatz zilla-slab
""".split()


def font_bytes(packages: NpmPackages, name: str) -> bytes | None:
    """The regular Latin font of a package; WOFF 2 files need FreeType with Brotli, as in Pillow's wheels."""
    with packages.open(name) as archive:
        files = {member.name for member in archive if re.fullmatch(r"package/files/.*-latin-400-normal\.woff2?", member.name)}
    if not files:
        return None
    with packages.open(name) as archive:
        return archive.extractfile(max(files)).read()  # prefers woff2 to woff


def colour_of(family: str, character: str) -> tuple[int, ...]:
    """A bright colour whose hue and saturation are derived from a hash."""
    digest = hashlib.sha256(f"{family} {character}".encode()).digest()
    return tuple(round(255 * part) for part in colorsys.hsv_to_rgb(digest[0] / 256, digest[1] / 256, 1.0))


def draw(font, character: str, ink: tuple[int, ...]):
    """Draws the character centred on black, with a longer side of INK pixels. Returns None if the glyph is empty."""
    from PIL import Image, ImageDraw, ImageFont

    big = font.font_variant(size=200)
    box = big.getbbox(character)
    width, height = box[2] - box[0], box[3] - box[1]
    if width < 2 or height < 2:
        return None
    sized = font.font_variant(size=max(1, round(200 * INK * 4 / max(width, height))))
    assert isinstance(sized, ImageFont.FreeTypeFont)
    left, top, right, bottom = sized.getbbox(character)
    mask = Image.new("L", (SIDE * 4, SIDE * 4), 0)
    ImageDraw.Draw(mask).text(((SIDE * 4 - left - right) / 2, (SIDE * 4 - top - bottom) / 2), character, font=sized, fill=255)
    mask = mask.resize((SIDE, SIDE), Image.Resampling.BOX)
    image = Image.new("RGB", (SIDE, SIDE), "black")
    image.paste(Image.new("RGB", (SIDE, SIDE), ink), mask=mask)
    return image


def write_family(family: str, data: bytes, folder: pathlib.Path, gray: bool) -> int:
    from PIL import ImageFont

    font = ImageFont.truetype(io.BytesIO(data), size=10)
    count = 0
    for character, label in CHARACTERS.items():
        image = draw(font, character, (255,) * 3 if gray else colour_of(family, character))
        if image is not None:
            (image.convert("L") if gray else image).save(folder / label / f"{family}.png")
            count += 1
    return count


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", nargs="?", type=pathlib.Path)
    parser.add_argument("--gray", action="store_true", help="white on black in one channel")
    parser.add_argument("--families", type=int, default=len(FAMILIES), help="use only the first N fonts")
    arguments = parser.parse_args()
    folder = arguments.folder or default_folder("letters_gray" if arguments.gray else "letters")
    names = [f"@fontsource/{family}" for family in FAMILIES[:arguments.families]]
    packages = NpmPackages(names)
    for label in CHARACTERS.values():
        (folder / label).mkdir(parents=True, exist_ok=True)
    count = 0
    for family, name in zip(FAMILIES, names):
        data = font_bytes(packages, name)
        if data is None:
            fail(f"{name} has no file *-latin-400-normal.woff2")
        count += write_family(family, data, folder, arguments.gray)
    finish(folder, count)


if __name__ == "__main__":
    main()
