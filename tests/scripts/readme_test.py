#!/usr/bin/env python3
"""What README shows is so: the telnet session, and the table of options.

    readme_test.py <larder>
"""

import pathlib
import re
import socket
import subprocess
import sys
import time
import unittest

README = (pathlib.Path(__file__).resolve().parents[2] / "README.md").read_text()
STORAGE = {"set", "add", "replace", "append", "prepend", "cas"}
COMMANDS = STORAGE | {"get", "gets", "incr", "decr", "touch", "delete", "quit"}
LARDER = sys.argv.pop() if len(sys.argv) > 1 else "larder"


def session_lines() -> list:
    """The lines of the session, each with whether it is typed or answered."""
    block = re.search(r"```\n\$ telnet [^\n]*\n(.*?)```", README, re.S).group(1)
    lines, value_follows = [], False
    for line in block.splitlines():
        word = line.split(" ")[0]
        lines.append((value_follows or word in COMMANDS, line))
        value_follows = word in STORAGE and not value_follows
    return lines


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def connect(port: int) -> socket.socket:
    deadline = time.monotonic() + 20
    while True:
        try:
            return socket.create_connection(("127.0.0.1", port), timeout=20)
        except ConnectionRefusedError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)


class ReadmeTest(unittest.TestCase):

    def test_the_telnet_session_goes_as_shown(self):
        port = free_port()
        server = subprocess.Popen([LARDER, "-u", "nobody", "-p", str(port)])
        self.addCleanup(server.wait)
        self.addCleanup(server.terminate)
        with connect(port) as connection, connection.makefile("rwb") as stream:
            for typed, line in session_lines():
                if typed:
                    stream.write(line.encode() + b"\r\n")
                    stream.flush()
                else:
                    self.assertEqual(stream.readline(), line.encode() + b"\r\n")
            self.assertEqual(stream.read(), b"")  # `quit` is answered by closing

    def test_the_table_has_every_option_of_the_help_text_and_no_other(self):
        table = re.search(r"<!-- options -->\n(.*?)<!-- /options -->", README, re.S).group(1)
        listed = set(re.findall(r"^\| `(-\w)`(?:, `(--[\w-]+)`)?", table, re.M))
        help_text = subprocess.run([LARDER, "-h"], capture_output=True, text=True, check=True)
        offered = set(re.findall(r"^(-\w)(?:, (--[\w-]+))?", help_text.stdout, re.M))
        self.assertEqual(listed, offered)

    def test_the_source_table_names_the_folders_there_are(self):
        root = pathlib.Path(__file__).resolve().parents[2]
        for folder in re.findall(r"^\| `([\w/]+/)` \|", README, re.M):
            self.assertTrue((root / folder).is_dir(), folder)


if __name__ == "__main__":
    unittest.main()
