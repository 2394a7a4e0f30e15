#!/usr/bin/env python3
"""Tests the functions of bench_quality.py that need neither a training nor a package."""
import math
import unittest

from bench_quality import parse_config, split_overrides
from quality_scores import Crossing, checkpoint_grid, crossing, median_interval, summarise, table


def run(*fds, pace=1.0):
    """Points at 100, 200, 400, … images, with one image per `pace` seconds after a start-up of 10 s."""
    return [{"images": 100 << i, "seconds": 10 + (100 << i) * pace, "fd": fd} for i, fd in enumerate(fds)]


class CrossingTest(unittest.TestCase):
    def test_interpolates_log_fd_in_log_images_and_seconds_in_images(self):
        found = crossing(run(4, 1), 2)
        self.assertAlmostEqual(found.images, 100 * math.sqrt(2))
        self.assertAlmostEqual(found.seconds, 10 + 100 * math.sqrt(2))

    def test_a_checkpoint_at_the_target_is_the_crossing(self):
        self.assertAlmostEqual(crossing(run(4, 2, 1), 2).images, 200)

    def test_the_first_crossing_counts_even_if_fd_rises_again(self):
        self.assertLess(crossing(run(4, 1, 3, 1), 2).images, 200)

    def test_the_first_checkpoint_is_an_upper_bound(self):
        self.assertEqual(crossing(run(1, 0.5), 2), Crossing(100, 110, at_first=True))

    def test_a_run_that_stays_above_has_none(self):
        self.assertIsNone(crossing(run(4, 3), 2))
        self.assertIsNone(crossing([], 2))

    def test_a_diverged_run_has_none(self):
        self.assertIsNone(crossing(run(4, math.nan), 2))


class GridTest(unittest.TestCase):
    def test_is_geometric_and_ends_at_the_last_number(self):
        self.assertEqual(checkpoint_grid(1000, 5000, 2, 100), [1000, 2000, 4000, 5000])

    def test_numbers_are_multiples_without_duplicates(self):
        grid = checkpoint_grid(10, 1000, 1.1)
        self.assertEqual(grid, [256, 512, 768, 1024])

    def test_a_last_number_below_the_first_is_the_only_one(self):
        self.assertEqual(checkpoint_grid(1000, 500, 2, 100), [500])


class SummaryTest(unittest.TestCase):
    def test_interval_of_few_values_is_their_range_with_its_level(self):
        self.assertEqual(median_interval([3, 1, 2, 5, 4]), (1, 5, 0.9375))
        self.assertEqual(median_interval([7]), (7, 7, 0))

    def test_interval_of_ten_values_drops_the_extremes(self):
        low, high, level = median_interval(list(range(10)))
        self.assertEqual((low, high), (1, 8))
        self.assertAlmostEqual(level, 1 - 22 / 1024)

    def test_ratios_are_those_of_equal_seeds(self):
        control = {0: run(4, 1), 1: run(4, 4, 1)}
        slower = {0: run(4, 1, pace=2), 1: run(4, 4, 1, pace=2)}
        summary = summarise(slower, control, 1)
        self.assertEqual((summary["reached"], summary["runs"]), (2, 2))
        self.assertAlmostEqual(summary["ratio"][0], (410 / 210 + 810 / 410) / 2)

    def test_runs_that_do_not_reach_the_target_are_named(self):
        control = {0: run(4, 1), 1: run(4, 1), 2: run(4, 1)}
        summary = summarise({0: run(4, 3), 1: run(4, 3), 2: run(4, 1)}, control, 1)
        self.assertEqual(summary["reached"], 1)
        self.assertTrue(math.isinf(summary["seconds"][0]))
        lines = table(1, {"default": summarise(control, control, 1), "other": summary, "none": summarise({}, control, 1)})
        self.assertIn("3 of 3", lines[1])
        self.assertIn("1 of 3", lines[2])
        self.assertIn("not reached", lines[2])
        self.assertIn("no run", lines[3])


class ArgumentsTest(unittest.TestCase):
    def test_a_configuration_has_a_name_a_file_and_overrides(self):
        self.assertEqual(parse_config("fast=configs/a.yaml,training.batch_size=16,loss.r1=0.2"),
                         ("fast", "configs/a.yaml", ["training.batch_size=16", "loss.r1=0.2"]))

    def test_commas_in_values_are_kept(self):
        self.assertEqual(split_overrides("a.b=[1,2],c=3"), ["a.b=[1,2]", "c=3"])
        self.assertEqual(split_overrides("a={from: 0.3, to: 0.1},c.d=x"), ["a={from: 0.3, to: 0.1}", "c.d=x"])


if __name__ == "__main__":
    unittest.main()
