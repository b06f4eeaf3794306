#!/usr/bin/env python3
"""Tests of stalls.py: a quick run of it all in little memory.

LARDER and LOADGEN in the environment name the programs; memcached is the packaged one.
"""

import os
import pathlib
import subprocess
import sys
import unittest

import stalls

STALLS = str(pathlib.Path(__file__).with_name("stalls.py"))


def run(*arguments: str) -> subprocess.CompletedProcess:
    return subprocess.run([sys.executable, STALLS, *arguments], capture_output=True, text=True,
                          check=False, env=dict(os.environ))


class QuickRunTest(unittest.TestCase):
    def test_the_table_has_two_rows_for_every_disturbance(self):
        result = run("--quick")
        self.assertEqual(result.returncode, 0, result.stderr)
        rows = [line.strip("| ").split(" | ") for line in result.stdout.splitlines()
                if line.startswith("| ")][1:]
        self.assertEqual([row[:2] for row in rows],
                         [[disturbance, server] for disturbance in stalls.DISTURBANCES
                          for server in ("Larder", "memcached")])
        for row in rows:
            for cell in row[2:6]:
                self.assertRegex(cell, r"^[\d,]+$")
        done = {tuple(row[:2]): row[6] for row in rows}
        self.assertRegex(done["large", "Larder"], r"^\d+ stored, 0 refused$")
        self.assertRegex(done["flush", "Larder"], r"^\d+ of [1-9]\d* items freed$")

    def test_an_unknown_disturbance_is_refused(self):
        result = run("thunder")
        self.assertEqual(result.returncode, 2)
        self.assertIn("thunder", result.stderr)


if __name__ == "__main__":
    unittest.main(verbosity=2)
