"""Computes the statistics of a sweep from its results.csv, independently of the program, and compares them with the
program's statistics.json and race.json. The functions return dicts with the same keys as these files.

outputs/README.md describes the tests. A run that diverged or collapsed has an infinite log FD.
"""
import csv
import hashlib
import heapq
import itertools
import json
import math
import pathlib
import re
import statistics
from typing import NamedTuple, Optional

TOLERANCE = 1e-9  # relative
ROUNDING = 1e-12
FAILED = ("diverged", "collapsed")


class Arm(NamedTuple):
    """A line of results.csv."""
    name: str
    slope: float
    seed: int
    status: str
    fd: Optional[float]
    other_fd: Optional[float]  # with the second feature extractor
    recall: Optional[float]
    precision: Optional[float]
    extractor: str
    condition: tuple  # the values of the crossed keys

    @property
    def failed(self):
        return self.status in FAILED

    @property
    def score(self):
        """Log FD, infinity if the run failed, or None if it has no result."""
        if self.failed:
            return math.inf
        return math.log(self.fd) if self.status == "done" and self.fd else None


class Sweep(NamedTuple):
    name: str
    arms: list
    statistics: dict  # statistics.json
    race: Optional[dict]  # race.json
    slopes: list
    control: float
    seeds: list
    images: int

    def of(self, slope, condition=None):
        """The arms of a slope, by seed."""
        return {arm.seed: arm for arm in self.arms if arm.slope == slope and condition in (None, arm.condition)}

    @property
    def conditions(self):
        return list(dict.fromkeys(arm.condition for arm in self.arms))


# --- Reading ---------------------------------------------------------------------------------------------------------


def read_setting(yaml: str, section: str, key: str) -> str:
    """The value of `section.key` in a sweep.yaml, which the program writes with one key per line."""
    block = re.search(rf"^{section}:\n((?:  .*\n?)+)", yaml, re.M)
    return re.search(rf"^  {key}: (.*)$", block[1], re.M)[1]


def read_arm(line: dict, images: int, marks_collapses: bool) -> Arm:
    def number(column):
        return float(line[column]) if line.get(column) else None

    final = line["metrics_images"] == str(images)
    fits_nothing = all(number(column) == 0 for column in ("recall", "density", "coverage"))
    status = "collapsed" if fits_nothing and not marks_collapses else line["status"]
    return Arm(line["arm"], float(line["negative_slope"]), int(line["seed"]), status, number("fd") if final else None,
               number("fd_2") if final else None, number("recall"), number("precision"), line["extractor"],
               tuple(value for column, value in line.items() if "." in column))


def read_sweep(folder: pathlib.Path, marks_collapses: bool = True) -> Sweep:
    """Reads the files of a sweep. `marks_collapses` is False if the version that wrote results.csv gave collapsed runs
    the status "done"; they are then the runs whose recall, density and coverage are 0."""
    yaml = (folder / "sweep.yaml").read_text()
    images = int(read_setting(yaml, "training", "total_images"))
    with open(folder / "results.csv", newline="") as file:
        arms = [read_arm(line, images, marks_collapses) for line in csv.DictReader(file)]
    race = folder / "race.json"
    return Sweep(name=folder.name, arms=arms, statistics=json.loads((folder / "statistics.json").read_text()),
                 race=json.loads(race.read_text()) if race.exists() else None,
                 slopes=json.loads(read_setting(yaml, "sweep", "negative_slope")),
                 control=float(read_setting(yaml, "sweep", "control")),
                 seeds=json.loads(read_setting(yaml, "sweep", "seeds")), images=images)


# --- Sign flips ------------------------------------------------------------------------------------------------------


def sign_flip_p(differences) -> float:
    """The p-value of the exact two-sided sign-flip test. Infinite differences outweigh all others."""
    largest = 1 + 2 * sum(abs(d) for d in differences if math.isfinite(d))
    values = [d if math.isfinite(d) else math.copysign(largest, d) for d in differences]
    threshold = abs(sum(values)) - ROUNDING * sum(map(abs, values))
    flips = itertools.product((1, -1), repeat=len(values))
    return sum(abs(sum(s * v for s, v in zip(signs, values))) >= threshold for signs in flips) / 2 ** len(values)


def holm(p: list) -> list:
    """Holm's correction."""
    adjusted, largest = [0.0] * len(p), 0.0
    for rank, i in enumerate(sorted(range(len(p)), key=p.__getitem__)):
        largest = max(largest, (len(p) - rank) * p[i])
        adjusted[i] = min(1.0, largest)
    return adjusted


def sign_flip_limits(differences, confidence: float):
    """The confidence limits of the centre, found by inverting the sign-flip test."""
    means = sorted(statistics.fmean(subset) for size in range(1, len(differences) + 1)
                   for subset in itertools.combinations(differences, size))
    k = math.floor((1 - confidence) / 2 * (len(means) + 1) * (1 + ROUNDING))
    return (means[k - 1], means[-k]) if k >= 1 else (-math.inf, math.inf)


def middle(low: float, high: float) -> float:
    return low if low == high else (low + high) / 2


def median(values) -> float:
    ordered = sorted(values)
    return middle(ordered[(len(ordered) - 1) // 2], ordered[len(ordered) // 2])


def resampled_medians(ordered: list):
    """Pairs (median, probability) over all resamples of an ascending list. The median is the mean of the two middle
    draws, which coincide if the number of draws is odd; i and j are the ranks of the middle draws."""
    n, lower, upper = len(ordered), (len(ordered) - 1) // 2, len(ordered) // 2

    def probability(i, j):
        """The probability that the middle draws have ranks of at most i and at most j, where i <= j."""
        return sum(math.comb(n, a) * math.comb(n - a, b) * i ** a * (j - i) ** b * (n - j) ** (n - a - b)
                   for a in range(lower + 1, n + 1) for b in range(max(0, upper + 1 - a), n - a + 1)) / n ** n

    for i in range(1, n + 1):
        for j in range(i, n + 1):
            mass = probability(i, j) - probability(i - 1, j)
            if i < j:
                mass -= probability(i, j - 1) - probability(i - 1, j - 1)
            yield middle(ordered[i - 1], ordered[j - 1]), mass


def bootstrap_median_limits(values, confidence: float = 0.95):
    """The exact percentile bootstrap interval of the median."""
    medians = sorted(resampled_medians(sorted(values)))
    outside = (1 - confidence) / 2 * (1 - 1e-9)

    def first_reaching(pairs):
        below = itertools.accumulate(mass for _, mass in pairs)
        return next(value for (value, _), total in zip(pairs, below) if total >= outside)

    return first_reaching(medians), first_reaching(medians[::-1])


# --- Fixed sweeps ----------------------------------------------------------------------------------------------------


def difference_of(score: float, control: float) -> float:
    """Log FD of a slope minus the control's; 0 if both failed."""
    return 0.0 if math.isinf(score) and math.isinf(control) else score - control


def exp(value: float) -> float:
    return math.inf if value == math.inf else math.exp(value)


def favours_slope(comparison: dict) -> bool:
    if comparison["lost"] != comparison["control_lost"]:
        return comparison["lost"] < comparison["control_lost"]
    return (comparison["mean_log_ratio"] or 0) < 0


def compare_slope(slope: float, arms: dict, control: dict) -> dict:
    """Compares arms with the control's arms of the same seeds, without the correction for the number of slopes."""
    pairs = [(arm.score, control[seed].score) for seed, arm in arms.items() if seed in control]
    differences = [difference_of(*pair) for pair in pairs if None not in pair]
    finite = [a - b for a, b in pairs if None not in (a, b) and math.isfinite(a) and math.isfinite(b)]
    return {"negative_slope": slope, "pairs": len(differences),
            "lost": differences.count(math.inf), "control_lost": differences.count(-math.inf),
            "wins": sum(d < 0 for d in differences),
            "median_ratio": exp(median(differences)),
            "median_ratio_interval": [exp(limit) for limit in bootstrap_median_limits(differences)],
            "mean_log_ratio": statistics.fmean(finite) if finite else None, "p": sign_flip_p(differences)}


def compare_slopes(sweep: Sweep, condition=None, alpha: float = 0.05) -> list:
    """The comparisons of a fixed sweep, with Holm's correction."""
    control = sweep.of(sweep.control, condition)
    comparisons = [compare_slope(slope, sweep.of(slope, condition), control)
                   for slope in sweep.slopes if slope != sweep.control]
    for comparison, p in zip(comparisons, holm([comparison["p"] for comparison in comparisons])):
        comparison |= {"p_holm": p, "significant": p <= alpha}
    return comparisons


def summarise_slope(sweep: Sweep, slope: float, condition=None) -> dict:
    arms = sweep.of(slope, condition).values()
    fds = [arm.fd for arm in arms if arm.score is not None and not arm.failed]
    return {"negative_slope": slope, "scored": len(fds), "mean_fd": statistics.fmean(fds) if fds else None,
            "fd_deviation": statistics.stdev(fds) if len(fds) > 1 else None,
            **{status: sum(arm.status == status for arm in arms) for status in FAILED}}


def summarise_slopes(sweep: Sweep, condition=None) -> list:
    return [summarise_slope(sweep, slope, condition) for slope in sweep.slopes]


# --- Crossed sweeps --------------------------------------------------------------------------------------------------


def interaction_of(sweep: Sweep, slope: float, first: int, second: int):
    """How a slope's effect depends on the condition, before Holm's correction, and the differences for the seeds in
    which no run failed."""
    effects = []
    for condition in (sweep.conditions[first], sweep.conditions[second]):
        control = sweep.of(sweep.control, condition)
        effects.append({seed: (arm.score, control[seed].score) for seed, arm in sweep.of(slope, condition).items()})
    scores = {seed: (*pair, *effects[1][seed]) for seed, pair in effects[0].items() if seed in effects[1]}
    known = {seed: four for seed, four in scores.items() if None not in four}
    finite = [a - b - (c - d) for a, b, c, d in known.values() if all(map(math.isfinite, (a, b, c, d)))]
    interaction = {"negative_slope": slope, "first": first, "second": second, "pairs": len(finite),
                   "failed_seeds": [seed for seed, four in known.items() if not all(map(math.isfinite, four))]}
    if finite:
        interaction |= {"ratio": math.exp(statistics.fmean(finite)), "p": sign_flip_p(finite)}
    return interaction, finite


def interactions_of(sweep: Sweep, alpha: float = 0.05) -> list:
    conditions = itertools.combinations(range(len(sweep.conditions)), 2)
    pairs = [interaction_of(sweep, slope, *pair) for slope, pair in
             itertools.product([slope for slope in sweep.slopes if slope != sweep.control], list(conditions))]
    family = [(interaction, differences) for interaction, differences in pairs if differences]
    for (interaction, differences), p in zip(family, holm([interaction["p"] for interaction, _ in family])):
        limits = [exp(limit) for limit in sign_flip_limits(differences, 1 - alpha / len(family))]
        interaction |= {"p_holm": p, "significant": p <= alpha}
        interaction["ratio_interval"] = cut_at_verdict(limits, interaction["ratio"] < 1) if p <= alpha else limits
    return [interaction for interaction, _ in pairs]


# --- Races -----------------------------------------------------------------------------------------------------------


def cut_at_verdict(limits: list, is_better: bool) -> list:
    """Cuts the interval off at a ratio of 1, so that it does not contradict the verdict."""
    return [(min if is_better else max)(limit, 1.0) for limit in limits]


def replace_failures(control: list, scores: list):
    """Replaces infinite scores with the largest finite one plus the range."""
    finite = [score for score in control + scores if math.isfinite(score)]
    spread = max(finite) - min(finite) if finite else 0
    worst = max(finite, default=0) + (spread or 1)
    return ([score if math.isfinite(score) else worst for score in group] for group in (control, scores))


def subset_sums(values: list) -> list:
    """The sums of all subsets of `values`, grouped by the size of the subset."""
    return [[sum(subset) for subset in itertools.combinations(values, size)] for size in range(len(values) + 1)]


def permutation_p(control: list, scores: list) -> float:
    """The fraction of all labellings whose absolute difference of means is at least as large as the observed one."""
    n, total = len(scores), sum(control) + sum(scores)
    observed = abs(sum(scores) - sum(control)) - 2 * ROUNDING * sum(map(abs, control + scores))
    of_control, of_scores = subset_sums(control), subset_sums(scores)
    extreme = sum(abs(2 * (a + b) - total) >= observed
                  for k in range(n + 1) for a in of_scores[k] for b in of_control[n - k])
    return extreme / math.comb(2 * n, n)


def permutation_limits(control: list, scores: list, level: float):
    """The smallest and the largest shift that the permutation test at `level` accepts. When k values of one group are
    swapped with k of the other, the difference between the means of the groups grows or shrinks depending on whether
    the shift exceeds the difference between the means of the swapped values. Each limit is therefore a difference of
    such means."""
    n, of_control, of_scores = len(scores), subset_sums(control), subset_sums(scores)
    half = math.comb(2 * n, n) // 2
    rank = math.floor(min(level, 1.0) * half * (1 + ROUNDING))
    if rank == 0:
        return -math.inf, math.inf
    if rank >= half:
        return ((of_scores[n][0] - of_control[n][0]) / n,) * 2
    differences = [(a - b) / k for k in range(1, n) for a in of_scores[k] for b in of_control[k]]
    return heapq.nsmallest(rank, differences)[-1], heapq.nlargest(rank, differences)[-1]


def spreads_differ(control: list, scores: list) -> bool:
    groups = [[score for score in group if math.isfinite(score)] for group in (control, scores)]
    if min(map(len, groups)) < 2:
        return False
    variances = [statistics.variance(group) for group in groups]
    return max(variances) > 4 * min(variances)


def compare_groups(slope: float, control: list, scores: list, level: float) -> dict:
    """The comparison of a slope at one look, without the correction for the number of slopes."""
    failed, control_failed = scores.count(math.inf), control.count(math.inf)
    differ = spreads_differ(control, scores)
    control, scores = replace_failures(control, scores)
    p = permutation_p(control, scores)
    low, high = permutation_limits(control, scores, level)
    if p > level * (1 + ROUNDING):  # then the interval contains 0, unless rounding excludes it
        low, high = min(low, 0.0), max(high, 0.0)
    return {"negative_slope": slope, "failed": failed, "control_failed": control_failed,
            "ratio": math.exp(statistics.fmean(scores) - statistics.fmean(control)),
            "ratio_interval": [0.0 if control_failed else exp(low), math.inf if failed else exp(high)],
            "p": p, "spreads_differ": differ, "decision": "undecided"}


def p_in_family(comparison: dict) -> float:
    """p, or 1 if the numbers of failed runs contradict the direction of the difference."""
    lost, won = comparison["failed"], comparison["control_failed"]
    return 1.0 if (lost > won if comparison["ratio"] < 1 else lost < won) else comparison["p"]


def decide(comparison: dict, alpha: float, equivalence: float) -> None:
    limits = comparison["ratio_interval"]
    any_failed = comparison["failed"] or comparison["control_failed"]
    if comparison["p_holm"] <= alpha:
        is_better = comparison["ratio"] < 1
        comparison["decision"] = "better" if is_better else "worse"
        comparison["ratio_interval"] = cut_at_verdict(limits, is_better)
    elif not any_failed and limits[0] >= 1 - equivalence and limits[1] <= 1 + equivalence:
        comparison["decision"] = "equivalent"


def first_scores(sweep: Sweep, slope: float, count: int):
    """The scores of the first `count` runs, or None if one has no result."""
    arms, first = sweep.of(slope), sweep.race["plan"]["first_seed"]
    scores = [arms[seed].score if seed in arms else None for seed in range(first, first + count)]
    return None if None in scores else scores


def evaluate_look(sweep: Sweep, decisions: dict, arms: int, alpha: float):
    """Returns the comparisons of a look, or None if one of its runs has no result. Updates `decisions`."""
    plan = sweep.race["plan"]
    scores = {slope: first_scores(sweep, slope, arms) for slope in (sweep.control, *decisions)
              if decisions.get(slope, "undecided") == "undecided"}
    if None in scores.values():
        return None
    control = scores.pop(sweep.control)
    comparisons = [compare_groups(slope, control, of_slope, alpha / len(plan["slopes"]))
                   for slope, of_slope in scores.items()]
    untested = sum(decision in ("given_up", "equivalent") for decision in decisions.values())
    adjusted = holm([p_in_family(comparison) for comparison in comparisons] + [1.0] * untested)
    for comparison, p in zip(comparisons, adjusted):
        comparison["p_holm"] = p
        decide(comparison, alpha, plan["equivalence"])
        decisions[comparison["negative_slope"]] = comparison["decision"]
    return {"arms": arms, "alpha": alpha, "family": len(adjusted), "comparisons": comparisons}


def is_given_up(ratios: list, give_up: float) -> bool:
    return give_up > 0 and len(ratios) == 2 and all(ratio is None or ratio >= give_up for ratio in ratios)


def follow_race(sweep: Sweep) -> dict:
    """The looks and decisions of a race. The ratios measured during training are read from race.json, because
    results.csv does not contain them."""
    plan = sweep.race["plan"]
    decisions = {slope["negative_slope"]: "given_up" if is_given_up(slope["interim_ratios"], plan["give_up"])
                 else "undecided" for slope in sweep.race["slopes"]}
    last = {slope: {"negative_slope": slope, "look": 0} for slope in decisions}
    looks, is_over = [], True
    for arms, alpha in zip(plan["looks"], plan["alphas"]):
        if "undecided" not in decisions.values():
            break
        look = evaluate_look(sweep, decisions, arms, alpha)
        if look is None:
            is_over = False
            break
        looks.append(look)
        for comparison in look["comparisons"]:
            last[comparison["negative_slope"]] |= {"look": len(looks), "comparison": comparison}
    slopes = [entry | {"decision": decisions[slope]} for slope, entry in last.items()]
    return {"looks": looks, "slopes": slopes, "is_over": is_over}


# --- Comparing with the program's files ------------------------------------------------------------------------------


def differences_of(computed, committed, where: str = ""):
    """Yields a message for each value in the program's file that differs from the computed one. Infinity is null in the
    file; keys that the computed dict lacks are not compared."""
    if isinstance(computed, dict):
        for key, value in computed.items():
            if not isinstance(committed, dict) or key not in committed:
                yield f"{where}.{key} is missing"
            else:
                yield from differences_of(value, committed[key], f"{where}.{key}")
    elif isinstance(computed, list):
        if not isinstance(committed, list) or len(committed) != len(computed):
            yield f"{where} has a different length"
            return
        for i, (a, b) in enumerate(zip(computed, committed)):
            yield from differences_of(a, b, f"{where}[{i}]")
    elif not is_equal(computed, committed):
        yield f"{where} is {committed}, but results.csv gives {computed}"


def is_equal(computed, committed) -> bool:
    if isinstance(computed, float) and math.isinf(computed):
        return committed is None
    if isinstance(computed, float) and isinstance(committed, (int, float)):
        return math.isclose(computed, committed, rel_tol=TOLERANCE)
    return computed == committed


def plan_hash(plan: dict) -> str:
    return hashlib.sha256(json.dumps(plan, separators=(",", ":"), ensure_ascii=False).encode()).hexdigest()


def check_plan(sweep: Sweep):
    """The differences between results.csv, sweep.yaml and the plan of a race."""
    expected = {(slope, seed) for slope in sweep.slopes for seed in sweep.seeds}
    for condition in sweep.conditions:
        if {(arm.slope, arm.seed) for arm in sweep.arms if arm.condition == condition} != expected:
            yield f"{sweep.name}: the slopes and seeds in results.csv do not match sweep.yaml"
    if len({arm.extractor for arm in sweep.arms if arm.extractor}) > 1:
        yield f"{sweep.name}: results.csv names several feature extractors"
    if sweep.race:
        plan = {"control": sweep.control, "slopes": [slope for slope in sweep.slopes if slope != sweep.control],
                "images": sweep.images}
        yield from differences_of(plan, sweep.race["plan"], f"{sweep.name}/race.json: plan")
        if plan_hash(sweep.race["plan"]) != sweep.race["plan_sha256"]:
            yield f"{sweep.name}/race.json: plan_sha256 is not the hash of the plan"


def check_files(sweep: Sweep):
    """The differences between a sweep's files."""
    yield from check_plan(sweep)
    file = f"{sweep.name}/statistics.json: "
    if sweep.race:
        yield from differences_of(follow_race(sweep), sweep.race, f"{sweep.name}/race.json: ")
        yield from differences_of(summarise_slopes(sweep), sweep.statistics["slopes"], file + "slopes")
    elif len(sweep.conditions) == 1:
        computed = {"slopes": summarise_slopes(sweep), "comparisons": compare_slopes(sweep)}
        yield from differences_of(computed, sweep.statistics, file)
    else:
        conditions = [{"slopes": summarise_slopes(sweep, condition), "comparisons": compare_slopes(sweep, condition)}
                      for condition in sweep.conditions]
        computed = {"conditions": conditions, "interactions": interactions_of(sweep)}
        yield from differences_of(computed, sweep.statistics["cross"], file + "cross")
