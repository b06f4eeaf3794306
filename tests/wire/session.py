"""One session of the differential test with one server: batches of units over several channels.

Units are pipelined in batches. A batch ends before a unit

- that travels on another channel, or breaks the framing of its own;
- with a get of a key above 250 bytes, for which memcached drops replies it has not sent yet;
- that closes the connection, at which memcached may drop them too;
- that counts with a key which the batch has read, since memcached then stores another length (in
  text a barrier in front of it, `mn`, does as well);
- that names the cas number of a key which the batch has changed: it has to be asked for.
"""

import re

from channels import join_answers, open_channel, split_datagrams, split_packets
from known_differences import has_long_key
from unit import (BINARY, BINARY_STREAM, CAS_FIELD_HERE, CAS_HERE, DATAGRAM, TEXT,
                  TEXT_STREAM, is_stream,
                  names_cas)

BATCH_UNITS_MAX = 100
# Replies to datagrams that nobody reads yet must fit into a socket's buffer.
BATCH_DATAGRAMS_MAX = 8
REPLY_TIMEOUT_S = 5.0
BARRIER = b"mn\r\n"
TTL_UNIT_S = 50
# What is left of more than that was left until an absolute time, or below 0 and printed without a
# sign, or above 2^31 and printed with one.
TTL_SECONDS_MAX = 2_592_000

_MOVING = re.compile(
    rb"(?P<value>VALUE [^ ]+ [0-9]+ [0-9]+ )(?P<value_cas>[0-9]+)(?=\r\n)"
    rb"|(?P<debug>exp=(?P<exp>-?[0-9]+) la=[0-9]+ cas=(?P<debug_cas>[0-9]+) "
    rb"fetch=(?P<fetch>yes|no) cls=[0-9]+ size=[0-9]+)"
    rb"| c(?P<cas>[0-9]+)(?=[ \r])| t(?P<ttl>[0-9]+)(?=[ \r])| l[0-9]+(?=[ \r])"
    rb"|(?P<version>VERSION [0-9.]+)")
_VERSION = re.compile(rb"1\.6\.[0-9]+")


def plan_batches(units):
    """Cuts a list of units into batches that may be sent at once each."""
    batch, read, touched = [], set(), set()
    for unit in units:
        lonely = unit.closes or unit.odd and not is_stream(unit) and has_long_key(unit)
        held = unit.counts and not read.isdisjoint(unit.keys)
        if batch and (lonely or batch[0].channel != unit.channel
                      or len(batch) >= batch_units_max(unit) and not is_stream(unit)
                      or held and unit.channel != TEXT
                      or names_cas(unit) and not touched.isdisjoint(unit.keys)):
            if not (is_stream(unit) and batch[0].channel == unit.channel):
                yield batch
                batch, read, touched = [], set(), set()
                held = False
        if held:
            unit = unit._replace(data=BARRIER + unit.data)
            read = set()
        batch.append(unit)
        if lonely:
            yield batch
            batch, read, touched = [], set(), set()
        elif unit.reads:
            read.update(unit.keys)
        else:
            touched.update(unit.keys)
    if batch:
        yield batch


def batch_units_max(unit):
    """How many units of its channel are sent at once."""
    return BATCH_DATAGRAMS_MAX if unit.channel == DATAGRAM else BATCH_UNITS_MAX


def _ttl(seconds):
    if seconds == -1:
        return b"-1"
    if seconds < 0 or seconds > TTL_SECONDS_MAX:
        return b"far"
    return b"%d" % -(-seconds // TTL_UNIT_S)


class Normalizer:
    """Makes the answers of different servers comparable; one for each server and session.

    exact     cas numbers are compared as they are; otherwise they are named in the order of
              their first appearance, but for those in the answer to a stream: it may be the longer
              one of the two
    """

    def __init__(self, exact):
        self._exact = exact
        self._names = {}
        self._in_stream = False

    def normalized(self, reply, channel):
        """The reply without what moves by itself."""
        self._in_stream = channel in (TEXT_STREAM, BINARY_STREAM)
        if channel == DATAGRAM:
            return b"".join(map(self._answer, join_answers(split_datagrams(reply))))
        if channel in (BINARY, BINARY_STREAM):
            return b"".join(map(self._packet, split_packets(reply)))
        return _MOVING.sub(self._line_part, reply)

    def _answer(self, answer):
        number, payload = answer
        channel = BINARY if payload[:1] == b"\x81" else TEXT
        return b"|%d " % number + self.normalized(payload, channel)

    def _name(self, cas):
        if self._exact or cas == 0:
            return b"%d" % cas
        if self._in_stream:
            return b"#"
        return b"#%d" % self._names.setdefault(cas, len(self._names))

    def _line_part(self, match):
        kind = match.lastgroup
        if kind == "value_cas":
            return match["value"] + self._name(int(match["value_cas"]))
        if kind == "debug":
            return b"exp%s cas=%s fetch=%s" % (
                _ttl(int(match["exp"])), self._name(int(match["debug_cas"])), match["fetch"])
        if kind == "cas":
            return b" c" + self._name(int(match["cas"]))
        if kind == "ttl":
            return b" t" + _ttl(int(match["ttl"]))
        return b"VERSION" if kind == "version" else b" l"

    def _packet(self, packet):
        if len(packet) < 24 or packet[0] != 0x81:
            return packet
        cas = int.from_bytes(packet[16:24], "big")
        body = _VERSION.sub(b"(version)", packet[24:]) if packet[1] == 0x0b else packet[24:]
        return packet[:8] + packet[12:16] + self._name(cas) + b" " + body


class Session:
    """One server's side of a session."""

    def __init__(self, server, cutter, exact_cas, prefix, reply_timeout_s=REPLY_TIMEOUT_S):
        self._server = server
        self._cutter = cutter
        self._prefix = prefix
        self._reply_timeout_s = reply_timeout_s
        self._channels = {}
        self._normalizer = Normalizer(exact_cas)

    def close(self):
        """Ends all connections."""
        for channel in self._channels.values():
            channel.close()

    def next_cas(self):
        """Stores something and returns the cas number it got."""
        key = self._prefix + b"cas"
        reply = self._channel(TEXT).ask(b"set %s 0 0 0\r\n\r\ngets %s\r\n" % (key, key), 4)
        found = _MOVING.search(reply)
        if not found:
            raise TimeoutError(f"no cas number in {reply!r}")
        return int(found["value_cas"])

    def skip_cas(self, count):
        """Lets the server give out so many cas numbers."""
        request = b"set %scas 0 0 0 noreply\r\n\r\n" % self._prefix
        self._channel(TEXT).ask(request * count + b"version\r\n", 1)

    def send(self, batch):
        """Sends a batch; the cas numbers of its keys are asked for first."""
        wanted = {unit.keys[0]: b"1" for unit in batch if names_cas(unit)}
        if wanted:
            self._ask_cas(wanted)
            batch = [_with_cas(unit, wanted) for unit in batch]
        self._channel(batch[0].channel).send(batch)

    def receive(self, batch):
        """Everything that the server answered to the batch."""
        return self._channel(batch[0].channel).receive()

    def normalized(self, batch, reply):
        """The reply in a form that can be compared."""
        return self._normalizer.normalized(reply, batch[0].channel)

    def answers(self, batch, reply):
        """The same, unit by unit."""
        pieces = self._channel(batch[0].channel).split(reply)
        return [self.normalized(batch, piece) for piece in pieces]

    def delete_keys(self, keys):
        """Makes room for the next session."""
        request = b"".join(b"delete %s noreply\r\n" % key for key in keys)
        self._channel(TEXT).ask(request + b"version\r\n", 1)

    def _channel(self, name):
        if name not in self._channels:
            self._channels[name] = open_channel(
                name, self._server, self._cutter, self._reply_timeout_s)
        return self._channels[name]

    def _ask_cas(self, wanted):
        # Unlike gets this leaves no mark on the item.
        keys = list(wanted)
        request = b"".join(b"mg %s c u\r\n" % key for key in keys)
        reply = self._channel(TEXT).ask(request, len(keys))
        for key, line in zip(keys, reply.split(b"\r\n")):
            if line.startswith(b"HD c"):
                wanted[key] = line[4:].split(b" ")[0]


def _with_cas(unit, known):
    if not names_cas(unit):
        return unit
    number = known[unit.keys[0]]
    data = unit.data.replace(CAS_FIELD_HERE, int(number).to_bytes(8, "big"))
    return unit._replace(data=data.replace(CAS_HERE, number))
