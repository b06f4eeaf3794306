"""The smallest thing that the differential test sends, and the choices that make it.

Unit      one request with everything that belongs to it: its line or packet, its value, and
          whatever brings a server that reads it differently back in step at the end.
Choices   random picks, fast: a run makes a million requests.
KeySet    the keys of one session. They all begin with the session's prefix, so that sessions
          do not meet; the prefix is a multiple of 3 bytes, so that it shows in base64 as well.
"""

import base64
from typing import NamedTuple

# How a unit travels: channels.py.
TEXT, BINARY, TEXT_STREAM, BINARY_STREAM, DATAGRAM = (
    "text", "binary", "text stream", "binary stream", "datagram")

# What ends a stream, and how a server that has understood where it ends answers; 0x7e7e7e7e is the
# packet's opaque.
CLOSED = b"(closed)"
TEXT_STREAM_END = b"zzzz\r\nmg end Oend\r\n"
PACKET_STREAM_END = b"\x80\x0a" + bytes(10) + b"~~~~" + bytes(8)
STREAM_END_REPLIES = (b"EN Oend\r\n" + CLOSED, b"~~~~0 " + CLOSED)

STORES = ("set", "add", "replace", "append", "prepend", "cas")
READS = ("get", "gets", "gat", "gats")
ARITHMETIC = ("incr", "decr")

# The cas number that the server last gave for the unit's first key stands for this; the second
# form is a field of a packet.
CAS_HERE = b"<cas>"
CAS_FIELD_HERE = b"<cas...>"

VALUE_BYTES_MAX = 2_000_000

# memcached closes at a longer line, unless it is a get or gets or arrives in one piece. A value
# that is longer must not be taken for a line.
LINE_BYTES_MAX = 1500


class Unit(NamedTuple):
    """One request.

    line      a text request's first line without its end; of a packet nothing
    keys      what it is about; holds the bytes that stand in `data`
    closes    the server closes the connection
    odd       an edge was picked for it: only such a unit can fall under a known difference
    reads     its reply may hold on to the items of its keys until it is sent
    counts    it reads a number and stores another, in place if nobody else holds the item
    channel   how it travels
    framed    as a datagram it gets the header that makes it a good one
    """
    data: bytes
    line: bytes = b""
    keys: tuple = ()
    closes: bool = False
    odd: bool = False
    reads: bool = False
    counts: bool = False
    channel: str = TEXT
    framed: bool = True

    @property
    def words(self):
        """The words of the line as memcached separates them."""
        return [word for word in self.line.split(b" ") if word]

    @property
    def value(self):
        """What follows the line."""
        return self.data.partition(b"\n")[2]

    @property
    def command(self):
        """The first word, or nothing."""
        words = self.words
        return words[0].decode("latin-1") if words else ""

    def renamed(self, old, new):
        """The same for the keys of another session."""
        pairs = ((old, new), (base64.b64encode(old), base64.b64encode(new)))

        def rename(data):
            for before, after in pairs:
                data = data.replace(before, after)
            return data

        return self._replace(data=rename(self.data), line=rename(self.line),
                             keys=tuple(map(rename, self.keys)))


def names_cas(unit):
    """True if the cas number of the unit's key has to be filled in."""
    return CAS_HERE in unit.data or CAS_FIELD_HERE in unit.data


def is_stream(unit):
    """True if the unit may break the framing of its connection."""
    return unit.channel in (TEXT_STREAM, BINARY_STREAM)


class Choices:
    """Picks from tables of (usual, edges) and notes when an edge was picked."""

    def __init__(self, random):
        self.random = random
        self.odd = False

    def below(self, count):
        """A number from 0 to count - 1."""
        return int(self.random.random() * count)

    def one_in(self, count):
        """True once in so many times."""
        return self.random.random() * count < 1

    def one_of(self, options):
        """Any of a sequence."""
        return options[int(self.random.random() * len(options))]

    def edge_in(self, count):
        """True once in so many times; notes it."""
        if self.random.random() * count < 1:
            self.odd = True
            return True
        return False

    def pick(self, table, edge_one_in=5):
        """One of a table."""
        usual, edges = table
        return self.one_of(edges if edges and self.edge_in(edge_one_in) else usual)

    def weighted(self, total, table):
        """One of a table of (cumulated weight, option)."""
        place = self.random.random() * total
        return next(option for weight, option in table if place < weight)


def cumulated(table):
    """(total, table for Choices.weighted) of a table of (weight, option)."""
    total, rows = 0, []
    for weight, option in table:
        total += weight
        rows.append((total, option))
    return total, tuple(rows)


class KeySet:
    """The keys of a session, plain and in base64."""

    SUFFIXES = (b"a", b"b", b"c", b"d", b"n1", b"n2", b"\t\x01\xff")

    def __init__(self, prefix):
        self.usual = [prefix + suffix for suffix in self.SUFFIXES]
        self.usual.append(prefix + b"k" * (250 - len(prefix)))
        self.long = [prefix + b"k" * (251 - len(prefix)), prefix + b"k" * 400]
        # 186 bytes are the most whose base64 form is a key still.
        self.encodable = self.usual[:-1] + [prefix + b"q" * (186 - len(prefix))]
        self.encoded = {key: base64.b64encode(key) for key in self.encodable}

    def all(self):
        """Every key that can be stored."""
        return self.usual + self.encodable[-1:]
