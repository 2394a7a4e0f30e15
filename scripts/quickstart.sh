#!/usr/bin/env bash
# Installs what is missing, builds, trains DCGANs with four negative slopes on Fashion-MNIST, and says where the picture
# is. Run again, it goes on where it stopped. Arguments go to the sweep, e.g. training.total_images=20000.
set -euo pipefail
cd "$(dirname "$0")/.."
scripts/build.sh release slopegan
build/release/slopegan sweep configs/quickstart.yaml "$@"
cat >&2 <<'END'

Open report.html, or look at contact_sheet.png: each row is a slope, each column the same latent.
Next: edit configs/fashion_mnist_sweep.yaml, then  build/release/slopegan sweep configs/fashion_mnist_sweep.yaml
END
