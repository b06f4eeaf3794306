#!/usr/bin/python3
"""memccapable: libmemcached's own list of what a server must do, ascii and binary."""

import re
import subprocess
import unittest

from server_fixture import Server, version_line

ALL_TESTS = 54

# It sends `delete <key> <word>` and wants an error. Versions of memcached up to 1.6.18 gave one;
# the versions that Larder follows ignore words they do not know, and so fail these two as well.
IMPOSSIBLE = {"ascii delete", "ascii delete noreply"}


def refuses_delete_arguments(binary):
    """True for the old memcached of the distribution, which passes everything."""
    return version_line(binary) == "memcached 1.6.18"


class MemccapableTest(unittest.TestCase):
    """The tool runs once; each of its tests is looked at."""

    def test_every_test_passes_but_those_that_memcached_fails_too(self):
        with Server() as server:
            command = ["memccapable", "-h", "127.0.0.1", "-p", str(server.port), "-t", "5", "-v"]
            done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                  timeout=120, check=False)
            expected = set() if refuses_delete_arguments(server.binary) else IMPOSSIBLE
        output = done.stdout.decode()
        # A failure is reported on stderr: here such a test is a name without [pass] behind it.
        results = dict(re.findall(r"((?:ascii|binary) [a-z]+(?: noreply)?) +(\[pass\])?", output))
        output += done.stderr.decode()
        self.assertEqual(len(results), ALL_TESTS, output)
        self.assertEqual({name for name in results if not results[name]}, expected, output)


if __name__ == "__main__":
    unittest.main()
