#!/usr/bin/env python3
"""Tests of compare.py: its arithmetic, its care for processes, and a quick run of it all.

LARDER and LOADGEN in the environment name the programs; memcached is the packaged one.
"""

import os
import pathlib
import re
import subprocess
import sys
import unittest

import compare

COMPARE = str(pathlib.Path(__file__).with_name("compare.py"))


def figures(cpu_us: float, throughput: float = 1.0, latency_us: float = 1.0) -> dict:
    return {compare.CPU: cpu_us, "throughput": throughput, "p50_us": latency_us,
            "p99_us": latency_us, "p999_us": latency_us}


def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess:
    return subprocess.run([sys.executable, COMPARE, *arguments], capture_output=True, text=True,
                          check=False, env={**os.environ, **environment})


class TableTest(unittest.TestCase):
    def test_the_ratio_is_the_median_of_the_rounds_not_the_ratio_of_medians(self):
        pairs = [(figures(1.0), figures(2.0)), (figures(8.0), figures(10.0)),
                 (figures(3.0), figures(3.0))]
        row = compare.table_row("name", pairs)
        self.assertEqual(row[:5], ["name", "3.00 µs", "3.00 µs", "0.80x", "0.50 to 1.00"])

    def test_every_row_has_as_many_cells_as_the_head(self):
        row = compare.table_row("name", [(figures(1.0), figures(2.0))])
        self.assertEqual(len(row), len(compare.table_head()))


class QuickRunTest(unittest.TestCase):
    def test_the_table_has_a_row_for_every_workload(self):
        result = run("--quick")
        self.assertEqual(result.returncode, 0, result.stderr)
        number = r"\d+\.\d\d"
        for workload in compare.WORKLOADS:
            self.assertRegex(
                result.stdout,
                re.compile(rf"^\| {workload.name} \| {number} µs \| {number} µs \| {number}x \| "
                           rf"{number} to {number} (\| {number}x ){{4}}\|$", re.MULTILINE))

    def test_several_numbers_of_threads_make_a_row_each(self):
        result = run("--quick", "--threads", "1,2", "get-8x64")
        self.assertEqual(result.returncode, 0, result.stderr)
        rows = re.findall(r"^\| (get-8x64, -t \d) \|", result.stdout, re.MULTILINE)
        self.assertEqual(rows, ["get-8x64, -t 1", "get-8x64, -t 2"])

    def test_a_number_of_threads_below_one_is_refused(self):
        self.assertEqual(run("--quick", "--threads", "0", "get-8x64").returncode, 2)

    def test_only_the_chosen_workloads_run(self):
        result = run("--quick", "set-10k")
        self.assertEqual(result.returncode, 0, result.stderr)
        rows = re.findall(r"^\| (\S+) \| \d", result.stdout, re.MULTILINE)
        self.assertEqual(rows, ["set-10k"])

    def test_an_unknown_workload_is_refused(self):
        result = run("get-everything")
        self.assertEqual(result.returncode, 2)
        self.assertIn("get-everything", result.stderr)

    def test_a_load_that_fails_ends_the_run_with_its_reason(self):
        # 500 KB values do not all stay in 8 MB.
        result = run("--quick", "get-500k", MEMORY_MB="8")
        self.assertEqual(result.returncode, 1)
        self.assertIn("misses", result.stderr)


if __name__ == "__main__":
    unittest.main(verbosity=2)
