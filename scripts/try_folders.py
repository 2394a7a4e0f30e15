#!/usr/bin/env python3
"""Creates image folders and files that users typically have, and shows the output of `slopegan data` for each.

    .venv/bin/python scripts/try_folders.py [SLOPEGAN] [--only TEXT] [--keep FOLDER]

SLOPEGAN is the program, by default build/release/slopegan. A case fails if the exit code is not the expected one, if
the output does not match a required pattern, or if a codec writes to the terminal. Exits with 0 if all cases pass, 1 if
one fails, and 77 if NumPy or Pillow is missing (SLOPEGAN_TEST=1 scripts/setup.sh installs them).
"""
import argparse
import dataclasses
import gzip
import os
import pathlib
import re
import shutil
import struct
import subprocess
import sys
import tempfile
import zipfile
import zlib

try:
    import numpy
    from PIL import Image
except ImportError as error:
    print(f"skipped: {error}; SLOPEGAN_TEST=1 scripts/setup.sh installs it")
    sys.exit(77)

SOURCE = pathlib.Path(__file__).resolve().parent.parent
CODEC_WORDS = re.compile(r"libpng|libjpeg|Corrupt JPEG|Premature end|extraneous bytes|TIFF(ReadDirectory|FetchNormalTag)|"
                         r"\[ ?(WARN|ERROR|INFO):|OpenCV\(|imread|terminate called|Segmentation|0x[0-9a-f]{8}", re.I)
CASES: list["Case"] = []


@dataclasses.dataclass
class Case:
    name: str
    create: callable
    says: tuple[str, ...]  # regular expressions that the output must match
    code: int
    arguments: tuple[str, ...]
    path: str  # data.path, relative to the folder of the case


def case(name: str, *says: str, code: int = 0, arguments: tuple[str, ...] = (), path: str = ""):
    def add(create):
        CASES.append(Case(name, create, says, code, arguments, path))
        return create
    return add


# --- Images ------------------------------------------------------------------------------------------------------------
def photo(seed: int, width: int = 64, height: int = 64, mode: str = "RGB") -> Image.Image:
    """A smooth coloured picture that depends on the seed."""
    source = numpy.random.default_rng(seed)
    small = source.integers(0, 256, (6, 6, 3), dtype=numpy.uint8)
    return Image.fromarray(small).resize((width, height), Image.Resampling.BICUBIC).convert(mode)


def fill(folder: pathlib.Path, count: int, ending: str = ".png", first: int = 0, **size) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for index in range(first, first + count):
        photo(index, **size).save(folder / f"image_{index:03}{ending}")


def png_chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png_header(width: int, height: int) -> bytes:
    return b"\x89PNG\r\n\x1a\n" + png_chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))


def idx(array: numpy.ndarray) -> bytes:
    return struct.pack(">HBB", 0, 8, array.ndim) + struct.pack(f">{array.ndim}I", *array.shape) + array.tobytes()


def digits(count: int, side: int = 28) -> numpy.ndarray:
    return numpy.stack([numpy.asarray(photo(index, side, side, "L")) for index in range(count)])


def colours(count: int, side: int = 32) -> numpy.ndarray:
    return numpy.stack([numpy.asarray(photo(index, side, side)) for index in range(count)])


# --- Contents of the folder -------------------------------------------------------------------------------------------
@case("clean PNG files", r"images  12 of 64 x 64")
def _(folder):
    fill(folder, 12)


@case("clean JPEG and WebP files", r"images  24 ")
def _(folder):
    fill(folder, 12, ".jpg")
    fill(folder, 12, ".webp", first=12)


@case("photographs of 24 megapixels", r"images  8 ", r"(?i)reduced|1/2|1/4|1/8|smaller scale")
def _(folder):
    fill(folder, 5)
    for index in range(3):
        photo(100 + index, 6000, 4000).save(folder / f"camera_{index}.jpg", quality=50)


@case("only photographs of 24 megapixels", r"images  5 ")
def _(folder):
    for index in range(5):
        folder.mkdir(exist_ok=True)
        photo(index, 6000, 4000).save(folder / f"camera_{index}.jpg", quality=50)


@case("a PNG photograph of 24 megapixels", r"images  7 ")
def _(folder):
    fill(folder, 6)
    photo(9, 6000, 4000).save(folder / "large.png", compress_level=1)


@case("a PNG bomb", r"images  9 ", r"(?i)too large|exceed")
def _(folder):
    fill(folder, 9)
    (folder / "bomb.png").write_bytes(png_header(60000, 60000) + png_chunk(b"IDAT", zlib.compress(b"\0" * 9999)) +
                                      png_chunk(b"IEND", b""))


@case("many extensions and formats", r"10 \.heic", r"10 \.avif", r"images  1[0-9][0-9] ")
def _(folder):
    fill(folder, 40, ".jpg")
    for index in range(40, 80):
        photo(index).save(folder / f"image_{index:03}.jfif", "JPEG")
    fill(folder, 20, ".bmp", first=80)
    fill(folder, 10, ".tif", first=100)
    for index in range(10):
        (folder / f"phone_{index}.heic").write_bytes(b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + os.urandom(99))
        (folder / f"web_{index}.avif").write_bytes(b"\0\0\0\x18ftypavif\0\0\0\0mif1avif" + os.urandom(99))
    for index in range(5):
        photo(index).save(folder / f"no_ending_{index}", "PNG")


@case("only .jfif files", r"images  12 ")
def _(folder):
    folder.mkdir()
    for index in range(12):
        photo(index).save(folder / f"{index}.jfif", "JPEG")


@case("only .heic files", r"(?i)\.heic", code=3)
def _(folder):
    folder.mkdir()
    for index in range(12):
        (folder / f"{index}.heic").write_bytes(b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + os.urandom(99))


@case("upper-case extensions and wrong extensions", r"images  18 ")
def _(folder):
    fill(folder, 6)
    for index in range(6, 12):
        photo(index).save(folder / f"{index}.JPG", "JPEG")
    for index in range(12, 18):
        photo(index).save(folder / f"{index}.png", "JPEG")


@case("an animated GIF and an animated WebP", r"2 files contain several images; only the first one is used")
def _(folder):
    fill(folder, 8)
    frames = [photo(index) for index in range(3)]
    frames[0].save(folder / "moving.gif", save_all=True, append_images=frames[1:])
    frames[0].save(folder / "moving.webp", save_all=True, append_images=frames[1:])


@case("text, a PDF and an archive next to the images", r"1 \.txt", r"1 \.pdf", r"1 \.zip")
def _(folder):
    fill(folder, 8)
    (folder / "README.txt").write_text("pictures")
    (folder / "paper.pdf").write_bytes(b"%PDF-1.4\n")
    (folder / "all.zip").write_bytes(b"PK\3\4" + bytes(60))


# --- Damaged files ----------------------------------------------------------------------------------------------------
@case("JPEG files without their end marker", r"images  12 ", r"(?i)end")
def _(folder):
    fill(folder, 12, ".jpg")
    for file in list(folder.iterdir())[:4]:
        file.write_bytes(file.read_bytes()[:-2])


@case("half a JPEG and half a PNG", r"images  12 ", r"(?i)damaged|truncated|cannot be read")
def _(folder):
    fill(folder, 12)
    photo(50, 256, 256).save(folder / "half.jpg")
    photo(51, 256, 256).save(folder / "half.png")
    for name in ("half.jpg", "half.png"):
        data = (folder / name).read_bytes()
        (folder / name).write_bytes(data[:len(data) // 2])


@case("PNG files with a bad colour profile", r"images  12 ")
def _(folder):
    fill(folder, 12)
    for file in list(folder.iterdir())[:6]:
        data = file.read_bytes()
        file.write_bytes(data[:33] + png_chunk(b"iCCP", b"bad\0\0" + zlib.compress(b"no profile" * 20)) + data[33:])


@case("JPEG files with bytes between their segments", r"images  12 ", r"note .*6 images .*image_\d+\.jpg")
def _(folder):
    fill(folder, 12, ".jpg")
    for file in list(folder.iterdir())[:6]:
        data = file.read_bytes()
        scan = data.index(b"\xff\xda")
        file.write_bytes(data[:scan] + bytes(7) + data[scan:])


@case("bytes after the end of the images", r"images  12 ")
def _(folder):
    fill(folder, 6)
    fill(folder, 6, ".jpg", first=6)
    for file in list(folder.iterdir()):
        file.write_bytes(file.read_bytes() + bytes(1000))


@case("one empty file among 60", r"images  59 ", r"(?i)empty|cannot be read|not read")
def _(folder):
    fill(folder, 59)
    (folder / "empty.png").write_bytes(b"")


@case("more damaged files than are tolerated", r"(?i)cannot be read", code=3)
def _(folder):
    fill(folder, 20)
    for index in range(20):
        (folder / f"broken_{index}.png").write_bytes(png_header(64, 64) + os.urandom(500))


# --- Pixel formats ----------------------------------------------------------------------------------------------------
@case("16-bit PNG files with 12-bit content", r"images  12 ", r"0 to 4095 is scaled")
def _(folder):
    folder.mkdir()
    for index in range(12):
        values = numpy.asarray(photo(index, mode="L")).astype(numpy.uint16) * 16
        Image.fromarray(values).save(folder / f"{index}.png")


@case("16-bit PNG files that use the full range", r"images  12 ", r"0 to 65535 is scaled")
def _(folder):
    folder.mkdir()
    for index in range(12):
        values = numpy.asarray(photo(index, mode="L")).astype(numpy.uint16) * 257
        Image.fromarray(values).save(folder / f"{index}.png")


@case("8-bit files that use only the values 0 to 15", r"warning .*between 0 and 15")
def _(folder):
    folder.mkdir()
    for index in range(12):
        Image.fromarray(numpy.asarray(photo(index)) // 17).save(folder / f"{index}.png")


def transparent(folder, mode: str) -> None:
    folder.mkdir()
    for index in range(12):
        image = photo(index).convert(mode)
        alpha = Image.new("L", image.size, 0)
        alpha.paste(255, (16, 16, 48, 48))
        image.putalpha(alpha)
        image.save(folder / f"{index}.png")


@case("transparent RGBA files", r"12 .*transparen", r"(?i)white")
def _(folder):
    transparent(folder, "RGB")


@case("transparent gray files", r"12 .*transparen")
def _(folder):
    transparent(folder, "L")


@case("transparent files on a chosen background", r"#00ff80", arguments=("data.background=#00ff80",))
def _(folder):
    transparent(folder, "RGB")


@case("a background that is not a colour", r"data\.background", r"white", code=2, arguments=("data.background=reddish",))
def _(folder):
    transparent(folder, "RGB")


@case("palette images, some with a transparent entry", r"images  12 ")
def _(folder):
    folder.mkdir()
    for index in range(12):
        photo(index).quantize(32).save(folder / f"{index}.png", transparency=0 if index % 2 else None)


@case("CMYK JPEG files", r"images  12 ")
def _(folder):
    fill(folder, 12, ".jpg", mode="CMYK")


@case("one-bit and gray files", r"images  12 ")
def _(folder):
    fill(folder, 6, mode="L")
    fill(folder, 6, first=6, mode="1")


@case("JPEG files with an EXIF orientation", r"images  12 ")
def _(folder):
    folder.mkdir()
    for index in range(12):
        exif = Image.Exif()
        exif[0x0112] = index % 8 + 1
        photo(index, 96, 64).save(folder / f"{index}.jpg", exif=exif)


# --- Sizes -------------------------------------------------------------------------------------------------------------
@case("images of 48 x 48 pixels", r"images  12 ", r"(?i)enlarged|smaller")
def _(folder):
    fill(folder, 12, width=48, height=48)


@case("images of many sizes", r"images  15 ", r"(?i)crop")
def _(folder):
    fill(folder, 5, width=48, height=48)
    fill(folder, 5, first=5, width=300, height=200)
    fill(folder, 5, first=10, width=20, height=90)


@case("data.fit: stretch", r"(?i)stretch", arguments=("data.fit=stretch",))
def _(folder):
    fill(folder, 12, width=128, height=64)


@case("data.fit: pad", r"(?i)pad", arguments=("data.fit=pad",))
def _(folder):
    fill(folder, 12, width=56, height=60)


# --- Folder layouts ------------------------------------------------------------------------------------------------------
@case("class directories", r"labels .*cat: 8.*dog: 8")
def _(folder):
    fill(folder / "cat", 8)
    fill(folder / "dog", 8, first=8)


@case("data.labels: none", r"labels  none", arguments=("data.labels=none",))
def _(folder):
    fill(folder / "cat", 8)
    fill(folder / "dog", 8, first=8)


@case("symlinks to directories", r"images  16 ", r"labels .*cat: 8.*dog: 8")
def _(folder):
    fill(folder.parent / "elsewhere_a", 8)
    fill(folder.parent / "elsewhere_b", 8, first=8)
    folder.mkdir()
    (folder / "cat").symlink_to(folder.parent / "elsewhere_a")
    (folder / "dog").symlink_to(folder.parent / "elsewhere_b")


@case("a symlink to the folder itself", r"images  12 ")
def _(folder):
    fill(folder, 12)
    (folder / "again").symlink_to(folder)


@case("broken symlinks", r"images  12 ", r"(?i)link|not read|cannot be read")
def _(folder):
    fill(folder, 12)
    (folder / "lost.png").symlink_to(folder / "nowhere.png")


def splits(train: str, test: str, wrapper: str = ""):
    def create(folder):
        root = folder / wrapper
        for split, first in ((train, 0), (test, 20)):
            fill(root / split / "cat", 8, first=first)
            fill(root / split / "dog", 8, first=first + 8)
    return create


for names in (("train", "test"), ("Training", "Testing"), ("training", "validation"), ("Train", "Test"), ("train", "valid"),
              ("TRAIN", "VAL")):
    case(f"the splits {names[0]} and {names[1]}", r"images  16 ", r"(?s)test\n  images  16 ",
         r"labels .*cat: 8.*dog: 8")(splits(*names))
case("splits in a wrapper folder", r"(?s)test\n  images  16 ", r"labels .*cat: 8")(splits("train", "test", "archive"))


@case("folders trainA, trainB, testA and testB", r"images  16 ", r"(?s)test\n  images  8 ")
def _(folder):
    fill(folder / "trainA", 8)
    fill(folder / "trainB", 8, first=8)
    fill(folder / "testA", 4, first=16)
    fill(folder / "testB", 4, first=20)


@case("numbered folders, as in FFHQ", r"labels  none", r"(?i)number|data\.labels")
def _(folder):
    for number in range(3):
        fill(folder / f"{number * 1000:05}", 6, first=6 * number)


@case("folders named after years", r"labels  none", r"(?i)year|number|data\.labels")
def _(folder):
    for number in range(3):
        fill(folder / f"{2019 + number}", 6, first=6 * number)


@case("class folders named after the digits 0 to 9", r"labels .*0: 4.*9: 4")
def _(folder):
    for number in range(10):
        fill(folder / f"{number}", 4, first=4 * number)


@case("one stray image next to the class folders", r"cover\.jpg", r"labels .*cat: 8.*dog: 8")
def _(folder):
    fill(folder / "cat", 8)
    fill(folder / "dog", 8, first=8)
    photo(30).save(folder / "cover.jpg")


@case("folders left behind by programs", r"images  12 ", r"skipped, .*@eaDir")
def _(folder):
    fill(folder, 12)
    for name in ("@eaDir", "__MACOSX", ".thumbnails", ".ipynb_checkpoints", "lost+found", "$RECYCLE.BIN"):
        fill(folder / name, 3, first=40)
    (folder / ".DS_Store").write_bytes(bytes(10))
    (folder / "Thumbs.db").write_bytes(bytes(10))
    (folder / "._image_000.png").write_bytes(bytes(10))


@case("a test split without directories", r"(?s)test\n  images  6 .*labels  none", r"(?i)warning")
def _(folder):
    fill(folder / "train/cat", 8)
    fill(folder / "train/dog", 8, first=8)
    fill(folder / "test", 6, first=16)


@case("a test split with a different class", r"(?s)test\n  images  6 ", r"bird")
def _(folder):
    fill(folder / "train/cat", 8)
    fill(folder / "train/dog", 8, first=8)
    fill(folder / "test/bird", 6, first=16)


# --- Tiny sets ---------------------------------------------------------------------------------------------------------
@case("one image", r"images  1 ")
def _(folder):
    fill(folder, 1)


@case("five images", r"images  5 ")
def _(folder):
    fill(folder, 5)


@case("a hundred copies of one image", r"images  100 ", r"(?i)(equal|identical|same|copies)")
def _(folder):
    fill(folder, 1)
    for index in range(99):
        shutil.copy(folder / "image_000.png", folder / f"copy_{index}.png")


@case("an empty folder", r"(?i)no .*images|empty", code=3)
def _(folder):
    folder.mkdir()


@case("a folder that does not exist", r"data\.path", code=3)
def _(folder):
    pass


# --- IDX, npz, CIFAR ---------------------------------------------------------------------------------------------------
IDX, NPZ, CIFAR = ("data.kind=idx",), ("data.kind=npz",), ("data.kind=cifar",)


@case("IDX files in directories named after them", r"images  30 of 28 x 28", r"labels  0: 3", arguments=IDX)
def _(folder):
    labels = (numpy.arange(30) % 10).astype(numpy.uint8)
    for name, array in (("train-images", digits(30)), ("train-labels", labels)):
        inner = f"{name}-idx{array.ndim}-ubyte"
        (folder / inner).mkdir(parents=True)
        (folder / inner / inner).write_bytes(idx(array))


@case("fewer IDX labels than images", r"images  30 ", r"labels  none", r"(?i)warning", arguments=IDX)
def _(folder):
    folder.mkdir()
    (folder / "train-images-idx3-ubyte.gz").write_bytes(gzip.compress(idx(digits(30))))
    (folder / "train-labels-idx1-ubyte.gz").write_bytes(gzip.compress(idx(numpy.zeros(29, numpy.uint8))))


@case("JPEG files with data.kind: idx", r"image_folder", code=3, arguments=IDX)
def _(folder):
    fill(folder, 12, ".jpg")


@case("Keras' x_train and y_train", r"images  20 of 28 x 28", r"labels  0: ", arguments=NPZ, path="mnist.npz")
def _(folder):
    folder.mkdir()
    numpy.savez(folder / "mnist.npz", x_train=digits(20), y_train=numpy.arange(20) % 10, x_test=digits(8),
                y_test=numpy.arange(8))


@case("a single array arr_0", r"images  20 of 32 x 32.*RGB", arguments=NPZ, path="samples.npz")
def _(folder):
    folder.mkdir()
    numpy.savez(folder / "samples.npz", colours(20))


@case("channels first, labels of shape (N, 1)", r"images  20 of 32 x 32.*RGB", r"labels  0: ", arguments=NPZ, path="a.npz")
def _(folder):
    folder.mkdir()
    numpy.savez(folder / "a.npz", train_images=colours(20).transpose(0, 3, 1, 2), train_labels=numpy.arange(20)[:, None] % 4)


@case("one-hot labels", r"labels  0: 5, 1: 5, 2: 5, 3: 5", arguments=NPZ, path="a.npz")
def _(folder):
    folder.mkdir()
    numpy.savez(folder / "a.npz", train_images=colours(20), train_labels=numpy.eye(4)[numpy.arange(20) % 4])


@case("text labels", r"labels .*cat: 10.*dog: 10", arguments=NPZ, path="a.npz")
def _(folder):
    folder.mkdir()
    numpy.savez(folder / "a.npz", train_images=colours(20), train_labels=numpy.array(["cat", "dog"] * 10))


@case("fractional labels", r"labels  none", r"(?i)warning", arguments=NPZ, path="a.npz")
def _(folder):
    folder.mkdir()
    numpy.savez(folder / "a.npz", train_images=colours(20), train_labels=numpy.linspace(0, 1, 20))


@case("images as floats in [0, 1]", r"(?s)images  20 .*pixels  \d+ to 2\d\d", arguments=NPZ, path="a.npz")
def _(folder):
    folder.mkdir()
    numpy.savez(folder / "a.npz", train_images=(colours(20) / 255).astype(numpy.float32), train_labels=numpy.arange(20) % 2)


@case("the Python version of CIFAR-10", r"(?i)binary", code=3, arguments=CIFAR)
def _(folder):
    (folder / "cifar-10-batches-py").mkdir(parents=True)
    (folder / "cifar-10-batches-py/data_batch_1").write_bytes(b"\x80\4" + bytes(99))


@case("CIFAR-10 in the directory of its archive", r"images  25 of 32 x 32.*RGB", arguments=CIFAR)
def _(folder):
    inner = folder / "cifar-10-batches-bin"
    inner.mkdir(parents=True)
    for number in range(1, 6):
        records = [bytes([index]) + colours(5)[index].transpose(2, 0, 1).tobytes() for index in range(5)]
        (inner / f"data_batch_{number}.bin").write_bytes(b"".join(records))


@case("an archive that has not been unpacked", r"(?i)unpack", code=3, path="photos.zip")
def _(folder):
    folder.mkdir()
    with zipfile.ZipFile(folder / "photos.zip", "w") as archive:
        archive.writestr("photos/README.txt", "no array")


# --- Running -----------------------------------------------------------------------------------------------------------
def run(program: str, one: Case, folder: pathlib.Path) -> tuple[bool, str]:
    target = folder / "data"
    one.create(target)
    command = [program, "data", str(SOURCE / "configs/smoke.yaml"), "data.kind=image_folder", "data.resolution=64",
               f"data.path={target / one.path if one.path else target}", *one.arguments, "--out", str(folder / "reals.png")]
    environment = os.environ | {"SLOPEGAN_CACHE": str(folder / "cache"), "OMP_NUM_THREADS": "1"}
    result = subprocess.run(command, check=False, capture_output=True, text=True, env=environment, errors="replace")
    output = (result.stdout + result.stderr).replace(str(folder), "…")
    problems = []
    if result.returncode != one.code:
        problems.append(f"exit code {result.returncode} instead of {one.code}")
    problems += [f"the output does not match /{pattern}/" for pattern in one.says if not re.search(pattern, output)]
    # Notes printed by slopegan itself may quote a decoder's message once, with the file name.
    others = "\n".join(line for line in output.splitlines() if not re.match(r"  (note|warning) ", line))
    if word := CODEC_WORDS.search(others):
        problems.append(f"a codec wrote to the terminal: {word.group()}")
    shown = [line for line in output.splitlines() if not re.search(r"^  sha256|packing|packed|^real images", line)]
    print(f"{'FAILED' if problems else 'ok    '} {one.name}")
    for line in shown:
        print("         " + line[:200])
    for problem in problems:
        print("       ! " + problem)
    return not problems, output


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program", nargs="?", default=str(SOURCE / "build/release/slopegan"))
    parser.add_argument("--only", default="", help="run only the cases whose name contains this text")
    parser.add_argument("--keep", type=pathlib.Path, help="create the folders in this directory and keep them")
    arguments = parser.parse_args()
    chosen = [one for one in CASES if arguments.only in one.name]
    failed = []
    with tempfile.TemporaryDirectory() as scratch:
        root = arguments.keep or pathlib.Path(scratch)
        for number, one in enumerate(chosen):
            folder = root / f"{number:02}"
            folder.mkdir(parents=True)
            if not run(arguments.program, one, folder)[0]:
                failed.append(one.name)
            if not arguments.keep:
                shutil.rmtree(folder)
    print(f"{len(chosen) - len(failed)} of {len(chosen)} cases pass" + "".join(f"\n  failed: {name}" for name in failed))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
