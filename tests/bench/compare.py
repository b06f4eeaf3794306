#!/usr/bin/env python3
"""Loads Larder and memcached in turn with the same requests and prints a table of ratios.

    compare.py [--quick] [--rounds N] [workload ...]

Started by scripts/bench.sh, which builds what is needed and sets the environment: LARDER and
MEMCACHED (the servers), LOADGEN, THREADS (-t of both servers), MEMORY_MB (-m of both), and
BENCH_COMMAND (what was typed).
"""

import argparse
import contextlib
import dataclasses
import datetime
import os
import platform
import shlex
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time

START_SECONDS_MAX = 10
STOP_SECONDS_MAX = 10
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
    Workload("set-8x64", "set", 8, 64, 2_000_000),
    Workload("get-100keys", "get", 8, 1, 30_000, keys_per_get=100),
    Workload("get-10k", "get", 8, 1, 150_000, value_bytes=10 * 1024, keys=5_000),
    Workload("set-10k", "set", 8, 1, 150_000, value_bytes=10 * 1024, keys=5_000),
    Workload("get-500k", "get", 8, 1, 10_000, value_bytes=500 * 1024, keys=200),
    Workload("set-500k", "set", 8, 1, 10_000, value_bytes=500 * 1024, keys=200),
)

# What the load generator reports and what the table shows, as ratios of Larder to memcached.
CPU = "server_cpu_us_per_request"
RATIOS = (("throughput", "requests/s"), ("p50_us", "p50"), ("p99_us", "p99"), ("p999_us", "p99.9"))


class BenchError(Exception):
    """Something that ends the comparison; its text is for the one who started it."""


@dataclasses.dataclass(frozen=True)
class Server:
    name: str
    program: str
    flags: tuple

    def version(self) -> str:
        result = subprocess.run([self.program, "-V"], capture_output=True, text=True, check=False)
        lines = (result.stdout + result.stderr).strip().splitlines()
        return lines[0] if lines else "unknown version"

    @contextlib.contextmanager
    def running(self):
        """Yields (pid, port) of a new process, and stops it whatever happens."""
        port = free_port()
        command = [self.program, "-l", "127.0.0.1", "-p", str(port), *self.flags]
        with tempfile.TemporaryFile(mode="w+") as log:
            process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
            try:
                wait_until_serving(process, port, command, log)
                yield process.pid, port
            finally:
                stop(process)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_until_serving(process, port: int, command: list, log) -> None:
    deadline = time.monotonic() + START_SECONDS_MAX
    while time.monotonic() < deadline and process.poll() is None:
        with contextlib.suppress(OSError):
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        time.sleep(0.02)
    log.seek(0)
    raise BenchError(f"{shlex.join(command)} does not serve: {log.read().strip() or 'no message'}")


def stop(process) -> None:
    process.terminate()
    try:
        process.wait(STOP_SECONDS_MAX)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def measure(loadgen: str, workload: Workload, quick: bool, seed: int, pid: int, port: int) -> dict:
    """Runs the load once against one server. Returns the figures of loadgen's line."""
    command = [loadgen, *workload.arguments(quick), f"--seed={seed}", f"--port={port}",
               f"--server-pid={pid}"]
    # No time limit here: loadgen gives up by itself on a server that falls silent.
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    if result.returncode != 0:
        raise BenchError(f"{shlex.join(command)}: {result.stderr.strip()}")
    return {key: float(value) for key, value in
            (field.split("=") for field in result.stdout.split())}


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


def table_head() -> str:
    cells = ["workload", "CPU per request, memcached", "Larder", "ratio", "lowest to highest"]
    cells += [title for _, title in RATIOS]
    return "| " + " | ".join(cells) + " |\n|---|" + "---:|" * (len(cells) - 1)


def table_row(name: str, pairs: list) -> str:
    cpu_ratios = ratios(pairs, CPU)
    cells = [name,
             f"{statistics.median(theirs[CPU] for _, theirs in pairs):.2f} µs",
             f"{statistics.median(ours[CPU] for ours, _ in pairs):.2f} µs",
             f"{statistics.median(cpu_ratios):.2f}x",
             f"{min(cpu_ratios):.2f} to {max(cpu_ratios):.2f}"]
    cells += [f"{statistics.median(ratios(pairs, figure)):.2f}x" for figure, _ in RATIOS]
    return "| " + " | ".join(cells) + " |"


def processor() -> str:
    with open("/proc/cpuinfo", encoding="utf-8") as cpuinfo:
        for line in cpuinfo:
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.machine()


def print_preamble(larder: Server, memcached: Server, rounds: int) -> None:
    print(f"- {datetime.datetime.now().astimezone():%Y-%m-%d %H:%M %Z}, Linux {platform.release()}, "
          f"{os.cpu_count()} x {processor()}")
    print(f"- {larder.name}: {larder.version()}; {memcached.name}: {memcached.version()}; both with "
          f"`{shlex.join(larder.flags)}`")
    print(f"- `{os.environ.get('BENCH_COMMAND', shlex.join(sys.argv))}`")
    print(f"- ratios are Larder / memcached, the median of {rounds} paired rounds; below 1 is "
          "better, but for requests/s\n")


def parse_arguments() -> argparse.Namespace:
    names = [workload.name for workload in WORKLOADS]
    parser = argparse.ArgumentParser(prog="scripts/bench.sh", description=__doc__.split("\n")[0])
    parser.add_argument("workload", nargs="*", help=f"some of: {' '.join(names)} (default: all)")
    parser.add_argument("--quick", action="store_true",
                        help="one short round: shows that all works; the figures mean little")
    parser.add_argument("--rounds", type=int, default=int(os.environ.get("ROUNDS", "5")))
    arguments = parser.parse_args()
    for name in arguments.workload:
        if name not in names:
            parser.error(f"no workload '{name}'; there are: {' '.join(names)}")
    if arguments.rounds < 1:
        parser.error("--rounds takes a number from 1 up")
    return arguments


def program_from_environment(name: str, default: str) -> str:
    program = shutil.which(os.environ.get(name, default))
    if program is None:
        raise BenchError(f"{name}: no program '{os.environ.get(name, default)}'")
    return program


def main() -> int:
    arguments = parse_arguments()
    rounds = 1 if arguments.quick else arguments.rounds
    flags = ("-t", os.environ.get("THREADS", "1"), "-m", os.environ.get("MEMORY_MB", "512"))
    if os.geteuid() == 0:
        flags += ("-u", "root")
    try:
        larder = Server("Larder", program_from_environment("LARDER", "larder"), flags)
        memcached = Server("memcached", program_from_environment("MEMCACHED", "memcached"), flags)
        loadgen = program_from_environment("LOADGEN", "loadgen")
        print_preamble(larder, memcached, rounds)
        print(table_head(), flush=True)
        for workload in WORKLOADS:
            if not arguments.workload or workload.name in arguments.workload:
                pairs = compare(workload, larder, memcached, loadgen, rounds, arguments.quick)
                print(table_row(workload.name, pairs), flush=True)
    except BenchError as error:
        print(f"bench: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    # A plain SIGTERM would leave the servers behind: turn it into an exit that unwinds.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    sys.exit(main())
