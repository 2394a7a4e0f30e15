#!/usr/bin/env bash
# Installs missing dependencies, builds, and trains DCGANs with four negative slopes on Fashion-MNIST. The same command
# continues an interrupted run. Arguments are passed to the sweep, for example training.total_images=20000.
set -euo pipefail
cd "$(dirname "$0")/.."
SLOPEGAN_WERROR=OFF scripts/build.sh release slopegan   # a newer compiler may have new warnings
build/release/slopegan sweep configs/quickstart.yaml "$@"
cat >&2 <<'END'

Open report.html, or contact_sheet.png: each row is a slope, each column is one latent.
Next: build/release/slopegan sweep configs/fashion_mnist_sweep.yaml   (edit the file to change the sweep)
END
