#!/usr/bin/env python3
"""Tests of stalls.py: a quick run of it all in little memory.

LARDER and LOADGEN in the environment name the programs; memcached is the packaged one.
"""

import argparse
import os
import pathlib
import subprocess
import sys
import unittest

import stall_disturbances
import stalls

STALLS = str(pathlib.Path(__file__).with_name("stalls.py"))
CLIENT_CELLS = slice(2, 6)
SERVER_CELLS = slice(6, 10)


def run(*arguments: str) -> subprocess.CompletedProcess:
    return subprocess.run([sys.executable, STALLS, *arguments], capture_output=True, text=True,
                          check=False, env=dict(os.environ))


class QuickRunTest(unittest.TestCase):
    def test_every_disturbance_has_rows_without_and_with_it_and_a_verdict(self):
        result = run("--quick")
        self.assertEqual(result.returncode, 0, result.stderr)
        lines = result.stdout.splitlines()
        rows = [line.strip("| ").split(" | ") for line in lines if line.startswith("| ")][1:]
        self.assertEqual([row[:2] for row in rows],
                         [[name, server] for disturbance in stalls.DISTURBANCES
                          for server in ("Larder", "memcached")
                          for name in (f"before {disturbance}", disturbance)])
        for row in rows:
            for cell in row[CLIENT_CELLS]:
                self.assertRegex(cell, r"^[\d,]+$")
            for cell in row[SERVER_CELLS]:
                self.assertRegex(cell, r"^[\d,]+$" if row[1] == "Larder" else "^-$")
        done = {tuple(row[:2]): row[10] for row in rows}
        self.assertRegex(done["growth", "Larder"], r"^1,000 to 200,000 items, index of 2\^")
        self.assertRegex(done["moves", "Larder"], r"^[1-9][\d,]* pages moved$")
        self.assertRegex(done["large", "Larder"], r"^[1-9]\d* stored, 0 refused$")
        verdicts = [line for line in lines if "target" in line]
        self.assertEqual(len(verdicts), len(stalls.DISTURBANCES))

    def test_an_unknown_disturbance_is_refused(self):
        result = run("thunder")
        self.assertEqual(result.returncode, 2)
        self.assertIn("thunder", result.stderr)


class HappenedTest(unittest.TestCase):
    """Each disturbance sees from the server's figures whether it took place."""

    @staticmethod
    def make(name):
        arguments = argparse.Namespace(sizes=stall_disturbances.QUICK, loadgen="loadgen", seconds=1)
        return stall_disturbances.DISTURBANCES[name](arguments, 0)

    def test_an_index_that_stayed_as_it_was_did_not_grow(self):
        before = {"curr_items": "1000", "hash_power_level": "16"}
        after = {"curr_items": "200000", "hash_power_level": "17"}
        self.assertTrue(self.make("growth").told(before, after)[0])
        self.assertFalse(self.make("growth").told(before, {**after, "hash_power_level": "16"})[0])

    def test_pages_that_stayed_did_not_move(self):
        self.assertTrue(self.make("moves").told({"slabs_moved": "1"}, {"slabs_moved": "2"})[0])
        self.assertFalse(self.make("moves").told({"slabs_moved": "1"}, {"slabs_moved": "1"})[0])

    def test_items_that_are_still_there_were_not_freed(self):
        for name in ("expiry", "flush"):
            before = {"curr_items": "20000"}
            self.assertTrue(self.make(name).told(before, {"curr_items": "7"})[0])
            self.assertFalse(self.make(name).told(before, {"curr_items": "19000"})[0])


if __name__ == "__main__":
    unittest.main(verbosity=2)
