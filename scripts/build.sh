#!/usr/bin/env bash
# Installs what is missing and builds a preset into build/.
#   scripts/build.sh [PRESET [TARGET ...]]     release and everything by default
set -euo pipefail
cd "$(dirname "$0")/.."
preset=${1:-release}
scripts/setup.sh
cmake --preset "$preset" >build/configure.log 2>&1 || { cat build/configure.log >&2; exit 1; }
cmake --build --preset "$preset" ${2:+--target "${@:2}"}
