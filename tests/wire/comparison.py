"""Runs one session against two servers, and makes the smallest of what shows a difference.

Sides            the two servers and what is known about how they differ
run_session      sends units to both; finds the first that is answered differently
compare_session  one session of the run: its units, its answers, its counters
"""

import random
import re
from collections import Counter
from dataclasses import dataclass, field

from case_runner import COMMAND_COUNTERS, shown
from families import family_of
from fixture import Server, version_line
from known_differences import counts_differently, known_differences, reads_long_key
from run_transcripts import dialect_of
from session import Session, plan_batches
from transcript import LARDER
from unit import CLOSED, STREAM_END_REPLIES, KeySet, is_stream
from wire_connection import Cutter

# While another thread of memcached holds an item, be it for a moment, incr stores another length.
MEMCACHED_FLAGS = ["-t", "1", "-m", "512",
                   "-o", "no_lru_maintainer,no_lru_crawler,no_slab_reassign"]
LARDER_FLAGS = ["-t", "2", "-m", "512"]
# Datagrams are answered in their order by one thread only.
LARDER_DATAGRAM_FLAGS = ["-t", "1", "-m", "512"]
SHRINK_ATTEMPTS_MAX = 300
SHRINK_TIMEOUT_S = 0.5
UNSHRUNK_SHOWN_MAX = 3
PREFIX = b"s%08d"
# Small cas numbers, which requests make up, are nobody's.
CAS_WARM_UP = b"set warm 0 0 0 noreply\r\n\r\n" * 10
# A cas counter that lags by more is not brought level.
CAS_LAG_MAX = 100_000


def start(binary, datagrams=False):
    """A server for random sessions."""
    flags = LARDER_DATAGRAM_FLAGS if datagrams else LARDER_FLAGS
    if dialect_of(binary) != LARDER:
        flags = MEMCACHED_FLAGS
    return Server(flags, binary=binary, unix=not datagrams, udp=datagrams)


def _parts(units):
    """Units one by one, but the pieces of a stream together: without one of them the others would
    join to lines that nobody has chosen."""
    stream = []
    for unit in units:
        if not is_stream(unit):
            yield [unit]
            continue
        stream.append(unit)
        if unit.closes:
            yield stream
            stream = []
    if stream:
        yield stream


class Counters:
    """The counters of a server that commands move, over a connection that is kept."""

    _FORM = re.compile(rb"STAT (" + "|".join(COMMAND_COUNTERS).encode() + rb") ([0-9]+)\r\n")

    def __init__(self, server):
        self._server = server
        self._connection = server.connect()
        self._connection.sendall(CAS_WARM_UP)

    def close(self):
        """Ends the connection."""
        self._connection.close()

    def reconnect(self):
        """Starts again with a connection on which nothing is under way."""
        self._connection.close()
        self._connection = self._server.connect()

    def read(self):
        """Their values by name."""
        self._connection.sendall(b"stats\r\n")
        text = b""
        while not text.endswith(b"END\r\n"):
            piece = self._connection.recv(65536)
            if not piece:
                raise ConnectionError("the connection that asks for the counters was closed")
            text += piece
        return {name.decode(): int(value) for name, value in self._FORM.findall(text)}


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
        self.counters = [Counters(server) for server in self.servers]
        self.skipped = Counter()
        self.next_prefix = 0

    def close(self):
        """Ends the connections; the servers are their owner's."""
        for counters in self.counters:
            counters.close()

    def fresh_prefix(self):
        """Keys of a new session begin with it; nothing has to be emptied between sessions."""
        self.next_prefix += 1
        return PREFIX % self.next_prefix

    def rule_for(self, unit):
        """The known difference that the unit falls under, or None."""
        if not unit.odd:
            return None
        is_packet = unit.data[:1] == b"\x80"
        return next((rule for rule in self.rules
                     if rule.about_packets == is_packet and rule.applies(unit)), None)

    def without_known(self, units):
        """The units that can be compared; counts the others by reason."""
        kept = []
        for part in _parts(units):
            reason = next(filter(None, map(self.reason_to_leave_out, part)), None)
            if reason is None:
                kept += part
            else:
                self.skipped[reason] += len(part)
        return kept

    def reason_to_leave_out(self, unit):
        """Of the known difference for which the unit cannot be compared, or None."""
        rule = self.rule_for(unit)
        return rule.reason if rule and not rule.translate else None


@dataclass
class Difference:
    """The unit at `index` of a session was answered differently, or, after all of them,
    `counters` had not moved alike."""
    index: int
    answers: tuple = ()
    counters: list = field(default_factory=list)


def _level_cas(sessions):
    """Brings the counters of two servers level that count alike but for an earlier difference."""
    numbers = [session.next_cas() for session in sessions]
    lag = numbers[1] - numbers[0]
    if lag and abs(lag) <= CAS_LAG_MAX:
        sessions[0 if lag > 0 else 1].skip_cas(abs(lag))


def run_session(sides, units, prefix, cut_seed, **limits):
    """Sends the units to both; returns the first Difference, or None."""
    sessions = []
    try:
        for server in sides.servers:
            cut = random.Random(cut_seed)
            cutter = Cutter("random" if cut.random() < 0.3 else "whole", cut)
            # Where framing breaks a value may end badly, and that counts in its own way.
            exact = sides.exact and not any(map(is_stream, units))
            sessions.append(Session(server, cutter, exact, prefix, **limits))
        if sides.exact:
            _level_cas(sessions)
        return _first_difference(sides, sessions, units)
    finally:
        for session in sessions:
            session.delete_keys(KeySet(prefix).all())
            session.close()


def _first_difference(sides, sessions, units):
    done = 0
    for batch in plan_batches(units):
        for session in sessions:
            session.send(batch)
        replies = [session.receive(batch) for session in sessions]
        if replies[0] != replies[1] and (
                sessions[0].normalized(batch, replies[0])
                != sessions[1].normalized(batch, replies[1])):
            difference = _compare_batch(sides, sessions, batch, replies)
            if difference:
                return Difference(done + difference.index, difference.answers)
        done += len(batch)
    return None


def _compare_batch(sides, sessions, batch, replies):
    answers = [session.answers(batch, reply) for session, reply in zip(sessions, replies)]
    for index, unit in enumerate(batch):
        pair = [side[index] if index < len(side) else None for side in answers]
        if not _same(sides, unit, *pair):
            return Difference(index, tuple(pair))
    longest = max(map(len, answers))
    if longest > len(batch):
        return Difference(len(batch) - 1, tuple(b"".join(side[len(batch) - 1:])
                                                for side in answers))
    return None


def _same(sides, unit, ours, theirs):
    rule = sides.rule_for(unit)
    if rule and rule.translate and theirs is not None:
        ours, theirs = rule.translate(ours or b""), rule.translate(theirs)
    if unit.closes and is_stream(unit) and not theirs.endswith(STREAM_END_REPLIES):
        # Something is still open at the end of the stream. memcached closes without the answers
        # that it has not sent yet, Larder with them.
        return ours.startswith(theirs.removesuffix(CLOSED)) and ours.endswith(CLOSED) and (
            not ours.endswith(STREAM_END_REPLIES))
    return ours == theirs


def rename(units, old, new):
    """The same units with keys of another session."""
    return [unit.renamed(old, new) for unit in units]


def _joins_to_long_key(units):
    """True if what is left of streams has come to show a difference that is known."""
    return reads_long_key(b"".join(unit.data for unit in units if is_stream(unit)))


def shrink(sides, units, prefix, cut_seed):
    """Drops units for as long as the rest still shows a difference."""
    attempts = 0
    size = max(1, len(units) // 2)
    while size and attempts < SHRINK_ATTEMPTS_MAX:
        place = 0
        while place < len(units) and attempts < SHRINK_ATTEMPTS_MAX:
            shorter = units[:place] + units[place + size:]
            fresh = sides.fresh_prefix()
            shorter = rename(shorter, prefix, fresh)
            attempts += 1
            found = shorter and not _joins_to_long_key(shorter) and attempt(
                sides, shorter, fresh, cut_seed, reply_timeout_s=SHRINK_TIMEOUT_S)
            if found:
                units, prefix = shorter[:found.index + 1], fresh
            else:
                place += size
        size //= 2
    return units, prefix


def describe_difference(sides, units, prefix, cut_seed, first):
    """One difference in its smallest form, for the reader."""
    smallest, prefix_of_smallest = shrink(sides, units, prefix, cut_seed)
    fresh = sides.fresh_prefix()
    smallest = rename(smallest, prefix_of_smallest, fresh)
    difference = attempt(sides, smallest, fresh, cut_seed)
    lines = []
    if difference is None:
        lines.append("  (does not differ every time; the last requests of the session, unshrunk)")
        smallest, difference = units[-UNSHRUNK_SHOWN_MAX:], first
    lines += [f"  over {unit.channel}:\n{shown(unit.data)}" for unit in smallest]
    lines += difference.counters
    for server, answer in zip(sides.servers, difference.answers):
        lines.append(f"  {version_line(server.binary)} answers the last one:")
        lines.append(shown(answer) if answer is not None else "    (no complete answer)")
    return "\n".join(lines)


@dataclass
class Result:
    """What came of one session."""
    family: str
    requests: int
    failure: str = ""
    unsteady: str = ""


def compare_session(sides, seed, number):
    """Runs session `number`. A difference counts only if it comes again: some of memcached's
    answers depend on the second in which they are given."""
    family, make_units = family_of(number)
    choices = random.Random(f"{seed}/{number}")
    prefix = sides.fresh_prefix()
    units = sides.without_known(make_units(choices, KeySet(prefix)))
    cut_seed = choices.random()
    result = Result(family, len(units))
    found = attempt(sides, units, prefix, cut_seed)
    if found is None:
        return result
    fresh = sides.fresh_prefix()
    renamed = rename(units, prefix, fresh)
    again = attempt(sides, renamed, fresh, cut_seed)
    if again is None:
        result.unsteady = "\n".join([shown(units[found.index].data), *found.counters,
                                     *(shown(answer or b"") for answer in found.answers)])
    else:
        result.failure = describe_difference(
            sides, renamed[:again.index + 1], fresh, cut_seed, again)
    return result


def attempt(sides, units, prefix, cut_seed, **limits):
    """The first Difference in the answers, or else in the counters, or None. A server that does not
    answer what is no unit differs, too: whether it does so again, a new attempt on new connections
    tells."""
    try:
        return _attempt(sides, units, prefix, cut_seed, **limits)
    except OSError as error:
        for counters in sides.counters:
            counters.reconnect()
        return Difference(len(units) - 1, counters=[f"  a server does not answer: {error!r}"])


def _attempt(sides, units, prefix, cut_seed, **limits):
    before = [counters.read() for counters in sides.counters]
    found = run_session(sides, units, prefix, cut_seed, **limits)
    if found or any(map(counts_differently, units)):
        return found
    after = [counters.read() for counters in sides.counters]
    lines = []
    for name in sorted(set(after[0]) & set(after[1])):
        moves = [side[name] - was[name] for side, was in zip(after, before)]
        if moves[0] != moves[1]:
            lines.append(f"  the counter {name} moved by {moves[0]:+} and {moves[1]:+}")
    return Difference(len(units) - 1, counters=lines) if lines else None
