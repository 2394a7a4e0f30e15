#!/usr/bin/env python3
"""Tests the functions of bench_quality.py that need neither a training run nor third-party packages."""
import math
import unittest

from bench_quality import parse_config, split_overrides
from quality_contestants import FIELDS, REQUIRED, Failed, pytorch_recipe
from quality_scores import Crossing, checkpoint_grid, crossing, fd_table, median_interval, pace, summarise, table


def run(*fds, pace=1.0):
    """Points at 100, 200, 400, … images, with one image per `pace` seconds after a start-up of 10 s."""
    return [{"checkpoint": 100 << i, "images": 100 << i, "seconds": 10 + (100 << i) * pace, "fd": fd} for i, fd in enumerate(fds)]


class CrossingTest(unittest.TestCase):
    def test_interpolates_log_fd_in_log_images_and_seconds_in_images(self):
        found = crossing(run(4, 1), 2)
        self.assertAlmostEqual(found.images, 100 * math.sqrt(2))
        self.assertAlmostEqual(found.seconds, 10 + 100 * math.sqrt(2))

    def test_a_checkpoint_at_the_target_is_the_crossing(self):
        self.assertAlmostEqual(crossing(run(4, 2, 1), 2).images, 200)

    def test_the_first_crossing_counts_even_if_fd_rises_again(self):
        self.assertLess(crossing(run(4, 1, 3, 1), 2).images, 200)

    def test_a_crossing_at_the_first_checkpoint_is_an_upper_bound(self):
        self.assertEqual(crossing(run(1, 0.5), 2), Crossing(100, 110, at_first=True))

    def test_a_run_that_stays_above_the_target_has_no_crossing(self):
        self.assertIsNone(crossing(run(4, 3), 2))
        self.assertIsNone(crossing([], 2))

    def test_a_diverged_run_has_no_crossing(self):
        self.assertIsNone(crossing(run(4, math.nan), 2))


class GridTest(unittest.TestCase):
    def test_the_grid_is_geometric_and_ends_at_the_last_number(self):
        self.assertEqual(checkpoint_grid(1000, 5000, 2, 100), [1000, 2000, 4000, 5000])

    def test_checkpoints_are_distinct_multiples_of_256(self):
        grid = checkpoint_grid(10, 1000, 1.1)
        self.assertEqual(grid, [256, 512, 768, 1024])

    def test_the_grid_has_one_number_if_the_last_is_below_the_first(self):
        self.assertEqual(checkpoint_grid(1000, 500, 2, 100), [500])


class SummaryTest(unittest.TestCase):
    def test_the_interval_of_few_values_is_their_range_at_a_lower_confidence_level(self):
        self.assertEqual(median_interval([3, 1, 2, 5, 4]), (1, 5, 0.9375))
        self.assertEqual(median_interval([7]), (7, 7, 0))

    def test_the_interval_of_ten_values_excludes_the_extremes(self):
        low, high, level = median_interval(list(range(10)))
        self.assertEqual((low, high), (1, 8))
        self.assertAlmostEqual(level, 1 - 22 / 1024)

    def test_ratios_compare_runs_with_the_same_seed(self):
        control = {0: run(4, 1), 1: run(4, 4, 1)}
        slower = {0: run(4, 1, pace=2), 1: run(4, 4, 1, pace=2)}
        summary = summarise(slower, control, 1)
        self.assertEqual((summary["reached"], summary["runs"]), (2, 2))
        self.assertAlmostEqual(summary["ratio"][0], (410 / 210 + 810 / 410) / 2)

    def test_the_table_marks_runs_that_do_not_reach_the_target(self):
        control = {0: run(4, 1), 1: run(4, 1), 2: run(4, 1)}
        summary = summarise({0: run(4, 3), 1: run(4, 3), 2: run(4, 1)}, control, 1)
        self.assertEqual(summary["reached"], 1)
        self.assertTrue(math.isinf(summary["seconds"][0]))
        self.assertEqual((summary["ratio"][0], summary["bound"]), (math.inf, 1))
        lines = table(1, {"default": summarise(control, control, 1), "other": summary, "none": summarise({}, control, 1)})
        self.assertIn("3 of 3", lines[1])
        self.assertIn("1 of 3", lines[2])
        self.assertIn("not reached", lines[2])
        self.assertIn("more than 1.00", lines[2])
        self.assertIn("no run", lines[3])


    def test_pace_separates_the_start_up_from_the_speed(self):
        self.assertEqual(pace(run(4, 3, 2, pace=0.5)), (2, 10))
        self.assertIsNone(pace(run(4)))

    def test_the_fd_table_shows_how_many_seeds_remain_at_each_checkpoint(self):
        lines = fd_table({"default": {0: run(4, 2), 1: run(6, 3, 1)}, "other": {0: run(8)}})
        self.assertEqual([line.split() for line in lines[1:]],
                         [["100", "5.000", "8.000"], ["200", "2.500"], ["400", "1.000", "(1)"]])


class ArgumentsTest(unittest.TestCase):
    def test_a_configuration_has_a_name_a_file_and_overrides(self):
        self.assertEqual(parse_config("fast=configs/a.yaml,training.batch_size=16,loss.r1=0.2"),
                         ("fast", "configs/a.yaml", ["training.batch_size=16", "loss.r1=0.2"]))

    def test_commas_in_values_are_kept(self):
        self.assertEqual(split_overrides("a.b=[1,2],c=3"), ["a.b=[1,2]", "c=3"])
        self.assertEqual(split_overrides("a={from: 0.3, to: 0.1},c.d=x"), ["a={from: 0.3, to: 0.1}", "c.d=x"])


class RecipeTest(unittest.TestCase):
    @staticmethod
    def config(**changes):
        """A configuration that the PyTorch step supports; most values are 1. The argument a_b__c sets the key a_b.c."""
        config = {"run": {"name": "x"}, "training": {"total_images": 500}}
        values = {**dict.fromkeys(FIELDS, 1), "optimizer.lr_decay": "none", **REQUIRED,
                  **{key.replace("__", "."): value for key, value in changes.items()}}
        for key, value in values.items():
            section, name = key.split(".")
            config.setdefault(section, {})[name] = value
        return config

    def test_supported_keys_are_translated(self):
        recipe = pytorch_recipe(self.config(generator__negative_slope=0.1))
        self.assertEqual((recipe["generator_slope"], recipe["r1_every"]), (0.1, 1))
        self.assertEqual(set(recipe), set(FIELDS.values()))

    def test_a_decay_without_a_length_ends_with_the_run(self):
        decaying = self.config(optimizer__lr_decay="linear", optimizer__lr_decay_images=0)
        self.assertEqual(pytorch_recipe(decaying)["lr_decay_images"], 500)

    def test_the_error_for_an_unsupported_value_names_the_key(self):
        for key, value in (("discriminator.norm", "none"), ("generator.negative_slope", [0.1, 0.2]), ("loss.new_key", 3)):
            with self.subTest(key), self.assertRaisesRegex(Failed, key):
                pytorch_recipe(self.config(**{key.replace(".", "__"): value}))

    def test_new_keys_are_accepted_if_they_are_disabled(self):
        for value in (0, False, "none", []):
            pytorch_recipe(self.config(loss__new_key=value))


if __name__ == "__main__":
    unittest.main()
