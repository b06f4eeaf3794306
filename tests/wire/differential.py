#!/usr/bin/python3
"""Compares the answers of two servers, byte for byte: Larder and a memcached.

    differential.py [--server PATH] [--peer PATH] [--requests N] [--seed N] [--session N]
                    [--skip-transcripts] [--list-differences]

First the transcripts: the peer must answer as they say, or be listed there with a reason; what
is listed must really differ. Then seeded random sessions, sent to both. A difference that
known_differences.py does not name is printed with its seed, shrunk to the fewest requests that
still show it, and with both answers. At the end of a session the counters must have moved alike.

The peer is $MEMCACHED, or else the packaged memcached.
"""

import argparse
import concurrent.futures
import os
import random
import sys
import time
from collections import Counter

from case_runner import COMMAND_COUNTERS, CaseRunner, Mismatch, shown
from fixture import Server, binary_under_test, version_line
from known_differences import has_long_key, known_differences
from request_generator import RequestGenerator
from run_transcripts import SERVERS_AT_ONCE, Suite, dialect_of, is_excused, transcript_files
from session import Session
from transcript import LARDER, read_transcript
from wire_connection import Cutter

SERVER_FLAGS = ["-t", "2", "-m", "512"]
# memcached's background threads hold items for moments, and incr stores another length then.
MEMCACHED_FLAGS = ["-o", "no_lru_maintainer,no_lru_crawler,no_slab_reassign"]
SHRINK_ATTEMPTS_MAX = 300
FAILURES_SHOWN_MAX = 5
PREFIX = b"s%07d"


class Sides:
    """The two servers and what is known about their differences."""

    def __init__(self, ours, peer):
        self.servers = (ours, peer)
        dialects = [dialect_of(server.binary) for server in self.servers]
        self.rules = []
        for dialect in dialects:
            self.rules += known_differences(dialect) if dialect != LARDER else []
        # Versions before 1.6.45 number only what they store.
        self.exact = "1.6.18" not in dialects
        if dialects[0] == dialects[1]:
            self.rules = []
        # What is left out comes first: it is not compared, whatever the other rows say.
        self.rules.sort(key=lambda rule: rule.translate is not None)
        self.next_prefix = 0
        self.skipped = Counter()

    def fresh_prefix(self):
        """Keys of a new session begin with it; nothing has to be emptied between sessions."""
        self.next_prefix += 1
        return PREFIX % self.next_prefix

    def rule_for(self, unit):
        """The known difference that the unit falls under, or None."""
        return next((rule for rule in self.rules if rule.applies(unit)), None)

    def without_known(self, units):
        """The units that can be compared; counts the others by reason."""
        kept = []
        for unit in units:
            rule = self.rule_for(unit)
            if rule is None or rule.translate:
                kept.append(unit)
            else:
                self.skipped[rule.reason] += 1
        return kept


def start(binary):
    """A server for random sessions."""
    flags = MEMCACHED_FLAGS if dialect_of(binary) != LARDER else []
    return Server(SERVER_FLAGS + flags, binary=binary, unix=True)


def counters(server):
    """The counters that commands move."""
    stats = server.stats()
    return {name: int(stats[name]) for name in COMMAND_COUNTERS if name in stats}


def run_session(sides, units, prefix, cut_seed):
    """Sends the units to both; returns (index of the first difference or None, answers)."""
    answers = []
    for server in sides.servers:
        cut = random.Random(cut_seed)
        cutter = Cutter("random" if cut.random() < 0.4 else "whole", cut)
        session = Session(server, cutter, sides.exact, prefix)
        try:
            answers.append(session.answers(units))
        finally:
            session.close()
    for index, unit in enumerate(units):
        ours, theirs = (side[index] if index < len(side) else None for side in answers)
        rule = sides.rule_for(unit)
        if rule and rule.translate and theirs is not None:
            ours, theirs = rule.translate(ours or b""), rule.translate(theirs)
        if ours != theirs:
            return index, (ours, theirs)
    return None, ()


def rename(units, old, new):
    """The same units with keys of another session."""
    return [type(unit)(unit.data.replace(old, new), unit.line.replace(old, new),
                       tuple(key.replace(old, new) for key in unit.keys), unit.closes)
            for unit in units]


def shrink(sides, units, prefix, cut_seed):
    """Drops units for as long as the rest still shows a difference."""
    attempts = 0
    size = max(1, len(units) // 2)
    while size and attempts < SHRINK_ATTEMPTS_MAX:
        start = 0
        while start < len(units) and attempts < SHRINK_ATTEMPTS_MAX:
            shorter = units[:start] + units[start + size:]
            fresh = sides.fresh_prefix()
            shorter = rename(shorter, prefix, fresh)
            attempts += 1
            index, _ = run_session(sides, shorter, fresh, cut_seed) if shorter else (None, ())
            if index is None:
                start += size
            else:
                units, prefix = shorter[:index + 1], fresh
        size //= 2
    return units, prefix


def report_difference(sides, seed, number, units, prefix, cut_seed, answers):
    """Prints one unexplained difference in its smallest form."""
    smallest, prefix_of_smallest = shrink(sides, units, prefix, cut_seed)
    fresh = sides.fresh_prefix()
    smallest = rename(smallest, prefix_of_smallest, fresh)
    index, again = run_session(sides, smallest, fresh, cut_seed)
    print(f"DIFFERENCE: --seed {seed} --session {number}; sent:")
    if index is None:
        print("  (does not differ every time; all requests of the session, unshrunk)")
        smallest, again = units, answers
    for unit in smallest:
        print(shown(unit.data))
    for server, answer in zip(sides.servers, again):
        print(f"  {version_line(server.binary)} answers the last one:")
        print(shown(answer) if answer is not None else "    (no complete answer)")
    print(flush=True)


def report_counters(sides, number, seed, moves):
    """Prints counters that did not move alike."""
    print(f"COUNTERS: --seed {seed} --session {number} moved them differently:")
    for name, ours in moves[0].items():
        if ours != moves[1].get(name, ours):
            print(f"    {name}: {ours:+} and {moves[1][name]:+}")
    print(flush=True)


def compare_session(sides, seed, number):
    """Runs session `number`; returns (requests sent, whether all was the same)."""
    choices = random.Random(f"{seed}/{number}")
    prefix = sides.fresh_prefix()
    generated = RequestGenerator(choices, prefix).session(choices.randint(5, 60))
    units = sides.without_known(generated)
    cut_seed = choices.random()
    before = [counters(server) for server in sides.servers]
    index, answers = run_session(sides, units, prefix, cut_seed)
    if index is not None:
        report_difference(sides, seed, number, units[:index + 1], prefix, cut_seed, answers)
        return len(units), False
    moves = [{name: after[name] - was[name] for name in after}
             for was, after in zip(before, map(counters, sides.servers))]
    common = set(moves[0]) & set(moves[1])
    # A get that is refused for a long key counts the keys before it or does not.
    if any(map(has_long_key, units)):
        return len(units), True
    if any(moves[0][name] != moves[1][name] for name in common):
        report_counters(sides, number, seed, moves)
        return len(units), False
    return len(units), True


def compare_random(arguments, seed):
    """All random sessions; true if every one was the same on both."""
    with start(arguments.server) as ours, start(arguments.peer) as peer:
        sides = Sides(ours, peer)
        requests = sessions = failures = 0
        begin = time.monotonic()
        numbers = [arguments.session] if arguments.session is not None else range(10**9)
        for number in numbers:
            sent, same = compare_session(sides, seed, number)
            requests += sent
            sessions += 1
            failures += not same
            if requests >= arguments.requests or failures >= FAILURES_SHOWN_MAX:
                break
        print(f"random: {requests} requests in {sessions} sessions, seed {seed}, "
              f"{failures} unexplained differences, {time.monotonic() - begin:.1f} s")
        for reason, count in sides.skipped.most_common():
            print(f"  left out {count}: {reason}")
    return failures == 0 and requests > 0


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
            with Server(self._flags(transcript), binary=self._binary) as server:
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
    """The peer against the transcripts, and the list of its differences against the peer."""
    transcripts = [read_transcript(path) for path in transcript_files()]
    good = True
    for binary in (arguments.server, arguments.peer):
        start = time.monotonic()
        suite = Suite(binary, "tcp", "whole", 0)
        suite.run(transcripts)
        good = suite.report(time.monotonic() - start) and good
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
