#!/usr/bin/env python3
"""Tests of instructions.py: how it reads callgrind's dumps and keeps its table. That its counts are
right shows in the check itself, which is a test of its own."""

import pathlib
import tempfile
import unittest

import instructions
from bench_servers import BenchError
from instructions import Counts, Table

DUMP = """# callgrind format
version: 1
part: 2
thread: 3
events: Ir
summary: {sum}

fn=(1648) std::chrono::_V2::steady_clock::now()
0 820
summary: {sum}
totals: {sum}
"""

TABLE = """# Written by a script.
# Two lines of it.
workload            g++-12  clang-14
get                   3000      3100
set                   4500         -
"""


class DumpTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def test_a_dump_counts_by_its_totals(self):
        self.assertEqual(instructions.instructions_of(DUMP.format(sum=40754)), 40754)

    def test_a_dump_that_was_cut_off_is_refused(self):
        with self.assertRaisesRegex(BenchError, "totals"):
            instructions.instructions_of(DUMP.format(sum=1).partition("totals")[0])

    def test_there_is_a_sum_for_each_thread_and_each_is_read_once(self):
        for thread, total in enumerate((0, 250_000, 38_000_000), start=1):
            dump = self.folder / f"dump.1-{thread:02}"
            dump.write_text(DUMP.format(sum=total), encoding="utf-8")
        (self.folder / "dump").touch()  # callgrind keeps it for the end
        counts = Counts(str(self.folder))
        self.assertEqual(sorted(counts.take()), [0, 250_000, 38_000_000])
        with self.assertRaisesRegex(BenchError, "no dump"):
            counts.take()


class TableTest(unittest.TestCase):
    def test_a_count_is_found_by_workload_and_compiler(self):
        table = Table(TABLE)
        self.assertEqual(table.count("get", "g++-12"), 3000)
        self.assertEqual(table.count("get", "clang-14"), 3100)

    def test_a_count_that_is_not_there_is_none(self):
        table = Table(TABLE)
        self.assertIsNone(table.count("set", "clang-14"))
        self.assertIsNone(table.count("touch", "g++-12"))
        self.assertIsNone(table.count("get", "g++-13"))

    def test_what_is_read_is_written_the_same(self):
        self.assertEqual(Table(TABLE).text(["get", "set"]), TABLE)

    def test_an_update_changes_one_column_and_keeps_the_comments(self):
        table = Table(TABLE)
        table.update("clang-14", {"set": 4200.4})
        self.assertEqual(table.text(["get", "set"]), TABLE.replace("     -", "  4200"))

    def test_an_update_adds_a_compiler_and_a_workload_and_drops_a_workload_that_is_gone(self):
        table = Table("workload  g++-12\nget  3000\nold  1\n")
        table.update("clang-14", {"get": 3100, "new": 7})
        lines = [line.split() for line in table.text(["get", "new"]).splitlines()]
        self.assertEqual(lines, [["workload", "g++-12", "clang-14"], ["get", "3000", "3100"],
                                 ["new", "-", "7"]])

    def test_a_line_with_a_count_too_few_is_refused(self):
        with self.assertRaisesRegex(BenchError, "get: 1 counts for 2 compilers"):
            Table(TABLE.replace("      3100", ""))

    def test_the_table_in_the_source_has_every_workload_for_every_compiler_that_it_names(self):
        table = Table(instructions.TABLE.read_text(encoding="utf-8"))
        self.assertTrue(table.compilers)
        for compiler in table.compilers:
            for name in instructions.WORKLOADS:
                self.assertIsNotNone(table.count(name, compiler), f"{name}, {compiler}")


class MovedTest(unittest.TestCase):
    def test_a_count_within_the_tolerance_has_not_moved(self):
        for now in (971, 1000, 1029):
            self.assertFalse(instructions.has_moved(1000, now), now)

    def test_better_has_moved_as_worse_has(self):
        for now in (969, 1031):
            self.assertTrue(instructions.has_moved(1000, now), now)

    def test_a_workload_that_the_table_does_not_know_has_moved(self):
        self.assertTrue(instructions.has_moved(None, 1000))


class CompilerTest(unittest.TestCase):
    def test_a_program_names_its_compiler(self):
        self.assertEqual(
            instructions.compiler_of(b"\0GCC: (Debian 12.2.0-14+deb12u1) 12.2.0\0"), "g++-12")

    def test_a_program_with_parts_by_both_is_clangs(self):
        mixed = b"GCC: (Debian 12.2.0-14) 12.2.0\0Debian clang version 14.0.6"
        self.assertEqual(instructions.compiler_of(mixed), "clang-14")

    def test_a_program_that_does_not_say_is_refused(self):
        with self.assertRaisesRegex(BenchError, "which compiler"):
            instructions.compiler_of(b"\x7fELF")


if __name__ == "__main__":
    unittest.main(verbosity=2)
