#!/usr/bin/env bash
# Installs missing dependencies, builds, and runs every test. Arguments are passed to ctest, for example -R LeakyRelu.
set -euo pipefail
cd "$(dirname "$0")/.."
SLOPEGAN_TEST=1 scripts/build.sh
exec ctest --test-dir build/release --output-on-failure --parallel "$(nproc)" "$@"
