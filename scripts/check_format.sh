#!/usr/bin/env bash
# Checks the format of all C++ files against .clang-format; with --fix, formats the files.
set -euo pipefail
cd "$(dirname "$0")/.."
clang_format=.venv/bin/clang-format
if [[ ! -x $clang_format ]]; then echo "skipped: clang-format is not installed; SLOPEGAN_TEST=1 scripts/setup.sh installs it"; exit 77; fi
mapfile -d '' files < <(find src tests -name '*.h' -print0 -o -name '*.cpp' -print0)
if [[ ${1:-} == --fix ]]; then exec "$clang_format" -i "${files[@]}"; fi
"$clang_format" --dry-run -Werror "${files[@]}"
echo "all ${#files[@]} files are correctly formatted"
