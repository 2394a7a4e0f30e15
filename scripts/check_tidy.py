#!/usr/bin/env python3
"""Runs clang-tidy with the checks in .clang-tidy on all of src/.

    scripts/check_tidy.py [BUILD] [FOLDER ...]     BUILD: default build/release; FOLDER: in src/, default: all folders

The sources of a folder are checked as one translation unit. Parsing LibTorch's headers takes most of the time; this
way, they are parsed once per folder instead of once per file.
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
COMPILED_WITHOUT_TORCH = {"support", "config"}
NOISE = re.compile(r"^(\d+ warnings? generated|Suppressed |Use -header-filter|\[\d+/\d+\] Processing)")


def flags_of(command: str) -> list[str]:
    """The flags for definitions, include directories and the language standard. Clang may not know the other flags."""
    words = command.replace("-isystem ", "-isystem").split()
    kept = [w for w in words if w.startswith(("-D", "-I", "-isystem", "-std="))]
    return [w.replace('\\"', '"') for w in kept]


def includes_of(flags: list[str]) -> list[str]:
    return [flag for flag in flags if flag.startswith(("-I", "-isystem"))]


def flags_for(folder: str, database: list[dict]) -> list[str]:
    """The definitions of all matching source files, and the longest of their lists of include directories.

    A source file matches if it is compiled with LibTorch and the folder uses LibTorch, or if neither is the case.
    """
    sees_torch = folder not in COMPILED_WITHOUT_TORCH
    commands = [flags_of(e["command"]) for e in database if ("torch/include" in e["command"]) == sees_torch]
    definitions = {f for flags in commands for f in flags if f.startswith("-D")}
    return [*max(map(includes_of, commands), key=len), *sorted(definitions), "-std=c++20"]


def check(folder: str, database: list[dict], scratch: pathlib.Path) -> tuple[str, bool, str]:
    files = sorted((ROOT / "src" / folder).glob("*.cpp"))
    unit = scratch / f"{folder}.cpp"
    unit.write_text("".join(f'#include "{file}"\n' for file in files))
    run = subprocess.run(
        [CLANG_TIDY, "--quiet", f"--config-file={ROOT / '.clang-tidy'}", unit, "--", "-xc++",
         *flags_for(folder, database)],
        capture_output=True, text=True, cwd=ROOT)
    lines = [line for line in (run.stdout + run.stderr).splitlines() if not NOISE.match(line)]
    return folder, run.returncode == 0, "\n".join(lines)


def main() -> int:
    if not CLANG_TIDY.exists():
        print("skipped: clang-tidy is not installed; SLOPEGAN_TEST=1 scripts/setup.sh installs it")
        return 77
    build = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else ROOT / "build/release")
    database = json.loads((build / "compile_commands.json").read_text())
    folders = sys.argv[2:] or sorted({file.parent.name for file in (ROOT / "src").glob("*/*.cpp")})
    good = True
    with tempfile.TemporaryDirectory() as scratch, concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for folder, tidy, text in pool.map(lambda f: check(f, database, pathlib.Path(scratch)), folders):
            print(f"src/{folder}: {'no warnings' if tidy else 'warnings'}")
            if not tidy:
                print(text)
            good &= tidy
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
