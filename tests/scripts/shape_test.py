#!/usr/bin/env python3
"""The shape check passes tidy files and names what is too long, unfinished or out of place."""

import unittest

from tree_fixture import TreeTest
import shape

GOOD_HEADER = "// slab/a.h - holds one thing.\n#pragma once\n"


def function_of(line_count: int) -> str:
    return "void Long(int a,\n          int b) {\n" + "  Use();\n" * (line_count - 3) + "}\n"


class ShapeTest(TreeTest):

    def findings(self):
        return shape.check_tree(self.tree)

    def assert_one_finding(self, start: str):
        findings = self.findings()
        self.assertEqual(len(findings), 1, findings)
        self.assertTrue(findings[0].startswith(start), findings[0])

    def test_passes_a_tidy_tree(self):
        self.write("slab/a.h", GOOD_HEADER + "int F();\n")
        self.write("slab/a.cc", "namespace larder {\n\nint F() {\n  return 1;\n}\n\n}\n")
        self.write("README.md", "Start with `scripts/run.sh`; it listens on /run/larder.sock.\n")
        self.assertEqual(self.findings(), [])

    def test_finds_a_long_line(self):
        self.write("slab/a.cc", "// " + "a" * 98 + "\n")
        self.assert_one_finding("slab/a.cc:1: 101 columns")

    def test_finds_a_long_file_but_not_a_long_test(self):
        self.write("slab/a.cc", "int a;\n" * (shape.FILE_LINES_MAX[".cc"] + 1))
        self.write("tests/slab/a_test.cc", "int a;\n" * 2000)
        self.assert_one_finding("slab/a.cc: ")

    def test_finds_a_long_function_inside_a_namespace(self):
        self.write("slab/a.cc", "namespace a {\nnamespace {\nint b = 1;\n\n"
                   + function_of(shape.FUNCTION_LINES_MAX + 1) + "}\n}\n")
        self.assert_one_finding("slab/a.cc:5: a function of 71 lines")

    def test_passes_a_function_at_the_limit_and_a_long_table(self):
        self.write("slab/a.cc", function_of(shape.FUNCTION_LINES_MAX))
        self.write("slab/b.cc", "constexpr int kTable[] = {\n" + "    1,\n" * 100 + "};\n")
        self.write("slab/c.cc", "class Wide {\n" + "  int a;\n" * 100 + "};\n")
        self.assertEqual(self.findings(), [])

    def test_finds_a_header_that_does_not_say_what_it_is_for(self):
        self.write("slab/a.h", "#pragma once\n")
        self.assert_one_finding("slab/a.h:1: open with")

    def test_finds_paths_of_one_machine_in_any_text(self):
        for folder in ("work", "home", "root", "opt", "Users"):
            with self.subTest(folder=folder):
                self.write("scripts/a.sh", f"cd /{folder}/someone\n")
                self.assert_one_finding("scripts/a.sh:1: a path of one machine")

    def test_finds_unfinished_work(self):
        for word in ("TO" + "DO", "FIX" + "ME"):
            with self.subTest(word=word):
                self.write("slab/a.cc", f"// {word}: later\n")
                self.assert_one_finding("slab/a.cc:1: unfinished")

    def test_does_not_look_into_what_is_built(self):
        self.write("build/release/a.txt", "/" + "root/a\n")
        self.assertEqual(self.findings(), [])


if __name__ == "__main__":
    unittest.main()
