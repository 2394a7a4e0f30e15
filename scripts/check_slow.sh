#!/usr/bin/env bash
# Runs the repeated checks (kills, faults, damaged files, invalid input) at full length and prints a table of the results.
# Without a filter, also runs the numerical tests as on other processors, and each fuzzer for SLOPEGAN_FUZZ_SECONDS (600)
# seconds.
#   scripts/check_slow.sh [GTEST_FILTER]
set -euo pipefail
cd "$(dirname "$0")/.."
scripts/build.sh
table=$(mktemp)
trap 'rm -f "$table"' EXIT
export SLOPEGAN_SLOW=1 SLOPEGAN_SLOW_TABLE=$table OMP_NUM_THREADS=1
status=0
for program in base core program; do
  build/release/tests/slopegan_${program}_tests --gtest_brief=1 --gtest_filter="${1:-*SlowCheck*}" || status=1
done
if (($# == 0)); then scripts/check_processors.sh || status=1; fi
if (($# == 0)); then scripts/fuzz.sh "${SLOPEGAN_FUZZ_SECONDS:-600}" || status=1; fi
echo
column -t -s $'\t' "$table"
exit $status
