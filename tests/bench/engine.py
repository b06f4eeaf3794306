#!/usr/bin/env python3
"""The engine alone: two threads against one, groups against keys one by one, both against memory.

    engine.py [--quick] [--large] [--rounds N]

Runs bench_cache, the rows of which take short turns in a random order (interleaved repetitions), so
that what drifts meanwhile drifts for all. Ratios are those of medians; the spread is that of the
middle half of the turns, over the median, in whichever of the two rows it is larger. The first
table has the operations a second of two threads over those of one. Its first two rows are what the
machine gives two threads that share nothing: one that only computes, and one that only waits for
main memory. The second table has the time for one key asked for by itself and in a group of 32,
whose misses overlap, and how many times the latency of main memory that is. --large repeats it with
50 million items, which take 8 GB.
"""

import argparse
import json
import os
import re
import statistics
import subprocess

import bench_servers
from bench_servers import BenchError

ITEMS = 10_000_000
LARGE_ITEMS = 50_000_000
QUICK_ITEMS = 20_000
MEMORY = "memory/latency"

# Kinds of work by the names of bench_cache; {} is the number of items.
SCALING = (
    ("computing only", "overhead/make_key"),
    ("waiting for memory only", MEMORY),
    ("get", "get/items:{}/group:1"),
    ("get, groups of 32", "get/items:{}/group:32"),
    ("90/10 by Zipf", "mixed_zipf/items:{}/group:1"),
    ("90/10 by Zipf, groups of 32", "mixed_zipf/items:{}/group:32"),
    ("set", "set/items:{}"),
    ("set that evicts", "set/evicting"),
)
GROUPS = (("get", "get/items:{}/group:"), ("90/10 by Zipf", "mixed_zipf/items:{}/group:"))


class Figures:
    """What bench_cache measured: for each row and number of threads, a figure a turn."""

    def __init__(self, output: str):
        self._runs = {}
        for run in json.loads(output)["benchmarks"]:
            if run.get("error_occurred"):
                raise BenchError(f"{run['name']}: {run['error_message']}")
            if run["run_type"] == "iteration":
                row = re.sub(r"/real_time/threads:\d+$", "", run["run_name"])
                self._runs.setdefault((row, run["threads"]), []).append(run)

    def turns(self, row: str, threads: int) -> list:
        """The turns of a row."""
        runs = self._runs.get((row, threads))
        if runs is None:
            raise BenchError(f"bench_cache has no row {row} with {threads} threads")
        return runs

    def key_ns(self, row: str) -> list:
        """The time for one key by one thread, turn by turn."""
        return [run["real_time"] for run in self.turns(row, 1)]

    def per_second(self, row: str, threads: int) -> list:
        return [run["items_per_second"] for run in self.turns(row, threads)]


def ratio_and_spread(ours: list, theirs: list) -> list:
    ratio = statistics.median(ours) / statistics.median(theirs)
    return [f"{ratio:.2f}x", f"{max(spread(ours), spread(theirs)):.0%}"]


def spread(values: list) -> float:
    lower, median, upper = statistics.quantiles(values, n=4, method="inclusive")
    return (upper - lower) / median


def scaling_row(figures: Figures, title: str, row: str) -> list:
    one, two = figures.per_second(row, 1), figures.per_second(row, 2)
    return [title, *(f"{statistics.median(rates) / 1e6:.2f} M/s" for rates in (one, two)),
            *ratio_and_spread(two, one)]


def group_row(figures: Figures, items: int, title: str, row: str) -> list:
    alone, grouped = figures.key_ns(row + "1"), figures.key_ns(row + "32")
    latency = statistics.median(figures.key_ns(MEMORY))
    medians = [statistics.median(times) for times in (alone, grouped)]
    return [f"{title} of {items:,}", *(f"{median:.0f} ns" for median in medians),
            *ratio_and_spread(grouped, alone), f"{latency:.0f} ns",
            *(f"{median / latency:.2f}" for median in medians)]


def measure(arguments: argparse.Namespace, items: int, rows: list) -> Figures:
    """Runs those rows of bench_cache whose names begin so."""
    seconds = 0.01 if arguments.quick else 0.1
    command = [arguments.bench_cache, f"--benchmark_filter=^({'|'.join(rows)})",
               "--benchmark_format=json", f"--benchmark_repetitions={arguments.rounds}",
               "--benchmark_enable_random_interleaving=true", f"--benchmark_min_time={seconds}"]
    environment = {**os.environ, "LARDER_BENCH_ITEMS": str(items)}
    if arguments.quick:
        environment["LARDER_BENCH_CHASE_MIB"] = "1"
    result = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    if result.returncode != 0 or not result.stdout:
        raise BenchError(f"bench_cache: {result.stderr.strip()}")
    return Figures(result.stdout)


def print_scaling(figures: Figures, items: int) -> None:
    bench_servers.print_head(["work", "one thread", "two threads", "ratio", "spread"])
    for title, row in SCALING:
        bench_servers.print_row(scaling_row(figures, title, row.format(items)))
    print()


def print_groups(measured: list) -> None:
    bench_servers.print_head(["keys", "one by one", "groups of 32", "ratio", "spread",
                              "main memory", "one by one / memory", "groups / memory"])
    for items, figures in measured:
        for title, row in GROUPS:
            bench_servers.print_row(group_row(figures, items, title, row.format(items)))


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="scripts/bench.sh engine",
                                     description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--quick", action="store_true",
                        help="few items and two short turns: shows that all works")
    parser.add_argument("--large", action="store_true",
                        help="groups with 50 million items as well (8 GB of memory)")
    parser.add_argument("--rounds", type=int, default=21, help="turns of each row")
    arguments = parser.parse_args()
    if arguments.rounds < 2:
        parser.error("--rounds takes a number from 2 up")  # one would be no repetition
    if arguments.quick:
        arguments.rounds = 2
    return arguments


def main() -> int:
    arguments = parse_arguments()
    arguments.bench_cache = bench_servers.program_from_environment("BENCH_CACHE", "bench_cache")
    bench_servers.print_place()
    print(f"- medians of {arguments.rounds} turns of each row\n")
    items = QUICK_ITEMS if arguments.quick else ITEMS
    figures = measure(arguments, items, [row.format(items) for _, row in SCALING])
    print_scaling(figures, items)
    measured = [(items, figures)]
    if arguments.large:
        items = 2 * QUICK_ITEMS if arguments.quick else LARGE_ITEMS
        rows = [MEMORY, *(row.format(items) + "[0-9]+/real_time/threads:1$" for _, row in GROUPS)]
        measured.append((items, measure(arguments, items, rows)))
    print_groups(measured)
    return 0


if __name__ == "__main__":
    bench_servers.run_main(main)
