#!/usr/bin/python3
"""memaslap with verification over text, binary and UDP: every value that comes back is compared.

Items get an expiry about a minute ahead with -e: a short run shows that none goes early; one of
LARDER_EXPIRY_RUN_S=75 seconds shows too that they do go.

Not used: binary over UDP, whose answers the tool does not understand; multi-gets over UDP (-a),
which abort it; overwriting (-o), where it compares with a value that it never sent, whatever the
server is.
"""

import os
import re
import shutil
import subprocess
import tempfile
import unittest

from server_fixture import Server

# Debian calls it memcaslap.
TOOL = shutil.which("memaslap") or shutil.which("memcaslap")

# Keys and values of many sizes: `from to share` a line; one set for two gets.
MIXED_SIZES = """key
16 64 0.5
65 200 0.5
value
1 64 0.3
65 2048 0.4
2049 20480 0.2
100000 200000 0.1
cmd
0 0.33
1 0.67
"""

CONCURRENCY = 16
EXPIRY_RUN_S = int(os.environ.get("LARDER_EXPIRY_RUN_S", "6"))

# Room for everything that a run stores: what is evicted cannot be verified.
MEMORY_MB = 512 + 16 * EXPIRY_RUN_S

FAILURE_COUNTS = ("verify_misses", "verify_failed", "unexpired_unget",
                  "expired_get")


class Runs:
    """For the classes below: one run of the tool against a server of its own."""

    flags = ()
    udp = False

    def run_tool(self, *arguments):
        """The counts that the tool prints at the end."""
        self.assertIsNotNone(TOOL, "memaslap is not installed")
        with Server(["-m", str(MEMORY_MB)], udp=self.udp) as server:
            command = [TOOL, "-s", server.address, "-T", "2", "-c", str(CONCURRENCY),
                       *self.flags, *arguments]
            done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                  timeout=120 + EXPIRY_RUN_S, check=False)
            stats = server.stats()
        output = done.stdout.decode(errors="replace")
        self.assertEqual(done.returncode, 0, output[-3000:])
        counts = {name: int(count)
                  for name, count in re.findall(r"^([a-z_]+): (\d+)$", output, re.MULTILINE)}
        self.assertGreater(counts.get("cmd_get", 0), 0, output[-3000:])
        self.assertGreater(counts.get("cmd_set", 0), 0, output[-3000:])
        for name in FAILURE_COUNTS:
            self.assertEqual(counts.get(name, 0), 0, f"{name}\n{output[-3000:]}")
        # The tool counts what it sent; at the end of a timed run some answers are not awaited.
        self.assertGreaterEqual(int(stats["cmd_get"]), counts["cmd_get"] - CONCURRENCY)
        return counts, stats


class TextTest(Runs, unittest.TestCase):
    """Over the protocol that the tool speaks unless told otherwise."""

    def test_every_value_verifies(self):
        counts, stats = self.run_tool("-x", "60000", "-v", "1.0")
        self.assertIn("verify_failed", counts)
        self.assertEqual(int(stats["get_misses"]), 0)

    def test_items_with_an_expiry_go_when_it_comes_and_no_sooner(self):
        counts, _ = self.run_tool("-t", f"{EXPIRY_RUN_S}s", "-v", "1.0", "-e", "0.3")
        self.assertIn("unexpired_unget", counts)
        self.assertIn("expired_get", counts)

    def test_multi_gets_verify(self):
        _, stats = self.run_tool("-x", "60000", "-v", "1.0", "-d", "25")
        self.assertEqual(int(stats["get_misses"]), 0)

    def test_keys_and_values_of_many_sizes_verify(self):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "mixed")
            with open(path, "w", encoding="ascii") as file:
                file.write(MIXED_SIZES)
            _, stats = self.run_tool("-x", "4000", "-v", "1.0", "-w", "1k", "-F", path)
        self.assertEqual(int(stats["get_misses"]), 0)


class BinaryTest(TextTest):
    """The same in the binary protocol."""

    flags = ("-B",)


class UdpTest(Runs, unittest.TestCase):
    """Text over UDP, where the tool counts lost and disordered datagrams too."""

    flags = ("-U",)
    udp = True

    def test_every_value_verifies_and_no_datagram_is_lost(self):
        counts, stats = self.run_tool("-x", "20000", "-v", "1.0")
        self.assertIn("verify_failed", counts)
        for name in ("packet_disorder", "packet_drop", "udp_timeout"):
            self.assertEqual(counts[name], 0)
        self.assertEqual(int(stats["get_misses"]), 0)


if __name__ == "__main__":
    unittest.main()
