"""Runs one case of a transcript over one connection and says what went wrong, if anything."""

import time

from binary_packet import build_request, read_response
from transcript import VERSIONS, Directive, Expect, Send, SendDatagram, StatsChange
from transcript_parts import (ExpectedDatagram, ExpectedPacket, compile_expected, count_newlines,
                              is_literal, render_all)
from wire_connection import DatagramSocket, WireConnection

REPLY_TIMEOUT_S = 5.0
SILENCE_S = 0.2
# A case that counts seconds may take this long between two places at which it waits, besides what it
# waits: half of the second in which it counts on being served.
PUNCTUAL_S = 0.5
SHOWN_BYTES_MAX = 1500

# A +++ line names every change among these; all others it may name besides. get_expired and
# get_flushed are not here: whether a lookup or a background job meets a dead item first is luck.
COMMAND_COUNTERS = (
    "cmd_get cmd_set cmd_flush cmd_touch cmd_meta get_hits get_misses delete_misses delete_hits "
    "incr_misses incr_hits decr_misses decr_hits cas_misses cas_hits cas_badval touch_hits "
    "touch_misses store_too_large store_no_memory auth_cmds auth_errors total_items").split()


class Mismatch(Exception):
    """The server did something else than the transcript says."""


class HeldUp(Mismatch):
    """The same, of a case that counts seconds, on a machine that was too slow: it says nothing."""


class Punctuality:
    """Tells whether a case was held up between the places at which it waits."""

    def __init__(self):
        self._was_late = False
        self._since = time.monotonic()

    def is_lost(self):
        """True if any stretch up to now took too long."""
        self._end_stretch()
        return self._was_late

    def waits(self):
        """What follows is time that the case means to take."""
        self._end_stretch()

    def waited(self, until=None):
        """The case goes on; `until` is when, if that was seen late."""
        self._since = until or time.monotonic()

    def _end_stretch(self):
        self._was_late |= time.monotonic() - self._since > PUNCTUAL_S


def shown(data):
    """Bytes for the reader of a failure: escaped, one line of the protocol a row, shortened."""
    if len(data) > SHOWN_BYTES_MAX:
        half = SHOWN_BYTES_MAX // 2
        left_out = len(data) - 2 * half
        return f"{shown(data[:half])}\n    ... {left_out} bytes ...\n{shown(data[-half:])}"
    rows = bytes(data).split(b"\n")
    texts = [repr(row + b"\n")[2:-1] for row in rows[:-1]]
    if rows[-1]:
        texts.append(repr(rows[-1])[2:-1])
    return "\n".join("    " + text for text in texts) or "    (nothing)"


class CaseRunner:
    """Runs cases against one server.

    server      a server_fixture.Server
    dialect     larder, or the version of the memcached that is the server
    cutter      how writes are cut
    version_of  the dialect that names the version in answers, if another one
    """

    def __init__(self, server, dialect, cutter, version_of=None):
        self._server = server
        self._dialect = dialect
        self._version = VERSIONS[version_of or dialect]
        self._cutter = cutter
        self._connection = None
        self._datagrams = None
        self._names = {}
        self._stats_before = None
        self._punctuality = None

    def run(self, case):
        """Empties the cache and runs the case; Mismatch if the server answers otherwise, HeldUp if
        the machine may be why."""
        self._flush()
        self._names = {"version": self._version.encode()}
        counts = any(isinstance(action, StatsChange) for action in case.actions)
        with (WireConnection(self._server.connect()) as connection,
              DatagramSocket(self._server.port) as datagrams):
            self._connection = connection
            self._datagrams = datagrams
            self._stats_before = self._server.stats() if counts else None
            self._punctuality = Punctuality()
            for action in case.actions:
                try:
                    self._perform(action)
                except Mismatch as mismatch:
                    kind = HeldUp if self._was_held_up(case) else Mismatch
                    raise kind(f"{case.file}:{action.line}: {case.name}\n{mismatch}") from None
            self._expect_nothing_more(case)

    def _was_held_up(self, case):
        return case.counts_seconds() and self._punctuality.is_lost()

    def _flush(self):
        with self._server.connect() as control:
            is_binary = self._server.is_binary_only
            control.sendall(build_request("flush") if is_binary else b"flush_all\r\n")
            if not control.recv(64):
                raise Mismatch("the server closed the connection that empties the cache")

    def _perform(self, action):
        if isinstance(action, Send):
            self._connection.send(self._cutter.pieces(action.render(self._names)))
        elif isinstance(action, SendDatagram):
            self._datagrams.send(action.render(self._names))
        elif isinstance(action, Expect):
            for parts in action.lines(self._dialect):
                self._expect(parts)
        elif isinstance(action, StatsChange):
            self._compare_stats(action.changes)
        elif isinstance(action, Directive):
            self._obey(action)

    def _expect(self, parts):
        if isinstance(parts, ExpectedPacket):
            self._expect_packets(parts)
            return
        if isinstance(parts, ExpectedDatagram):
            self._expect_datagram(parts)
            return
        if is_literal(parts):
            self._expect_bytes(render_all(parts, self._names))
            return
        lines = count_newlines(parts, self._names)
        self._connection.read_until(lambda data: data.count(b"\n") >= lines, REPLY_TIMEOUT_S)
        form = compile_expected(parts, self._names)
        found = form.match(self._connection.received)
        if not found:
            self._fail_expected(form.pattern)
        for name, text in found.groupdict().items():
            self._names[name] = int(text)
        self._connection.take(found.end())

    def _expect_bytes(self, expected):
        size = len(expected)

        def decided(data):
            return len(data) >= size or not expected.startswith(data)

        self._connection.read_until(decided, REPLY_TIMEOUT_S)
        if self._connection.received[:size] != expected:
            self._fail_expected(expected)
        self._connection.take(size)

    def _expect_datagram(self, expected):
        datagram = self._datagrams.receive(REPLY_TIMEOUT_S)
        if datagram is None:
            raise Mismatch(f"  expected a datagram: {expected}\n  none came")
        wrong = expected.mismatch(datagram, self._names)
        if wrong:
            raise Mismatch(f"  expected a datagram: {expected}\n  received:\n{shown(datagram)}\n"
                           f"  wrong: {wrong}")

    def _expect_packets(self, expected):
        count = 0
        while expected.times is None or count < expected.times:
            response = self._next_packet(expected)
            wrong = expected.mismatch(response, self._names)
            if wrong and expected.times is None:
                return
            if wrong:
                raise Mismatch(f"  expected: {expected}\n  received: {response}\n  wrong: {wrong}")
            self._connection.take(response.size)
            count += 1

    def _next_packet(self, expected):
        received = self._connection.received
        try:
            self._connection.read_until(read_response, REPLY_TIMEOUT_S)
            response = read_response(received)
        except ValueError:
            response = None
        if response is None:
            self._fail_expected(str(expected).encode())
        return response

    def _fail_expected(self, expected):
        # The rest of a wrong answer tells more than its first bytes.
        self._connection.read_until(lambda _: False, SILENCE_S)
        end = " and then closed" if self._connection.at_end else ""
        raise Mismatch(f"  expected:\n{shown(expected)}\n"
                       f"  received{end}:\n{shown(self._connection.received)}")

    def _expect_nothing_more(self, case):
        """Whatever the transcript does not mention must not come, the end included."""
        self._connection.half_close()
        ended = self._connection.read_to_end(REPLY_TIMEOUT_S)
        if self._connection.received:
            raise Mismatch(f"{case.file}:{case.line}: {case.name}\n  after its end received:\n"
                           f"{shown(self._connection.received)}")
        self._expect_no_datagram()
        if not ended:
            raise Mismatch(f"{case.file}:{case.line}: {case.name}\n"
                           "  the connection was not closed after the client's half-close")

    def _compare_stats(self, changes):
        after = self._server.stats()
        for name in sorted(set(COMMAND_COUNTERS) | set(changes)):
            if name not in after:
                raise Mismatch(f"  there is no statistic {name}")
            change = int(after[name]) - int(self._stats_before[name])
            if change != changes.get(name, 0):
                raise Mismatch(f"  {name} changed by {change:+}, expected {changes.get(name, 0):+}")
        self._stats_before = after

    def _obey(self, directive):
        if directive.name == "count":
            self._stats_before = self._server.stats()
        elif directive.name == "pause":
            self._connection.wait_taken()
            time.sleep(0.02)
        elif directive.name == "silent":
            self._expect_silence()
        elif directive.name == "closed":
            self._expect_closed()
        elif directive.name == "half-close":
            self._connection.half_close()
        elif directive.name == "tick":
            self._wait_for_tick()
        elif directive.name == "sleep":
            self._punctuality.waits()
            time.sleep(float(directive.argument))
            self._punctuality.waited()

    def _expect_silence(self):
        if self._connection.read_until(bool, SILENCE_S):
            raise Mismatch(f"  expected silence, received:\n{shown(self._connection.received)}")
        self._expect_no_datagram()

    def _expect_no_datagram(self):
        datagram = self._datagrams.receive(0)
        if datagram is not None:
            raise Mismatch(f"  expected no datagram, received:\n{shown(datagram)}")

    def _expect_closed(self):
        closed = self._connection.read_to_end(REPLY_TIMEOUT_S)
        if self._connection.received:
            raise Mismatch(f"  expected the end, received:\n{shown(self._connection.received)}")
        if not closed:
            raise Mismatch("  expected the server to close the connection")

    def _wait_for_tick(self):
        """Polls `stats` until the time in it changes: the server's second has just begun."""
        self._punctuality.waits()
        deadline = time.monotonic() + REPLY_TIMEOUT_S
        asked_at = time.monotonic()
        before = self._server.stats()["uptime"]
        while self._server.stats()["uptime"] == before:
            if time.monotonic() > deadline:
                raise Mismatch("  the server's clock does not tick")
            time.sleep(0.005)
            asked_at = time.monotonic()
        self._punctuality.waited(asked_at)
