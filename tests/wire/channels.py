"""How the differential test talks to one server, and where one unit's answer ends.

    channel.send(units)     sends them, reading meanwhile
    channel.receive()       everything that was answered, as bytes
    channel.split(reply)    the same, one piece for each unit that was answered

TextChannel      one connection; `version` behind each unit marks the end of its answer.
BinaryChannel    the same with noop, whose opaque is the unit's number.
StreamChannel    a connection of its own for one batch of units that break the framing: they are
                 sent as they are, the client says that no more will come, and whatever arrives
                 until the server closes is the answer to the last of them.
DatagramChannel  UDP, each unit one datagram, the fence of its protocol in the same.

Errors   a server that does not answer in reply_timeout_s has answered less; that is all.
"""

import select
import socket
import struct
import time

from binary_packet import HEADER, OPCODES, RESPONSE_MAGIC
from binary_generator import packet
from unit import BINARY, BINARY_STREAM, CLOSED, DATAGRAM, TEXT, TEXT_STREAM
from wire_connection import WireConnection

# What is no unit is answered by any server, be the machine ever so busy.
ASK_TIMEOUT_S = 20.0
TEXT_FENCE = b"version\r\n"
TEXT_FENCE_BEGIN = b"VERSION "
FRAME = struct.Struct("!HHHH")
# So that fences are not confused with what the units ask.
_FENCE_OPAQUE = 0xfe000000
_NOOP = OPCODES["noop"]
_BINARY_HELLO = packet(_NOOP, opaque=_FENCE_OPAQUE)


def _noop_reply(opaque):
    return HEADER.pack(RESPONSE_MAGIC, _NOOP, 0, 0, 0, 0, 0, opaque, 0)


def split_packets(data):
    """The packets of a stream; what is none, and all behind it, is the last piece."""
    pieces, place = [], 0
    while place < len(data):
        end = len(data)
        if data[place] == RESPONSE_MAGIC and place + HEADER.size <= end:
            body_size = int.from_bytes(data[place + 8:place + 12], "big")
            end = min(end, place + HEADER.size + body_size)
        pieces.append(data[place:end])
        place = end
    return pieces


class _Connected:
    """A connection that is kept for a whole session."""

    def __init__(self, server, cutter, reply_timeout_s):
        self._connection = WireConnection(server.connect())
        self._cutter = cutter
        self._reply_timeout_s = reply_timeout_s
        self._closes = False

    def close(self):
        """Ends the connection."""
        self._connection.close()

    def _send(self, units, data):
        self._closes = units[-1].closes
        self._connection.send(self._cutter.pieces(data))

    def _receive(self, complete):
        if self._closes:
            ended = self._connection.read_to_end(self._reply_timeout_s)
            mark = CLOSED if ended else b"(not closed)"
            return self._connection.take(len(self._connection.received)) + mark
        self._connection.read_until(complete, self._reply_timeout_s)
        return self._connection.take(len(self._connection.received))


class TextChannel(_Connected):
    """Text and meta commands."""

    def __init__(self, server, cutter, reply_timeout_s):
        super().__init__(server, cutter, reply_timeout_s)
        self._fences = 0
        self._fence_reply = b""
        self._fence_reply = self.ask(TEXT_FENCE, 1)

    def ask(self, data, lines):
        """Sends something that is no unit and returns so many lines of answer."""
        self._connection.send([data])
        self._connection.read_until(
            lambda received: received.count(b"\n") >= lines, ASK_TIMEOUT_S)
        return self._connection.take(len(self._connection.received))

    def send(self, units):
        self._fences = len(units)
        self._send(units, b"".join([unit.data + TEXT_FENCE for unit in units]))

    def receive(self):
        reply = self._fence_reply
        return self._receive(lambda received: received.endswith(reply)
                             and received.count(reply) >= self._fences)

    def split(self, reply):
        pieces = reply.split(self._fence_reply)
        # Behind the last fence nothing may come; if something did it belongs to the last unit.
        return pieces if pieces[-1] else pieces[:-1]


class BinaryChannel(_Connected):
    """Packets."""

    def __init__(self, server, cutter, reply_timeout_s):
        super().__init__(server, cutter, reply_timeout_s)
        self._last = b""

    def send(self, units):
        count = len(units)
        self._last = _noop_reply(_FENCE_OPAQUE + count - 1)
        self._send(units, b"".join(
            [unit.data + packet(_NOOP, opaque=_FENCE_OPAQUE + number)
             for number, unit in enumerate(units)]))

    def receive(self):
        return self._receive(lambda received: received.endswith(self._last))

    def split(self, reply):
        pieces, piece, number = [], b"", 0
        for response in split_packets(reply):
            if response == _noop_reply(_FENCE_OPAQUE + number):
                pieces.append(piece)
                piece, number = b"", number + 1
            else:
                piece += response
        return pieces + [piece] if piece else pieces


class StreamChannel:
    """Batches that break the framing, each on a connection of its own."""

    def __init__(self, server, cutter, reply_timeout_s, is_binary):
        self._server = server
        self._cutter = cutter
        self._reply_timeout_s = reply_timeout_s
        self._is_binary = is_binary
        self._connection = None
        self._count = 0

    def close(self):
        """Nothing is kept."""

    def send(self, units):
        self._count = len(units)
        self._connection = WireConnection(self._server.connect())
        if self._is_binary:
            # At a broken packet a server may drop what it has not sent; that must not be this.
            self._connection.send([_BINARY_HELLO])
            self._connection.read_until(lambda received: len(received) >= HEADER.size,
                                        self._reply_timeout_s)
        self._connection.send(self._cutter.pieces(b"".join([unit.data for unit in units])))
        self._connection.half_close()

    def receive(self):
        ended = self._connection.read_to_end(self._reply_timeout_s)
        reply = self._connection.take(len(self._connection.received))
        self._connection.close()
        return reply + (CLOSED if ended else b"(not closed)")

    def split(self, reply):
        return [b""] * (self._count - 1) + [reply]


class DatagramChannel:
    """One datagram for each unit."""

    def __init__(self, server, reply_timeout_s):
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
        self._socket.connect(("127.0.0.1", server.port))
        self._socket.setblocking(False)
        self._reply_timeout_s = reply_timeout_s
        self._last = 0

    def close(self):
        """Ends the connection."""
        self._socket.close()

    def send(self, units):
        self._last = len(units) - 1
        for number, unit in enumerate(units):
            is_packet = unit.data[:1] == b"\x80"
            fence = packet(_NOOP, opaque=_FENCE_OPAQUE) if is_packet else TEXT_FENCE
            if unit.framed:
                self._socket.send(FRAME.pack(number, 0, 1, 0) + unit.data + fence)
            else:
                self._socket.send(unit.data)
                self._socket.send(FRAME.pack(number, 0, 1, 0) + TEXT_FENCE)

    def receive(self):
        datagrams = []
        deadline = time.monotonic() + self._reply_timeout_s
        while not (datagrams and self._ends(datagrams[-1])):
            left = deadline - time.monotonic()
            if left <= 0 or not select.select([self._socket], [], [], left)[0]:
                break
            datagrams.append(self._socket.recv(65536))
        return join_datagrams(datagrams)

    def _ends(self, datagram):
        return datagram[:2] == FRAME.pack(self._last, 0, 0, 0)[:2] and _is_fence(datagram[8:])

    def split(self, reply):
        pieces, piece = [], []
        for datagram in split_datagrams(reply):
            piece.append(datagram)
            if _is_fence(datagram[8:]):
                pieces.append(join_datagrams(piece))
                piece = []
        return pieces + [join_datagrams(piece)] if piece else pieces


def join_datagrams(datagrams):
    """Several datagrams as one reply: each behind its size."""
    return b"".join(b"%d " % len(datagram) + datagram for datagram in datagrams)


def split_datagrams(reply):
    """The datagrams of a reply."""
    datagrams = []
    while reply:
        size, _, rest = reply.partition(b" ")
        datagrams.append(rest[:int(size)])
        reply = rest[int(size):]
    return datagrams


def join_answers(datagrams):
    """The datagrams as (request id, all bytes) for each request.

    Where in an answer of several parts one run of sequence numbers ends and the next begins is
    left to the server (memcached numbers a miss, too), but each run must be complete.
    """
    answers, expected = [], (0, 0)
    for datagram in datagrams:
        number, sequence, total, reserved = FRAME.unpack_from(datagram)
        if total == 0 and len(datagram) == FRAME.size:
            # What memcached sends where an answer of no bytes stands before another one.
            continue
        begins = sequence == 0 and expected[0] == expected[1]
        if reserved or not begins and (sequence, total) != expected:
            answers.append((number, b"(out of order) "))
        expected = (sequence + 1, total)
        if not answers or answers[-1][0] != number:
            answers.append((number, b""))
        answers[-1] = (number, answers[-1][1] + datagram[FRAME.size:])
    return answers


def _is_fence(payload):
    return payload.startswith(TEXT_FENCE_BEGIN) or payload == _noop_reply(_FENCE_OPAQUE)


def open_channel(name, server, cutter, reply_timeout_s):
    """The channel of a unit."""
    if name == TEXT:
        return TextChannel(server, cutter, reply_timeout_s)
    if name == BINARY:
        return BinaryChannel(server, cutter, reply_timeout_s)
    if name == DATAGRAM:
        return DatagramChannel(server, reply_timeout_s)
    return StreamChannel(server, cutter, reply_timeout_s, name == BINARY_STREAM)
