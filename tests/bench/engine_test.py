#!/usr/bin/env python3
"""Tests of engine.py: its arithmetic, and a quick run of it all.

BENCH_CACHE in the environment names the program.
"""

import json
import os
import pathlib
import re
import subprocess
import sys
import unittest

import engine
from bench_servers import BenchError
from engine import Figures

ENGINE = str(pathlib.Path(__file__).with_name("engine.py"))


def run_of(row: str, threads: int, key_ns: float, **more) -> dict:
    name = f"{row}/real_time/threads:{threads}"
    return {"name": name, "run_name": name, "run_type": "iteration", "threads": threads,
            "real_time": key_ns, "items_per_second": 1e9 / key_ns, **more}


def figures(*runs: dict) -> Figures:
    return Figures(json.dumps({"benchmarks": runs}))


def run(*arguments: str) -> subprocess.CompletedProcess:
    return subprocess.run([sys.executable, ENGINE, *arguments], capture_output=True, text=True,
                          check=False, env=dict(os.environ))


class FiguresTest(unittest.TestCase):
    def test_the_ratio_is_that_of_the_medians_and_the_spread_that_of_the_middle_half(self):
        measured = figures(*(run_of("set", 1, ns) for ns in (100.0, 90.0, 110.0, 100.0, 900.0)),
                           *(run_of("set", 2, 50.0) for _ in range(5)))
        row = engine.scaling_row(measured, "stores", "set")
        self.assertEqual(row, ["stores", "10.00 M/s", "20.00 M/s", "2.00x", "9%"])

    def test_a_time_for_a_key_is_compared_with_the_latency_of_memory(self):
        measured = figures(
            run_of("get/group:1", 1, 400.0), run_of("get/group:1", 1, 600.0),
            run_of("get/group:32", 1, 125.0), run_of("get/group:32", 1, 125.0),
            run_of(engine.MEMORY, 1, 200.0), run_of(engine.MEMORY, 1, 200.0))
        row = engine.group_row(measured, 1000, "get", "get/group:")
        self.assertEqual(row, ["get of 1,000", "500 ns", "125 ns", "0.25x", "20%", "200 ns",
                               "2.50", "0.62"])

    def test_means_and_medians_of_the_program_itself_are_not_turns(self):
        mean = run_of("set", 1, 500.0, run_type="aggregate", aggregate_name="mean")
        self.assertEqual(figures(run_of("set", 1, 100.0), mean).key_ns("set"), [100.0])

    def test_a_row_that_failed_ends_the_run_with_its_reason(self):
        with self.assertRaisesRegex(BenchError, "a key was missing"):
            figures(run_of("get", 1, 1.0, error_occurred=True, error_message="a key was missing"))

    def test_a_row_that_is_not_there_is_named(self):
        with self.assertRaisesRegex(BenchError, "no row get with 2 threads"):
            figures(run_of("get", 1, 1.0)).per_second("get", 2)


class QuickRunTest(unittest.TestCase):
    def test_the_tables_have_a_row_for_every_kind_of_work(self):
        result = run("--quick", "--large")
        self.assertEqual(result.returncode, 0, result.stderr)
        number = r"\d+\.\d\d"
        for title, _ in engine.SCALING:
            self.assertRegex(result.stdout, re.compile(
                rf"^\| {title} (\| {number} M/s ){{2}}\| {number}x \| \d+% \|$",
                re.MULTILINE))
        for title, _ in engine.GROUPS:
            for items in (engine.QUICK_ITEMS, 2 * engine.QUICK_ITEMS):
                self.assertRegex(result.stdout, re.compile(
                    rf"^\| {title} of {items:,} (\| \d+ ns ){{2}}\| {number}x \| \d+% "
                    rf"\| \d+ ns (\| {number} ){{2}}\|$", re.MULTILINE))


if __name__ == "__main__":
    unittest.main(verbosity=2)
