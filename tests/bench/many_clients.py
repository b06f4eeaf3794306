#!/usr/bin/env python3
"""Thousands of connections, each with one request a second: the server's CPU time, and latencies.

    many_clients.py [--peer BINARY] [--quick] [--clients N] [--seconds N]

Each connection has its moment within the second, so that requests are spread evenly. A latency is
counted from that moment, late sending included, so a server that stands still is not asked less.
Started by scripts/bench.sh many-clients, which sets LARDER and MEMCACHED.
"""

import argparse
import contextlib
import os
import selectors
import socket
import time

import bench_servers
import capacity
from bench_servers import BenchError, Server, program_from_environment

KEYS = 1000
VALUE = b"v" * 100
SET_EVERY = 10  # the others are gets


def cpu_seconds(pid: int) -> float:
    """Of all threads, user and kernel."""
    nanoseconds = 0
    for thread in os.listdir(f"/proc/{pid}/task"):
        with open(f"/proc/{pid}/task/{thread}/schedstat", encoding="ascii") as account:
            nanoseconds += int(account.read().split()[0])
    return nanoseconds / 1e9


def request(number: int) -> tuple:
    """What is sent, and the whole of the answer."""
    key = b"key-%d" % (number % KEYS)
    if number % SET_EVERY == 0:
        return b"set %s 0 0 %d\r\n%s\r\n" % (key, len(VALUE), VALUE), b"STORED\r\n"
    return b"get %s\r\n" % key, b"VALUE %s 0 %d\r\n%s\r\nEND\r\n" % (key, len(VALUE), VALUE)


class Crowd:
    """The clients, and what they are waiting for."""

    def __init__(self, port: int, count: int, closing: contextlib.ExitStack):
        self._selector = closing.enter_context(selectors.EpollSelector())
        self._sockets = []
        for _ in range(count):
            client = closing.enter_context(capacity.connect(port))
            self._selector.register(client, selectors.EVENT_READ, len(self._sockets))
            self._sockets.append(client)
        self._waiting = {}  # client: when its request was due, and the answer
        self.latencies = []
        self.errors = 0

    def send(self, client: int, number: int, due: float) -> None:
        text, answer = request(number)
        if client in self._waiting:  # not answered for a whole second
            self.errors += 1
            return
        self._waiting[client] = (due, answer)
        self._sockets[client].sendall(text)

    def receive(self, seconds: float) -> None:
        for key, _ in self._selector.select(max(seconds, 0)):
            got = key.fileobj.recv(4096)
            due, answer = self._waiting.pop(key.data, (0.0, b""))
            self.latencies.append(time.monotonic() - due)
            self.errors += got != answer  # so small an answer comes in one piece
            if not got:
                raise BenchError(f"the server closed connection {key.data}")

    def run(self, seconds: int) -> None:
        count = len(self._sockets)
        began = time.monotonic()
        for number in range(count * seconds):
            due = began + number / count
            while (left := due - time.monotonic()) > 0:
                self.receive(left)
            self.send(number % count, number, due)
            if number % 16 == 0:
                self.receive(0)
        deadline = time.monotonic() + 5
        while self._waiting and time.monotonic() < deadline:
            self.receive(0.1)
        self.errors += len(self._waiting)


def measure(server: Server, clients: int, seconds: int) -> list:
    """The cells of one server's row."""
    with server.running() as (pid, port), contextlib.ExitStack() as closing:
        with capacity.connect(port) as filler:
            for number in range(KEYS):
                filler.sendall(b"set key-%d 0 0 %d noreply\r\n%s\r\n" % (number, len(VALUE), VALUE))
            filler.sendall(b"mn\r\n")
            filler.recv(4096)
        crowd = Crowd(port, clients, closing)
        began, before = time.monotonic(), cpu_seconds(pid)
        crowd.run(seconds)
        cpu, passed = cpu_seconds(pid) - before, time.monotonic() - began
        latencies = sorted(crowd.latencies)
        shown = [f"{latencies[int(part * (len(latencies) - 1))] * 1e6:,.0f} µs"
                 for part in (0.5, 0.99, 0.999)]
        return [server.name, f"{len(latencies) / passed:,.0f}", str(crowd.errors),
                f"{100 * cpu / passed:.1f} %", f"{1e6 * cpu / len(latencies):.2f} µs", *shown]


def main() -> int:
    parser = argparse.ArgumentParser(prog="scripts/bench.sh many-clients",
                                     description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--peer", default=os.environ.get("MEMCACHED", "memcached"))
    parser.add_argument("--clients", type=int, default=15_000)
    parser.add_argument("--seconds", type=int, default=10)
    parser.add_argument("--quick", action="store_true", help="100 clients for a second")
    arguments = parser.parse_args()
    if arguments.quick:
        arguments.clients, arguments.seconds = 100, 1
    connections_max = arguments.clients + 1000
    capacity.allow_open_files(connections_max)
    flags = ("-t", os.environ.get("THREADS", "1"), "-c", str(connections_max),
             *bench_servers.root_flags())
    servers = (Server("Larder", program_from_environment("LARDER", "larder"), flags),
               Server("memcached", bench_servers.program(arguments.peer, "--peer"), flags))
    bench_servers.print_preamble(*servers)
    print(f"- {arguments.clients:,} connections, each with a request a second\n")
    bench_servers.print_head(["server", "requests/s", "errors", "CPU", "CPU per request", "p50",
                              "p99", "p99.9"])
    for server in servers:
        bench_servers.print_row(measure(server, arguments.clients, arguments.seconds))
    return 0


if __name__ == "__main__":
    bench_servers.run_main(main)
