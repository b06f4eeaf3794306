#!/usr/bin/env python3
"""Runs one Larder under mixed load for a long time and says whether it stayed what it was.

    soak_server.py [--seconds N] [--quick]

Several load generators store and fetch at full rate and check every byte. Beside them sizes shift,
items expire, the cache is dumped, very large values come, everything is flushed, and clients come,
go, watch, do not read or stop half-way: soak_activities.py. It prints a line a minute and a verdict,
and exits with 1 if anything was wrong: an answer, a figure that does not fit the others, memory
that grew, requests or turns of a worker that took too long, or an end that was not clean.

Started by scripts/soak.sh, which sets LARDER and LOADGEN.
"""

import argparse
import contextlib
import dataclasses
import multiprocessing
import queue
import signal
import subprocess
import sys
import time

import bench_servers
import capacity
import soak_activities
from bench_servers import BenchError, Server
from soak_activities import Client, Scale, SoakError

MIB = 1 << 20
THREADS = 2
WARM_UP = 0.25  # of the time: then memory must be as large as it gets
# Over -m: the binary, threads and index of what is connected, as in the table of capacities.
PROGRAM_MIB = 12
# What may wait for clients: those that do not read have 256 KiB each, a value that is being sent
# is pinned, and so are parts of requests.
CONNECTIONS_MIB = 8
GROWTH_MIB = 4  # of the last level over that of the warm-up
LATENCY_US_MAX = 1000
REAL_TIME = ("chrt", "--fifo", "1")
LATENCIES = ("latency_p999_us", "turn_p999_us")

FULL = Scale(memory_mb=512, large_bytes=100_000_000, shift_seconds=20, flush_seconds=45,
             linger_seconds=3)
QUICK = Scale(memory_mb=64, large_bytes=4_000_000, shift_seconds=0.5, flush_seconds=2,
              linger_seconds=0.3)

# Each goes on for some seconds, then begins anew with fresh connections.
LOADS = (
    ("--op=get", "--connections=8", "--pipeline=64"),
    ("--op=set", "--connections=8", "--pipeline=64"),
    ("--op=get", "--connections=50", "--pipeline=1"),
    ("--op=get", "--connections=4", "--pipeline=1", "--keys-per-get=100"),
)


@dataclasses.dataclass
class Level:
    """What the server said of itself at one moment."""
    seconds: float
    resident_bytes: int  # the highest since the level before
    stats: dict
    larder: dict


def stats_of(port: int, group: bytes = b"") -> dict:
    with Client(port) as client:
        client.send(b"stats %s\r\n" % group if group else b"stats\r\n")
        return dict(line.decode().split(" ", 2)[1:] for line in client.lines_to(b"END"))


def load(loadgen: str, arguments: tuple, requests: int, port: int, is_over, done) -> None:
    """One load generator after the other. A miss is no error here; a wrong byte is."""
    seed = 0
    while not is_over.is_set():
        seed += 1
        count = requests if "--pipeline=64" in arguments else requests // 20
        result = subprocess.run(
            [loadgen, *arguments, f"--port={port}", f"--requests={count}", "--warmup=0",
             "--keys=50000", f"--seed={seed}"], capture_output=True, text=True, check=False)
        misses_only = result.stderr.startswith("loadgen: misses:")
        if result.returncode != 0 and not misses_only:
            raise SoakError(f"{' '.join(arguments)}: {result.stderr.strip() or result.returncode}")
        done.value += count


class Crowd:
    """Everybody who uses the server, each in a process of its own."""

    def __init__(self, loadgen: str, requests: int, port: int, scale: Scale):
        self._is_over = multiprocessing.Event()
        self._complaints = multiprocessing.Queue()
        self._counts = {}
        self._processes = []
        for activity in soak_activities.ALL:
            self._add(activity.__name__, activity, port, scale)
        for arguments in LOADS:
            name = "load " + " ".join(word.removeprefix("--") for word in arguments)
            self._add(name, load, loadgen, arguments, requests, port)

    def _add(self, name: str, activity, *arguments) -> None:
        done = self._counts[name] = multiprocessing.Value("Q", 0)
        self._processes.append(multiprocessing.Process(
            target=self._work, args=(name, activity, *arguments, self._is_over, done), name=name))

    def _work(self, name: str, activity, *arguments) -> None:
        try:
            activity(*arguments)
        except (SoakError, OSError, ValueError, IndexError) as error:
            self._complaints.put(f"{name}: {error or type(error).__name__}")

    def __enter__(self):
        for process in self._processes:
            process.start()
        return self

    def __exit__(self, *_):
        self.leave()

    def leave(self) -> None:
        """Has everybody stop, and says who did not."""
        self._is_over.set()
        for process in self._processes:
            process.join(2 * soak_activities.PATIENCE_SECONDS)
            if process.is_alive():
                process.kill()
                self._complaints.put(f"{process.name}: does not end")

    def complaints(self) -> list:
        found = []
        with contextlib.suppress(queue.Empty):
            while True:
                found.append(self._complaints.get(timeout=0.1))
        return found

    def done(self) -> dict:
        return {name: count.value for name, count in self._counts.items()}


def highest_resident_bytes(pid: int, seconds: float) -> int:
    """So that what is freed and taken again every now and then is not mistaken for growth."""
    end = time.monotonic() + seconds
    highest = capacity.resident_bytes(pid)
    while (pause := end - time.monotonic()) > 0:
        time.sleep(min(pause, 1.0))
        highest = max(highest, capacity.resident_bytes(pid))
    return highest


def look(pid: int, port: int, began: float, seconds: float) -> Level:
    """The level after so many more seconds."""
    highest = highest_resident_bytes(pid, seconds)
    return Level(time.monotonic() - began, highest, stats_of(port), stats_of(port, b"larder"))


def report(level: Level) -> None:
    stats = level.stats
    shown = [f"{level.seconds:6.0f} s", f"{level.resident_bytes / MIB:.1f} MiB",
             f"{int(stats['curr_items']):,} items", f"{int(stats['cmd_get']):,} gets",
             f"{int(stats['cmd_set']):,} sets", f"{int(stats['evictions']):,} evicted",
             f"{stats['curr_connections']} connections"]
    shown += [f"{name} {level.larder[name]}" for name in LATENCIES if name in level.larder]
    print(", ".join(shown), flush=True)


def memory_faults(levels: list, limit_bytes: int, warm_up_seconds: float) -> list:
    """What is wrong with resident memory: its bound, and its growth after the warm-up."""
    faults = []
    bound = limit_bytes + (PROGRAM_MIB + CONNECTIONS_MIB) * MIB
    highest = max(level.resident_bytes for level in levels)
    if highest > bound:
        faults.append(f"{highest / MIB:.1f} MiB resident, above {bound / MIB:.0f}")
    warm = [level.resident_bytes for level in levels if level.seconds <= warm_up_seconds]
    if warm and levels[-1].resident_bytes > max(max(warm), limit_bytes) + GROWTH_MIB * MIB:
        faults.append(f"resident memory grew from {max(warm) / MIB:.1f} to "
                      f"{levels[-1].resident_bytes / MIB:.1f} MiB")
    return faults


def latency_faults(larder: dict) -> list:
    return [f"{name} is {larder.get(name)}, not at most {LATENCY_US_MAX}" for name in LATENCIES
            if not float(larder.get(name, "inf")) <= LATENCY_US_MAX]


def stats_faults(stats: dict, items: dict) -> list:
    """Figures that contradict each other, once nobody changes anything any more."""
    number = {name: int(stats[name]) for name in (
        "cmd_get", "get_hits", "get_misses", "curr_items", "total_items", "curr_connections",
        "total_connections", "bytes", "limit_maxbytes")}
    listed = sum(int(value) for name, value in items.items() if name.endswith(":number"))
    checks = (
        ("gets are hits and misses",
         number["cmd_get"] == number["get_hits"] + number["get_misses"]),
        ("the classes have all items", listed == number["curr_items"]),
        ("items were stored before they are there", number["curr_items"] <= number["total_items"]),
        ("items fit the limit", number["bytes"] <= number["limit_maxbytes"]),
        ("everybody has left but who asks", number["curr_connections"] == 1),
    )
    return [f"not so: {claim} ({number}, {listed} listed)" for claim, is_so in checks if not is_so]


def settled_faults(port: int) -> list:
    """The same, after the background work has come to its end."""
    faults = []
    for _ in range(20):
        before, items, after = stats_of(port), stats_of(port, b"items"), stats_of(port)
        faults = stats_faults(after, items)
        if not faults and before["curr_items"] == after["curr_items"]:
            break
        time.sleep(0.5)
    with Client(port) as client:
        try:
            client.expect(b"set last 0 0 4\r\nword\r\n", b"STORED")
            client.send(b"get last\r\n")
            if client.value(b"last") != b"word":
                faults.append("what was stored last is not there")
        except SoakError as error:
            faults.append(str(error))
    return faults


def larder(flags: tuple, launcher: tuple) -> Server:
    return Server("Larder", bench_servers.program_from_environment("LARDER", "larder"),
                  (*flags, *bench_servers.root_flags()), launcher)


def real_time_launcher() -> tuple:
    """Empty where this user, or the machine, does not allow it."""
    with contextlib.suppress(OSError):
        if subprocess.run([*REAL_TIME, "true"], capture_output=True, check=False).returncode == 0:
            return REAL_TIME
    return ()


def end_faults(process) -> list:
    process.send_signal(signal.SIGTERM)
    try:
        code = process.wait(bench_servers.STOP_SECONDS_MAX)
    except subprocess.TimeoutExpired:
        return ["does not end at SIGTERM"]
    return [] if code == 0 else [f"ended with {code}"]


def run_load(arguments, scale: Scale, loadgen: str, pid: int, port: int) -> tuple:
    """Has everybody at work for as long as was asked. Returns the levels, and what went wrong."""
    levels, faults = [], []
    began = time.monotonic()
    pause = min(60.0, arguments.seconds / 10)
    with Crowd(loadgen, 20_000 if arguments.quick else 2_000_000, port, scale) as crowd:
        while not faults and time.monotonic() - began < arguments.seconds:
            levels.append(look(pid, port, began, pause))
            report(levels[-1])
            faults += crowd.complaints()
        crowd.leave()
        faults += crowd.complaints()
        done = crowd.done()
    print("\n".join(f"{name}: {count:,}" for name, count in done.items()))
    if not faults:
        faults += [f"{name}: got nothing done" for name, count in done.items() if count == 0]
    return levels, faults


def soak(arguments, scale: Scale, loadgen: str) -> list:
    """Returns what was wrong."""
    large_mb = max(scale.large_bytes * 5 // 4 // MIB, 2)
    flags = ("-t", str(THREADS), "-m", str(scale.memory_mb), "-I", f"{large_mb}m")
    launcher = () if arguments.quick else real_time_launcher()
    with larder(flags, launcher).process() as (process, port):
        levels, faults = run_load(arguments, scale, loadgen, process.pid, port)
        # In some seconds memory does not come to its level, and nothing is warm.
        warm_up_seconds = 0 if arguments.quick else arguments.seconds * WARM_UP
        faults += memory_faults(levels, scale.memory_mb * MIB, warm_up_seconds)
        if launcher:
            faults += latency_faults(levels[-1].larder)
        else:
            print("latencies were not judged: the server had no real-time priority")
        return faults + settled_faults(port) + end_faults(process)


def main() -> int:
    parser = argparse.ArgumentParser(prog="scripts/soak.sh server",
                                     description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--seconds", type=float, default=1800.0)
    parser.add_argument("--quick", action="store_true",
                        help="little memory and small values; growth and latencies are not judged")
    arguments = parser.parse_args()
    if arguments.seconds < 1:
        raise BenchError("--seconds takes a number from 1 up")
    loadgen = bench_servers.program_from_environment("LOADGEN", "loadgen")
    faults = soak(arguments, QUICK if arguments.quick else FULL, loadgen)
    for fault in faults:
        print(f"soak: FAILED: {fault}", file=sys.stderr)
    if not faults:
        print("soak: nothing found")
    return 1 if faults else 0


if __name__ == "__main__":
    bench_servers.run_main(main)
