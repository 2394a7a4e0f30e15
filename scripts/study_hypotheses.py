"""Judges the hypotheses of the second study by the rules in outputs/study/README.md."""
import math
from typing import NamedTuple, Optional

from study_statistics import Sweep, compare_slopes, exp, favours_slope, follow_race, interactions_of, median

SUPPORTED, REFUTED, OPEN, UNFINISHED = "supported", "refuted", "not decided", "not finished"
OPPOSITE = {"better": "worse", "worse": "better"}
# The sweeps of the second study and the hypotheses that they test.
SWEEPS = {"study2_fashion_mnist": "H1, H6", "study2_letters": "H1, H6", "study2_emoji": "H1", "study2_photos": "H1",
          "study2_hinge": "H1", "study2_no_batch_norm": "H2", "study2_rates": "H3", "study2_discriminator_only": "H4",
          "study2_generator_only": "H4", "study2_long": "H5", "study2_prelu": "extra", "study2_slope_matched": "extra"}
# The decisions that a hypothesis predicts, by sweep and slope.
PREDICTED = {
    "H1": {f"study2_{name}": {0: "better", 0.1: "better"}
           for name in ("fashion_mnist", "letters", "emoji", "photos", "hinge")},
    "H2": {"study2_no_batch_norm": {0: "worse", 0.05: "worse", 1: "worse"}, "study_fashion_mnist": {1: "worse"}},
    "H5": {"study2_long": {0: "better", 0.1: "better"}},
}
RULERS = ("study2_fashion_mnist", "study2_letters")


class Finding(NamedTuple):
    """The result of comparing a slope with the control."""
    decision: str  # better, worse, equivalent, given_up or undecided
    ratio: Optional[float]  # None if every run of the slope or of the control failed: then no ratio was measured
    interval: Optional[list]  # None if no ratio was measured, or if the slope was given up
    seeds: int
    failed: int = 0
    control_failed: int = 0


class Verdict(NamedTuple):
    hypothesis: str
    verdict: str
    reason: str


# --- Findings --------------------------------------------------------------------------------------------------------


def geometric_mean(ratios: list) -> float:
    return exp(sum(math.log(ratio) if ratio is not None else math.inf for ratio in ratios) / len(ratios))


def race_finding(entry: dict, interim_ratios: list, looks: list) -> Optional[Finding]:
    """The finding of a slope in a race, or None if it has not been compared yet."""
    if entry["decision"] == "given_up":
        failed = interim_ratios.count(None)
        return Finding("given_up", geometric_mean(interim_ratios), None, len(interim_ratios), failed)
    if "comparison" not in entry:
        return None
    comparison, runs = entry["comparison"], looks[entry["look"] - 1]
    failures = comparison["failed"], comparison["control_failed"]
    measured = max(failures) < runs
    return Finding(entry["decision"], comparison["ratio"] if measured else None,
                   comparison["ratio_interval"] if measured else None, runs, *failures)


def fixed_finding(comparison: dict) -> Finding:
    decision = ("better" if favours_slope(comparison) else "worse") if comparison["significant"] else "undecided"
    measured = comparison["mean_log_ratio"] is not None
    return Finding(decision, comparison["median_ratio"] if measured else None,
                   comparison["median_ratio_interval"] if measured else None, comparison["pairs"],
                   comparison["lost"], comparison["control_lost"])


def findings_of(sweep: Sweep, condition=None) -> dict:
    """The findings by slope. Slopes that have not been compared yet are missing."""
    if not sweep.race:
        return {comparison["negative_slope"]: fixed_finding(comparison)
                for comparison in compare_slopes(sweep, condition)}
    ratios = {slope["negative_slope"]: slope["interim_ratios"] for slope in sweep.race["slopes"]}
    found = {entry["negative_slope"]: race_finding(entry, ratios[entry["negative_slope"]], sweep.race["plan"]["looks"])
             for entry in follow_race(sweep)["slopes"]}
    return {slope: finding for slope, finding in found.items() if finding}


def is_finished(sweep: Optional[Sweep]) -> bool:
    if sweep is None:
        return False
    return follow_race(sweep)["is_over"] if sweep.race else all(arm.score is not None for arm in sweep.arms)


# --- Rules -----------------------------------------------------------------------------------------------------------


def judge_predictions(findings: dict, predicted: dict) -> str:
    """The verdict of one sweep on the decisions that a hypothesis predicts."""
    decisions = {slope: findings[slope].decision for slope in predicted}
    if any(decisions[slope] in (OPPOSITE[wanted], "equivalent") for slope, wanted in predicted.items()):
        return REFUTED
    return SUPPORTED if decisions == predicted else OPEN


def combine(verdicts: list) -> str:
    """The verdict on a hypothesis, given the verdicts of its sweeps. One sweep is enough to refute it."""
    for verdict in (REFUTED, UNFINISHED, OPEN):
        if verdict in verdicts:
            return verdict
    return SUPPORTED


def is_disjoint(first: Optional[list], second: Optional[list]) -> bool:
    return None not in (first, second) and (first[1] < second[0] or second[1] < first[0])


def shows_more(findings: dict, others: dict) -> bool:
    """Whether `findings` contains a decided slope, and the interval of each decided slope does not overlap the interval
    of the same slope in `others`."""
    decided = {slope: finding for slope, finding in findings.items() if finding.decision in OPPOSITE}
    return bool(decided) and all(is_disjoint(f.interval, others[slope].interval) for slope, f in decided.items())


def judge_networks(discriminator: dict, generator: dict) -> str:
    """The verdict on H4: whether the slope of the discriminator matters more than that of the generator."""
    supports, refutes = shows_more(discriminator, generator), shows_more(generator, discriminator)
    return OPEN if supports == refutes else SUPPORTED if supports else REFUTED


def medians_of(sweep: Sweep, extractor: str) -> dict:
    """The median FD by slope, where a failed run counts as infinite; `extractor` is fd or other_fd."""
    return {slope: median([math.inf if arm.failed else getattr(arm, extractor)
                           for arm in sweep.of(slope).values() if arm.score is not None]) for slope in sweep.slopes}


def judge_rulers(findings: dict, second: dict, control: float) -> str:
    """The verdict on H6: whether the second extractor's medians agree with all decisions "better" and "worse"."""
    decided = {slope: finding.decision for slope, finding in findings.items() if finding.decision in OPPOSITE}
    if not decided:
        return OPEN
    sides = {slope: "better" if second[slope] < second[control] else "worse" for slope in decided}
    return SUPPORTED if sides == decided else REFUTED


def order_text(medians: dict) -> str:
    return " < ".join(f"{slope:g}" for slope in sorted(medians, key=medians.get))


def excluded_text(interactions: list) -> str:
    """The differences between conditions that the intervals exclude, rounded up."""
    largest = max((max(high, 1 / low if low else math.inf)
                   for low, high in (i["ratio_interval"] for i in interactions if i["pairs"])), default=math.inf)
    if math.isinf(largest):
        return "differences of any size are possible"
    if largest >= 2:
        return f"a factor of more than {math.ceil(10 * largest) / 10:.1f} is excluded"
    return f"differences above {math.ceil(100 * (largest - 1) - 1e-9)} % are excluded"


# --- Hypotheses ------------------------------------------------------------------------------------------------------


def short_name(sweep: str) -> str:
    return sweep.removeprefix("study2_")


def per_sweep_verdict(hypothesis: str, verdicts: dict) -> Verdict:
    reason = ", ".join(f"{short_name(name)}: {verdict}" for name, verdict in verdicts.items())
    return Verdict(hypothesis, combine(list(verdicts.values())), reason)


def predictions_verdict(hypothesis: str, sweeps: dict) -> Verdict:
    """The verdict on H1, H2 or H5."""
    verdicts = {}
    for name, predicted in PREDICTED[hypothesis].items():
        sweep = sweeps.get(name)
        verdicts[name] = judge_predictions(findings_of(sweep), predicted) if is_finished(sweep) else UNFINISHED
    return per_sweep_verdict(hypothesis, verdicts)


def deciding_findings(hypothesis: str, sweeps: dict) -> list:
    """The findings that decide the verdict on H1, H2 or H5, as (sweep, slope, finding): those that refute it, or else
    those that leave it open, or else the one closest to the control."""
    found = [(sweeps[name], slope, findings_of(sweeps[name])[slope], wanted)
             for name, predicted in PREDICTED[hypothesis].items() if is_finished(sweeps.get(name))
             for slope, wanted in predicted.items()]
    refuting = [item for item in found if item[2].decision in (OPPOSITE[item[3]], "equivalent")]
    still_open = [item for item in found if item[2].decision != item[3]]
    weakest = min(found, key=lambda item: math.inf if item[2].ratio is None else abs(math.log(item[2].ratio)))
    return [item[:3] for item in refuting or still_open or [weakest]]


def rates_verdict(sweeps: dict) -> Verdict:
    """The verdict on H3."""
    sweep = sweeps.get("study2_rates")
    if not is_finished(sweep):
        return Verdict("H3", UNFINISHED, "")
    interactions = interactions_of(sweep)
    found = [f"{i['negative_slope']:g}" for i in interactions if i.get("significant")]
    if found:
        return Verdict("H3", SUPPORTED, "the effect depends on the rate at slope " + ", ".join(found))
    untested = dict.fromkeys(f"{i['negative_slope']:g}" for i in interactions if not i["pairs"])
    return Verdict("H3", OPEN, "; ".join([excluded_text(interactions)] +
                                         [f"slope {slope} not compared" for slope in untested]))


def networks_verdict(sweeps: dict) -> Verdict:
    """The verdict on H4."""
    races = [sweeps.get(f"study2_{network}_only") for network in ("discriminator", "generator")]
    if not all(map(is_finished, races)):
        return Verdict("H4", UNFINISHED, "")
    findings = [findings_of(race) for race in races]
    decided = [", ".join(f"{slope:g}" for slope, f in found.items() if f.decision in OPPOSITE) for found in findings]
    reason = "decided slopes: discriminator {}; generator {}".format(*(text or "none" for text in decided))
    return Verdict("H4", judge_networks(*findings), reason)


def rulers_verdict(sweeps: dict) -> Verdict:
    """The verdict on H6. The reason shows the order of all slopes under each extractor."""
    verdicts = {}
    for name in RULERS:
        sweep = sweeps.get(name)
        if not is_finished(sweep):
            verdicts[name] = UNFINISHED
            continue
        first, second = medians_of(sweep, "fd"), medians_of(sweep, "other_fd")
        verdict = judge_rulers(findings_of(sweep), second, sweep.control)
        verdicts[name] = f"{verdict} ({order_text(first)}; {order_text(second)})"
    states = [verdict.split(" (")[0] for verdict in verdicts.values()]
    return per_sweep_verdict("H6", verdicts)._replace(verdict=combine(states))


def all_verdicts(sweeps: dict) -> list:
    """The verdicts on H1 to H6, given the sweeps by name."""
    return [predictions_verdict("H1", sweeps), predictions_verdict("H2", sweeps), rates_verdict(sweeps),
            networks_verdict(sweeps), predictions_verdict("H5", sweeps), rulers_verdict(sweeps)]
