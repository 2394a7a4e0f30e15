#!/usr/bin/env bash
# Runs the numerical tests with the instructions of older processors and prints a table. Each run sets one environment
# variable, which limits the instructions that LibTorch, oneDNN, MKL, the C library or slopegan's own kernels use. Needs
# a release build.
#   scripts/check_processors.sh [VARIABLE=VALUE...]   # default: all; e.g. ATEN_CPU_CAPABILITY=avx2 SLOPEGAN_CPU=default
set -euo pipefail
cd "$(dirname "$0")/.."
standins=("$@")
if (($# == 0)); then
  standins=(none=
    ATEN_CPU_CAPABILITY={default,avx2,avx512}
    ONEDNN_MAX_CPU_ISA={SSE41,AVX2,AVX512_CORE,AVX512_CORE_BF16}
    MKL_ENABLE_INSTRUCTIONS={SSE4_2,AVX2,AVX512}
    SLOPEGAN_CPU={default,avx2,avx512,avx512_bf16}
    GLIBC_TUNABLES=glibc.cpu.hwcaps=-AVX512F,-AVX2,-FMA)
fi
# These tests are excluded: they test files, text and processes, which do not depend on the processor's instructions.
other='*SlowCheck*:BadData*:BatchStream*:Cifar*:LoadDataset*:LoadTestSplit*:ImagesOfAFolder*:Npz*:Npy*:WriteNpz*:Idx*'
other+=':ListFolder*:ListImages*:FindLayout*:Packed*:Report*:PageServer*:*FuzzTarget*:*Sheet*:Event*:*Bench*:Timing*'
other+=':Time*:Decode*:ReadImage*:Sniff*:Gif*:Run*:Checkpoint*:Manifest*:Table/*:Safetensors*:History*:Heartbeat*'
other+=':RankEnvironment*:Progress*:Sweep*:MakeArms*:Shards*:Arm*:OpenSweep*:WrongKind*:CachedTensors*'
table=${SLOPEGAN_SLOW_TABLE:-$(mktemp)}
log=$(mktemp)
trap 'rm -f "$log"; [[ -n ${SLOPEGAN_SLOW_TABLE:-} ]] || rm -f "$table"' EXIT
export OMP_NUM_THREADS=1 SLOPEGAN_CACHE=${SLOPEGAN_CACHE:-$PWD/build/release/test_cache}
status=0
for standin in "${standins[@]}"; do
  result=passed
  env "$standin" build/release/tests/slopegan_core_tests --gtest_brief=1 --gtest_filter="-$other" >"$log" 2>&1 || result=failed
  env "$standin" build/release/tests/slopegan_program_tests --gtest_brief=1 \
    --gtest_filter='CheckpointOfTheFirstVersion.*' >>"$log" 2>&1 || result=failed
  if [[ $result == failed ]]; then
    status=1
    grep -B12 '^\[  FAILED  \]' "$log" >&2 || tail -20 "$log" >&2
    result="failed: $(sed -n 's/^\[  FAILED  \] \([A-Za-z0-9_./]*\).*/\1/p' "$log" | sort -u | tr '\n' ' ')"
  fi
  printf 'numerical tests with %s\t%s\n' "$standin" "$result" | tee -a "$table" >&2
done
[[ -n ${SLOPEGAN_SLOW_TABLE:-} ]] || column -t -s $'\t' "$table"
exit $status
