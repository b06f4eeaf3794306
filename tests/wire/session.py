"""Sends the units of one session to one server and collects the answer to each.

Units are pipelined in batches. Behind each unit stands `version`, whose answer marks where the
unit's own answer ends. A batch ends before a unit whose answer depends on what has been sent and
what has not:

- a get with a key above 250 bytes, for which memcached drops replies it has not sent yet;
- arithmetic on a key that the same batch has read, since memcached then stores another length;
- a cas with the number of its item, which has to be asked for first;
- a request of a browser, at which memcached closes and drops what it has not sent yet.
"""

import re

from known_differences import has_long_key
from request_generator import ARITHMETIC, CAS_HERE, READS
from wire_connection import WireConnection

BATCH_UNITS_MAX = 25
REPLY_TIMEOUT_S = 5.0
FENCE = b"version\r\n"
_VALUE_WITH_CAS = re.compile(rb"(VALUE [^ ]+ [0-9]+ [0-9]+ )([0-9]+)\r\n")


def _is_http(unit):
    return unit.closes and unit.command != "quit"


def plan_batches(units):
    """Cuts a list of units into batches that may be sent at once each."""
    batch, read_keys = [], set()
    for unit in units:
        alone = has_long_key(unit) or CAS_HERE in unit.data or _is_http(unit)
        held = unit.command in ARITHMETIC and read_keys & set(unit.keys)
        if batch and (alone or held or len(batch) == BATCH_UNITS_MAX):
            yield batch
            batch, read_keys = [], set()
        batch.append(unit)
        if alone:
            yield batch
            batch, read_keys = [], set()
        elif unit.command in READS:
            read_keys |= set(unit.keys)
    if batch:
        yield batch


class CasNumbers:
    """Makes the cas numbers of different servers comparable.

    exact     both count every attempt to store: the distance to the session's first number
    not exact numbers are named in the order of their first appearance
    """

    def __init__(self, exact, first):
        self._exact = exact
        self._first = first
        self._names = {}

    def normalized(self, reply):
        """The reply with each cas number replaced."""
        return _VALUE_WITH_CAS.sub(self._replace, reply)

    def _replace(self, match):
        number = int(match.group(2))
        if self._exact:
            name = number - self._first
        else:
            name = self._names.setdefault(number, len(self._names))
        return match.group(1) + b"cas:%d\r\n" % name


class Session:
    """One connection to one server; answers() gives one reply for each unit."""

    def __init__(self, server, cutter, exact_cas, prefix):
        self._connection = WireConnection(server.connect())
        self._cutter = cutter
        self._fence_reply = self._ask(FENCE)
        first = self._ask(b"set %scas 0 0 0\r\n\r\ngets %scas\r\n" % (prefix, prefix), 4)
        self._cas = CasNumbers(exact_cas, int(_VALUE_WITH_CAS.search(first).group(2)))

    def close(self):
        """Ends the connection."""
        self._connection.close()

    def answers(self, units):
        """The normalized answers, in order; shorter if the server stopped answering."""
        replies = []
        for batch in plan_batches(units):
            got = self._answer_batch(batch)
            replies += [self._cas.normalized(reply) for reply in got]
            if len(got) < len(batch) or batch[-1].closes:
                break
        return replies

    def _answer_batch(self, batch):
        data = b"".join(self._with_cas(unit) + FENCE for unit in batch)
        self._connection.send(self._cutter.pieces(data))
        if batch[-1].closes:
            self._connection.read_to_end(REPLY_TIMEOUT_S)
        else:
            self._connection.read_until(
                lambda received: received.count(self._fence_reply) >= len(batch), REPLY_TIMEOUT_S)
        text = self._connection.take(len(self._connection.received))
        replies = text.split(self._fence_reply)
        # Behind the last fence nothing may come; if something did it belongs to the last unit.
        rest = replies.pop()
        if batch[-1].closes:
            end = b"(closed)" if self._connection.at_end else b"(not closed)"
            return replies + [rest + end]
        if rest:
            replies.append(rest + b"(then nothing)")
        return replies

    def _with_cas(self, unit):
        if CAS_HERE not in unit.data:
            return unit.data
        reply = self._ask(b"gets " + unit.keys[0] + b"\r\n" + FENCE, until=self._fence_reply)
        found = _VALUE_WITH_CAS.search(reply)
        return unit.data.replace(CAS_HERE, found.group(2) if found else b"1")

    def _ask(self, data, lines=1, until=None):
        self._connection.send([data])
        self._connection.read_until(
            lambda received: until in received if until else received.count(b"\n") >= lines,
            REPLY_TIMEOUT_S)
        return self._connection.take(len(self._connection.received))
