#!/usr/bin/env bash
# Runs the long checks (kills, faults, damaged files, invalid input, simulated races) at full length and prints a table
# of the results. Without a filter, it also runs the numerical tests with the instruction sets of older processors, and
# each fuzzer for SLOPEGAN_FUZZ_SECONDS seconds (default: 600).
#   scripts/check_slow.sh [GTEST_FILTER]
set -euo pipefail
cd "$(dirname "$0")/.."
scripts/build.sh
table=$(mktemp)
races=$(mktemp)
trap 'rm -f "$table" "$races"' EXIT
export SLOPEGAN_SLOW=1 SLOPEGAN_SLOW_TABLE=$table SLOPEGAN_RACE_TABLES=$races OMP_NUM_THREADS=1
status=0
for program in base core program; do
  build/release/tests/slopegan_${program}_tests --gtest_brief=1 --gtest_filter="${1:-*SlowCheck*}" || status=1
done
if [[ -s $races ]]; then  # run AdaStop on the simulated races
  if [[ ! -x build/adastop/bin/python ]]; then
    python3 -m venv build/adastop
    build/adastop/bin/pip install -q adastop==0.1.3
  fi
  build/adastop/bin/python scripts/simulate_adastop.py "$races" 100 >>"$table" || status=1
fi
if (($# == 0)); then scripts/check_processors.sh || status=1; fi
if (($# == 0)); then scripts/fuzz.sh "${SLOPEGAN_FUZZ_SECONDS:-600}" || status=1; fi
echo
column -t -s $'\t' "$table"
exit $status
