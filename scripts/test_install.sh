#!/usr/bin/env bash
# Installs the build in directory $1 into a temporary directory, runs the program from there, and builds tests/consumer
# against the installed layers: once with the LibTorch of the build, and once with an emulated CUDA build of LibTorch.
set -euo pipefail
build=$(cd "$1" && pwd)
source=$(cd "$(dirname "$0")/.." && pwd)
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
cmake --install "$build" --prefix "$scratch/prefix" >/dev/null
cd "$scratch"
prefix/bin/slopegan --version >/dev/null
prefix/bin/slopegan train prefix/share/slopegan/configs/smoke.yaml --dry-run >/dev/null
for file in bash-completion/completions/slopegan zsh/site-functions/_slopegan man/man1/slopegan.1; do
  grep -q generator.negative_slope <(sed 's/\\-/-/g' "prefix/share/$file")
done
torch_dir=$(sed -n 's/^Torch_DIR:[A-Z]*=//p' "$build/CMakeCache.txt")
cmake -S "$source/tests/consumer" -B consumer -G Ninja -DCMAKE_BUILD_TYPE=Release \
  -DCMAKE_PREFIX_PATH="$scratch/prefix" -DTorch_DIR="$torch_dir" >configure.log 2>&1 || { cat configure.log; exit 1; }
cmake --build consumer
consumer/consumer

# The CMake package of a LibTorch with CUDA fails if there is no CUDA toolkit. The test emulates such a LibTorch with
# the libraries of the current one, empty libraries in place of the CUDA ones, and a CMake package that always fails.
torch=$(cd "$torch_dir/../../.." && pwd)
mkdir -p cuda/lib cuda/share/cmake/Torch
ln -s "$torch/include" cuda/include
ln -s "$torch"/lib/lib* cuda/lib/
for library in torch_cuda c10_cuda; do
  rm -f "cuda/lib/lib$library.so"
  cc -shared -o "cuda/lib/lib$library.so" -x c /dev/null
done
echo 'message(FATAL_ERROR "there is no CUDA toolkit")' >cuda/share/cmake/Torch/TorchConfig.cmake
cmake -S "$source/tests/consumer" -B consumer_cuda -G Ninja -DCMAKE_BUILD_TYPE=Release \
  -DCMAKE_PREFIX_PATH="$scratch/prefix" -DTorch_DIR="$scratch/cuda/share/cmake/Torch" >configure.log 2>&1 ||
  { cat configure.log; exit 1; }
cmake --build consumer_cuda
consumer_cuda/consumer
