#!/usr/bin/env python3
"""How much Larder and memcached keep in the same memory, as a table with targets.

    capacity.py [--quick] [--peer BINARY] [--memory-mb N] [case ...]

Started by scripts/bench.sh, which builds what is needed and sets the environment: LARDER (the
server), FILL (the program that stores the items), MEMCACHED (--peer's default), and BENCH_COMMAND
(what was typed).
"""

import argparse
import contextlib
import dataclasses
import os
import resource
import socket
import sys
import time

import bench_servers
from bench_servers import BenchError, Server, program_from_environment

MIB = 1 << 20
# Keys and values of all items stored, over -m: with what a server needs beside them it is full
# well before the end, and the rest pushes older items out, as in a cache at work.
OVERFILL = 1.3
SETTLE_SECONDS = 2  # for background work, and for the kernel's per-thread counts to be summed up
CLIENTS = 1000
IDLE_CLIENTS = 10_000
IDLE_KEYS = 100
KEY_BYTES = 25


@dataclasses.dataclass(frozen=True)
class Holding:
    """What one server had at the end of a case."""
    resident_bytes: int
    items: int
    value_bytes: int
    clients: int = 0
    client_bytes: int = 0  # by which resident memory grew when they connected

    def items_per_mib(self) -> float:
        return self.items / (self.resident_bytes / MIB)

    def bytes_per_value_byte(self) -> float:
        return self.resident_bytes / max(self.value_bytes, 1)

    def resident_mib(self) -> float:
        return self.resident_bytes / MIB

    def kib_per_client(self) -> float:
        return self.client_bytes / 1024 / max(self.clients, 1)


@dataclasses.dataclass(frozen=True)
class Case:
    """One row of the table: which values, what is read off the holding, and the target."""
    name: str
    what: str
    values: str
    figure: str  # a method of Holding
    digits: int
    target: str  # with "x" a bound on the ratio, else on Larder's own figure
    clients: int = 0


CASES = (
    Case("small", "items per MiB, 20 B values", "fixed:20", "items_per_mib", 0, ">= 1.40x"),
    Case("medium", "items per MiB, 100 B values", "fixed:100", "items_per_mib", 0, ">= 1.18x"),
    Case("mixed", "items per MiB, log-normal values (median 230 B, sigma 1.3)",
         "lognormal:230:1.3", "items_per_mib", 0, ">= 1.08x"),
    Case("large", "resident bytes per value byte, values of 64 KB to 1 MB",
         "between:65536:1000000", "bytes_per_value_byte", 3, "<= 1.05"),
    Case("clients", "resident MiB, 100 B values, {:,} clients", "fixed:100", "resident_mib", 1,
         "<= -m + 12", clients=CLIENTS),
    Case("idle", "KiB for an idle connection, {:,} of them", "fixed:100", "kib_per_client", 3,
         "<= 0.5", clients=IDLE_CLIENTS),
)


def with_clients(case: Case, clients_max: int) -> Case:
    """The case with no more clients than that."""
    clients = min(case.clients, clients_max)
    return dataclasses.replace(case, what=case.what.format(clients), clients=clients)


def resident_bytes(pid: int) -> int:
    """VmRSS of the process: what of its memory is in RAM, shared libraries included."""
    with open(f"/proc/{pid}/status", encoding="ascii") as status:
        for line in status:
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) * 1024
    raise BenchError(f"process {pid} has no resident memory: did the server end?")


def connect(port: int) -> socket.socket:
    return socket.create_connection(("127.0.0.1", port))


def store_and_fetch(client: socket.socket, number: int) -> None:
    """One client's life so far: it has stored an item and fetched it, and stays connected."""
    key, value = b"client-%018d" % number, b"v" * 100
    client.sendall(b"set %s 0 0 %d\r\n%s\r\nget %s\r\n" % (key, len(value), value, key))
    wanted = b"STORED\r\nVALUE %s 0 %d\r\n%s\r\nEND\r\n" % (key, len(value), value)
    answer = b""
    while len(answer) < len(wanted):
        part = client.recv(4096)
        if not part:
            raise BenchError(f"the server closed connection {number}")
        answer += part
    if answer != wanted:
        raise BenchError(f"a set and a get were answered {answer!r}")


@dataclasses.dataclass(frozen=True)
class Scale:
    """How large a run is."""
    memory_mb: int
    clients_max: int
    settle_seconds: float


QUICK = Scale(memory_mb=8, clients_max=20, settle_seconds=0)


def hold(server: Server, fill: str, case: Case, scale: Scale) -> Holding:
    """Fills a new server and says what it keeps in how much memory."""
    with server.running() as (pid, port), contextlib.ExitStack() as connected:
        total_bytes = int(scale.memory_mb * MIB * OVERFILL)
        kept = bench_servers.run_tool([fill, f"--port={port}", f"--values={case.values}",
                                       f"--total-bytes={total_bytes}"])
        # A few keys, all of them stored before: what is left to grow is what the clients cost.
        for number in range(min(case.clients, IDLE_KEYS)):
            with connect(port) as client:
                store_and_fetch(client, number)
        time.sleep(scale.settle_seconds)
        before_bytes = resident_bytes(pid)
        for number in range(case.clients):
            store_and_fetch(connected.enter_context(connect(port)), number % IDLE_KEYS)
        time.sleep(scale.settle_seconds)
        if int(kept["held_items"]) == int(kept["stored_items"]):
            print(f"{case.name}: {server.name} was not full: it kept all {kept['held_items']}",
                  file=sys.stderr)
        after_bytes = resident_bytes(pid)
        return Holding(after_bytes, int(kept["held_items"]), int(kept["held_value_bytes"]),
                       case.clients, after_bytes - before_bytes)


def verdict(case: Case, ratio: float, ours: float, memory_mb: int) -> str:
    """'met' or 'not met': the target is a bound on the ratio, or on Larder's figure."""
    comparison, bound, *more = case.target.split()
    if bound == "-m":
        limit, value = memory_mb + int(more[1]), ours
    else:
        limit, value = float(bound.rstrip("x")), ratio if bound.endswith("x") else ours
    met = value >= limit if comparison == ">=" else value <= limit
    return "met" if met else "not met"


def table_head() -> list:
    return ["what", "memcached", "Larder", "ratio", "target", "", "MiB, memcached", "MiB, Larder"]


def table_row(case: Case, ours: Holding, theirs: Holding, memory_mb: int) -> list:
    our_figure, their_figure = (getattr(holding, case.figure)() for holding in (ours, theirs))
    ratio = our_figure / their_figure if their_figure else 0.0
    return [case.what, f"{their_figure:,.{case.digits}f}", f"{our_figure:,.{case.digits}f}",
            f"{ratio:.2f}x", case.target, verdict(case, ratio, our_figure, memory_mb),
            f"{theirs.resident_mib():.1f}", f"{ours.resident_mib():.1f}"]


def parse_arguments() -> argparse.Namespace:
    names = [case.name for case in CASES]
    parser = argparse.ArgumentParser(prog="scripts/bench.sh capacity",
                                     description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("case", nargs="*", help=f"some of: {' '.join(names)} (default: all)")
    parser.add_argument("--peer", default=os.environ.get("MEMCACHED", "memcached"),
                        help="the memcached to compare with (%(default)s)")
    parser.add_argument("--memory-mb", type=int, default=256, help="-m of both (%(default)s)")
    parser.add_argument("--quick", action="store_true",
                        help=f"-m {QUICK.memory_mb}: shows that all works; the figures mean little")
    arguments = parser.parse_args()
    for name in arguments.case:
        if name not in names:
            parser.error(f"no case '{name}'; there are: {' '.join(names)}")
    return arguments


def allow_open_files(count: int) -> None:
    """Raises the limit of this process and of the servers it starts to at least `count`."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != resource.RLIM_INFINITY and soft < count:
        if hard != resource.RLIM_INFINITY:
            hard = max(hard, count)
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (count, hard))
        except (ValueError, OSError) as error:
            raise BenchError(f"{count} open files are not allowed here: {error}") from error


def main() -> int:
    arguments = parse_arguments()
    scale = QUICK if arguments.quick else Scale(arguments.memory_mb, IDLE_CLIENTS, SETTLE_SECONDS)
    # More than needed: both count the listening socket and others of their own.
    connections_max = scale.clients_max + 1000
    allow_open_files(connections_max)
    flags = ("-m", str(scale.memory_mb), "-c", str(connections_max),
             *bench_servers.root_flags())
    larder = Server("Larder", program_from_environment("LARDER", "larder"), flags)
    memcached = Server("memcached", bench_servers.program(arguments.peer, "--peer"), flags)
    fill = program_from_environment("FILL", "fill")
    bench_servers.print_preamble(larder, memcached)
    print(f"- {KEY_BYTES}-byte keys; the same items in the same order for both, until keys and "
          f"values make {OVERFILL} times -m;\n  then counted one by one, and divided by the "
          "server's VmRSS\n")
    bench_servers.print_head(table_head())
    for case in (with_clients(case, scale.clients_max) for case in CASES):
        if arguments.case and case.name not in arguments.case:
            continue
        print(f"{case.name}: {case.what}", file=sys.stderr)
        ours, theirs = (hold(server, fill, case, scale)
                        for server in (larder, memcached))
        bench_servers.print_row(table_row(case, ours, theirs, scale.memory_mb))
    return 0


if __name__ == "__main__":
    bench_servers.run_main(main)
