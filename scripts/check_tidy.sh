#!/usr/bin/env bash
# Runs clang-tidy with the checks of .clang-tidy over the sources that the build in $1 (build/release) compiles.
#   scripts/check_tidy.sh [BUILD] [PATTERN]   only files whose path matches PATTERN, e.g. src/config/
set -euo pipefail
cd "$(dirname "$0")/.."
build=${1:-build/release} pattern=${2:-src/}
clang_tidy=.venv/bin/clang-tidy
if [[ ! -x $clang_tidy ]]; then echo "skipped: scripts/setup.sh has not installed clang-tidy"; exit 77; fi
# The compiler's precompiled header and its own warning options mean nothing to clang.
database=$(mktemp -d)
trap 'rm -rf "$database"' EXIT
sed -e 's/-Winvalid-pch -include [^ ]*cmake_pch.hxx//' -e 's/-Wno-stringop-overflow//' -e 's/-Wno-restrict//' \
  "$build/compile_commands.json" >"$database/compile_commands.json"
find src -name '*.cpp' | grep -E "$pattern" | sort >"$database/files"
code=0
xargs -a "$database/files" -P "$(nproc)" -n 2 "$clang_tidy" -p "$database" --quiet \
  --extra-arg=-Wno-unknown-warning-option >"$database/log" 2>&1 || code=1
grep -vE '^[0-9]+ warnings? generated|^Suppressed|^Use -header-filter' "$database/log" || true
((code == 0)) && echo "$(wc -l <"$database/files") files are tidy"
exit "$code"
