#!/usr/bin/env python3
"""Tests of many_clients.py: what it asks, and a quick run.

LARDER in the environment names the server; memcached is the packaged one.
"""

import os
import pathlib
import re
import subprocess
import sys
import unittest

import many_clients

SCRIPT = str(pathlib.Path(__file__).with_name("many_clients.py"))


class ManyClientsTest(unittest.TestCase):
    def test_one_request_of_ten_is_a_store(self):
        stores = [number for number in range(100)
                  if many_clients.request(number)[0].startswith(b"set ")]
        self.assertEqual(stores, list(range(0, 100, 10)))

    def test_the_answer_to_a_get_is_known_to_the_byte(self):
        text, answer = many_clients.request(1)
        self.assertEqual(text, b"get key-1\r\n")
        self.assertEqual(answer, b"VALUE key-1 0 100\r\n" + b"v" * 100 + b"\r\nEND\r\n")

    def test_both_servers_have_a_row_without_an_error(self):
        result = subprocess.run([sys.executable, SCRIPT, "--quick"], capture_output=True,
                                text=True, check=False, env=dict(os.environ))
        self.assertEqual(result.returncode, 0, result.stderr)
        rows = re.findall(r"^\| (Larder|memcached) \| \d+ \| (\d+) \|", result.stdout, re.MULTILINE)
        self.assertEqual(rows, [("Larder", "0"), ("memcached", "0")])


if __name__ == "__main__":
    unittest.main(verbosity=2)
