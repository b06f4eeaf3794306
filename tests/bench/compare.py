#!/usr/bin/env python3
"""Loads Larder and memcached in turn with the same requests and prints a table of ratios.

    compare.py [--quick] [--peer BINARY] [--rounds N] [--threads N,N..] [workload ...]

Started by scripts/bench.sh, which builds what is needed and sets the environment: LARDER (the
server), LOADGEN, MEMCACHED (--peer's default), THREADS (--threads' default: -t of both servers),
MEMORY_MB (-m of both), and BENCH_COMMAND (what was typed).
"""

import argparse
import dataclasses
import os
import statistics
import sys

import bench_servers
from bench_servers import Server, program_from_environment

QUICK_DIVISOR = 50  # of the number of requests


@dataclasses.dataclass(frozen=True)
class Workload:
    """One row of the table. The number of requests makes for one to three seconds a run."""
    name: str
    operation: str
    connections: int
    pipeline: int
    requests: int
    value_bytes: int = 100
    keys: int = 100_000
    keys_per_get: int = 1

    def arguments(self, quick: bool) -> list:
        requests = max(self.requests // QUICK_DIVISOR, 1) if quick else self.requests
        return [f"--op={self.operation}", f"--connections={self.connections}",
                f"--pipeline={self.pipeline}", f"--requests={requests}",
                f"--warmup={max(requests // 10, 1)}", f"--value-bytes={self.value_bytes}",
                f"--keys={self.keys}", f"--keys-per-get={self.keys_per_get}"]


WORKLOADS = (
    Workload("get-50x1", "get", 50, 1, 200_000),
    Workload("set-50x1", "set", 50, 1, 200_000),
    Workload("get-8x64", "get", 8, 64, 2_000_000),
    Workload("get-8x64-hot", "get", 8, 64, 2_000_000, keys=1),
    Workload("set-8x64", "set", 8, 64, 2_000_000),
    Workload("get-100keys", "get", 8, 1, 30_000, keys_per_get=100),
    Workload("get-10k", "get", 8, 1, 150_000, value_bytes=10 * 1024, keys=5_000),
    Workload("set-10k", "set", 8, 1, 150_000, value_bytes=10 * 1024, keys=5_000),
    Workload("get-500k", "get", 8, 1, 10_000, value_bytes=500 * 1024, keys=200),
    Workload("set-500k", "set", 8, 1, 10_000, value_bytes=500 * 1024, keys=200),
    # Nearly the largest that memcached takes without -I.
    Workload("get-1m", "get", 8, 1, 5_000, value_bytes=1_000_000, keys=100),
    Workload("set-1m", "set", 8, 1, 5_000, value_bytes=1_000_000, keys=100),
)

# What the load generator reports and what the table shows, as ratios of Larder to memcached.
CPU = "server_cpu_us_per_request"
RATIOS = (("throughput", "requests/s"), ("p50_us", "p50"), ("p99_us", "p99"), ("p999_us", "p99.9"))


def measure(loadgen: str, workload: Workload, quick: bool, seed: int, pid: int, port: int) -> dict:
    """Runs the load once against one server. Returns the figures of loadgen's line."""
    command = [loadgen, *workload.arguments(quick), f"--seed={seed}", f"--port={port}",
               f"--server-pid={pid}"]
    return {key: float(value) for key, value in bench_servers.run_tool(command).items()}


def compare(workload: Workload, larder: Server, memcached: Server, loadgen: str, rounds: int,
            quick: bool) -> list:
    """Returns one (larder, memcached) pair of figures a round."""
    pairs = []
    with larder.running() as ours, memcached.running() as theirs:
        for round_number in range(1, rounds + 1):
            print(f"{workload.name}: round {round_number} of {rounds}", file=sys.stderr)
            pairs.append(tuple(measure(loadgen, workload, quick, round_number, pid, port)
                               for pid, port in (ours, theirs)))
    return pairs


def ratios(pairs: list, figure: str) -> list:
    """Larder's figure over memcached's, round by round: what drifts between rounds cancels out."""
    return [ours[figure] / theirs[figure] for ours, theirs in pairs]


def table_head() -> list:
    return ["workload", "CPU per request, memcached", "Larder", "ratio", "lowest to highest",
            *(title for _, title in RATIOS)]


def table_row(name: str, pairs: list) -> list:
    cpu_ratios = ratios(pairs, CPU)
    cells = [name,
             f"{statistics.median(theirs[CPU] for _, theirs in pairs):.2f} µs",
             f"{statistics.median(ours[CPU] for ours, _ in pairs):.2f} µs",
             f"{statistics.median(cpu_ratios):.2f}x",
             f"{min(cpu_ratios):.2f} to {max(cpu_ratios):.2f}"]
    return cells + [f"{statistics.median(ratios(pairs, figure)):.2f}x" for figure, _ in RATIOS]


def thread_counts(text: str) -> list:
    """The numbers of '1,2,4'."""
    counts = [int(number) for number in text.split(",")]
    if min(counts) < 1:
        raise ValueError(text)
    return counts


def with_threads(server: Server, count: int) -> Server:
    return dataclasses.replace(server, flags=("-t", str(count), *server.flags))


def parse_arguments() -> argparse.Namespace:
    names = [workload.name for workload in WORKLOADS]
    parser = argparse.ArgumentParser(prog="scripts/bench.sh", description=__doc__.split("\n")[0])
    parser.add_argument("workload", nargs="*", help=f"some of: {' '.join(names)} (default: all)")
    parser.add_argument("--quick", action="store_true",
                        help="one short round: shows that all works; the figures mean little")
    parser.add_argument("--peer", default=os.environ.get("MEMCACHED", "memcached"),
                        help="the memcached to compare with (%(default)s)")
    parser.add_argument("--rounds", type=int, default=int(os.environ.get("ROUNDS", "5")))
    parser.add_argument("--threads", type=thread_counts, default=os.environ.get("THREADS", "1"),
                        help="-t of both; several, separated by commas, make a row each "
                             "(%(default)s)")
    arguments = parser.parse_args()
    for name in arguments.workload:
        if name not in names:
            parser.error(f"no workload '{name}'; there are: {' '.join(names)}")
    if arguments.rounds < 1:
        parser.error("--rounds takes a number from 1 up")
    return arguments


def main() -> int:
    arguments = parse_arguments()
    rounds = 1 if arguments.quick else arguments.rounds
    flags = ("-m", os.environ.get("MEMORY_MB", "512"), *bench_servers.root_flags())
    larder = Server("Larder", program_from_environment("LARDER", "larder"), flags)
    memcached = Server("memcached", bench_servers.program(arguments.peer, "--peer"), flags)
    loadgen = program_from_environment("LOADGEN", "loadgen")
    bench_servers.print_preamble(larder, memcached)
    print(f"- `-t {'`, `-t '.join(map(str, arguments.threads))}`")
    print(f"- ratios are Larder / memcached, the median of {rounds} paired rounds; below 1 is "
          "better, but for requests/s\n")
    bench_servers.print_head(table_head())
    for workload in WORKLOADS:
        if arguments.workload and workload.name not in arguments.workload:
            continue
        for count in arguments.threads:
            pairs = compare(workload, with_threads(larder, count), with_threads(memcached, count),
                            loadgen, rounds, arguments.quick)
            name = workload.name + (f", -t {count}" if len(arguments.threads) > 1 else "")
            bench_servers.print_row(table_row(name, pairs))
    return 0


if __name__ == "__main__":
    bench_servers.run_main(main)
