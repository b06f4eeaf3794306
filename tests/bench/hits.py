#!/usr/bin/env python3
"""How often Larder and memcached miss in the same memory, and the best that could be done in it.

    hits.py [--quick] [--peer BINARY] [--memory-mb N] [--requests N]
            [--only WORKLOAD ... | --trace FILE]

Started by scripts/bench.sh, which builds what is needed and sets the environment: LARDER (the
server), REPLAY and SIMULATE (the programs that play the workloads, over the wire and on paper),
MEMCACHED (--peer's default), and BENCH_COMMAND (what was typed).
"""

import argparse
import dataclasses
import os
import statistics
import subprocess
import sys

import bench_servers
from bench_servers import BenchError, Server, program_from_environment

# Misses of Larder / misses of memcached, from the targets of the project.
AVERAGE_MAX = 0.90
WORST_MAX = 0.97
AFTER_SHIFT_MAX = 0.72
SHIFT = "shift"  # the workload that has a target of its own
BACK_SECONDS_MAX = 5
# The hit ratio is back after a shift in the first second in which it is so close to that of an LRU
# cache, which can use all its memory for any size at once.
BACK_WITHIN = 0.02
QUICK_REQUESTS = 20_000  # so few that everything fits, and all caches have the same misses
LATE = 1.05  # times the planned seconds


@dataclasses.dataclass(frozen=True)
class Workload:
    """One row of the table; what the programs are told to play it."""
    name: str
    what: str
    weigh: str  # whether simulated caches have room for as many "items" or as many "bytes"
    arguments: tuple

    def capacity(self, outcome: dict) -> str:
        """What a server had room for at the end of the replay: expired items count as well."""
        figure = "current_items" if self.weigh == "items" else "held_bytes"
        return str(max(int(outcome[figure]), 1))


@dataclasses.dataclass(frozen=True)
class Result:
    """A workload's figures: lines of the programs, as text."""
    workload: Workload
    ours: dict
    theirs: dict
    simulated: dict

    def ratio(self) -> float:
        return int(self.ours["misses"]) / max(int(self.theirs["misses"]), 1)


def made_workloads(replay: str, requests: int) -> list:
    """Those that the replay program knows by name."""
    listed = subprocess.run([replay, "--list"], capture_output=True, text=True, check=True).stdout
    rows = [line.split("\t") for line in listed.splitlines()]
    return [Workload(name, what, weigh,
                     (f"--workload={name}", f"--requests={requests or default_requests}"))
            for name, default_requests, weigh, what in rows]


def trace_workload(path: str, requests: int) -> Workload:
    return Workload("trace", os.path.basename(path), "bytes",
                    (f"--trace={path}", f"--requests={requests}"))


def play(workload: Workload, server: Server, replay: str) -> dict:
    with server.running() as (_, port):
        return bench_servers.run_tool([replay, f"--port={port}", *workload.arguments])


def measure(workload: Workload, larder: Server, memcached: Server, replay: str,
            simulate: str) -> Result:
    print(f"{workload.name}: {workload.what}", file=sys.stderr)
    ours, theirs = (play(workload, server, replay) for server in (larder, memcached))
    simulated = bench_servers.run_tool(
        [simulate, f"--capacity={workload.capacity(ours)}", *workload.arguments])
    for server, outcome in ((larder, ours), (memcached, theirs)):
        warn_if_late(workload, server, outcome)
    return Result(workload, ours, theirs, simulated)


def warn_if_late(workload: Workload, server: Server, outcome: dict) -> None:
    if outcome["per_second"] == "0":
        return
    planned = int(outcome["requests"]) / int(outcome["per_second"])
    if float(outcome["seconds"]) > LATE * planned:
        print(f"{workload.name}: {server.name} took {outcome['seconds']} s for {planned:.1f} s of "
              "requests; this machine is too busy for figures that depend on time", file=sys.stderr)


def table_head() -> list:
    return ["workload", "requests counted", "misses, memcached", "Larder", "ratio",
            "LRU", "S3-FIFO", "optimum", "items, memcached", "items, Larder"]


def table_row(result: Result) -> list:
    counted = int(result.ours["counted"])
    misses = [result.theirs["misses"], result.ours["misses"]]
    simulated = [result.simulated[f"{policy}_misses"] for policy in ("lru", "s3fifo", "optimum")]
    served, policies = ([f"{int(count) / counted:.2%}" for count in counts]
                        for counts in (misses, simulated))
    return [result.workload.what, f"{counted:,}", *served, f"{result.ratio():.3f}x", *policies,
            f"{int(result.theirs['held_items']):,}", f"{int(result.ours['held_items']):,}"]


def met(is_met: bool) -> str:
    return "met" if is_met else "not met"


def summary(results: list) -> list:
    """Sentences about the workloads that the average is made of."""
    steady = [result for result in results if result.workload.name != SHIFT]
    if not steady:
        return []
    average = statistics.geometric_mean(max(result.ratio(), 1e-9) for result in steady)
    worst = max(steady, key=Result.ratio)
    refused = sum(int(result.ours["refused"]) for result in results)
    return [
        f"misses on average (geometric mean of {len(steady)}): {average:.3f}x, target "
        f"<= {AVERAGE_MAX:.2f}x: {met(average <= AVERAGE_MAX)}",
        f"worst: {worst.ratio():.3f}x ({worst.workload.what}), target <= {WORST_MAX:.2f}x: "
        f"{met(worst.ratio() <= WORST_MAX)}",
        f"stores refused by Larder: {refused}, target 0: {met(refused == 0)}",
    ]


def second_when_back(result: Result, outcome: dict):
    """In that second after the shift, counted from 1, the hit ratio was what LRU would have.

    None: not in the replay.
    """
    per_second = int(outcome["per_second"])
    pairs = zip(numbers(outcome["misses_by_second"]), numbers(result.simulated["lru_by_second"]))
    for second, (misses, lru_misses) in enumerate(pairs, start=1):
        if misses <= lru_misses + BACK_WITHIN * per_second:
            return second
    return None


def numbers(text: str) -> list:
    return [int(number) for number in text.split(",") if number]


def shift_summary(result: Result) -> list:
    """Sentences about the time after a shift of sizes."""
    back = {name: second_when_back(result, outcome)
            for name, outcome in (("Larder", result.ours), ("memcached", result.theirs))}
    ours_is_met = back["Larder"] is not None and back["Larder"] <= BACK_SECONDS_MAX
    said = {name: "not in the replay" if second is None else f"in second {second}"
            for name, second in back.items()}
    return [
        f"misses after the shift: {result.ratio():.3f}x, target <= {AFTER_SHIFT_MAX:.2f}x: "
        f"{met(result.ratio() <= AFTER_SHIFT_MAX)}; stores refused: Larder "
        f"{result.ours['refused']}, memcached {result.theirs['refused']}",
        f"hit ratio back (within {BACK_WITHIN:.0%} of LRU's in the same second): Larder "
        f"{said['Larder']}, memcached {said['memcached']}; target within {BACK_SECONDS_MAX} s: "
        f"{met(ours_is_met)}",
    ]


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="scripts/bench.sh hits",
                                     description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--peer", default=os.environ.get("MEMCACHED", "memcached"),
                        help="the memcached to compare with (%(default)s)")
    parser.add_argument("--memory-mb", type=int, default=64, help="-m of both (%(default)s)")
    parser.add_argument("--only", action="append", metavar="WORKLOAD",
                        help="only this one; may be given again")
    parser.add_argument("--requests", type=int, default=0, help="of each (its own number)")
    parser.add_argument("--quick", action="store_true",
                        help=f"--requests {QUICK_REQUESTS}: shows that all works, and no more")
    parser.add_argument("--trace", help="replay this file, see tests/bench/README.md, and no other")
    arguments = parser.parse_args()
    if arguments.quick:
        arguments.requests = QUICK_REQUESTS
    return arguments


def chosen_workloads(arguments: argparse.Namespace, replay: str) -> list:
    if arguments.trace:
        return [trace_workload(arguments.trace, arguments.requests)]
    workloads = made_workloads(replay, arguments.requests)
    for name in arguments.only or ():
        if name not in [workload.name for workload in workloads]:
            raise BenchError(f"no workload '{name}'; there are: "
                             + " ".join(workload.name for workload in workloads))
    return [workload for workload in workloads
            if not arguments.only or workload.name in arguments.only]


def main() -> int:
    arguments = parse_arguments()
    flags = ("-m", str(arguments.memory_mb), *bench_servers.root_flags())
    larder = Server("Larder", program_from_environment("LARDER", "larder"), flags)
    memcached = Server("memcached", bench_servers.program(arguments.peer, "--peer"), flags)
    replay = program_from_environment("REPLAY", "replay")
    simulate = program_from_environment("SIMULATE", "simulate")
    workloads = chosen_workloads(arguments, replay)
    bench_servers.print_preamble(larder, memcached)
    print("- each request is a get, and a set on a miss; the first third is not counted; LRU, "
          "S3-FIFO and optimum\n  have room for as many items (of mixed sizes: bytes of keys and "
          "values) as Larder at the end\n")
    bench_servers.print_head(table_head())
    results = []
    for workload in workloads:
        results.append(measure(workload, larder, memcached, replay, simulate))
        bench_servers.print_row(table_row(results[-1]))
    sentences = summary(results)
    for result in results:
        if result.workload.name == SHIFT:
            sentences += shift_summary(result)
    print("\n" + "\n".join("- " + sentence for sentence in sentences))
    return 0


if __name__ == "__main__":
    bench_servers.run_main(main)
