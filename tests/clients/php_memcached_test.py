#!/usr/bin/python3
"""php-memcached from the command line; what is checked stands in php_memcached_test.php."""

import os
import subprocess
import unittest

from server_fixture import Server

SCRIPT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "php_memcached_test.php")


class PhpMemcachedTest(unittest.TestCase):
    """One run of the script."""

    def test_php_memcached_over_text(self):
        with Server() as server:
            done = subprocess.run(
                ["php", "-d", "error_reporting=-1", "-d", "display_errors=1", SCRIPT,
                 str(server.port)],
                stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=60, check=False)
        output = done.stdout.decode(errors="replace")
        self.assertEqual((done.returncode, output), (0, "all good\n"))


if __name__ == "__main__":
    unittest.main()
