"""A client connection that can cut what it sends at chosen places.

Cutter             how one write becomes several: whole, byte by byte, or at random places.
OneCut             cuts all that a client sends at one place.
WireConnection     sends pieces while it reads, so that neither side can block the other.
DatagramSocket     sends and receives datagrams; made at the first one sent.

A cut is only worth something if the server sees it. On a unix socket the kernel tells when the
peer has taken everything, so each piece is waited for; on TCP a very short sleep has to do.
"""

import fcntl
import select
import socket
import struct
import termios
import time

# Values longer than this are cut near their ends only: in the middle a cut proves nothing new.
CUT_EDGE_BYTES = 400
MIDDLE_PIECE_BYTES = 40000
TAKEN_TIMEOUT_S = 0.05
TCP_GAP_S = 0.00005


class Cutter:
    """Cuts bytes into pieces. Modes: whole, bytes, random (with a random.Random)."""

    def __init__(self, mode, random=None):
        self.mode = mode
        self._random = random

    def pieces(self, data):
        """The pieces of `data`, in order."""
        if self.mode == "whole" or len(data) < 2:
            return [data]
        cuts = [0, *self._places(len(data)), len(data)]
        return [data[start:end] for start, end in zip(cuts, cuts[1:])]

    def _places(self, size):
        if size > 2 * CUT_EDGE_BYTES:
            edges = [*range(1, CUT_EDGE_BYTES), *range(size - CUT_EDGE_BYTES, size)]
            middle = list(range(CUT_EDGE_BYTES, size - CUT_EDGE_BYTES, MIDDLE_PIECE_BYTES))
        else:
            edges, middle = list(range(1, size)), []
        if self.mode == "random":
            count = min(len(edges), self._random.randint(1, 6))
            edges = self._random.sample(edges, count)
            middle = [place for place in middle if self._random.random() < 0.3]
        return sorted(set(edges + middle))


class OneCut:
    """Cuts what it is given, taken together, once: `place` bytes from the begin."""

    def __init__(self, place):
        self._place = place
        self.given_bytes = 0

    def pieces(self, data):
        """The pieces of `data`, in order."""
        place = self._place - self.given_bytes
        self.given_bytes += len(data)
        return [data[:place], data[place:]] if 0 < place < len(data) else [data]


class WireConnection:
    """One stream socket, read into a buffer.

    Owner    owns the socket; close() or a with statement ends it.
    Errors   a closed or reset connection reads as the end; sending to it is not an error, since
             what the server said before is what the test is about.
    """

    def __init__(self, connection):
        self._socket = connection
        self._socket.setblocking(False)
        self._is_unix = connection.family == socket.AF_UNIX
        self.received = bytearray()
        self.at_end = False

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        """Closes the socket."""
        self._socket.close()

    def send(self, pieces, timeout_s=20.0):
        """Sends all pieces, reading what arrives meanwhile."""
        deadline = time.monotonic() + timeout_s
        for number, piece in enumerate(pieces):
            if number:
                self.wait_taken()
            self._send_piece(memoryview(piece), deadline)

    def _send_piece(self, piece, deadline):
        while piece and time.monotonic() < deadline:
            try:
                piece = piece[self._socket.send(piece):]
            except BlockingIOError:
                readable, _, _ = select.select([self._socket], [self._socket], [], 0.5)[:3]
                if readable:
                    self._read_once()
            except OSError:
                return
        if piece:
            raise TimeoutError("the server takes no more input")

    def wait_taken(self):
        """Waits until the server has read what was sent, as far as that can be known."""
        if not self._is_unix:
            time.sleep(TCP_GAP_S)
            return
        deadline = time.monotonic() + TAKEN_TIMEOUT_S
        while time.monotonic() < deadline:
            if not struct.unpack("i", fcntl.ioctl(self._socket, termios.TIOCOUTQ, b"\0" * 4))[0]:
                return
            time.sleep(0)

    def half_close(self):
        """Says that no more will be sent."""
        try:
            self._socket.shutdown(socket.SHUT_WR)
        except OSError:
            pass

    def read_until(self, enough, timeout_s):
        """Reads until enough(received) or the end or the timeout; true if it was enough."""
        deadline = time.monotonic() + timeout_s
        while not enough(self.received):
            left = deadline - time.monotonic()
            if self.at_end or left <= 0:
                return False
            readable, _, _ = select.select([self._socket], [], [], left)
            if readable:
                self._read_once()
        return True

    def read_to_end(self, timeout_s):
        """Reads until the server closes; true if it did."""
        self.read_until(lambda _: self.at_end, timeout_s)
        return self.at_end

    def take(self, count):
        """Removes and returns the first bytes received."""
        data = bytes(self.received[:count])
        del self.received[:count]
        return data

    def _read_once(self):
        try:
            data = self._socket.recv(1 << 20)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        self.received += data
        self.at_end = not data


class DatagramSocket:
    """UDP to one port of this machine. Owner: a with statement."""

    def __init__(self, port):
        self._port = port
        self._socket = None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self._socket:
            self._socket.close()

    def send(self, datagram):
        """Sends one."""
        if not self._socket:
            self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            self._socket.connect(("127.0.0.1", self._port))
        self._socket.send(datagram)

    def receive(self, timeout_s):
        """The next one, or None."""
        if self._socket and select.select([self._socket], [], [], timeout_s)[0]:
            return self._socket.recv(65536)
        return None
