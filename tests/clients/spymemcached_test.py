#!/usr/bin/python3
"""spymemcached: compiles SpymemcachedClient.java and runs it over text and binary."""

import os
import subprocess
import tempfile
import unittest

from with_servers import run_program

LIBRARY = "/usr/share/java/spymemcached.jar"
SOURCE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "SpymemcachedClient.java")


class SpymemcachedTest(unittest.TestCase):
    """One run of the program for each protocol."""

    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory(prefix="larder-spymemcached-")
        cls.addClassCleanup(folder.cleanup)
        # Eclipse's compiler, since a whole JDK is ten times as large.
        subprocess.run(["ecj", "-17", "-proc:none", "-nowarn", "-cp", LIBRARY, "-d", folder.name,
                        SOURCE], check=True, timeout=100)
        cls.command = ["java", "-Xmx256m", "-XX:TieredStopAtLevel=1", "-cp",
                       f"{LIBRARY}:{folder.name}", "SpymemcachedClient"]

    def test_text(self):
        self.assertIsNone(run_program(self.command + ["TEXT"], server_count=3))

    def test_binary(self):
        self.assertIsNone(run_program(self.command + ["BINARY"], server_count=3))


if __name__ == "__main__":
    unittest.main()
