#!/usr/bin/env python3
"""Writes tests/golden/statistics.json: the results of SciPy and statsmodels that tests/statistics/ expects.

    python3 -m venv VENV && VENV/bin/pip install scipy==1.17.1 statsmodels==0.15.0
    VENV/bin/python scripts/golden_statistics.py tests/golden/statistics.json

The limits of confidence intervals for a centre are found by bisection. They are the smallest and the largest shift that
SciPy's permutation test accepts.
"""
import json
import sys

import numpy as np
from scipy import stats
from statsmodels.stats.multitest import multipletests


def sign_flip_p(differences):
    """The exact two-sided p-value: twice the smaller one-sided p, at most 1. SciPy enumerates all 2^n sign flips."""
    result = stats.permutation_test(
        (np.asarray(differences),), lambda x, axis: np.mean(x, axis=axis), permutation_type="samples",
        vectorized=True, n_resamples=np.inf, alternative="two-sided")
    return min(1.0, float(result.pvalue))


def permutation_p(control, group):
    """The exact two-sided p-value of the difference of means; SciPy enumerates all labellings of the pooled values."""
    result = stats.permutation_test(
        (np.asarray(group), np.asarray(control)), lambda x, y, axis: np.mean(x, axis=axis) - np.mean(y, axis=axis),
        permutation_type="independent", vectorized=True, n_resamples=np.inf, alternative="two-sided")
    return min(1.0, float(result.pvalue))


def bisected_limit(p_of_shift, start, far, alpha):
    """The last shift between `start` and `far` with p > `alpha`."""
    inside, outside = start, far
    assert p_of_shift(inside) > alpha >= p_of_shift(outside)
    for _ in range(60):
        middle = (inside + outside) / 2
        inside, outside = (middle, outside) if p_of_shift(middle) > alpha else (inside, middle)
    return inside


def accepted_limit(differences, alpha, direction):
    """The largest shift in `direction` (+1 or -1) that a sign-flip test at level `alpha` accepts."""
    values = np.asarray(differences)
    centre = float(np.mean(values))
    return bisected_limit(lambda shift: sign_flip_p(values - shift), centre,
                          centre + direction * 2 * float(np.ptp(values)), alpha)


def permutation_limits(control, group, level):
    """The smallest and the largest shift of `group` relative to `control` that a permutation test at `level` accepts."""
    control, group = np.asarray(control), np.asarray(group)
    centre = float(np.mean(group) - np.mean(control))
    far = 4 * float(np.ptp(np.concatenate([control, group])))
    return [bisected_limit(lambda shift: permutation_p(control, group - shift), centre, centre + direction * far, level)
            for direction in (-1, 1)]


def first_look(fds, alpha):
    """The first look of a race; the first list of FDs is the control's."""
    control, *slopes = [np.log(values) for values in fds]
    p = [permutation_p(control, slope) for slope in slopes]
    return {"fds": fds, "alpha": alpha, "p": p, "holm": [float(v) for v in multipletests(p, method="holm")[1]],
            "ratio": [float(np.exp(np.mean(slope) - np.mean(control))) for slope in slopes],
            "limits": [np.exp(permutation_limits(control, slope, alpha / len(slopes))).tolist() for slope in slopes]}


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
    race_rng = np.random.default_rng(20241128)
    groups = lambda n, shift: [[round(float(v), 4) for v in race_rng.normal(s, 1, n)] for s in (0, shift)]
    two_samples = [(groups(n, shift), level) for n, shift, level in
                   [(4, 1, 0.03), (5, 0, 0.01), (6, 2, 0.03 / 7), (6, 0.5, 0.2), (8, 0, 0.01 / 7), (8, 1, 0.05)]]
    two_samples += [([[1, 2, 2, 3], [2, 2, 4, 4]], 0.1), ([[0, 0, 0, 1, 1], [1, 1, 2, 2, 2]], 0.03)]
    fds = [[round(float(v), 2) for v in np.exp(race_rng.normal(3 + shift, 0.1, 5))] for shift in (0, 0.5, 0.15, -0.02)]
    golden = {
        "scipy": __import__("scipy").__version__,
        "sign_flip": [{"differences": d, "p": sign_flip_p(d)} for d in sign_flips],
        "centre": [{"differences": d, "alpha": alpha, "low": accepted_limit(d, alpha, -1),
                    "high": accepted_limit(d, alpha, 1)} for d, alpha in centres],
        "median_interval": [{"values": v, "limits": median_interval(v)} for v in medians],
        "permutation": [{"control": control, "group": group, "p": permutation_p(control, group), "level": level,
                         "limits": permutation_limits(control, group, level)}
                        for (control, group), level in two_samples],
        "first_look": first_look(fds, 0.03),
        "correlation": [{"a": a, "b": b, "kendall": float(stats.kendalltau(a, b).statistic),
                         "pearson": float(stats.pearsonr(a, b).statistic)} for a, b in pairs],
    }
    with open(sys.argv[1], "w") as file:
        json.dump(golden, file, indent=1)
        file.write("\n")


if __name__ == "__main__":
    main()
