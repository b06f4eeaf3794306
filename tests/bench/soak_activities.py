"""What happens to a server beside its load while it is soaked: each function here is one client, or
some, that does one kind of thing over and over until the soak is over, and raises SoakError at the
first answer that cannot be right.

A key may always be missing: the cache evicts, and flush_all comes by. A value that is there must be
the one that was stored, to the byte.
"""

import contextlib
import dataclasses
import random
import socket
import time

PATIENCE_SECONDS = 60  # a server that says nothing for so long has failed
BATCH = 100
LARGE_KEYS = 4


class SoakError(Exception):
    """What was seen that must not be."""


@dataclasses.dataclass(frozen=True)
class Scale:
    """How large a run is."""
    memory_mb: int
    large_bytes: int
    shift_seconds: float  # between two sizes of the values that are stored
    flush_seconds: float  # between two flush_all
    linger_seconds: float  # of clients that do not behave


class Client:
    """A connection to the server that reads answers by lines and by bytes."""

    def __init__(self, port: int):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_SECONDS)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._answers = self.socket.makefile("rb", 256 * 1024)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._answers.close()
        self.socket.close()

    def send(self, request: bytes) -> None:
        self.socket.sendall(request)

    def line(self) -> bytes:
        line = self._answers.readline()
        if not line.endswith(b"\n"):
            raise SoakError("the server has closed a connection")
        return line.rstrip(b"\r\n")  # lines of dumps and of watchers end without a \r

    def ask(self, request: bytes) -> bytes:
        self.send(request)
        return self.line()

    def expect(self, request: bytes, *allowed: bytes) -> bytes:
        answer = self.ask(request)
        if answer not in allowed:
            raise SoakError(f"{request[:60]!r} was answered {answer[:200]!r}")
        return answer

    def value(self, key: bytes):
        """Reads the answer to a get of one key: its value, or None."""
        head = self.line()
        if head == b"END":
            return None
        words = head.split()
        if words[:2] != [b"VALUE", key]:
            raise SoakError(f"a get of {key!r} was answered {head[:200]!r}")
        value = self._answers.read(int(words[3]) + 2)
        if self.line() != b"END":
            raise SoakError(f"the value of {key!r} does not end where it should")
        return value[:-2]

    def lines_to(self, last: bytes):
        """The lines before that one."""
        while (line := self.line()) != last:
            yield line


def text(number: int, count: int) -> bytes:
    """The value that belongs to a number: bytes that differ from those of others."""
    return (b"%016x" % (number * 0x9E3779B97F4A7C15 & 0xFFFFFFFFFFFFFFFF) * (count // 16 + 1))[:count]


def store_batch(client: Client, prefix: bytes, first: int, value_bytes: int, exptime: int) -> None:
    client.send(b"".join(b"set %s%d 0 %d %d noreply\r\n%s\r\n" %
                         (prefix, number, exptime, value_bytes, text(number, value_bytes))
                         for number in range(first, first + BATCH)) + b"mn\r\n")
    if client.line() != b"MN":
        raise SoakError("a batch of stores was answered with something")


def shift_sizes(port: int, scale: Scale, is_over, done) -> None:
    """New keys, of a size that changes all the time, so that pages move."""
    number = 0
    with Client(port) as client:
        while not is_over.is_set():
            sizes = (50, 700, 9_000, 200, 60_000, 3_000)
            value_bytes = sizes[int(time.monotonic() / scale.shift_seconds) % len(sizes)]
            store_batch(client, b"shift-", number, value_bytes, 0)
            number += BATCH
            done.value = number


def expire(port: int, scale: Scale, is_over, done) -> None:
    """Items that live for a few seconds."""
    del scale
    number = 0
    with Client(port) as client:
        while not is_over.is_set():
            store_batch(client, b"brief-", number, 20, 1 + number % 5)
            number += BATCH
            done.value = number


def check_medium(port: int, scale: Scale, is_over, done) -> None:
    """Values of 10,000 bytes, stored and read, and large multi-gets of them."""
    del scale
    draw = random.Random(1)
    with Client(port) as client:
        while not is_over.is_set():
            number = draw.randrange(2_000)
            client.expect(b"set medium-%d 0 0 10000\r\n%s\r\n" % (number, text(number, 10_000)),
                          b"STORED")
            wanted = [draw.randrange(2_000) for _ in range(50)]
            client.send(b"".join(b"get medium-%d\r\n" % key for key in wanted))
            for key in wanted:
                value = client.value(b"medium-%d" % key)
                if value is not None and value != text(key, 10_000):
                    raise SoakError(f"medium-{key} is not what was stored")
            done.value += 1 + len(wanted)


def dump(port: int, scale: Scale, is_over, done) -> None:
    """lru_crawler metadump, one after the other."""
    del scale
    with Client(port) as client:
        while not is_over.is_set():
            client.expect(b"lru_crawler metadump all\r\n", b"OK")
            for line in client.lines_to(b"END"):
                if not line.startswith(b"key="):
                    raise SoakError(f"a dump has the line {line[:200]!r}")
                done.value += 1


def store_large(port: int, scale: Scale, is_over, done) -> None:
    """Values that fill a good part of the cache, stored and read back."""
    number = 0
    with Client(port) as client:
        while not is_over.is_set():
            key = b"large-%d" % (number % LARGE_KEYS)
            value = text(number, scale.large_bytes)
            client.expect(b"set %s 0 0 %d\r\n" % (key, len(value)) + value + b"\r\n", b"STORED")
            client.send(b"get %s\r\n" % key)
            kept = client.value(key)
            if kept is not None and kept != value:
                raise SoakError(f"{key!r} is not what was stored")
            number += 1
            done.value = number
            is_over.wait(0.2)


def flush(port: int, scale: Scale, is_over, done) -> None:
    """flush_all now and then."""
    with Client(port) as client:
        while not is_over.wait(scale.flush_seconds):
            client.expect(b"flush_all\r\n", b"OK")
            done.value += 1


def come_and_go(port: int, scale: Scale, is_over, done) -> None:
    """Clients that connect, ask a little and leave, in groups and in any order."""
    del scale
    draw = random.Random(2)
    with contextlib.ExitStack() as connected:
        clients = [connected.enter_context(Client(port)) for _ in range(100)]
        while not is_over.wait(0.005):
            place = draw.randrange(len(clients))
            clients[place].__exit__()
            clients[place] = connected.enter_context(Client(port))
            # Every other one leaves without a word when its turn comes.
            if place % 2 == 0:
                clients[place].expect(b"set guest-%d 0 10 5\r\nhello\r\n" % place, b"STORED")
            done.value += 1
            if done.value % 1000 == 0:
                connected.pop_all()
                for client in clients:
                    connected.push(client)


def watch(port: int, scale: Scale, is_over, done) -> None:
    """Watchers of everything: one that reads, and one that does not."""
    del scale
    with Client(port) as deaf, Client(port) as client:
        for watcher in (deaf, client):
            watcher.expect(b"watch fetchers mutations evictions connevents deletions\r\n", b"OK")
        while not is_over.is_set():
            client.line()
            done.value += 1
            if done.value % 10_000 == 0:
                is_over.wait(0.1)


def refuse_to_read(port: int, scale: Scale, is_over, done) -> None:
    """A client that asks for a lot and reads nothing, until it gives up."""
    request = b"get medium-%d\r\n"
    while not is_over.is_set():
        with Client(port) as client:
            client.socket.setblocking(False)
            with contextlib.suppress(BlockingIOError):
                for number in range(100_000):
                    client.send(request % (number % 2_000))
            is_over.wait(scale.linger_seconds)
        done.value += 1


def stop_half_way(port: int, scale: Scale, is_over, done) -> None:
    """Clients that send a part of a request, wait and leave."""
    parts = (b"get half", b"set half 0 0 100000\r\nabc", b"set half 0 0 3000000\r\n" + b"v" * 100_000,
             b"mg ", b"\x80\x00\x00\x05", b"gat 10 " + b"k " * 2_000)
    while not is_over.is_set():
        with contextlib.ExitStack() as connected:
            for part in parts:
                connected.enter_context(Client(port)).send(part)
            is_over.wait(scale.linger_seconds)
        done.value += len(parts)


ALL = (shift_sizes, expire, check_medium, dump, store_large, flush, come_and_go, watch,
       refuse_to_read, stop_half_way)
