#!/usr/bin/env python3
"""Tests of hits.py: its arithmetic, and a quick run of it all.

LARDER, REPLAY and SIMULATE in the environment name the programs; memcached is the packaged one.
"""

import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

import hits
from hits import Result, Workload

HITS = str(pathlib.Path(__file__).with_name("hits.py"))


def run(*arguments: str) -> subprocess.CompletedProcess:
    return subprocess.run([sys.executable, HITS, *arguments], capture_output=True, text=True,
                          check=False, env=dict(os.environ))


def rows_of(output: str) -> list:
    """The cells of the table's rows, without its head."""
    rows = [line.strip("| ").split(" | ") for line in output.splitlines() if line.startswith("| ")]
    return rows[1:]


def outcome(misses: int, by_second: str = "", refused: int = 0) -> dict:
    return {"counted": "1000", "misses": str(misses), "refused": str(refused),
            "current_items": "8", "held_items": "7", "held_bytes": "700",
            "misses_by_second": by_second, "per_second": "100"}


def result(name: str, ours: int, theirs: int, **more) -> Result:
    simulated = {"lru_misses": "300", "s3fifo_misses": "200", "optimum_misses": "100",
                 "lru_by_second": "50,10,10,10,10,10,10"}
    return Result(Workload(name, name + "!", "items", ()), outcome(ours, **more), outcome(theirs),
                  simulated)


class TableTest(unittest.TestCase):
    def test_a_row_has_every_miss_ratio_and_larders_misses_over_memcacheds(self):
        row = hits.table_row(result("zipf", 180, 240))
        self.assertEqual(row, ["zipf!", "1,000", "24.00%", "18.00%", "0.750x", "30.00%", "20.00%",
                               "10.00%", "7", "7"])
        self.assertEqual(len(row), len(hits.table_head()))

    def test_policies_get_room_for_the_items_or_the_bytes_that_larder_had(self):
        self.assertEqual(Workload("a", "a", "items", ()).capacity(outcome(1)), "8")
        self.assertEqual(Workload("a", "a", "bytes", ()).capacity(outcome(1)), "700")


class SummaryTest(unittest.TestCase):
    def test_the_average_is_the_geometric_mean_and_leaves_the_shift_out(self):
        lines = hits.summary([result("a", 80, 100), result("b", 125, 100), result("shift", 9, 100)])
        self.assertIn("(geometric mean of 2): 1.000x", lines[0])
        self.assertTrue(lines[0].endswith("not met"))

    def test_the_worst_workload_is_named(self):
        lines = hits.summary([result("a", 80, 100), result("b", 97, 100)])
        self.assertIn("0.970x (b!)", lines[1])
        self.assertTrue(lines[1].endswith(": met"))

    def test_a_store_refused_anywhere_counts(self):
        lines = hits.summary([result("a", 80, 100), result("shift", 97, 100, refused=1)])
        self.assertIn("refused by Larder: 1, target 0: not met", lines[2])

    def test_the_hit_ratio_is_back_when_it_is_within_two_hundredths_of_lrus(self):
        shifted = result("shift", 70, 100, by_second="100,40,12,9")
        self.assertEqual(hits.second_when_back(shifted, shifted.ours), 3)
        shifted = result("shift", 70, 100, by_second="100,40,13,13")
        self.assertIsNone(hits.second_when_back(shifted, shifted.ours))

    def test_the_targets_after_a_shift_are_a_ratio_and_five_seconds(self):
        soon = hits.shift_summary(result("shift", 72, 100, by_second="100,40,40,40,12"))
        self.assertIn("0.720x, target <= 0.72x: met", soon[0])
        self.assertIn("Larder in second 5, memcached not in the replay", soon[1])
        self.assertTrue(soon[1].endswith(": met"))
        late = hits.shift_summary(result("shift", 73, 100, by_second="100,40,40,40,40,12"))
        self.assertIn("0.730x, target <= 0.72x: not met", late[0])
        self.assertTrue(late[1].endswith("not met"))


class QuickRunTest(unittest.TestCase):
    def test_where_everything_fits_both_servers_and_every_policy_have_the_same_misses(self):
        quick = run("--quick")
        self.assertEqual(quick.returncode, 0, quick.stderr)
        rows = rows_of(quick.stdout)
        self.assertEqual(len(rows), 9)
        for row in rows:
            self.assertEqual(len({*row[2:4], *row[5:8]}), 1, row)
            self.assertEqual(row[4], "1.000x")
            self.assertEqual(row[8], row[9])

    def test_a_trace_is_replayed_in_place_of_the_made_workloads(self):
        with tempfile.NamedTemporaryFile("w", suffix=".csv") as trace:
            trace.write("key,value_bytes\n" + "a,10\nb,2000\na,10\n" * 100)
            trace.flush()
            replayed = run("--trace", trace.name)
        self.assertEqual(replayed.returncode, 0, replayed.stderr)
        rows = rows_of(replayed.stdout)
        self.assertEqual(len(rows), 1)
        # Two items in all, both stored in the first third.
        self.assertEqual(rows[0][1:4], ["200", "0.00%", "0.00%"])
        self.assertEqual(rows[0][8:], ["2", "2"])

    def test_an_unknown_workload_is_refused_and_the_known_ones_named(self):
        refused = run("--only", "everything")
        self.assertEqual(refused.returncode, 1)
        self.assertIn("everything", refused.stderr)
        self.assertIn("zipf-0.99", refused.stderr)

    def test_a_trace_that_is_none_ends_the_run_with_the_line_that_is_wrong(self):
        with tempfile.NamedTemporaryFile("w", suffix=".csv") as trace:
            trace.write("a,10\nnot a line\n")
            trace.flush()
            refused = run("--trace", trace.name)
        self.assertEqual(refused.returncode, 1)
        self.assertIn("line 2", refused.stderr)


if __name__ == "__main__":
    unittest.main(verbosity=2)
