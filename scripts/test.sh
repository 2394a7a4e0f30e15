#!/usr/bin/env bash
# Installs what is missing, builds, and runs every test through CTest. Arguments go to ctest, e.g. -R LeakyRelu.
set -euo pipefail
cd "$(dirname "$0")/.."
SLOPEGAN_TEST=1 scripts/build.sh
exec ctest --test-dir build/release --output-on-failure --parallel "$(nproc)" "$@"
