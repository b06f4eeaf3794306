#!/usr/bin/python3
"""Runs transcripts (*.txt in this folder) against a server.

    run_transcripts.py [--server PATH] [--transport tcp|unix|both] [--cut whole|bytes|random|each]
                       [--seed N] [--rounds N] [--only TEXT] [--list-differences] [FILE...]

The server is larder or any memcached; the latter shows that the transcripts are facts. A case
marked `!!! version: reason` is not held against that version unless it spells out its answer.
Cut at random, the seed is printed; each round uses the next seed. Cut at each place, a case runs as
often as it has bytes, up to a bound and less often in long ones, unless it waits for something.
"""

import argparse
import concurrent.futures
import os
import pathlib
import random
import sys
import time

from case_runner import CaseRunner, HeldUp, Mismatch
from fixture import HERE, Server, binary_under_test, version_line
from transcript import LARDER, VERSIONS, read_transcript
from wire_connection import Cutter, OneCut

# Each file and each fresh case has a server of its own; many of them mostly sleep. So do whole
# suites (a transport with a seed), which is why two of them share the time.
SERVERS_AT_ONCE = 12
SUITES_AT_ONCE = 2
# Few threads start fast, and two are enough for replies to come from different ones.
SERVER_FLAGS = ["-t", "2"]
# Hundreds of conversations a second leave large values behind faster than background work frees
# them; what is evicted then is luck. Not for the files that show the limit.
ROOMY_FLAGS = ["-m", "1024"]
FILES_WITH_THE_LIMIT = {"admin_memory.txt", "binary_admin.txt", "stats.txt", "stats_settings.txt"}
# A conversation is cut at its first bytes only. At every one of them to begin with, where its lines
# are; then at random, at one in so many, and so it is from its begin if it is long: what is in there
# is mostly value, in which one place is like the next.
EACH_PLACE_BYTES_MAX = 400
EVERY_PLACE_UP_TO = 100
PLACES_SKIPPED_MEAN = 4
LONG_BYTES = 32_768
# So often is a case tried that counts seconds and was held up by the machine.
ATTEMPTS_MAX = 5
# memcached versions from this one on answer like the newest that transcripts know.
NEWEST_DIALECT_FROM = (1, 6, 41)


def dialect_of(binary):
    """Which column of the transcripts this binary is held against."""
    words = version_line(binary).split()
    if words[0] != "memcached":
        return LARDER
    numbers = tuple(int(number) for number in words[1].split(".")[:3] if number.isdigit())
    return "1.6.45" if numbers >= NEWEST_DIALECT_FROM else "1.6.18"


def transcript_files():
    """All transcripts of this folder."""
    names = sorted(name for name in os.listdir(HERE) if name.endswith(".txt"))
    return [os.path.join(HERE, name) for name in names if name != "CMakeLists.txt"]


def is_excused(case, dialect):
    """True if this dialect is known to answer otherwise and the case does not say how."""
    return dialect in case.differences and not case.has_own_expectation(dialect)


class Suite:
    """All selected transcripts against one binary over one transport with one way of cutting."""

    def __init__(self, binary, transport, cut, seed):
        self.binary = binary
        self.dialect = dialect_of(binary)
        self.transport = transport
        self.cut = cut
        self.seed = seed
        self.passed = 0
        self.excused = []
        self.failures = []

    def run(self, transcripts, only=""):
        """Runs every case whose name or file holds `only`."""
        with concurrent.futures.ThreadPoolExecutor(SERVERS_AT_ONCE) as pool:
            jobs = []
            for transcript in transcripts:
                if transcript.udp and self.transport == "unix":
                    continue
                cases = [case for case in transcript.cases
                         if only in case.name + case.file and self._wanted(case)]
                groups = [[case] for case in cases if case.fresh]
                groups.append([case for case in cases if not case.fresh])
                jobs += [pool.submit(self._run_cases, transcript, group)
                         for group in groups if group]
            for job in jobs:
                for failure in job.result():
                    self._note(failure)

    def _wanted(self, case):
        # What a memcached answers differently often depends on how bytes share a read.
        only_whole = case.whole or case.has_own_expectation(self.dialect)
        if only_whole and self.cut != "whole":
            return False
        if is_excused(case, self.dialect):
            self.excused.append(case)
            return False
        return self.cut != "each" or not (case.fresh or case.waits())

    def _cutter(self, case):
        # One seed for each case: a failure can be repeated with --only.
        return Cutter(self.cut, random.Random(f"{self.seed}/{case.name}"))

    def _start(self, transcript):
        flags = SERVER_FLAGS + transcript.flags_for(self.dialect)
        if self.cut == "each" and pathlib.Path(transcript.path).name not in FILES_WITH_THE_LIMIT:
            flags = ROOMY_FLAGS + flags
        return Server(flags, binary=self.binary, unix=self.transport == "unix", udp=transcript.udp)

    def _run_cases(self, transcript, cases):
        """What failed, None for what did not; a case that was held up is tried again, on a server
        of its own again if it wants that."""
        outcomes = []
        for attempts_left in reversed(range(ATTEMPTS_MAX)):
            held_up = []
            for case, failure in self._run_once(transcript, cases):
                if isinstance(failure, HeldUp) and attempts_left > 0:
                    held_up.append(case)
                else:
                    outcomes.append(failure)
            cases = held_up
            if not cases:
                break
        return outcomes

    def _run_once(self, transcript, cases):
        """Each case with what failed, on one server; what fails of the server is of no case."""
        try:
            with self._start(transcript) as server:
                for case in cases:
                    yield case, self._attempt(server, case)
        except RuntimeError as failure:
            yield None, f"{transcript.path}: {failure}"

    def _attempt(self, server, case):
        if self.cut == "each":
            return self._attempt_at_each_place(server, case)
        try:
            CaseRunner(server, self.dialect, self._cutter(case)).run(case)
            return None
        except (Mismatch, OSError) as failure:
            return failure

    def _attempt_at_each_place(self, server, case):
        choices = random.Random(f"{self.seed}/{case.name}")
        place, given_bytes = 1, EACH_PLACE_BYTES_MAX
        while place < min(given_bytes, EACH_PLACE_BYTES_MAX):
            cutter = OneCut(place)
            try:
                CaseRunner(server, self.dialect, cutter).run(case)
            except (Mismatch, OSError) as failure:
                return Mismatch(f"cut after {place} bytes: {failure or repr(failure)}")
            given_bytes = cutter.given_bytes
            is_exact = place < EVERY_PLACE_UP_TO and given_bytes < LONG_BYTES
            place += 1 if is_exact else choices.randint(1, 2 * PLACES_SKIPPED_MEAN - 1)
        return None

    def _note(self, failure):
        if failure is None:
            self.passed += 1
        else:
            self.failures.append(failure)

    def report(self, seconds):
        """Prints the failures and one line of summary; true if there were none."""
        for failure in self.failures:
            print(f"FAILED {str(failure) or repr(failure)}\n")
        seed = f" seed {self.seed}" if self.cut in ("random", "each") else ""
        print(f"{self.dialect} over {self.transport}, {self.cut}{seed}: {self.passed} passed, "
              f"{len(self.failures)} failed, {len(self.excused)} known to differ, "
              f"{seconds:.1f} s", flush=True)
        return not self.failures


def list_differences(transcripts):
    """Prints every known difference of a memcached version, with its reason."""
    for version in VERSIONS:
        for transcript in transcripts:
            for case in transcript.cases:
                if version in case.differences:
                    file = os.path.basename(case.file)
                    print(f"{version} | {file}: {case.name} | {case.differences[version]}")


def parse_arguments():
    """The command line."""
    parser = argparse.ArgumentParser(description="Runs wire transcripts against a server.")
    parser.add_argument("files", nargs="*", help="transcripts; all of this folder if none")
    parser.add_argument("--server", help="the binary; default $LARDER_UNDER_TEST")
    parser.add_argument("--transport", choices=["tcp", "unix", "both"], default="both")
    parser.add_argument("--cut", choices=["whole", "bytes", "random", "each"],
                        default="whole")
    parser.add_argument("--seed", type=int, default=None, help="default: from the clock")
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--only", default="", help="cases with this text in name or file")
    parser.add_argument("--list-differences", action="store_true")
    return parser.parse_args()


def main():
    """Runs what the command line asks for."""
    arguments = parse_arguments()
    transcripts = [read_transcript(path) for path in arguments.files or transcript_files()]
    if arguments.list_differences:
        list_differences(transcripts)
        return 0
    binary = arguments.server or binary_under_test()
    first_seed = time.time_ns() % 1000000 if arguments.seed is None else arguments.seed
    transports = ["tcp", "unix"] if arguments.transport == "both" else [arguments.transport]
    suites = [Suite(binary, transport, arguments.cut, seed)
              for seed in range(first_seed, first_seed + arguments.rounds)
              for transport in transports]

    def run(suite):
        start = time.monotonic()
        suite.run(transcripts, arguments.only)
        return time.monotonic() - start

    good = True
    with concurrent.futures.ThreadPoolExecutor(SUITES_AT_ONCE) as pool:
        for suite, seconds in zip(suites, pool.map(run, suites)):
            good = suite.report(seconds) and suite.passed > 0 and good
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
