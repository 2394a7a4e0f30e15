#!/usr/bin/env bash
# Installs missing dependencies and builds a preset in build/PRESET.
#   scripts/build.sh [PRESET [TARGET ...]]     default: release, all targets
# With SLOPEGAN_WERROR=OFF, warnings are not errors.
set -euo pipefail
cd "$(dirname "$0")/.."
preset=${1:-release}
scripts/setup.sh
cmake --preset "$preset" ${SLOPEGAN_WERROR:+-DSLOPEGAN_WERROR=$SLOPEGAN_WERROR} >build/configure.log 2>&1 || { cat build/configure.log >&2; exit 1; }
cmake --build --preset "$preset" ${2:+--target "${@:2}"}
