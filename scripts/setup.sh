#!/usr/bin/env bash
# Installs the dependencies of the build and the tests: Debian packages, LibTorch from the pinned PyPI wheel in .venv,
# and the weights of a feature extractor in build/rulers. Running the script again downloads and installs only what is
# missing.
#   SLOPEGAN_TORCH=/path   from now on, use the LibTorch (or Python torch package) at this path instead of the wheel;
#                          SLOPEGAN_TORCH=.venv switches back to the wheel
#   SLOPEGAN_TEST=1        also install the programs and Python packages that the tests use, and clang-format and
#                          clang-tidy (500 MB)
#   SLOPEGAN_SLURM=1       also install Slurm, for scripts/test_slurm.sh
#   SLOPEGAN_FUZZ=1        also install clang with libFuzzer, for scripts/fuzz.sh
#   SLOPEGAN_IMAGES=1      also install Debian's emoji font, fonttools and Pillow for scripts/make_*.py, but not npm
#   SLOPEGAN_APT=0         install no Debian packages; if some are missing, print them and fail
set -euo pipefail
cd "$(dirname "$0")/.."

torch_version=2.13.0
images=${SLOPEGAN_IMAGES:-${SLOPEGAN_EMOJI:-0}}   # version 0.9 used the name SLOPEGAN_EMOJI
image_tools=(fonttools==4.68.0 pillow==13.0.0)
clang_tools=(clang-format==19.1.7 clang-tidy==19.1.0.1)   # pinned, so that all machines format alike
test_tools=(numpy==2.4.6 pillow==13.0.0 tensorboard==2.21.0 jsonschema==4.26.0 pyyaml==6.0.3
            onnx==1.23.2 onnxruntime==1.32.0 safetensors==0.8.0 pandas==3.1.1 optuna==5.0.0)

# Build dependencies, then the example data set.
packages=(
  g++ cmake ninja-build ccache python3-venv
  libopencv-core-dev libopencv-imgproc-dev libopencv-imgcodecs-dev
  libspdlog-dev libfmt-dev libyaml-cpp-dev libcli11-dev nlohmann-json3-dev
  libgtest-dev libgmock-dev zlib1g-dev libzip-dev libgif-dev libjpeg-dev libpng-dev libtiff-dev libfreetype-dev fonts-dejavu-core libssl-dev libcpp-httplib-dev libprotozero-dev libgloo-dev
  dataset-fashion-mnist
)
if [[ ${SLOPEGAN_TEST:-0} == 1 ]]; then packages+=(chromium zsh parallel libopencv-dnn-dev); fi
if [[ ${SLOPEGAN_SLURM:-0} == 1 ]]; then packages+=(slurm-wlm munge); fi
if [[ ${SLOPEGAN_FUZZ:-0} == 1 ]]; then packages+=(clang-16 libclang-rt-16-dev); fi
if [[ $images == 1 ]]; then packages+=(fonts-noto-color-emoji); fi

say() { printf 'setup: %s\n' "$*" >&2; }
fail() { say "$@"; exit 1; }

# --- Debian packages -------------------------------------------------------------------------------------------------
install_packages() {
  if ! command -v dpkg-query >/dev/null; then
    say "dpkg is not available, so no packages are installed. The build needs GCC 12 or Clang 16, CMake 3.25, Ninja,"
    say "OpenCV 4 (core imgproc imgcodecs), spdlog, fmt, yaml-cpp, CLI11, nlohmann-json, GoogleTest, zlib, libzip,"
    say "giflib, libjpeg, libpng, libtiff, FreeType, the font DejaVu Sans, OpenSSL, cpp-httplib, protozero, Gloo's"
    say "headers (for training in several processes), and the Fashion-MNIST idx.gz files for the examples (Debian:"
    say "dataset-fashion-mnist)."
    return
  fi
  local installed missing=()
  # dpkg-query fails if it does not know a package, but still prints the others.
  installed=" $({ dpkg-query -W -f '${Status} ${Package}\n' "${packages[@]}" 2>/dev/null || true; } |
    sed -n 's/^install ok installed //p' | tr '\n' ' ') "
  for package in "${packages[@]}"; do
    [[ $installed == *" $package "* ]] || missing+=("$package")
  done
  if ((${#missing[@]} == 0)); then return; fi
  local command="apt-get install --no-install-recommends ${missing[*]}"
  if [[ ${SLOPEGAN_APT:-1} == 0 ]]; then fail "missing packages; install them with: $command"; fi
  local as_root=()
  if ((EUID != 0)); then
    if sudo -n true 2>/dev/null; then as_root=(sudo -n); else
      fail "packages are missing, and installing them needs root; run as root: $command"
    fi
  fi
  say "installing ${missing[*]}"
  local apt=("${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=300 -qq)
  # Outdated package lists refer to files that the mirror no longer has, so the lists are updated before installing.
  "${apt[@]}" update >&2 || say "apt-get update failed; using the existing package lists"
  "${apt[@]}" install -y --no-install-recommends "${missing[@]}" >&2 ||
    fail "apt-get could not install the packages; see its message above, then run: $command"
}

# --- Python packages: LibTorch, and the tools for the source checks and tests ----------------------------------------
find_torch_cmake() {   # prints the directory below $1 that contains TorchConfig.cmake
  local candidate
  for candidate in "$1" "$1/share/cmake/Torch" "$1/Torch" "$1/torch/share/cmake/Torch" \
    "$1"/lib/python3*/site-packages/torch/share/cmake/Torch; do
    if [[ -f $candidate/TorchConfig.cmake ]]; then (cd "$candidate" && pwd); return 0; fi
  done
  return 1
}

pip_install() { .venv/bin/python -m pip install --quiet --disable-pip-version-check --no-input "$@"; }

# Prints the version of package $1 in .venv. Reads it from a directory name, because starting Python takes a second.
installed_version() {
  local folder
  for folder in .venv/lib/python3*/site-packages/"${1//-/_}"-*.dist-info; do
    if [[ -d $folder ]]; then folder=${folder##*/"${1//-/_}"-}; echo "${folder%.dist-info}"; return; fi
  done
}

make_venv() {
  if [[ -x .venv/bin/python ]] && .venv/bin/python -c '' 2>/dev/null; then return; fi
  command -v python3 >/dev/null || fail "python3 is missing; install Python 3.11 or newer (Debian: python3 python3-venv)"
  rm -rf .venv
  python3 -m venv .venv || fail "python3 could not create a virtual environment (Debian: apt-get install python3-venv)"
}

install_torch() {
  local version
  version=$(installed_version torch)
  if [[ ${version%%+*} == "$torch_version" ]]; then return; fi
  say "installing torch $torch_version into .venv"
  # The CPU build is a tenth of the size of the CUDA build, but not every index offers it.
  pip_install "torch==$torch_version+cpu" 2>/dev/null || pip_install "torch==$torch_version" ||
    fail "pip could not install torch==$torch_version; to use an existing LibTorch: SLOPEGAN_TORCH=/path $0"
}

# CUDA graphs and NCCL need headers of packages that the wheel does not depend on.
install_cuda_headers() {
  local runtime package missing=()
  runtime=$(installed_version nvidia-cuda-runtime)
  [[ -n $runtime ]] || return 0
  for package in nvidia-cuda-crt nvidia-cuda-cccl; do
    [[ -n $(installed_version $package) ]] || missing+=("$package==${runtime%.*}.*")
  done
  if ((${#missing[@]} == 0)); then return; fi
  say "installing ${missing[*]} into .venv"
  pip_install "${missing[@]}" || say "could not install ${missing[*]}; CUDA graphs and NCCL will not be available"
}

install_tools() {   # name==version ...
  local tool missing=()
  for tool in "$@"; do
    [[ $(installed_version "${tool%%==*}") == "${tool##*==}" ]] || missing+=("$tool")
  done
  if ((${#missing[@]} == 0)); then return; fi
  say "installing ${missing[*]} into .venv"
  pip_install "${missing[@]}"
}

chosen_torch() {   # prints the LibTorch selected by an earlier SLOPEGAN_TORCH, if it still exists
  [[ -f build/torch.cmake ]] || return 1
  local folder
  folder=$(sed -n 's/^set(SLOPEGAN_TORCH_DIR "\(.*\)")$/\1/p' build/torch.cmake)
  [[ $folder != "$PWD/.venv/"* && -f $folder/TorchConfig.cmake ]] && echo "$folder"
}

install_python() {   # creates .venv and installs all its packages
  make_venv
  if [[ -n ${SLOPEGAN_TORCH:-} && $SLOPEGAN_TORCH != .venv ]]; then
    find_torch_cmake "$SLOPEGAN_TORCH" >/dev/null ||
      fail "SLOPEGAN_TORCH=$SLOPEGAN_TORCH contains no share/cmake/Torch/TorchConfig.cmake"
  elif [[ -n ${SLOPEGAN_TORCH:-} ]] || ! chosen_torch >/dev/null; then
    install_torch
    install_cuda_headers
  fi
  if [[ ${SLOPEGAN_TEST:-0} == 1 ]]; then
    install_tools "${clang_tools[@]}" || say "could not install ${clang_tools[*]}; the source checks will be skipped"
    install_tools "${test_tools[@]}" || say "could not install ${test_tools[*]}; tests that need them will be skipped"
  fi
  if [[ $images == 1 ]]; then install_tools "${image_tools[@]}" || fail "pip could not install ${image_tools[*]}"; fi
}

selected_torch() {   # prints the directory of the TorchConfig.cmake to use
  if [[ -n ${SLOPEGAN_TORCH:-} && $SLOPEGAN_TORCH != .venv ]]; then find_torch_cmake "$SLOPEGAN_TORCH"; return; fi
  if [[ -z ${SLOPEGAN_TORCH:-} ]] && chosen_torch; then return; fi
  find_torch_cmake .venv
}

# pip and apt-get take about the same time, so they run in parallel, unless apt-get must install Python itself first.
if python3 -c 'import ensurepip, venv' 2>/dev/null; then
  install_python &
  trap wait EXIT
  install_packages
  wait $! || exit 1
else
  install_packages
  install_python
fi
torch_dir=$(selected_torch) || fail "the torch wheel in .venv contains no TorchConfig.cmake; remove .venv and try again"

# Install the weights of the feature extractor for colour images without labels in build/rulers.
.venv/bin/python scripts/install_ruler.py >/dev/null ||
  say "the weights of EfficientNet-Lite0 are not installed: metrics of colour images without labels will not be available"

# CMakeLists.txt reads build/torch.cmake, so that a manual `cmake --preset release` works as well.
mkdir -p build
line="set(SLOPEGAN_TORCH_DIR \"$torch_dir\")"
if [[ ! -f build/torch.cmake || $(<build/torch.cmake) != "$line" ]]; then printf '%s\n' "$line" >build/torch.cmake; fi
say "ready (LibTorch: $torch_dir)"
