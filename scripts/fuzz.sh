#!/usr/bin/env bash
# Builds the libFuzzer programs in tests/fuzz and runs all of them, or the named ones, for SECONDS each (default: 60).
# The initial inputs are in tests/fuzz/corpus. New inputs are kept in build/fuzz/found, and crashing ones in
# build/fuzz/crashes. After a fix, copy the crashing input to tests/fuzz/corpus/TARGET, which the tests replay.
#   scripts/fuzz.sh [SECONDS] [TARGET...]
set -euo pipefail
cd "$(dirname "$0")/.."
seconds=${1:-60}
if [[ ! $seconds =~ ^[0-9]+$ ]]; then echo "usage: scripts/fuzz.sh [SECONDS] [TARGET...]" >&2; exit 2; fi
shift || true
targets=("$@")
if ((${#targets[@]} == 0)); then
  for folder in tests/fuzz/corpus/*/; do targets+=("$(basename "$folder")"); done
fi

SLOPEGAN_FUZZ=1 scripts/setup.sh
if [[ ! -f build/fuzz/build.ninja ]]; then
  # On Debian, Clang 16 is named clang++-16; plain clang++ is too old.
  cmake --preset fuzz -DCMAKE_CXX_COMPILER="$(command -v clang++-16 || echo clang++)" >/dev/null
fi
cmake --build --preset fuzz

# Freed memory in AddressSanitizer's quarantine counts towards the memory limit, so the quarantine is small.
# The detection of container overflows is disabled: it reports false errors for yaml-cpp, which is not instrumented.
export ASAN_OPTIONS=quarantine_size_mb=8:detect_container_overflow=0${ASAN_OPTIONS:+:$ASAN_OPTIONS}
status=0
for target in "${targets[@]}"; do
  if [[ ! -d tests/fuzz/corpus/$target ]]; then echo "fuzz.sh: unknown target $target" >&2; exit 2; fi
  mkdir -p "build/fuzz/found/$target" build/fuzz/crashes
  log=build/fuzz/$target.log
  result="no crash"
  "build/fuzz/tests/fuzz/fuzz_$target" -max_total_time="$seconds" -rss_limit_mb=512 -timeout=20 -max_len=65536 \
    -print_final_stats=1 -artifact_prefix="build/fuzz/crashes/$target-" \
    "build/fuzz/found/$target" "tests/fuzz/corpus/$target" >"$log" 2>&1 || { status=1; result="FAILED, see $log"; }
  figure() { sed -n "s/^stat::$1: *//p" "$log"; }
  row="fuzz $target, $seconds s"$'\t'"$result; $(figure number_of_executed_units) inputs, peak memory $(figure peak_rss_mb) MiB"
  printf '%s\n' "$row" | tr '\t' ':'
  if [[ -n ${SLOPEGAN_SLOW_TABLE:-} ]]; then printf '%s\n' "$row" >>"$SLOPEGAN_SLOW_TABLE"; fi
done
exit $status
