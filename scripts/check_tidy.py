#!/usr/bin/env python3
"""Runs clang-tidy with the checks of .clang-tidy over all of src/.

    scripts/check_tidy.py [BUILD] [FOLDER ...]     BUILD: build/release; FOLDER: of src/, all by default

The sources of a folder are checked as one translation unit, because reading LibTorch's headers takes longer than all the
rest: one time a folder instead of one a file.
"""
import concurrent.futures
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
CLANG_TIDY = ROOT / ".venv/bin/clang-tidy"
NOISE = re.compile(r"^(\d+ warnings? generated|Suppressed |Use -header-filter|\[\d+/\d+\] Processing)")


def flags_of(command: str) -> list[str]:
    """Definitions, include folders and the language: the rest means nothing to clang."""
    words = command.replace("-isystem ", "-isystem").split()
    kept = [w for w in words if w.startswith(("-D", "-I", "-isystem", "-std="))]
    return [w.replace('\\"', '"') for w in kept]


def check(folder: str, database: list[dict], scratch: pathlib.Path) -> tuple[str, bool, str]:
    place = ROOT / "src" / folder
    entries = [e for e in database if pathlib.Path(e["file"]).parent == place]
    files = sorted({e["file"] for e in entries})
    unit = scratch / f"{folder}.cpp"
    unit.write_text("".join(f'#include "{file}"\n' for file in files))
    # A file that belongs to two targets is checked as in the one that sees less: support without LibTorch.
    all_flags = [flags_of(e["command"]) for e in entries]
    includes = min(([f for f in flags if f.startswith("-I") or f.startswith("-isystem")] for flags in all_flags), key=len)
    flags = includes + sorted({f for flags in all_flags for f in flags if f not in includes and not f.startswith("-i")})
    run = subprocess.run(
        [CLANG_TIDY, "--quiet", f"--config-file={ROOT / '.clang-tidy'}", unit, "--", "-xc++", *flags],
        capture_output=True, text=True, cwd=ROOT)
    lines = [line for line in (run.stdout + run.stderr).splitlines() if not NOISE.match(line)]
    return folder, run.returncode == 0, "\n".join(lines)


def main() -> int:
    if not CLANG_TIDY.exists():
        print("skipped: scripts/setup.sh has not installed clang-tidy")
        return 77
    build = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else ROOT / "build/release")
    database = json.loads((build / "compile_commands.json").read_text())
    folders = sys.argv[2:] or sorted({pathlib.Path(e["file"]).parent.name for e in database
                                      if pathlib.Path(e["file"]).parent.parent == ROOT / "src"})
    good = True
    with tempfile.TemporaryDirectory() as scratch, concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for folder, tidy, text in pool.map(lambda f: check(f, database, pathlib.Path(scratch)), folders):
            print(f"src/{folder}: {'tidy' if tidy else 'not tidy'}")
            if not tidy:
                print(text)
            good &= tidy
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
