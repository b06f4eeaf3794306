#!/usr/bin/python3
"""Compares the answers of two servers, byte for byte: Larder and a memcached.

    differential.py [--server PATH] [--peer PATH] [--requests N] [--seed N] [--session N]
                    [--family TEXT] [--jobs N] [--skip-transcripts] [--list-differences]

First the transcripts: the peer must answer as they say, or be listed there with a reason; what
is listed must really differ. Then seeded random sessions, sent to both. A difference that
known_differences.py does not name is printed with its seed, shrunk to the fewest requests that
still show it, and with both answers. At the end of a session the counters must have moved alike.

The peer is $MEMCACHED, or else the packaged memcached.
"""

import argparse
import concurrent.futures
import contextlib
import os
import sys
import time
from collections import Counter

from case_runner import CaseRunner, Mismatch
from comparison import Sides, compare_session, start
from families import DATAGRAMS, family_of
from fixture import Server, binary_under_test, version_line
from known_differences import known_differences
from run_transcripts import SERVERS_AT_ONCE, Suite, dialect_of, is_excused, transcript_files
from transcript import LARDER, read_transcript
from wire_connection import Cutter

FAILURES_SHOWN_MAX = 5
SESSIONS_MAX = 10**9
# Of so many sessions one may differ once and not again.
UNSTEADY_ONE_IN = 1000


class Tally:
    """What the sessions of one worker, or of all, came to."""

    def __init__(self):
        self.requests = Counter()
        self.sessions = 0
        self.failures = 0
        self.unsteady = 0
        self.skipped = Counter()

    def add(self, other):
        """Takes in another worker's."""
        self.requests += other.requests
        self.sessions += other.sessions
        self.failures += other.failures
        self.unsteady += other.unsteady
        self.skipped += other.skipped

    def good(self):
        """True if nothing unexplained was found, and something was looked at."""
        unsteady_max = 1 + self.sessions // UNSTEADY_ONE_IN
        return self.failures == 0 and self.unsteady <= unsteady_max and bool(self.requests)


class Worker:
    """Runs every so many-th session against servers of its own, up to its share of requests."""

    def __init__(self, arguments, seed, numbers, requests):
        self._arguments = arguments
        self._seed = seed
        self._numbers = numbers
        self._requests = requests
        self._tally = Tally()

    def run(self):
        """The tally of all its sessions; stops after FAILURES_SHOWN_MAX failures."""
        with contextlib.ExitStack() as stack:
            sides = {}
            for number in self._numbers:
                if (self._tally.failures >= FAILURES_SHOWN_MAX
                        or self._tally.requests.total() >= self._requests):
                    break
                family, _ = family_of(number)
                if self._arguments.family in family:
                    over_udp = family == DATAGRAMS
                    if over_udp not in sides:
                        sides[over_udp] = self._start_sides(stack, over_udp)
                    self._run_session(sides[over_udp], number)
        for side in sides.values():
            self._tally.skipped += side.skipped
        return self._tally

    def _start_sides(self, stack, over_udp):
        servers = [stack.enter_context(start(binary, over_udp))
                   for binary in (self._arguments.server, self._arguments.peer)]
        sides = Sides(*servers)
        stack.callback(sides.close)
        return sides

    def _run_session(self, sides, number):
        result = compare_session(sides, self._seed, number)
        self._tally.requests[result.family] += result.requests
        self._tally.sessions += 1
        again = f"--seed {self._seed} --session {number} ({result.family}):"
        if result.failure:
            self._tally.failures += 1
            print(f"DIFFERENCE: {again}\n{result.failure}\n", flush=True)
        elif result.unsteady:
            self._tally.unsteady += 1
            print(f"ONCE: {again}\n{result.unsteady}\n", flush=True)


def compare_random(arguments, seed):
    """All random sessions; true if every one was the same on both."""
    begin = time.monotonic()
    jobs = arguments.jobs
    share = -(-arguments.requests // jobs)
    workers = [Worker(arguments, seed, range(index, SESSIONS_MAX, jobs), share)
               for index in range(jobs)]
    if arguments.session is not None:
        workers = [Worker(arguments, seed, [arguments.session], share)]
    tally = Tally()
    with concurrent.futures.ProcessPoolExecutor(len(workers)) as pool:
        for done in pool.map(Worker.run, workers):
            tally.add(done)
    seconds = time.monotonic() - begin
    for family, requests in tally.requests.items():
        print(f"  {requests:8} {family}")
    print(f"random: {tally.requests.total()} requests in {tally.sessions} sessions, seed {seed}, "
          f"{tally.failures} unexplained differences, {tally.unsteady} that did not come again, "
          f"{seconds:.1f} s")
    for reason, count in tally.skipped.most_common():
        print(f"  left out {count}: {reason}")
    return tally.good()


class StaleCheck:
    """Runs the cases in which the peer is said to differ, to see that it does."""

    def __init__(self, binary):
        self._binary = binary
        self._dialect = dialect_of(binary)

    def run(self, transcripts):
        """True if every listed case differs; those said to differ sometimes may agree."""
        with concurrent.futures.ThreadPoolExecutor(SERVERS_AT_ONCE) as pool:
            return all(list(pool.map(self._check, transcripts)))

    def _check(self, transcript):
        cases = [case for case in transcript.cases if self._must_differ(case)]
        groups = [[case] for case in cases if case.fresh]
        groups.append([case for case in cases if not case.fresh])
        differ = []
        for group in filter(None, groups):
            flags = self._flags(transcript)
            with Server(flags, binary=self._binary, udp=transcript.udp) as server:
                differ += [self._differs(server, case) for case in group]
        return all(differ)

    def _flags(self, transcript):
        return ["-t", "2"] + transcript.flags_for(self._dialect)

    def _must_differ(self, case):
        reason = case.differences.get(self._dialect, "sometimes")
        return is_excused(case, self._dialect) and not reason.startswith("sometimes")

    def _differs(self, server, case):
        runner = CaseRunner(server, LARDER, Cutter("whole"), version_of=self._dialect)
        try:
            runner.run(case)
        except Mismatch:
            return True
        print(f"STALE {case.file}:{case.line}: {case.name}\n"
              f"  is said to differ in {self._dialect}, but does not")
        return False


def compare_transcripts(arguments):
    """The peer against the transcripts, and the list of its differences against the peer. (Larder
    against them is run_transcripts.py's.)"""
    transcripts = [read_transcript(path) for path in transcript_files()]
    start = time.monotonic()
    suite = Suite(arguments.peer, "tcp", "whole", 0)
    suite.run(transcripts)
    good = suite.report(time.monotonic() - start)
    if version_line(arguments.peer).split()[-1] in ("1.6.18", "1.6.45"):
        good = StaleCheck(arguments.peer).run(transcripts) and good
    return good


def list_differences(peer):
    """Prints the table for random streams; the transcripts' own list: run_transcripts.py."""
    for rule in known_differences(dialect_of(peer)):
        treatment = "translated" if rule.translate else "left out"
        print(f"{dialect_of(peer)} | {treatment} | {rule.reason}")


def parse_arguments():
    """The command line."""
    parser = argparse.ArgumentParser(description="Compares Larder with a memcached.")
    parser.add_argument("--server", default=None, help="default $LARDER_UNDER_TEST")
    parser.add_argument("--peer", default=os.environ.get("MEMCACHED") or "/usr/bin/memcached")
    parser.add_argument("--requests", type=int, default=20000)
    parser.add_argument("--seed", type=int, default=None, help="default: from the clock")
    parser.add_argument("--session", type=int, default=None, help="only this session")
    parser.add_argument("--family", default="", help="only sessions whose kind holds this text")
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    parser.add_argument("--skip-transcripts", action="store_true")
    parser.add_argument("--list-differences", action="store_true")
    return parser.parse_args()


def main():
    """Runs what the command line asks for."""
    arguments = parse_arguments()
    if arguments.list_differences:
        list_differences(arguments.peer)
        return 0
    arguments.server = arguments.server or binary_under_test()
    seed = time.time_ns() % 1000000 if arguments.seed is None else arguments.seed
    print(f"{version_line(arguments.server)} against {version_line(arguments.peer)}, seed {seed}",
          flush=True)
    good = arguments.skip_transcripts or compare_transcripts(arguments)
    return 0 if compare_random(arguments, seed) and good else 1


if __name__ == "__main__":
    sys.exit(main())
