#!/usr/bin/env python3
"""What those who send small requests feel of others: latencies, with and without a disturbance.

    stalls.py [--peer BINARY] [--quick] [--rounds N] [disturbance ...]

One connection sends small stores, one after the other, and counts how long each takes. Disturbances:

    large    ten clients store values of 100 MB each, over and over, into a full cache
    expiry   all items of a full cache expire in the same second
    flush    flush_all of a full cache

Larder and memcached take turns. The table has, for each percentile, the median of the rounds; its
last column is how much of their work the disturbers got done. They run at the lowest priority, as if
they were on a machine of their own; with few cores what is slowest is the operating system's doing
all the same, so that a row says something only beside that of `none`, and beside memcached's.
"""

import argparse
import multiprocessing
import os
import socket
import statistics
import time

import bench_servers
from bench_servers import BenchError, Server

PERCENTILES = ("p50_us", "p99_us", "p999_us", "max_us")
LARGE_CLIENTS = 10
SMALL_VALUE_BYTES = 100
FILL_BATCH = 1000
LOWEST_PRIORITY = 19


def ask(client, request):
    """Sends a request of which the answer is one line, and returns that."""
    client.sendall(request)
    answer = b""
    while not answer.endswith(b"\r\n"):
        piece = client.recv(4096)
        if not piece:
            raise BenchError("the server has closed the connection")
        answer += piece
    return answer


def connect(port):
    return socket.create_connection(("127.0.0.1", port))


def store_large(port, number, value_bytes, begun, is_over, stored, refused):
    """One client: stores its value until it is told to stop."""
    os.nice(LOWEST_PRIORITY)
    request = b"set large%d 0 0 %d\r\n" % (number, value_bytes) + b"v" * value_bytes + b"\r\n"
    with connect(port) as client:
        begun.wait()
        while not is_over.is_set():
            counter = stored if ask(client, request) == b"STORED\r\n" else refused
            with counter.get_lock():
                counter.value += 1


class Nothing:
    """For comparison."""

    def __init__(self, arguments, port, expires_at):
        del arguments, port, expires_at

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass

    def done(self):
        return "-"


class LargeStores(Nothing):
    """Ten clients with very large values."""

    def __init__(self, arguments, port, expires_at):
        super().__init__(arguments, port, expires_at)
        self._begun = multiprocessing.Barrier(LARGE_CLIENTS + 1)
        self._is_over = multiprocessing.Event()
        self._stored = multiprocessing.Value("Q", 0)
        self._refused = multiprocessing.Value("Q", 0)
        self._clients = [
            multiprocessing.Process(target=store_large, args=(
                port, number, arguments.large_mb * 1_000_000, self._begun, self._is_over,
                self._stored, self._refused))
            for number in range(LARGE_CLIENTS)]

    def __enter__(self):
        for client in self._clients:
            client.start()
        self._begun.wait()
        return self

    def __exit__(self, *_):
        self._is_over.set()
        for client in self._clients:
            client.join()

    def done(self):
        return f"{self._stored.value} stored, {self._refused.value} refused"


class Freed(Nothing):
    """Items that are no longer served, all at once, just before the load."""

    def __init__(self, arguments, port, expires_at):
        super().__init__(arguments, port, expires_at)
        self._port = port
        self._expires_at = expires_at
        self._items_before = 0

    def __enter__(self):
        self._items_before = self._items()
        self._end_items()
        return self

    def done(self):
        return f"{self._items_before - self._items()} of {self._items_before} items freed"

    def _items(self):
        return int(bench_servers.stats(self._port)["curr_items"])


class Flush(Freed):
    """By flush_all."""

    def _end_items(self):
        with connect(self._port) as client:
            ask(client, b"flush_all\r\n")


class Expiry(Freed):
    """By the second in which all of them expire."""

    def _end_items(self):
        time.sleep(max(0.0, self._expires_at - time.time()))


DISTURBANCES = {"none": Nothing, "large": LargeStores, "expiry": Expiry, "flush": Flush}


def fill(port, memory_mb, expires_at):
    """Stores small items until the cache is full."""
    value = b"v" * SMALL_VALUE_BYTES
    count = memory_mb * 1_000_000 // SMALL_VALUE_BYTES
    with connect(port) as client:
        for begin in range(0, count, FILL_BATCH):
            client.sendall(b"".join(
                b"set filler-%d 0 %d %d noreply\r\n%s\r\n" % (i, expires_at, len(value), value)
                for i in range(begin, min(begin + FILL_BATCH, count))))
            ask(client, b"mn\r\n")


def measure(arguments, server, disturbance):
    """One run: figures of the load generator, and what the disturbers did."""
    is_expiry = disturbance == "expiry"
    with server.running() as (_, port):
        expires_at = int(time.time()) + arguments.life_s if is_expiry else 0
        fill(port, arguments.memory_mb, expires_at)
        if is_expiry and time.time() > expires_at:
            raise BenchError("filling took longer than the items live: --life-s")
        with DISTURBANCES[disturbance](arguments, port, expires_at) as disturber:
            figures = bench_servers.run_tool([
                arguments.loadgen, f"--port={port}", "--op=set", "--connections=1", "--pipeline=1",
                "--keys=1000", f"--value-bytes={SMALL_VALUE_BYTES}", "--warmup=0",
                f"--requests={arguments.requests}"])
            done = disturber.done()
    return [float(figures[name]) for name in PERCENTILES], done


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("disturbances", nargs="*", metavar="disturbance",
                        help="of none, large, expiry, flush; all if none is named")
    parser.add_argument("--peer", default=os.environ.get("MEMCACHED", "memcached"))
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--requests", type=int, default=200_000)
    parser.add_argument("--memory-mb", type=int, default=2048)
    parser.add_argument("--large-mb", type=int, default=100)
    parser.add_argument("--life-s", type=int, default=180, help="longer than filling takes")
    parser.add_argument("--threads", type=int, default=4)
    parser.add_argument("--quick", action="store_true", help="a smoke run")
    arguments = parser.parse_args()
    if arguments.quick:
        arguments.rounds, arguments.requests, arguments.life_s = 1, 5000, 6
        arguments.memory_mb, arguments.large_mb = 64, 2
    unknown = set(arguments.disturbances) - set(DISTURBANCES)
    if unknown:
        parser.error(f"there is no disturbance {', '.join(unknown)}")
    return arguments


def main():
    arguments = parse_arguments()
    arguments.loadgen = bench_servers.program_from_environment("LOADGEN", "loadgen")
    flags = ("-t", str(arguments.threads), "-m", str(arguments.memory_mb),
             "-I", f"{max(arguments.large_mb * 5 // 4, 2)}m", *bench_servers.root_flags())
    servers = [
        Server("Larder", bench_servers.program_from_environment("LARDER", "larder"), flags),
        Server("memcached", bench_servers.program(arguments.peer, "--peer"), flags)]
    bench_servers.print_preamble(*servers)
    bench_servers.print_head(
        ["beside", "server", "p50 us", "p99 us", "p99.9 us", "slowest us", "meanwhile"])
    for disturbance in arguments.disturbances or DISTURBANCES:
        runs = {server.name: [] for server in servers}
        for _ in range(arguments.rounds):
            for server in servers:
                runs[server.name].append(measure(arguments, server, disturbance))
        for server in servers:
            latencies, done = zip(*runs[server.name])
            medians = [statistics.median(column) for column in zip(*latencies)]
            bench_servers.print_row([disturbance, server.name, *(f"{us:,.0f}" for us in medians),
                                     "; ".join(dict.fromkeys(done))])
    return 0


if __name__ == "__main__":
    bench_servers.run_main(main)
