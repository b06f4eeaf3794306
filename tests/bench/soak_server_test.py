#!/usr/bin/env python3
"""Tests of soak_server.py: its judgements, and a soak of a few seconds.

LARDER and LOADGEN in the environment name the programs.
"""

import os
import pathlib
import subprocess
import sys
import unittest

import soak_activities
import soak_server
from soak_server import MIB, Level

SOAK = str(pathlib.Path(__file__).with_name("soak_server.py"))


def level(seconds: float, resident_mib: float) -> Level:
    return Level(seconds, int(resident_mib * MIB), {}, {})


def consistent_stats(**changed) -> dict:
    stats = {"cmd_get": "10", "get_hits": "7", "get_misses": "3", "curr_items": "5",
             "total_items": "9", "curr_connections": "1", "total_connections": "4",
             "bytes": "500", "limit_maxbytes": "1000"}
    return {**stats, **changed}


class JudgementTest(unittest.TestCase):
    ITEMS = {"items:1:number": "2", "items:4:number": "3", "items:4:age": "77"}

    def test_memory_within_its_bound_that_does_not_grow_is_right(self):
        levels = [level(10, 60), level(25, 70), level(100, 73)]
        self.assertEqual(soak_server.memory_faults(levels, 64 * MIB, 25), [])

    def test_memory_above_its_bound_is_wrong_at_any_time(self):
        levels = [level(10, 60), level(50, 90), level(100, 60)]
        self.assertEqual(len(soak_server.memory_faults(levels, 64 * MIB, 25)), 1)

    def test_memory_that_grew_after_the_warm_up_is_wrong(self):
        levels = [level(10, 60), level(25, 66), level(100, 71)]
        self.assertEqual(len(soak_server.memory_faults(levels, 64 * MIB, 25)), 1)

    def test_memory_may_fill_up_to_the_limit_after_the_warm_up(self):
        levels = [level(25, 20), level(100, 64)]
        self.assertEqual(soak_server.memory_faults(levels, 64 * MIB, 25), [])

    def test_figures_that_fit_each_other_are_right(self):
        self.assertEqual(soak_server.stats_faults(consistent_stats(), self.ITEMS), [])

    def test_each_figure_that_does_not_fit_is_named(self):
        for changed in ({"get_hits": "8"}, {"curr_items": "6"}, {"total_items": "4"},
                        {"bytes": "1001"}, {"curr_connections": "2"}):
            faults = soak_server.stats_faults(consistent_stats(**changed), self.ITEMS)
            self.assertEqual(len(faults), 1, changed)

    def test_a_latency_above_the_bound_is_a_fault_and_so_is_one_that_the_server_does_not_tell(self):
        good = {"latency_p999_us": "12.345", "turn_p999_us": "1000"}
        self.assertEqual(soak_server.latency_faults(good), [])
        self.assertEqual(len(soak_server.latency_faults({**good, "latency_p999_us": "1001"})), 1)
        self.assertEqual(len(soak_server.latency_faults({"turn_p999_us": "1"})), 1)

    def test_values_of_different_numbers_differ(self):
        self.assertEqual(len(soak_activities.text(7, 1000)), 1000)
        self.assertNotEqual(soak_activities.text(7, 16), soak_activities.text(8, 16))


class QuickRunTest(unittest.TestCase):
    def test_a_soak_of_some_seconds_finds_nothing(self):
        result = subprocess.run([sys.executable, SOAK, "--quick", "--seconds", "5"],
                                capture_output=True, text=True, check=False, env=dict(os.environ))
        self.assertEqual(result.returncode, 0, result.stdout + result.stderr)
        self.assertIn("soak: nothing found", result.stdout)


if __name__ == "__main__":
    unittest.main(verbosity=2)
