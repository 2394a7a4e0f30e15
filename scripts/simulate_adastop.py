#!/usr/bin/env python3
"""Runs AdaStop on simulated races and prints its rate of false claims and the number of arms it uses.

    python3 -m venv VENV && VENV/bin/pip install adastop==0.1.3
    SLOPEGAN_RACE_TABLES=races.csv build/release/tests/slopegan_core_tests --gtest_filter='*WriteTables*'
    VENV/bin/python scripts/simulate_adastop.py races.csv [RACES]

AdaStop (Mathieu et al. 2023, arXiv 2306.10882) compares the slopes with the control at alpha = 0.05, after 5 and 10
arms per slope. RACES is the maximum number of races per kind of noise (default: 200). If the simulation makes some
slopes worse than the control, the output also states how often AdaStop finds each of these slopes.
scripts/check_slow.sh runs this script.
"""
import collections
import csv
import sys

import numpy as np
from adastop import MultipleAgentsComparator

ARMS, LOOKS, PERMUTATIONS, ALPHA = 5, 2, 2000, 0.05


def read_tables(path):
    """Returns {noise: {race: {slope: [one log FD per repeat]}}}."""
    tables = collections.defaultdict(lambda: collections.defaultdict(lambda: collections.defaultdict(list)))
    with open(path, newline="") as file:
        for row in csv.DictReader(file):
            tables[row["noise"]][int(row["race"])][float(row["slope"])].append(float(row["log_fd"]))
    return tables


def run_adastop(control, slopes, seed):
    """Returns the decision about each slope ("equal", "larger" or "smaller": the control relative to the slope), and
    the number of arms."""
    comparisons = np.array([(0, i + 1) for i in range(len(slopes))])
    comparator = MultipleAgentsComparator(n=ARMS, K=LOOKS, B=PERMUTATIONS, comparisons=comparisons, alpha=ALPHA,
                                          seed=seed)
    values = {name: np.array([]) for name in range(len(slopes) + 1)}
    scores = [control, *slopes]
    for look in range(LOOKS):
        running = set(comparisons.ravel() if look == 0 else comparator.current_comparisons.ravel())
        for name in running:
            values[name] = np.array(scores[name][:(look + 1) * ARMS])
        comparator.partial_compare(values, verbose=False)
        if comparator.is_finished:
            break
    return [comparator.decisions[str(c)] for c in comparisons], sum(len(v) for v in values.values())


def main():
    most_races = int(sys.argv[2]) if len(sys.argv) > 2 else 200
    for noise, races in read_tables(sys.argv[1]).items():
        shifted = [i for i, _ in enumerate(noise.split("shifts ")[1].split(","))] if "shifts" in noise else []
        false_claims, arms, found, count = 0, 0, np.zeros(len(shifted)), 0
        for race, scores in list(races.items())[:most_races]:
            control_slope = 0.2
            slopes = [slope for slope in sorted(scores) if slope != control_slope]
            decisions, used = run_adastop(scores[control_slope], [scores[slope] for slope in slopes], race)
            false_claims += any(d == "larger" if i in shifted else d != "equal" for i, d in enumerate(decisions))
            found += [decisions[i] == "smaller" for i in shifted]
            arms += used
            count += 1
        result = f"false claims in {100 * false_claims / count:.1f} %, {arms / count:.1f} arms"
        result += "".join(f", found {100 * f / count:.0f} %" for f in found)
        print(f"AdaStop, {count} races, {len(slopes)} slopes, {noise}\t{result}", flush=True)


if __name__ == "__main__":
    main()
