#!/usr/bin/env python3
"""Tests the rules of the second study on made-up sweeps, and that study_table.py --check detects wrong figures."""
import csv
import itertools
import json
import math
import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest

import study_hypotheses as hypotheses
import study_statistics as statistics
import study_table as table

SOURCE = pathlib.Path(__file__).resolve().parent.parent
FIRST_SEED = 200
COLLAPSED = math.inf  # stands for the FD of a collapsed run
COLUMNS = ("arm", "negative_slope", "seed", "status", "metrics_images", "extractor", "fd", "recall", "precision",
           "fd_2", "optimizer.generator_lr")
CONTROL = [10, 10.2, 9.9, 10.1, 10.3, 9.8, 10.05, 9.95, 10.15]
NOISY = [10, 14, 7, 12, 8, 13, 9, 11, 7.5]  # the scatter is too large for a decision


def times(factor, fds=CONTROL):
    """FDs that differ from `fds` by a factor and a little noise."""
    return [factor * fd * (1 + 0.003 * (i % 4)) for i, fd in enumerate(fds)]


BETTER, WORSE, EQUAL = times(0.8), times(1.3), times(1.0)


def without_infinity(value):
    """The value with infinity replaced by None, as the program writes it to JSON."""
    if isinstance(value, dict):
        return {key: without_infinity(element) for key, element in value.items()}
    if isinstance(value, list):
        return [without_infinity(element) for element in value]
    return None if value == math.inf else value


def write_json(file, value):
    file.write_text(json.dumps(without_infinity(value)))


def result_lines(fds, second, condition):
    for slope, values in fds.items():
        for i, fd in enumerate(values):
            status = "not needed" if fd is None else "collapsed" if fd == COLLAPSED else "done"
            yield {"arm": f"slope_{slope:g}-seed_{FIRST_SEED + i}", "negative_slope": slope, "seed": FIRST_SEED + i,
                   "status": status, "metrics_images": 1000 if fd else "", "extractor": "a" if fd else "",
                   "fd": 99 if fd == COLLAPSED else fd, "fd_2": second[slope][i] if second else "",
                   "optimizer.generator_lr": condition}


def write_files(root, name, lines, slopes, seeds):
    """Writes results.csv, sweep.yaml and an empty statistics.json. Returns their folder."""
    folder = root / "outputs/study" / name
    folder.mkdir(parents=True)
    columns = [column for column in COLUMNS if "." not in column or lines[0][column]]
    with open(folder / "results.csv", "w", newline="") as file:
        writer = csv.DictWriter(file, columns, extrasaction="ignore")
        writer.writeheader()
        writer.writerows(lines)
    (folder / "sweep.yaml").write_text(f"training:\n  total_images: 1000\nsweep:\n  negative_slope: {slopes}\n"
                                       f"  control: 0.2\n  seeds: {list(range(FIRST_SEED, FIRST_SEED + seeds))}\n")
    write_json(folder / "statistics.json", {})
    return folder


def write_race(root, name, fds, second=None, interim=None, looks=(5, 7, 9)):
    """Writes a race. `fds` lists the FDs of each slope except the control; None means that a run was not needed."""
    fds = {0.2: CONTROL} | fds
    folder = write_files(root, name, list(result_lines(fds, second, "")), sorted(fds), len(CONTROL))
    slopes = sorted(set(fds) - {0.2})
    plan = {"control": 0.2, "slopes": slopes, "looks": list(looks), "alphas": [0.03, 0.01, 0.01], "equivalence": 0.15,
            "give_up": 1.5 if interim else 0, "interim_images": 500, "images": 1000, "first_seed": FIRST_SEED}
    interims = [{"negative_slope": slope, "interim_ratios": (interim or {}).get(slope, [])} for slope in slopes]
    write_json(folder / "race.json", {"plan": plan, "slopes": interims})
    sweep = statistics.read_sweep(folder)
    followed = statistics.follow_race(sweep)
    followed["slopes"] = [entry | ratios for entry, ratios in zip(followed["slopes"], interims)]
    write_json(folder / "race.json", {"plan": plan, "plan_sha256": statistics.plan_hash(plan), **followed})
    write_json(folder / "statistics.json", {"slopes": statistics.summarise_slopes(sweep)})
    return statistics.read_sweep(folder)


def write_crossed(root, low, high):
    """Writes the sweep study2_rates; `low` and `high` list the FDs of each slope at the two learning rates."""
    lines = [*result_lines(low, None, "2e-04"), *result_lines(high, None, "8e-04")]
    folder = write_files(root, "study2_rates", lines, sorted(low), 7)
    sweep = statistics.read_sweep(folder)
    conditions = [{"slopes": statistics.summarise_slopes(sweep, condition),
                   "comparisons": statistics.compare_slopes(sweep, condition)} for condition in sweep.conditions]
    write_json(folder / "statistics.json",
               {"cross": {"conditions": conditions, "interactions": statistics.interactions_of(sweep)}})
    return statistics.read_sweep(folder)


class ScratchTest(unittest.TestCase):
    def setUp(self):
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.root = pathlib.Path(scratch.name)

    def race(self, name, fds, **options):
        return write_race(self.root, name, fds, **options)


class StatisticsTest(unittest.TestCase):
    """Compares study_statistics.py with the values that SciPy computed for the program's tests."""

    def setUp(self):
        self.golden = json.loads((SOURCE / "tests/golden/statistics.json").read_text())
        self.assertTrue(all(self.golden.values()))  # a loop over an empty list would compare nothing

    def test_median_limits_agree_with_scipy(self):
        for case in self.golden["median_interval"]:
            limits = statistics.bootstrap_median_limits(case["values"])
            for limit, expected in zip(limits, case["limits"], strict=True):
                self.assertAlmostEqual(limit, expected)

    def test_probabilities_of_medians_sum_to_1(self):
        for n in range(1, 11):
            self.assertAlmostEqual(sum(mass for _, mass in statistics.resampled_medians(list(range(n)))), 1)

    def test_sign_flip_tests_agree_with_scipy(self):
        for case in self.golden["sign_flip"]:
            self.assertAlmostEqual(statistics.sign_flip_p(case["differences"]), case["p"])

    def test_permutation_tests_agree_with_scipy(self):
        for case in self.golden["permutation"]:
            groups = case["control"], case["group"]
            self.assertAlmostEqual(statistics.permutation_p(*groups), case["p"])
            limits = statistics.permutation_limits(*groups, case["level"])
            for limit, expected in zip(limits, case["limits"], strict=True):
                self.assertAlmostEqual(limit, expected)

    def test_a_failed_run_outweighs_all_others(self):
        self.assertEqual(statistics.sign_flip_p([math.inf] * 3 + [-0.1, 0.2]), 4 / 32)

    def test_no_slope_is_equivalent_if_runs_failed(self):
        for control_failed, failed in itertools.product(range(5), repeat=2):
            control = [math.inf] * control_failed + [0.001 * i for i in range(4 - control_failed)]
            scores = [math.inf] * failed + [0.001 * i for i in range(4 - failed)]
            comparison = statistics.compare_groups(0, control, scores, 0.03) | {"p_holm": 1.0}
            low, high = comparison["ratio_interval"]
            self.assertEqual((low == 0, high == math.inf), (control_failed > 0, failed > 0))
            for equivalence in (0.15, 5):
                statistics.decide(comparison, 0.03, equivalence)
                expected = "undecided" if failed or control_failed else "equivalent"
                self.assertEqual(comparison["decision"], expected)


class PredictionsTest(ScratchTest):
    """The verdicts on H1, H2 and H5."""

    def verdict(self, zero, tenth, **options):
        return hypotheses.predictions_verdict(
            "H5", {"study2_long": self.race("study2_long", {0: zero, 0.1: tenth}, **options)}).verdict

    def test_supported_if_all_slopes_are_as_predicted(self):
        self.assertEqual(self.verdict(BETTER, BETTER), "supported")

    def test_refuted_if_a_slope_has_the_opposite_decision(self):
        self.assertEqual(self.verdict(BETTER, WORSE), "refuted")

    def test_refuted_if_a_slope_is_equivalent(self):
        self.assertEqual(self.verdict(BETTER, EQUAL), "refuted")

    def test_refuted_if_one_slope_is_equivalent_and_the_other_undecided(self):
        self.assertEqual(self.verdict(NOISY, EQUAL), "refuted")

    def test_not_decided_if_a_slope_is_undecided(self):
        self.assertEqual(self.verdict(BETTER, NOISY), "not decided")

    def test_not_decided_if_the_race_gives_up_on_a_slope(self):
        given_up = [20, 21] + [None] * 7
        self.assertEqual(self.verdict(BETTER, given_up, interim={0.1: [1.8, 2.1]}), "not decided")

    def test_failed_runs_count_as_the_worst(self):
        self.assertEqual(self.verdict(BETTER, [COLLAPSED] * 9), "refuted")

    def test_a_slope_that_fails_more_often_is_never_better(self):
        self.assertEqual(self.verdict(BETTER, BETTER[:4] + [COLLAPSED] + BETTER[5:]), "not decided")

    def test_not_finished_if_the_sweep_is_missing(self):
        self.assertEqual(hypotheses.predictions_verdict("H5", {}).verdict, "not finished")

    def test_not_finished_while_the_race_needs_runs(self):
        self.assertEqual(self.verdict(BETTER, NOISY[:6] + [None] * 3), "not finished")

    def deciding(self, zero, tenth):
        race = self.race("study2_long", {0: zero, 0.1: tenth})
        return [(sweep.name, slope, finding.decision)
                for sweep, slope, finding in hypotheses.deciding_findings("H5", {race.name: race})]

    def test_a_contradicting_finding_decides(self):
        self.assertEqual(self.deciding(NOISY, EQUAL), [("study2_long", 0.1, "equivalent")])

    def test_without_a_contradicting_finding_an_undecided_one_decides(self):
        self.assertEqual(self.deciding(BETTER, NOISY), [("study2_long", 0.1, "undecided")])

    def test_if_all_findings_agree_the_smallest_difference_decides(self):
        self.assertEqual(self.deciding(times(0.6), BETTER), [("study2_long", 0.1, "better")])

    def test_the_verdicts_of_several_sweeps_are_combined(self):
        for verdicts, expected in ((["supported", "supported"], "supported"), (["supported", "refuted"], "refuted"),
                                   (["not decided", "refuted"], "refuted"),
                                   (["supported", "not decided"], "not decided"),
                                   (["refuted", "not finished"], "refuted"),
                                   (["supported", "not finished"], "not finished")):
            self.assertEqual(hypotheses.combine(verdicts), expected)

    def test_one_refuting_sweep_decides_even_if_others_are_missing(self):
        sweeps = {"study2_letters": self.race("study2_letters", {0: EQUAL, 0.1: EQUAL})}
        verdict = hypotheses.predictions_verdict("H1", sweeps)
        self.assertEqual(verdict.verdict, "refuted")
        self.assertRegex(table.deciding_figures(verdict, sweeps), "^letters, slope 0: .*; letters, slope 0.1: [^;]*$")

    def test_slope_1_with_batch_norm_comes_from_the_first_study(self):
        first = statistics.read_sweep(SOURCE / "outputs/study/study_fashion_mnist")
        sweeps = {"study2_no_batch_norm": self.race("study2_no_batch_norm", {0: WORSE, 0.05: WORSE, 1: WORSE}),
                  "study_fashion_mnist": first}
        self.assertEqual(hypotheses.predictions_verdict("H2", sweeps).verdict, "supported")
        self.assertEqual(hypotheses.predictions_verdict("H2", {"study_fashion_mnist": first}).verdict, "not finished")


class RatesTest(ScratchTest):
    """The verdict on H3."""
    SAME = {0: BETTER[:7], 0.1: BETTER[:7], 0.2: CONTROL[:7]}

    def verdict(self, high):
        return hypotheses.rates_verdict({"study2_rates": write_crossed(self.root, self.SAME, high)})

    def test_supported_if_one_slope_depends_on_the_rate(self):
        verdict = self.verdict({0: WORSE[:7], 0.1: BETTER[:7], 0.2: CONTROL[:7]})
        self.assertEqual((verdict.verdict, verdict.reason), ("supported", "the effect depends on the rate at slope 0"))

    def test_a_significant_dependence_decides_even_if_another_one_is_larger(self):
        noise = [3, 0.4, 2.5, 0.5, 2, 0.6, 1.9]
        high = {0: times(0.9)[:7], 0.1: [fd * factor for fd, factor in zip(BETTER, noise)], 0.2: CONTROL[:7]}
        sweeps = {"study2_rates": write_crossed(self.root, self.SAME, high)}
        figures = table.deciding_figures(hypotheses.rates_verdict(sweeps), sweeps)
        self.assertTrue(figures.startswith("rates, slope 0: 0.89 times"), figures)

    def test_otherwise_not_decided_and_the_reason_states_which_differences_are_excluded(self):
        noise = [0.97, 1.01, 1.03, 0.99, 1.02, 0.98, 1.0]
        verdict = self.verdict(self.SAME | {0.2: [fd * factor for fd, factor in zip(CONTROL, noise)]})
        self.assertEqual(verdict.verdict, "not decided")
        self.assertRegex(verdict.reason, r"^differences above \d+ % are excluded$")

    def test_the_seed_of_a_failed_run_is_left_out(self):
        sweep = write_crossed(self.root, self.SAME, {**self.SAME, 0: [COLLAPSED] + BETTER[1:7]})
        self.assertEqual(statistics.interactions_of(sweep)[0]["failed_seeds"], [FIRST_SEED])
        self.assertIn("6 seeds, 1 left out", table.interaction_rows(sweep)[0])

    def test_a_slope_that_failed_in_all_seeds_is_named(self):
        sweep = write_crossed(self.root, self.SAME, {**self.SAME, 0: [COLLAPSED] * 7})
        self.assertRegex(hypotheses.rates_verdict({sweep.name: sweep}).reason, "; slope 0 not compared$")
        self.assertIn("not compared", table.interaction_rows(sweep)[0])

    def test_not_finished_if_runs_are_missing(self):
        self.assertEqual(self.verdict({**self.SAME, 0: [None] + BETTER[1:7]}).verdict, "not finished")
        self.assertEqual(hypotheses.rates_verdict({}).verdict, "not finished")


class NetworksTest(ScratchTest):
    """The verdict on H4."""

    def verdict(self, discriminator, generator):
        return hypotheses.networks_verdict(
            {f"study2_{name}_only": self.race(f"study2_{name}_only", dict(zip((0, 0.1), fds)))
             for name, fds in (("discriminator", discriminator), ("generator", generator))}).verdict

    def test_supported_if_only_the_discriminator_matters(self):
        self.assertEqual(self.verdict((times(0.6), EQUAL), (EQUAL, EQUAL)), "supported")

    def test_the_deciding_figures_are_those_of_a_slope_whose_intervals_overlap(self):
        sweeps = {f"study2_{name}_only": self.race(f"study2_{name}_only", dict(zip((0, 0.1), fds)))
                  for name, fds in (("discriminator", (times(0.6), BETTER)), ("generator", (EQUAL, BETTER)))}
        self.assertEqual(table.network_figures(sweeps),
                         "discriminator_only, slope 0.1: 20 % lower (16 to 23 % lower); "
                         "generator_only, slope 0.1: 20 % lower (16 to 23 % lower)")

    def test_refuted_if_only_the_generator_matters(self):
        self.assertEqual(self.verdict((EQUAL, EQUAL), (times(0.6), EQUAL)), "refuted")

    def test_not_decided_if_the_intervals_overlap(self):
        self.assertEqual(self.verdict((BETTER, EQUAL), (times(0.85), EQUAL)), "not decided")

    def test_not_decided_if_the_intervals_overlap_at_one_of_two_decided_slopes(self):
        self.assertEqual(self.verdict((times(0.6), BETTER), (EQUAL, BETTER)), "not decided")

    def test_not_decided_if_nothing_differs(self):
        self.assertEqual(self.verdict((EQUAL, EQUAL), (EQUAL, EQUAL)), "not decided")

    def test_not_decided_if_both_matter_in_opposite_ways(self):
        self.assertEqual(self.verdict((times(0.6), EQUAL), (times(1.6), EQUAL)), "not decided")

    def test_not_finished_if_a_race_is_missing(self):
        sweeps = {"study2_generator_only": self.race("study2_generator_only", {0: BETTER})}
        self.assertEqual(hypotheses.networks_verdict(sweeps).verdict, "not finished")


class RulersTest(ScratchTest):
    """The verdict on H6."""

    def verdict(self, second, fds=None):
        fds = fds or {0: BETTER, 0.1: EQUAL}
        return hypotheses.rulers_verdict({name: self.race(name, fds, second=second) for name in hypotheses.RULERS})

    def test_supported_if_both_extractors_agree_on_the_decided_slopes(self):
        verdict = self.verdict({0: times(4), 0.1: times(3), 0.2: times(5)})
        self.assertEqual(verdict.verdict, "supported")
        self.assertIn("letters: supported (0 < 0.2 < 0.1; 0.1 < 0 < 0.2)", verdict.reason)

    def test_refuted_if_the_extractors_disagree_on_a_decided_slope(self):
        self.assertEqual(self.verdict({0: times(6), 0.1: times(4), 0.2: times(5)}).verdict, "refuted")

    def test_not_decided_if_no_slope_is_better_or_worse(self):
        self.assertEqual(self.verdict({0: times(4), 0.1: times(3), 0.2: times(5)}, {0: EQUAL, 0.1: EQUAL}).verdict,
                         "not decided")

    def test_not_finished_if_a_sweep_is_missing(self):
        self.assertEqual(hypotheses.rulers_verdict({}).verdict, "not finished")


class WordsTest(ScratchTest):
    def test_intervals_are_rounded_and_ordered(self):
        for interval, outwards, expected in (
                ((0.8217, 0.963), False, "4 to 18 % lower"), ((0.795, 0.9959), True, "0 to 21 % lower"),
                ((0.8056, 1.0), True, "0 to 20 % lower"), ((0.8312, 1.0415), True, "17 % lower to 5 % higher"),
                ((1.671, 2.514), True, "67 % higher to 2.6 times as high"),
                ((7.893, 8.593), False, "7.9 to 8.6 times as high"),
                ((1.512, math.inf), False, "51 % higher to infinity")):
            self.assertEqual(table.interval_words(interval, outwards), expected)

    def test_the_rows_of_a_race_show_decisions_and_failures(self):
        sweep = self.race("study2_hinge", {0: BETTER[:8] + [COLLAPSED], 0.1: [20, 21] + [None] * 7, 0.4: NOISY,
                                           0.5: [COLLAPSED] * 9}, interim={0.1: [3.9, 4.4]})
        rows = table.sweep_rows(sweep)
        self.assertRegex(rows[0], r"^\| H1 \| hinge \| 0 \| 20 % lower \(.* % lower\) \| better \| 7 seeds \|$")
        self.assertEqual(rows[1], "| H1 | hinge | 0.1 | about 4 times as high at 500 images | given up, without a test "
                                  "| 2 seeds |")
        self.assertRegex(rows[2], r"\| no detectable difference \| 9 seeds \|$")
        self.assertRegex(rows[3], r" \| not measured \| worse \| 7 seeds, 7 failed \|$")
        self.assertIn("hinge/slope_0-seed_208 (collapsed)", table.failures_sentence([sweep]))

    def test_the_row_of_a_setting_shows_the_effects_that_were_decided(self):
        sweep = self.race("study2_hinge", {0: BETTER, 0.05: EQUAL, 0.4: NOISY, 0.5: WORSE, 1: [COLLAPSED] * 9})
        self.assertEqual(table.setting_row(sweep, "hinge"),
                         "| hinge | **20 % lower** | 0.05: equivalent | 0.4: no detectable difference; 0.5: **31 % "
                         "higher**; 1: **worst** |")
        sweep = self.race("study2_long", {0: NOISY, 0.1: EQUAL})
        self.assertEqual(table.setting_row(sweep, "long"), "| long | no detectable difference | equivalent | |")
        self.assertEqual(table.effect_words(hypotheses.Finding("better", None, None, 8, 0, 8)), "**best**")

    def test_a_setting_without_a_finished_sweep_has_no_row(self):
        self.assertEqual(table.setting_rows({"study2_hinge": self.race("study2_hinge", {0: NOISY[:6] + [None] * 3})}), [])

    def test_an_unfinished_race_is_marked_as_not_finished(self):
        sweep = self.race("study2_hinge", {0: NOISY[:6] + [None] * 3})
        self.assertIn("| not finished | 5 seeds |", table.sweep_rows(sweep)[0])


class CheckTest(ScratchTest):
    """Alters copies of the committed files."""

    def setUp(self):
        super().setUp()
        shutil.copytree(SOURCE / "outputs/study", self.root / "outputs/study",
                        ignore=shutil.ignore_patterns("*.png", "*.gif", "*.html"))
        shutil.copy(SOURCE / "README.md", self.root)

    def problems(self):
        return list(table.find_problems(self.root))

    def alter(self, file, old, new):
        text = (SOURCE / file).read_text()
        self.assertIn(old, text)
        (self.root / file).write_text(text.replace(old, new, 1))

    def restore(self, file):
        shutil.copy(SOURCE / file, self.root / file)

    def test_the_committed_files_agree(self):
        self.assertEqual(self.problems(), [])

    def test_altered_figures_in_the_readmes_are_detected(self):
        for file, old, new in ((table.TOP, "**59 % higher**", "**58 % higher**"),
                               (table.TOP, "0.05: equivalent", "0.05: better"),
                               (table.STUDY, "(4 to 18 % lower)", "(4 to 17 % lower)"),
                               (table.STUDY, "1 of 8 collapsed", "2 of 8 collapsed"),
                               (table.STUDY, "| no detectable difference | 10 seeds |", "| better | 10 seeds |"),
                               (table.STUDY, "52 training runs", "53 training runs"),
                               (table.STUDY, "0.90 ± 0.03", "0.91 ± 0.03"),
                               (table.STUDY, "0.047 without", "0.031 without"),
                               (table.STUDY, "| 20 % | 0.44 |", "| 20 % | 0.45 |")):
            with self.subTest(new):
                self.alter(file, old, new)
                self.assertEqual(len(self.problems()), 1)
            self.restore(file)

    def test_altered_figures_in_the_results_are_detected(self):
        study = "outputs/study/"
        for file, old, new in ((study + "study_longer/statistics.json", "0.8764283326000241", "0.8764283426000241"),
                               (study + "study_fashion_mnist/statistics.json", '"p": 0.0078125', '"p": 0.00390625'),
                               (study + "study_no_batch_norm/statistics.json", "0.9057272298508036", "0.9"),
                               (study + "study_race/race.json", '"p": 0.02420489726991275', '"p": 0.024'),
                               (study + "study_race/race.json", '"give_up": 1.5', '"give_up": 1.4'),
                               (study + "study_race/race.json", '"decision": "undecided"', '"decision": "better"'),
                               (study + "study_race/results.csv", "slope_0.1-seed_109,0.1,109,done",
                                "slope_0.1-seed_109,0.1,109,collapsed")):
            with self.subTest(new):
                self.alter(file, old, new)
                self.assertNotEqual(self.problems(), [])
            self.restore(file)

    def test_the_rows_of_a_new_sweep_are_required(self):
        shutil.rmtree(self.root / "outputs/study/study2_long")
        sweep = self.race("study2_long", {0: BETTER, 0.1: BETTER})
        lines = table.second_study_lines(table.read_sweeps(self.root))
        figure = "long, slope 0: 20 % lower (16 to 23 % lower)"
        expected = table.sweep_rows(sweep) + [f"| H5 | supported | {figure} | long: supported |"]
        self.assertEqual([line for line in lines if line in expected], expected)
        setting = "| Fashion-MNIST, ten epochs | **20 % lower** | **20 % lower** | |"
        self.assertEqual(self.problems(), [f"{table.TOP} does not contain: {setting}"] +
                         [f"{table.STUDY} does not contain: {line}" for line in expected])
        for name, added in ((table.TOP, [setting]), (table.STUDY, lines)):
            with open(self.root / name, "a") as file:
                file.write("\n" + "\n".join(added))
        self.assertEqual(self.problems(), [])

    def test_a_sweep_outside_the_plan_is_reported(self):
        self.race("study2_other", {0: BETTER})
        self.assertIn("study2_other is not a sweep of the second study", self.problems())

    def test_the_exit_code_is_1_if_a_figure_is_wrong(self):
        command = [sys.executable, "-B", SOURCE / "scripts/study_table.py", "--check", "--root", self.root]
        self.assertEqual(subprocess.run(command, capture_output=True).returncode, 0)
        self.alter(table.STUDY, "2.73 ± 0.19", "2.74 ± 0.19")
        process = subprocess.run(command, capture_output=True, text=True)
        self.assertEqual(process.returncode, 1)
        self.assertIn("outputs/study/README.md does not contain: | 0 (ReLU) | 2.73 ± 0.19 |", process.stdout)


if __name__ == "__main__":
    unittest.main()
