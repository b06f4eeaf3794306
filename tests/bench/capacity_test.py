#!/usr/bin/env python3
"""Tests of capacity.py: its arithmetic, and a quick run of it all in little memory.

LARDER and FILL in the environment name the programs; memcached is the packaged one.
"""

import os
import pathlib
import re
import subprocess
import sys
import unittest

import capacity
from capacity import MIB, Case, Holding

CAPACITY = str(pathlib.Path(__file__).with_name("capacity.py"))


def run(*arguments: str) -> subprocess.CompletedProcess:
    return subprocess.run([sys.executable, CAPACITY, *arguments], capture_output=True, text=True,
                          check=False, env=dict(os.environ))


def case(target: str, figure: str = "items_per_mib") -> Case:
    return Case("name", "what", "fixed:1", figure, 0, target)


class TableTest(unittest.TestCase):
    def test_figures_are_those_of_resident_memory(self):
        holding = Holding(resident_bytes=4 * MIB, items=1000, value_bytes=2 * MIB)
        self.assertEqual(holding.items_per_mib(), 250)
        self.assertEqual(holding.bytes_per_value_byte(), 2)
        self.assertEqual(holding.resident_mib(), 4)

    def test_a_client_costs_what_memory_grew_by_when_they_connected(self):
        holding = Holding(4 * MIB, 1000, 2 * MIB, clients=2048, client_bytes=MIB)
        self.assertEqual(holding.kib_per_client(), 0.5)

    def test_a_quick_run_has_fewer_clients_and_says_so(self):
        idle = next(row for row in capacity.CASES if row.name == "idle")
        self.assertEqual(capacity.with_clients(idle, 20).clients, 20)
        self.assertIn("20 of them", capacity.with_clients(idle, 20).what)
        self.assertEqual(capacity.with_clients(idle, 50_000), capacity.with_clients(idle, 10_000))

    def test_a_row_shows_both_figures_their_ratio_and_both_sizes(self):
        row = capacity.table_row(case(">= 1.40x"), Holding(2 * MIB, 3000, 1),
                                 Holding(4 * MIB, 4000, 1), 4)
        self.assertEqual(row, ["what", "1,000", "1,500", "1.50x", ">= 1.40x", "met", "4.0", "2.0"])
        self.assertEqual(len(row), len(capacity.table_head()))

    def test_a_target_with_an_x_bounds_the_ratio(self):
        self.assertEqual(capacity.verdict(case(">= 1.18x"), 1.18, 1, 256), "met")
        self.assertEqual(capacity.verdict(case(">= 1.18x"), 1.17, 9999, 256), "not met")

    def test_a_target_without_an_x_bounds_the_figure_of_larder(self):
        self.assertEqual(capacity.verdict(case("<= 1.05"), 9, 1.05, 256), "met")
        self.assertEqual(capacity.verdict(case("<= 1.05"), 0.5, 1.06, 256), "not met")

    def test_a_target_may_be_stated_in_terms_of_the_limit(self):
        self.assertEqual(capacity.verdict(case("<= -m + 12"), 9, 268, 256), "met")
        self.assertEqual(capacity.verdict(case("<= -m + 12"), 0.5, 268.1, 256), "not met")


class QuickRunTest(unittest.TestCase):
    def test_the_table_has_a_row_for_every_case(self):
        result = run("--quick")
        self.assertEqual(result.returncode, 0, result.stderr)
        rows = [line.split(" | ") for line in result.stdout.splitlines() if line.startswith("| ")]
        names = [capacity.with_clients(row, capacity.QUICK.clients_max).what for row in capacity.CASES]
        self.assertEqual([row[0].removeprefix("| ") for row in rows[1:]], names)
        for row in rows[1:]:
            self.assertRegex(row[1], r"^-?[\d,.]+$")
            self.assertRegex(row[3], r"^-?\d+\.\d\dx$")
            self.assertIn(row[5], ("met", "not met"))

    def test_only_the_chosen_cases_run(self):
        result = run("--quick", "small")
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertEqual(len(re.findall(r"^\| .* \d", result.stdout, re.MULTILINE)), 1)

    def test_an_unknown_case_is_refused(self):
        result = run("everything")
        self.assertEqual(result.returncode, 2)
        self.assertIn("everything", result.stderr)

    def test_a_peer_that_does_not_exist_is_named(self):
        result = run("--peer", "no-such-memcached", "small")
        self.assertEqual(result.returncode, 1)
        self.assertIn("no-such-memcached", result.stderr)


if __name__ == "__main__":
    unittest.main(verbosity=2)
