#!/usr/bin/env python3
"""Prints the tables and figures of the study that README.md and outputs/study/README.md contain, as Markdown.

    scripts/study_table.py             # print them
    scripts/study_table.py --check     # fail if one of them is missing from its README, or if the files disagree

Everything is computed from results.csv, independently of the program, and compared with the program's statistics.json
and race.json. Some figures are not computed, because the committed files do not contain their measurements: the FD of
slope 1 without batch norm, the energy that passes through the slope, the FD at interim evaluations (race.json
contains only the ratios), and the figures in the text of the section "Explanation".
"""
import argparse
import math
import pathlib
import sys

from study_hypotheses import (OPPOSITE, PREDICTED, SWEEPS, UNFINISHED, Finding, Verdict, all_verdicts,
                              deciding_findings, findings_of, is_disjoint, is_finished, medians_of, short_name)
from study_statistics import (Sweep, check_files, compare_slopes, follow_race, interactions_of, read_sweep,
                              sign_flip_limits, summarise_slope)

STUDY, TOP = "outputs/study/README.md", "README.md"
BATCH_NORM, NO_BATCH_NORM = "study_fashion_mnist", "study_no_batch_norm"
LONGER, RACE = "study_longer", "study_race"
NAMES = {0: "0 (ReLU)", 1: "1 (linear)"}
# The version that trained these sweeps did not mark collapsed runs in results.csv.
WITHOUT_MARKS = {NO_BATCH_NORM}
# That version computed this bootstrap limit from 10,000 random resamples; the exact limit over all resamples is 0.8825.
RANDOM_LIMIT = f"{NO_BATCH_NORM}/statistics.json: .comparisons[3].median_ratio_interval[0] is 0.9057272298508036,"
# The committed files do not contain these figures: the FD of slope 1 without batch norm, and the energy that passes
# through the slope, as a percentage.
TESTED_AFTERWARDS = {1: "25 to 29, tested afterwards"}
ENERGY = {0: 0, 0.1: 1, 0.2: 4, 0.5: 20, 1: 51}
ROUNDING = 1e-9
# The rows of the table in the top-level README: sweeps and their descriptions.
SETTINGS = {
    "study2_fashion_mnist": "Fashion-MNIST, two epochs",
    "study2_long": "Fashion-MNIST, ten epochs",
    "study2_hinge": "Fashion-MNIST, hinge loss",
    BATCH_NORM: "Fashion-MNIST, recipe of version 0.9",
    "study2_letters": "coloured letters, 64 × 64",
    "study2_emoji": "emoji, 64 × 64",
    "study2_photos": "patches of photographs, 64 × 64",
    "study2_no_batch_norm": "Fashion-MNIST, no batch norm, but spectral norm in the discriminator",
    NO_BATCH_NORM: "Fashion-MNIST, no normalisation, one epoch, recipe of version 0.9",
}
VERDICTS = {"undecided": "no detectable difference", "given_up": "given up, without a test"}

# --- Words -----------------------------------------------------------------------------------------------------------


def limit_words(limit: float, rounded) -> tuple:
    """A number and its unit: ("12", "% lower")."""
    if math.isinf(limit):
        return "infinity", ""
    if limit >= 2:
        return f"{rounded(10 * limit) / 10:.1f}", "times as high"
    percent = rounded(100 * (limit - 1))
    return f"{abs(percent)}", "% lower" if limit < 1 else "% higher"


def ratio_words(ratio: float) -> str:
    number, unit = limit_words(ratio, round)
    return f"{'less than 1' if number == '0' else number} {unit}".strip()


def rough_words(ratio: float) -> str:
    return f"{ratio:.0f} times as high" if 2 <= ratio < math.inf else ratio_words(ratio)


def interval_words(interval, outwards: bool) -> str:
    """For example "4 to 18 % lower": the smaller difference is first. Limits are rounded outwards, or to the nearest
    number."""
    low, high = interval
    down, up = (math.floor, math.ceil) if outwards else (round, round)
    first = limit_words(low, lambda value: down(value + ROUNDING))
    second = limit_words(high, lambda value: up(value - ROUNDING))
    if high <= 1:
        first, second = second, first
    needs_unit = first[1] != second[1] and first[0] != "0"
    return " ".join((first if needs_unit else first[:1]) + ("to",) + second).strip()


def fd_words(summary: dict, decimals: int) -> str:
    return f"{summary['mean_fd']:.{decimals}f} ± {summary['fd_deviation']:.{decimals}f}"


def row(*cells: str) -> str:
    return "".join(f"| {cell} " if cell else "| " for cell in cells) + "|"


def name_of(slope: float) -> str:
    return NAMES.get(slope, f"{slope:g}")


def listed(words: list) -> str:
    """Joins the words, as in "0, 0.01 and 0.1"."""
    texts = [word if isinstance(word, str) else f"{word:g}" for word in words]
    return " and ".join([", ".join(texts[:-1]), texts[-1]] if len(texts) > 1 else texts)


# --- The first study -------------------------------------------------------------------------------------------------


def fd_cell(sweep: Sweep, slope: float, decimals: int) -> str:
    summary = summarise_slope(sweep, slope)
    total = len(sweep.of(slope))
    failures = [f", {summary[status]} of {total} {status}" for status in ("diverged", "collapsed") if summary[status]]
    return fd_words(summary, decimals) + "".join(failures)


def ratio_cell(comparison: dict) -> str:
    words = f"**{ratio_words(comparison['median_ratio'])}**" if comparison["significant"] else VERDICTS["undecided"]
    return f"{words} ({interval_words(comparison['median_ratio_interval'], outwards=False)})"


def cells_of(sweep: Sweep, slope: float, decimals: int) -> list:
    """The two cells of a sweep in the row of a slope."""
    if slope not in sweep.slopes:
        return [TESTED_AFTERWARDS.get(slope, ""), ""]
    comparisons = {comparison["negative_slope"]: comparison for comparison in compare_slopes(sweep)}
    ratio = ratio_cell(comparisons[slope]) if slope in comparisons else ""
    return [fd_cell(sweep, slope, decimals), ratio]


def first_study_rows(sweeps: dict) -> list:
    batch, none = sweeps[BATCH_NORM], sweeps[NO_BATCH_NORM]
    return [row(name_of(slope), *cells_of(batch, slope, 2), *cells_of(none, slope, 1)) for slope in batch.slopes]


def diversity_rows(sweep: Sweep) -> list:
    """The rows of the table in the section "Explanation"."""
    rows = []
    for slope, energy in ENERGY.items():
        arms = sweep.of(slope).values()
        recall, precision = (sum(getattr(arm, name) for arm in arms) / len(arms) for name in ("recall", "precision"))
        rows.append(row(f"{slope:g}", f"{energy} %", f"{recall:.2f}", f"{precision:.2f}"))
    return rows


def seeds_sentence(sweeps: dict) -> str:
    batch, none = sweeps[BATCH_NORM], sweeps[NO_BATCH_NORM]
    summaries = [summarise_slope(none, slope) for slope in none.slopes]
    fewer = [f"{s['scored']} at slope {s['negative_slope']:g}" for s in summaries if s["scored"] < len(none.seeds)]
    counts = ", ".join(fewer[:1] + [count.replace("slope ", "") for count in fewer[1:]])
    return (f"with batch norm over {len(batch.seeds)} seeds, and without it over the runs of {len(none.seeds)} seeds "
            f"that did not collapse ({counts})")


def holm_sentence(sweeps: dict) -> str:
    with_norm, without = ([f"{comparison['p_holm']:.2g}" for comparison in compare_slopes(sweeps[name])
                           if comparison["significant"]] for name in (BATCH_NORM, NO_BATCH_NORM))
    return (f"p = {listed(sorted(set(with_norm)))} for each of them with batch norm; {', '.join(without[:-1])} and, "
            f"barely, {without[-1]} without.")


def reference_sentence(sweep: Sweep) -> str:
    """Names the slopes that do not differ detectably from slope 0.05, and the differences excluded for them."""
    reference = sweep._replace(control=0.05)
    same = [c["negative_slope"] for c in compare_slopes(reference) if not c["significant"]]
    control = sweep.of(0.05)
    limits = [limit for slope in same for limit in sign_flip_limits(
        [arm.score - control[seed].score for seed, arm in sweep.of(slope).items()], 1 - 0.05 / (len(sweep.slopes) - 1))]
    largest = max(math.exp(max(limits)) - 1, 1 - math.exp(min(limits)))
    return (f"slopes {listed(same)} show no detectable difference; differences of more than "
            f"{math.ceil(100 * largest - ROUNDING)} % are excluded.")


def floor_sentence(sweep: Sweep) -> str:
    return f"real test images reach {sweep.statistics['metric']['floor']:.2f}."


def longer_sentences(sweep: Sweep) -> list:
    fds = [fd_words(summarise_slope(sweep, slope), 2) for slope in sweep.slopes]
    comparisons = compare_slopes(sweep)
    ratios = [f"**{ratio_words(c['median_ratio']).removesuffix(' lower')}** "
              f"({interval_words(c['median_ratio_interval'], outwards=False).removesuffix(' lower')})"
              for c in comparisons if c["significant"]]
    p = {f"{c['p_holm']:.2g}" for c in comparisons}
    return [f"Slopes {listed(sweep.slopes)} with batch norm ({len(sweep.seeds)} seeds, "
            f"version 0.9.0) reach FD {listed(fds)}: the first two are {listed(ratios)} lower than slope 0.2, p = "
            f"{listed(sorted(p))} each."]


# --- Races -----------------------------------------------------------------------------------------------------------


def finding_cells(sweep: Sweep, finding: Finding) -> list:
    """The cells `FD relative to 0.2`, `verdict` and `after` of a row."""
    after = f"{finding.seeds} seeds" + (f", {finding.failed} failed" if finding.failed else "")
    if finding.ratio is None:
        ratio = "not measured"
        after += f", {finding.control_failed} of slope {sweep.control:g} failed" if finding.control_failed else ""
    elif finding.decision == "given_up":
        ratio = f"about {rough_words(finding.ratio)} at {sweep.race['plan']['interim_images']:,} images"
    else:
        ratio = f"{ratio_words(finding.ratio)} ({interval_words(finding.interval, outwards=sweep.race is not None)})"
    verdict = VERDICTS.get(finding.decision, finding.decision)
    if finding.decision == "undecided" and not is_finished(sweep):
        verdict = UNFINISHED
    return [ratio, verdict, after]


def race_rows(sweep: Sweep) -> list:
    return [row(name_of(slope), *finding_cells(sweep, finding)) for slope, finding in findings_of(sweep).items()]


def runs_until(sweep: Sweep, seeds: int) -> int:
    """The number of runs that the race needed with its first `seeds` seeds."""
    last = sweep.race["plan"]["first_seed"] + seeds
    return sum(arm.status != "not needed" and arm.seed < last for arm in sweep.arms)


def race_sentences(sweeps: dict) -> list:
    race, fixed = sweeps[RACE], sweeps[BATCH_NORM]
    plan, findings = race.race["plan"], findings_of(race)
    late = [slope for slope, finding in findings.items() if finding.seeds > plan["looks"][0]]
    open_slope, = (slope for slope, finding in findings.items() if finding.decision == "undecided")
    ratio = {c["negative_slope"]: c["median_ratio"] for c in compare_slopes(fixed)}[open_slope]
    differing = [c["negative_slope"] for c in follow_race(race)["looks"][0]["comparisons"] if c["spreads_differ"]]
    return [f"The race needed {runs_until(race, plan['looks'][-1])} training runs instead of {len(fixed.arms)}; "
            f"{runs_until(race, plan['looks'][0])} of them sufficed for every verdict except the one on "
            f"{listed(late)}.",
            f"confirms all the differences that it tested except that of slope {open_slope:g}, whose ratio agrees "
            f"({ratio_words(findings[open_slope].ratio)}, compared with {ratio_words(ratio).removesuffix(' lower')}) "
            "but is not significant.",
            f"The FDs at slope {listed(differing)} scatter less than half as much as those at 0.2"]


# --- The second study ------------------------------------------------------------------------------------------------


def sweep_rows(sweep: Sweep) -> list:
    """The rows of a sweep in the table of the second study; for a crossed sweep, the rows of each condition."""
    hypothesis = SWEEPS[sweep.name]
    conditions = sweep.conditions if len(sweep.conditions) > 1 else [None]
    return [row(hypothesis, short_name(sweep.name) + condition_words(condition), f"{slope:g}",
                *finding_cells(sweep, finding))
            for condition in conditions for slope, finding in findings_of(sweep, condition).items()]


def condition_words(condition) -> str:
    return ", " + " and ".join(dict.fromkeys(condition)) if condition else ""


def times_words(interaction: dict) -> str:
    low, high = (f"{limit:.2f}" if math.isfinite(limit) else "infinity" for limit in interaction["ratio_interval"])
    return f"{interaction['ratio']:.2f} times ({low} to {high} times)"


def interaction_rows(sweep: Sweep) -> list:
    """How the effect of each slope depends on the condition: the ratio to 0.2 in the first condition, as a multiple of
    that in the second."""
    rows = []
    for i in interactions_of(sweep):
        first, second = (condition_words(sweep.conditions[i[which]])[2:] for which in ("first", "second"))
        ratio, verdict = "not measured", "not compared"
        if i["pairs"]:
            ratio, verdict = times_words(i), "depends on the condition" if i["significant"] else "no dependence detected"
        left_out = f", {len(i['failed_seeds'])} left out" if i["failed_seeds"] else ""
        rows.append(row(SWEEPS[sweep.name], f"{short_name(sweep.name)}, {first} relative to {second}",
                        f"{i['negative_slope']:g}", ratio, verdict, f"{i['pairs']} seeds{left_out}"))
    return rows


def figure_words(sweep: Sweep, slope: float, finding: Finding) -> str:
    return f"{short_name(sweep.name)}, slope {slope:g}: {finding_cells(sweep, finding)[0]}"


def network_figures(sweeps: dict) -> str:
    """The figures of the first slope that a race of H4 decides although its intervals in the two races overlap, or else
    of the first decided slope."""
    races = [sweeps[f"study2_{network}_only"] for network in ("discriminator", "generator")]
    first, second = map(findings_of, races)
    decided = [slope for slope in first if OPPOSITE.keys() & {first[slope].decision, second[slope].decision}]
    overlapping = [slope for slope in decided if not is_disjoint(first[slope].interval, second[slope].interval)]
    return "; ".join(figure_words(race, slope, found[slope]) for slope in (overlapping or decided)[:1]
                     for race, found in zip(races, (first, second)))


def deciding_figures(verdict: Verdict, sweeps: dict) -> str:
    """The figures and intervals that decide a verdict; empty if the verdict is "not finished", and for H6, which is
    judged without a test."""
    if verdict.verdict == UNFINISHED or verdict.hypothesis == "H6":
        return ""
    if verdict.hypothesis in PREDICTED:
        return "; ".join(figure_words(*item) for item in deciding_findings(verdict.hypothesis, sweeps))
    if verdict.hypothesis == "H4":
        return network_figures(sweeps)
    compared = [i for i in interactions_of(sweeps["study2_rates"]) if i["pairs"]]
    decisive = [i for i in compared if i["significant"]] or compared
    largest = max(decisive, key=lambda i: abs(math.log(i["ratio"])), default=None)
    return f"rates, slope {largest['negative_slope']:g}: {times_words(largest)}" if largest else ""


def failures_sentence(sweeps: list) -> str:
    failed = [f"{short_name(sweep.name)}/{arm.name} ({arm.status})" for sweep in sweeps for arm in sweep.arms
              if arm.failed]
    return f"Runs that diverged or collapsed: {', '.join(failed) or 'none'}."


def second_extractor_sentence(sweep: Sweep) -> str:
    medians = medians_of(sweep, "other_fd")
    ratios = {slope: fd / medians[sweep.control] for slope, fd in medians.items() if slope != sweep.control}
    return (f"the median FDs of slopes {listed(ratios)} are {listed([ratio_words(ratio) for ratio in ratios.values()])} "
            f"than that of {sweep.control:g}")


def second_study_lines(sweeps: dict) -> list:
    """The rows of the second study, and the verdicts on its hypotheses; an empty list if it has no sweep yet."""
    present = [sweeps[name] for name in SWEEPS if name in sweeps]
    if not present:
        return []
    lines = [line for sweep in present for line in sweep_rows(sweep)
             + (interaction_rows(sweep) if len(sweep.conditions) > 1 else [])]
    verdicts = [row(verdict.hypothesis, verdict.verdict, deciding_figures(verdict, sweeps), verdict.reason)
                for verdict in all_verdicts(sweeps)]
    by_second = [second_extractor_sentence(sweeps["study2_letters"])] if "study2_letters" in sweeps else []
    return lines + [failures_sentence(present)] + verdicts + by_second


# --- Both studies ----------------------------------------------------------------------------------------------------


def effect_words(finding: Finding) -> str:
    if finding.decision in OPPOSITE:
        without_ratio = "best" if finding.decision == "better" else "worst"
        return f"**{without_ratio if finding.ratio is None else ratio_words(finding.ratio)}**"
    return VERDICTS.get(finding.decision, finding.decision)


def setting_row(sweep: Sweep, description: str) -> str:
    """The effects of slope 0, of slope 0.1 or else 0.05, and of all slopes above the control."""
    findings = findings_of(sweep)
    small = 0.1 if 0.1 in findings else 0.05
    named = {slope: f"{slope:g}: {effect_words(finding)}" for slope, finding in findings.items()}
    tenth = effect_words(findings[small]) if small == 0.1 else named[small]
    above = "; ".join(words for slope, words in named.items() if slope > sweep.control)
    return row(description, effect_words(findings[0]), tenth, above)


def setting_rows(sweeps: dict) -> list:
    return [setting_row(sweeps[name], description) for name, description in SETTINGS.items()
            if name in sweeps and is_finished(sweeps[name])]


# --- Printing and checking -------------------------------------------------------------------------------------------


def read_sweeps(root: pathlib.Path) -> dict:
    folders = sorted(file.parent for file in (root / "outputs/study").glob("study*/results.csv"))
    return {folder.name: read_sweep(folder, folder.name not in WITHOUT_MARKS) for folder in folders}


def lines_by_file(sweeps: dict) -> dict:
    """The lines and sentences that each README must contain."""
    batch = sweeps[BATCH_NORM]
    return {
        TOP: setting_rows(sweeps),
        STUDY: first_study_rows(sweeps)
        + [seeds_sentence(sweeps), floor_sentence(batch), holm_sentence(sweeps), reference_sentence(batch)]
        + race_rows(sweeps[RACE]) + race_sentences(sweeps) + second_study_lines(sweeps) + diversity_rows(batch)
        + longer_sentences(sweeps[LONGER]),
    }


def is_in(line: str, text: str) -> bool:
    """Whether `text` contains `line`: a table row as a complete line, or a sentence that may be wrapped."""
    return line in text.splitlines() if line.startswith("|") else line in " ".join(text.split())


def find_problems(root: pathlib.Path):
    sweeps = read_sweeps(root)
    for name, sweep in sweeps.items():
        if name.startswith("study2_") and name not in SWEEPS:
            yield f"{name} is not a sweep of the second study"
        yield from (problem for problem in check_files(sweep) if not problem.startswith(RANDOM_LIMIT))
    for file, lines in lines_by_file(sweeps).items():
        text = (root / file).read_text()
        yield from (f"{file} does not contain: {line}" for line in lines if not is_in(line, text))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="compare with the READMEs instead of printing")
    parser.add_argument("--root", type=pathlib.Path, default=pathlib.Path(__file__).resolve().parent.parent,
                        help="the checkout (default: that of this script)")
    arguments = parser.parse_args()
    if not arguments.check:
        for file, lines in lines_by_file(read_sweeps(arguments.root)).items():
            print(f"## {file}\n", *lines, sep="\n")
        return 0
    problems = list(find_problems(arguments.root))
    print(*problems, sep="\n", end="\n" if problems else "")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
