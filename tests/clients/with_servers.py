#!/usr/bin/python3
"""Runs a client's own program, in its own language, against fresh servers.

    with_servers.py [--servers N] PROGRAM [ARGUMENT ...]

The ports of the servers are appended to the program's arguments. The program is content if it ends
with status 0 and its last line is `all good`; a test that ends early for another reason is not. A
server that died, or does not stop on SIGTERM with status 0, fails the test too.
"""

import argparse
import contextlib
import subprocess
import sys

from server_fixture import Server

PATIENCE_S = 100
LAST_LINE = "all good"


def run_program(command, server_count=1):
    """None, or what the program said instead of `all good`."""
    with contextlib.ExitStack() as stack:
        servers = [stack.enter_context(Server()) for _ in range(server_count)]
        command = command + [str(server.port) for server in servers]
        done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, timeout=PATIENCE_S, check=False)
    output = done.stdout.decode(errors="replace")
    if done.returncode == 0 and output.splitlines()[-1:] == [LAST_LINE]:
        return None
    return f"{' '.join(command)} ended with status {done.returncode}:\n{output}"


def main():
    """Exit status 1 with the program's output if it is not content."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--servers", type=int, default=1, metavar="N")
    parser.add_argument("command", nargs=argparse.REMAINDER)
    arguments = parser.parse_args()
    sys.exit(run_program(arguments.command, arguments.servers))


if __name__ == "__main__":
    main()
