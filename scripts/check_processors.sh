#!/usr/bin/env bash
# Runs the numerical tests with the instruction sets of older processors and prints a table. Each setting consists of
# environment variables, which limit the instructions that LibTorch, oneDNN, MKL, the C library or slopegan's own
# kernels use. Needs a release build.
#   scripts/check_processors.sh [--all] ['VARIABLE=VALUE [VARIABLE=VALUE...]'...]   # default: all settings below
# With --all, runs all tests of CTest for each setting, which takes hours, instead of only the numerical tests.
set -euo pipefail
cd "$(dirname "$0")/.."
all_tests=false
if [[ ${1:-} == --all ]]; then
  all_tests=true
  shift
fi
for setting in "$@"; do
  read -ra variables <<<"$setting"
  for variable in "${variables[@]}"; do
    if [[ $variable != [A-Za-z_]*=* ]]; then
      echo "check_processors.sh: expected VARIABLE=VALUE, got $variable (--all must be the first argument)" >&2
      exit 2
    fi
  done
done
settings=("$@")
if (($# == 0)); then
  settings=(none=
    ATEN_CPU_CAPABILITY={default,avx2,avx512}
    ONEDNN_MAX_CPU_ISA={SSE41,AVX2,AVX512_CORE,AVX512_CORE_BF16}
    MKL_ENABLE_INSTRUCTIONS={SSE4_2,AVX2,AVX512}
    SLOPEGAN_CPU={default,avx2,avx512,avx512_bf16}
    GLIBC_TUNABLES=glibc.cpu.hwcaps=-AVX512F,-AVX2,-FMA
    # Whole processors: without AVX, with AVX2, and with AVX-512 but without bfloat16.
    'ATEN_CPU_CAPABILITY=default ONEDNN_MAX_CPU_ISA=SSE41 MKL_ENABLE_INSTRUCTIONS=SSE4_2 SLOPEGAN_CPU=default'
    'ATEN_CPU_CAPABILITY=avx2 ONEDNN_MAX_CPU_ISA=AVX2 MKL_ENABLE_INSTRUCTIONS=AVX2 SLOPEGAN_CPU=avx2'
    'ATEN_CPU_CAPABILITY=avx512 ONEDNN_MAX_CPU_ISA=AVX512_CORE MKL_ENABLE_INSTRUCTIONS=AVX512 SLOPEGAN_CPU=avx512')
fi
# Excluded: long checks, benchmarks, and tests of files, text, image decoding and processes, whose results should not
# depend on the instruction set.
other='*SlowCheck*:BadData*:BatchStream*:Cifar*:LoadDataset*:LoadTestSplit*:ImagesInAFolder*:Npz*:Npy*:WriteNpz*:Idx*'
other+=':ListFolder*:ListImages*:FindLayout*:Packed*:Report*:PageServer*:*FuzzTarget*:*Sheet*:Event*:*Bench*:Timing*'
other+=':Time*:Decode*:ReadImage*:Sniff*:Gif*:Run*:Checkpoint*:Manifest*:Table/*:Safetensors*:History*:Heartbeat*'
other+=':RankEnvironment*:Progress*:Sweep*:MakeArms*:Shards*:Arm*:OpenSweep*:WrongKind*:CachedTensors*'
table=${SLOPEGAN_SLOW_TABLE:-$(mktemp)}
log=$(mktemp)
trap 'rm -f "$log"; [[ -n ${SLOPEGAN_SLOW_TABLE:-} ]] || rm -f "$table"' EXIT
# Each function runs with $variables, writes to $log, and sets $failed to the names of the failed tests.
numerical_tests() {
  local code=0
  env "${variables[@]}" OMP_NUM_THREADS=1 build/release/tests/slopegan_core_tests --gtest_brief=1 \
    --gtest_filter="-$other" >"$log" 2>&1 || code=1
  env "${variables[@]}" OMP_NUM_THREADS=1 build/release/tests/slopegan_program_tests --gtest_brief=1 \
    --gtest_filter='CheckpointOfTheFirstVersion.*' >>"$log" 2>&1 || code=1
  failed=$(sed -n 's/^\[  FAILED  \] \([A-Za-z0-9_./]*\).*/\1/p' "$log" | sort -u | tr '\n' ' ')
  return $code
}
complete_suite() {
  local code=0
  env "${variables[@]}" ctest --test-dir build/release --output-on-failure --parallel "$(nproc)" >"$log" 2>&1 || code=1
  ((code == 0)) || failed=$(cut -d: -f2- build/release/Testing/Temporary/LastTestsFailed.log | sort -u | tr '\n' ' ')
  return $code
}
kind='numerical tests' run=numerical_tests
if $all_tests; then kind='all tests' run=complete_suite; fi
export SLOPEGAN_CACHE=${SLOPEGAN_CACHE:-$PWD/build/release/test_cache}
status=0
for setting in "${settings[@]}"; do
  failed='' result=passed
  read -ra variables <<<"$setting"
  if ! $run; then
    status=1
    grep -B12 '^\[  FAILED  \]' "$log" >&2 || tail -20 "$log" >&2
    result="failed: $failed"
  fi
  printf '%s with %s\t%s\n' "$kind" "$setting" "$result" | tee -a "$table" >&2
done
[[ -n ${SLOPEGAN_SLOW_TABLE:-} ]] || column -t -s $'\t' "$table"
exit $status
