#!/usr/bin/env python3
"""Checks the layers of includes, and a few other rules for source files.

The folders of src/ are ordered in layers. A file may include files of its own folder and of lower layers. spdlog and
LibTorch use different versions of fmt, which cannot be included in the same file.
"""
import pathlib
import re
import sys

# The lowest layer is first. Folders of the same layer may not include each other.
LAYERS = [
    ["support"],
    ["layers"],
    ["config"],
    ["models"],
    ["images"],
    ["data", "losses", "metrics", "run"],
    ["statistics", "distributed"],
    ["sampling"],
    ["evaluation", "diagnostics"],
    ["training"],
    ["sweep", "demo", "import", "export", "report"],
    ["sheets"],
    ["bench"],
    ["commands"],
    ["main"],
]
# Folders that must build without LibTorch.
TORCH_FREE = {"support", "config", "statistics", "report"}

LEVEL = {folder: level for level, folders in enumerate(LAYERS) for folder in folders}
INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]', re.M)


def find_problems(root: pathlib.Path):
    for file in sorted(p for p in root.rglob("*") if p.suffix in {".h", ".cpp"}):
        relative = file.relative_to(root)
        folder = relative.parts[0] if len(relative.parts) > 1 else relative.stem
        if folder not in LEVEL:
            yield f"src/{relative}: folder {folder} is not listed in scripts/check_includes.py"
            continue
        includes = INCLUDE.findall(file.read_text())
        system = {path for quote, path in includes if quote == "<"}
        for path in (path for quote, path in includes if quote == '"'):
            if not (root / path).is_file():
                yield f'src/{relative}: includes "{path}", which does not exist in src/'
                continue
            other = path.split("/")[0]
            if other != folder and LEVEL.get(other, len(LAYERS)) >= LEVEL[folder]:
                yield f"src/{relative}: {folder} may not include {path}, which is not in a lower layer"
        torch = any(path.startswith(("torch/", "ATen/", "c10/")) for path in system)
        if torch and folder in TORCH_FREE:
            yield f"src/{relative}: {folder} must build without LibTorch"
        if torch and any(path.startswith(("spdlog/", "fmt/")) for path in system):
            yield f"src/{relative}: includes both spdlog and LibTorch, whose versions of fmt conflict"
        if file.suffix == ".h" and "#pragma once" not in file.read_text():
            yield f"src/{relative}: #pragma once is missing"


def missing_sources(root: pathlib.Path):
    """Finds missing sources that tests/fuzz/CMakeLists.txt names. The normal build does not read this file."""
    listing = root.parent / "tests/fuzz/CMakeLists.txt"
    for path in re.findall(r"\$\{source_dir\}/([\w/]+\.cpp)", listing.read_text() if listing.exists() else ""):
        if not (root / path).is_file():
            yield f"tests/fuzz/CMakeLists.txt: src/{path} does not exist"


def main() -> int:
    root = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else pathlib.Path(__file__).parent.parent / "src")
    found = [*find_problems(root), *missing_sources(root)]
    print("\n".join(found) or "all includes point to lower layers")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
