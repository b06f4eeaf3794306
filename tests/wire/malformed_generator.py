"""Breaks requests: lines that are cut off, bytes that do not belong, packets that lie.

A stream is a few pieces on one connection that is closed behind them. Nothing brings a server back
in step there: what counts is that both lose it in the same way.

Left out, since their answer depends on the clock or the server: flush_all, stats, and digits that
would make a short time to live of a long one.
"""

import struct

from binary_generator import BinaryGenerator, packet
from binary_packet import OPCODES
from known_differences import reads_long_key
from meta_generator import MetaGenerator
from request_generator import RequestGenerator
from unit import (BINARY_STREAM, CAS_FIELD_HERE, CAS_HERE, DATAGRAM, PACKET_STREAM_END,
                  TEXT_STREAM, TEXT_STREAM_END, Choices, Unit, names_cas)
from values import encoded

BYTES_MAX = 1200
_ODD_BYTES = (
    b"\0", b"\r", b"\n", b"\r\n", b" ", b"  ", b"\t", b"\x80", b"\x81", b"\xff", b"0", b"00", b"-",
    b"+", b"\x7f", b"{", b"=", b"x", b"noreply", b" noreply", b"\n\n", b"\r\r\n")
_WORDS = encoded([
    "get", "gets", "gat", "gats", "set", "add", "cas", "append", "incr", "decr", "delete", "touch",
    "mg", "ms", "md", "ma", "mn", "me", "verbosity", "0", "0", "-1", "00", "noreply", "x", "",
    "S0", "v", "k", "b", "q", "O1", "T0", "N0", "MS", "ME", "MX", "C0", "E0", "F0", "I", "k v q",
    "Zm9v", "Zm9v=", "====", "18446744073709551615", "4294967296", "2147483646", "99999999999"])
_ENDS = (b"\r\n", b"\r\n", b"\r\n", b"\n", b"\r", b"", b"\0\r\n", b" \r\n", b"\r\r\n")
_SIZES = (0, 1, 4, 8, 20, 24, 250, 251, 255, 1000, 65535)
_BODY_SIZES = (0, 1, 4, 8, 23, 24, 25, 100, 4096, 0x3fffffff, 0x40000001, 0x7fffffff, 0xffffffff)


class MalformedText(Choices):
    """Streams of broken text and meta requests."""

    def __init__(self, random, keys):
        super().__init__(random)
        self.odd = True
        self._keys = keys
        self._sources = (RequestGenerator(random, keys), MetaGenerator(random, keys))

    def stream(self):
        """The pieces of one connection."""
        while True:
            pieces = [self._piece() for _ in range(2 + self.below(8))]
            if not reads_long_key(b"".join(pieces)):
                break
        return _units([*pieces, TEXT_STREAM_END], TEXT_STREAM)

    def _piece(self):
        kind = self.below(10)
        if kind < 5:
            return self._mutated(self._source())
        if kind < 8:
            return self._soup()
        return self._source() if kind == 8 else self._many_words()

    def _source(self):
        while True:
            data = self.one_of(self._sources).unit().data
            if len(data) <= BYTES_MAX and not data.startswith((b"flush", b"stats")):
                return data.replace(CAS_HERE, b"99999")

    def _mutated(self, data):
        for _ in range(1 + self.below(3)):
            place = self.below(len(data) + 1)
            kind = self.below(5)
            if kind == 0:
                data = data[:place] + self.one_of(_ODD_BYTES) + data[place:]
            elif kind == 1:
                data = data[:place] + self.one_of(_ODD_BYTES) + data[place + 1:]
            elif kind == 2:
                data = data[:place]
            elif kind == 3:
                data = data[place:]
            else:
                other = self.below(len(data) + 1)
                data = data[:max(place, other)] + data[min(place, other):]
        return data

    def _soup(self):
        words = [self.one_of(_WORDS) for _ in range(1 + self.below(8))]
        if self.one_in(2):
            words.insert(1, self.one_of(self._keys.usual + self._keys.long))
        return b" ".join(words) + self.one_of(_ENDS)

    def _many_words(self):
        words = [self.one_of(_WORDS[:18]), self.one_of(self._keys.usual)]
        words += [b"0"] * self.below(30)
        if self.one_in(2):
            words.append(b"noreply")
        return b" ".join(words) + self.one_of(_ENDS)


class MalformedPackets(Choices):
    """Streams of packets one of which is broken."""

    def __init__(self, random, keys):
        super().__init__(random)
        self.odd = True
        self._source = BinaryGenerator(random, keys)

    def stream(self):
        """The pieces of one connection."""
        pieces = [self._broken()]
        if self.one_in(4):
            pieces.append(self._whole())
        return _units([*pieces, PACKET_STREAM_END], BINARY_STREAM)

    def _whole(self):
        while True:
            data = self._source.unit().data
            if len(data) <= BYTES_MAX and data[1] not in (OPCODES["flush"], OPCODES["flushq"]):
                return data.replace(CAS_FIELD_HERE, bytes(8))

    def _broken(self):
        data = bytearray(self._whole())
        kind = self.below(12)
        if kind < 3:
            data[4] = self.one_of((0, 1, 4, 8, 20, 21, 255))
        elif kind < 5:
            struct.pack_into("!H", data, 2, self.one_of(_SIZES))
        elif kind < 8:
            struct.pack_into("!I", data, 8, self.one_of(_BODY_SIZES))
        elif kind == 8:
            data[0] = self.one_of((0, 0x81, 0x7f, 0xff, ord("g")))
        elif kind == 9:
            del data[self.below(len(data)):]
        elif kind == 10:
            return self.one_of((b"get a\r\n", b"version\r\n" * 3, b"\x80", b"\x81" + bytes(23)))
        else:
            # The fields agree with each other and not with the opcode.
            opcode = self.one_of(sorted(OPCODES.values()))
            return packet(opcode, bytes(data[24:24 + self.below(9)]), b"e" * self.below(9),
                          b"v" * self.below(9), opaque=9)
        return bytes(data)


class Datagrams(Choices):
    """Requests in datagrams, and datagrams that are none."""

    def __init__(self, random, keys):
        super().__init__(random)
        self._sources = (RequestGenerator(random, keys), MetaGenerator(random, keys),
                         BinaryGenerator(random, keys))

    def unit(self):
        """One datagram."""
        while True:
            unit = self.one_of(self._sources).unit()
            if len(unit.data) <= BYTES_MAX and self._whole(unit):
                break
        if self.one_in(12) and not names_cas(unit):
            return self._broken(unit)
        return unit._replace(channel=DATAGRAM)

    @staticmethod
    def _whole(unit):
        return not unit.odd

    def _broken(self, unit):
        header = struct.pack("!HHHH", 0xbad, self.below(3), self.one_of((0, 2, 3, 65535)), 0)
        # Not here: a line without an end, after which memcached loses packets of later datagrams.
        data = header + unit.data
        if self.one_in(4):
            data = data[:self.below(9)]
        return Unit(data, odd=True, channel=DATAGRAM, framed=False)


def _units(pieces, channel):
    units = [Unit(piece, _first_line(piece), odd=True, channel=channel) for piece in pieces]
    units[-1] = units[-1]._replace(closes=True)
    return units


def _first_line(data):
    line = data.partition(b"\n")[0]
    return line[:-1] if line.endswith(b"\r") else line
