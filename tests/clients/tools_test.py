#!/usr/bin/python3
"""The tools that operators have at hand: libmemcached's, memcached-tool and damemtop."""

import os
import pty
import re
import signal
import subprocess
import tempfile
import termios
import time
import unittest

from server_fixture import OneServer

SCRIPTS = "/usr/share/memcached/scripts"
PATIENCE_S = 30

# Every second a row for each server, with its name and these figures.
DAMEMTOP_CONFIG = """delay: 1
mode: t
top_mode:
    sort_column: "hostname"
    sort_order: "asc"
    columns: [hostname, all_version, all_fill_rate, hit_rate, all_curr_items, all_active_slabs]
servers:
    - {address}
"""


def run(*command):
    """Exit status, standard output."""
    done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.DEVNULL, timeout=PATIENCE_S, check=False)
    return done.returncode, done.stdout.decode()


class LibmemcachedTools:
    """memccp, memccat and the others, for the classes below."""

    flags = ()
    options = ()

    def setUp(self):
        self.assertEqual(self.run_tool("memcflush"), (0, ""))
        folder = tempfile.TemporaryDirectory(prefix="larder-tools-")
        self.addCleanup(folder.cleanup)
        self.files = {"small": "small\n", "numbers": "".join(f"{n}\n" for n in range(20000))}
        for name, text in self.files.items():
            with open(os.path.join(folder.name, name), "w", encoding="ascii") as file:
                file.write(text)
        self.paths = [os.path.join(folder.name, name) for name in self.files]

    def run_tool(self, tool, *arguments):
        """Exit status, standard output."""
        return run(tool, *self.options, f"--servers={self.server.address}", *arguments)

    def test_files_are_copied_in_looked_at_and_removed(self):
        self.assertEqual(self.run_tool("memccp", *self.paths), (0, ""))
        for name, text in self.files.items():
            self.assertEqual(self.run_tool("memccat", name), (0, text + "\n"))
            self.assertEqual(self.run_tool("memcexist", name)[0], 0)
        self.assertEqual(self.run_tool("memctouch", "--expire=100", "small")[0], 0)
        self.assertEqual(self.run_tool("memcrm", "small")[0], 0)
        self.assertNotEqual(self.run_tool("memcexist", "small")[0], 0)
        self.assertNotEqual(self.run_tool("memccat", "small")[0], 0)
        self.assertNotEqual(self.run_tool("memctouch", "--expire=100", "small")[0], 0)
        self.assertEqual(self.run_tool("memcflush")[0], 0)
        self.assertNotEqual(self.run_tool("memcexist", "numbers")[0], 0)

    def test_memcstat_shows_every_group(self):
        self.run_tool("memccp", *self.paths)
        status, text = self.run_tool("memcstat")
        self.assertEqual(status, 0)
        figures = dict(re.findall(r"^\t(\S+): (.*)$", text, re.MULTILINE))
        self.assertEqual(figures["pid"], str(self.server.pid))
        self.assertEqual(figures["total_items"], self.server.stats()["total_items"])
        for group, name in (("settings", "maxconns"), ("items", "number"),
                            ("slabs", "used_chunks")):
            status, text = self.run_tool("memcstat", f"--args={group}")
            self.assertEqual(status, 0)
            self.assertRegex(text, rf"\b{name}: \d+")

    def test_memcslap_loads_the_server(self):
        for test in ("set", "get"):
            status, text = self.run_tool("memcslap", f"--test={test}", "--concurrency=4",
                                         "--execute-number=500", "--initial-load=200")
            self.assertEqual(status, 0, text)


class TextToolsTest(LibmemcachedTools, OneServer):
    """Over text, where there are two tools more."""

    def test_memcdump_names_every_key(self):
        self.run_tool("memccp", *self.paths)
        # Memcached's dump shows an item once its background work has moved it on.
        deadline = time.monotonic() + PATIENCE_S
        keys = []
        while keys != sorted(self.files) and time.monotonic() < deadline:
            status, text = self.run_tool("memcdump")
            self.assertEqual(status, 0)
            keys = sorted(text.split())
        self.assertEqual(keys, sorted(self.files))

    def test_memcping(self):
        self.assertEqual(self.run_tool("memcping"), (0, ""))


class BinaryToolsTest(LibmemcachedTools, OneServer):
    """Over the binary protocol."""

    options = ("--binary",)


class MemcachedToolTest(OneServer):
    """memcached-tool, the script that comes with memcached."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        with cls.server.connect() as connection:
            for number in range(50):
                connection.sendall(b"set key-%d %d 0 5\r\nvalue\r\n" % (number, number))
            connection.sendall(b"set spaced%20key 0 1000 3\r\nabc\r\n")
            text = b""
            while text.count(b"STORED\r\n") < 51:
                text += connection.recv(4096)

    def run_tool(self, *arguments):
        """What the script prints."""
        status, text = run(f"{SCRIPTS}/memcached-tool", self.server.address, *arguments)
        self.assertEqual(status, 0, text)
        return text

    def test_display(self):
        rows = [line.split() for line in self.run_tool("display").splitlines()[1:]]
        self.assertEqual(sum(int(row[4]) for row in rows), 51)
        self.assertTrue(all(row[5] in ("yes", "no") for row in rows), rows)

    def test_stats_and_settings(self):
        for mode in ("stats", "settings"):
            shown = dict(line.split() for line in self.run_tool(mode).splitlines()[1:])
            live = self.server.stats("" if mode == "stats" else mode)
            self.assertEqual(shown.keys(), live.keys())
        self.assertEqual(shown["tcpport"], str(self.server.port))

    def test_sizes(self):
        self.assertIn("sizes_status", self.run_tool("sizes"))

    def test_keys(self):
        keys = re.findall(r"^key=(\S+) exp=-?\d+ la=\d+ cas=\d+ fetch=(?:yes|no) cls=\d+ size=\d+",
                          self.run_tool("keys"), re.MULTILINE)
        self.assertEqual(sorted(keys),
                         sorted([f"key-{number}" for number in range(50)] + ["spaced%2520key"]))

    def test_a_dump_can_be_loaded_into_an_empty_server(self):
        dump = self.run_tool("dump").encode()
        with self.server.connect() as connection:
            connection.sendall(b"flush_all\r\n" + dump + b"get key-7 spaced%20key\r\n")
            text = b""
            while not text.endswith(b"END\r\n"):
                text += connection.recv(4096)
        self.assertEqual(text.count(b"STORED\r\n"), 51)
        self.assertIn(b"VALUE key-7 7 5\r\nvalue\r\nVALUE spaced%20key 0 3\r\nabc\r\nEND\r\n", text)


class DamemtopTest(OneServer):
    """damemtop, which wants a terminal."""

    def test_it_shows_the_server_again_and_again(self):
        with self.server.connect() as connection:
            connection.sendall(b"set key 0 0 1\r\nx\r\n")
            self.assertEqual(connection.recv(64), b"STORED\r\n")
        with tempfile.TemporaryDirectory(prefix="larder-tools-") as home:
            os.mkdir(f"{home}/.damemtop")
            with open(f"{home}/.damemtop/damemtop.yaml", "w", encoding="ascii") as config:
                config.write(DAMEMTOP_CONFIG.format(address=self.server.address))
            text = self.watch([f"{SCRIPTS}/damemtop"], home)
        rows = re.findall(rf"^{self.server.address} +(\S+) +(\S+) +(\S+) +(\S+) +(\S+)", text,
                          re.MULTILINE)
        self.assertGreaterEqual(len(rows), 2, text)
        version = self.server.stats()["version"]
        self.assertTrue(all(row[0] == version and row[3:] == ("1", "1") for row in rows), text)

    def watch(self, command, home):
        """What the program has drawn when the server's row has come twice."""
        pid, terminal = pty.fork()
        if pid == 0:
            termios.tcsetwinsize(0, (40, 120))
            os.environ.update(HOME=home, TERM="xterm")
            os.execv(command[0], command)
        text = ""
        deadline = time.monotonic() + PATIENCE_S
        try:
            while text.count(f"\n{self.server.address}") < 2 and time.monotonic() < deadline:
                text += os.read(terminal, 4096).decode(errors="replace").replace("\r", "")
        except OSError:
            pass  # The program has ended; what it said tells why.
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        os.close(terminal)
        return text


if __name__ == "__main__":
    unittest.main()
