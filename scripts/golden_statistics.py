#!/usr/bin/env python3
"""Writes tests/golden/statistics.json: SciPy's results for the inputs of tests/statistics/.

    python3 -m venv VENV && VENV/bin/pip install scipy==1.17.1
    VENV/bin/python scripts/golden_statistics.py tests/golden/statistics.json

Confidence intervals for a centre are found by bisection: the largest shift that SciPy's permutation test accepts.
"""
import json
import sys

import numpy as np
from scipy import stats


def sign_flip_p(differences):
    """The exact two-sided p-value: twice the smaller one-sided p, at most 1. SciPy enumerates all 2^n sign flips."""
    result = stats.permutation_test(
        (np.asarray(differences),), lambda x, axis: np.mean(x, axis=axis), permutation_type="samples",
        vectorized=True, n_resamples=np.inf, alternative="two-sided")
    return min(1.0, float(result.pvalue))


def accepted_limit(differences, alpha, direction):
    """The largest shift in `direction` (+1 or -1) that a test at level `alpha` accepts."""
    values = np.asarray(differences)
    inside, outside = float(np.mean(values)), float(np.mean(values)) + direction * 2 * float(np.ptp(values))
    assert sign_flip_p(values - inside) > alpha >= sign_flip_p(values - outside)
    for _ in range(60):
        middle = (inside + outside) / 2
        inside, outside = (middle, outside) if sign_flip_p(values - middle) > alpha else (inside, middle)
    return inside


def median_interval(values):
    """The bootstrap interval of the median; fails if it depends on the random seed."""
    found = {tuple(stats.bootstrap((np.asarray(values),), np.median, method="percentile", n_resamples=10000,
                                   confidence_level=0.95, rng=seed).confidence_interval) for seed in range(5)}
    assert len(found) == 1, found
    return [float(limit) for limit in found.pop()]


def main():
    rng = np.random.default_rng(20240607)
    rounded = lambda n, shift=0.0: [round(float(v), 4) for v in rng.normal(shift, 1, n)]
    sign_flips = [rounded(n, shift) for n, shift in [(2, 1), (3, 2), (5, 0), (6, 3), (8, 1), (12, 0.5)]]
    sign_flips += [[1, 1, 1, -1, 2, 2], [0, 0, 1, -2, 0.5], [0.1, 0.2, 0.3, -0.6, 0.4, -0.4, 0.2]]
    centres = [(rounded(6, 1), 0.05), (rounded(8), 0.05), (rounded(9, -2), 0.0125), (rounded(10), 0.1)]
    medians = [rounded(n) for n in (3, 5, 9, 11)]
    pairs = [(rounded(n), rounded(n)) for n in (3, 6, 10)]
    pairs += [([1, 2, 2, 3, 5, 5, 5], [2, 1, 1, 4, 4, 4, 9]), ([1, 2, 3, 4], [4, 3, 2, 1])]
    golden = {
        "scipy": __import__("scipy").__version__,
        "sign_flip": [{"differences": d, "p": sign_flip_p(d)} for d in sign_flips],
        "centre": [{"differences": d, "alpha": alpha, "low": accepted_limit(d, alpha, -1),
                    "high": accepted_limit(d, alpha, 1)} for d, alpha in centres],
        "median_interval": [{"values": v, "limits": median_interval(v)} for v in medians],
        "correlation": [{"a": a, "b": b, "kendall": float(stats.kendalltau(a, b).statistic),
                         "pearson": float(stats.pearsonr(a, b).statistic)} for a, b in pairs],
    }
    with open(sys.argv[1], "w") as file:
        json.dump(golden, file, indent=1)
        file.write("\n")


if __name__ == "__main__":
    main()
