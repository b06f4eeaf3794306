"""The disturbances of stalls.py: what goes on in a server beside the small requests that are timed.

Each says how it makes its server ready, what it does while the load runs, and from the server's
figures before and after, whether it happened at all: a calm table is worth nothing if nothing was
disturbed. Those who disturb run at the lowest priority, as if on a machine of their own.
"""

import dataclasses
import multiprocessing
import os
import socket
import subprocess
import time

import bench_servers
from bench_servers import BenchError

LOWEST_PRIORITY = 19
FILL_BATCH = 1000
FILL_SAMPLE_PART = 50     # of the items that expire: from so many the time for all is told
EXPIRY_HEAD_S = 0.2       # that the load begins before the items expire
FREED_SECONDS_MAX = 3     # after the load, for the last of them to be freed
SMALL_VALUE_BYTES = 100
ITEM_OVERHEAD_BYTES = 30  # at least


@dataclasses.dataclass(frozen=True)
class Sizes:
    """How large the disturbances are."""
    memory_mb: int
    shift_memory_mb: int     # of `moves` and `large`: filled first
    growth_from: int         # items
    growth_to: int
    filler_count: int        # items of some 144 bytes that expire or are flushed
    dump_count: int          # items
    large_mb: int


FULL = Sizes(memory_mb=2048, shift_memory_mb=512, growth_from=1_000_000, growth_to=10_000_000,
             filler_count=7_000_000, dump_count=3_000_000, large_mb=100)
QUICK = Sizes(memory_mb=64, shift_memory_mb=16, growth_from=1_000, growth_to=200_000,
              filler_count=20_000, dump_count=20_000, large_mb=2)


def connect(port):
    return socket.create_connection(("127.0.0.1", port))


def ask(client, request):
    """Sends a request of which the answer is one line, and returns that."""
    client.sendall(request)
    answer = b""
    while not answer.endswith(b"\r\n"):
        piece = client.recv(4096)
        if not piece:
            raise BenchError("the server has closed the connection")
        answer += piece
    return answer


def fill_mortal(port, count, expires_at):
    """Stores small items that expire, under keys of their own."""
    value = b"v" * SMALL_VALUE_BYTES
    tail = b" 0 %d %d noreply\r\n%s\r\n" % (expires_at, len(value), value)
    with connect(port) as client:
        for begin in range(0, count, FILL_BATCH):
            client.sendall(b"".join(
                b"set filler-%d%s" % (i, tail)
                for i in range(begin, min(begin + FILL_BATCH, count))))
            ask(client, b"mn\r\n")


def store_large(port, number, value_bytes, begun, is_over, stored, refused):
    """One client: stores its value until it is told to stop."""
    os.nice(LOWEST_PRIORITY)
    request = b"set large%d 0 0 %d\r\n" % (number, value_bytes) + b"v" * value_bytes + b"\r\n"
    with connect(port) as client:
        begun.wait()
        while not is_over.is_set():
            counter = stored if ask(client, request) == b"STORED\r\n" else refused
            with counter.get_lock():
                counter.value += 1


def dump(port, begun, is_over, dump_bytes):
    """One client: takes one dump after the other."""
    os.nice(LOWEST_PRIORITY)
    with connect(port) as client:
        begun.wait()
        while not is_over.is_set():
            client.sendall(b"lru_crawler metadump all\r\n")
            tail = b""
            while not tail.endswith(b"END\r\n"):
                piece = client.recv(1 << 20)
                if not piece:
                    raise BenchError("the server has closed the connection")
                tail = (tail + piece)[-8:]
                with dump_bytes.get_lock():
                    dump_bytes.value += len(piece)
                if is_over.is_set():
                    return


class Disturbance:
    """One of them, for one server."""

    def __init__(self, arguments, port):
        self.sizes = arguments.sizes
        self.port = port
        self.loadgen = arguments.loadgen
        self.seconds = arguments.seconds

    @staticmethod
    def memory_mb(sizes):
        return sizes.memory_mb

    def store_command(self, count, value_bytes=SMALL_VALUE_BYTES):
        """What stores `count` items that do not expire, 64 at a time."""
        return [self.loadgen, f"--port={self.port}", "--op=set", "--connections=4",
                f"--keys={count}", f"--value-bytes={value_bytes}", "--requests=1", "--warmup=0"]

    def fill(self, count, value_bytes=SMALL_VALUE_BYTES):
        subprocess.run(self.store_command(count, value_bytes), check=True,
                       stdout=subprocess.DEVNULL)

    def fill_cache(self, value_bytes=SMALL_VALUE_BYTES):
        memory_bytes = self.memory_mb(self.sizes) * 1_000_000
        self.fill(memory_bytes // (value_bytes + ITEM_OVERHEAD_BYTES), value_bytes)

    def prepare(self):
        """Before anything is timed."""

    def begin(self):
        """When the load is about to begin."""

    def act(self):
        """While it runs."""

    def end(self):
        """When it is over."""

    def settle(self, before):
        """Waits for what follows of it. Returns what `stats` says then; `before`: said before."""
        del before
        return bench_servers.stats(self.port)

    def told(self, before, after):
        """Whether it happened, and how much: from two answers to `stats`."""
        raise NotImplementedError


class Growth(Disturbance):
    """Somebody stores new keys, and the index grows with them."""

    def prepare(self):
        self.fill(self.sizes.growth_from, value_bytes=20)

    def begin(self):
        self._storing = subprocess.Popen(
            ["nice", f"-n{LOWEST_PRIORITY}",
             *self.store_command(self.sizes.growth_to, value_bytes=20)],
            stdout=subprocess.DEVNULL)

    def end(self):
        if self._storing.wait() != 0:
            raise BenchError("the new keys were not stored")

    def told(self, before, after):
        items = int(before["curr_items"]), int(after["curr_items"])
        powers = int(before["hash_power_level"]), int(after["hash_power_level"])
        return powers[1] > powers[0], (f"{items[0]:,} to {items[1]:,} items, "
                                       f"index of 2^{powers[0]} to 2^{powers[1]}")


class Moves(Growth):
    """The cache is full of small items when the stores turn to large ones: pages change hands."""

    @staticmethod
    def memory_mb(sizes):
        return sizes.shift_memory_mb

    def prepare(self):
        self.fill_cache()

    def begin(self):
        value_bytes = 2000
        count = self.sizes.shift_memory_mb * 1_000_000 // value_bytes
        self._storing = subprocess.Popen(
            ["nice", f"-n{LOWEST_PRIORITY}",
             *self.store_command(count, value_bytes)],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def end(self):
        self._storing.wait()  # which complains, since the first of them have been evicted again

    def told(self, before, after):
        moved = int(after["slabs_moved"]) - int(before["slabs_moved"])
        return moved > 0, f"{moved:,} pages moved"


class Freed(Disturbance):
    """Items that are no longer served, all at once."""

    def told(self, before, after):
        freed = self._freed(before, after)
        return freed > self.sizes.filler_count // 2, f"{freed:,} items freed"

    def settle(self, before):
        deadline = time.monotonic() + FREED_SECONDS_MAX
        after = bench_servers.stats(self.port)
        while self._freed(before, after) < self.sizes.filler_count and time.monotonic() < deadline:
            time.sleep(0.1)
            after = bench_servers.stats(self.port)
        return after

    @staticmethod
    def _freed(before, after):
        return int(before["curr_items"]) - int(after["curr_items"])


class Expiry(Freed):
    """By the second in which all of them expire."""

    def prepare(self):
        started = time.time()
        fill_mortal(self.port, self.sizes.filler_count // FILL_SAMPLE_PART, int(started) + 3600)
        fill_s = (time.time() - started) * FILL_SAMPLE_PART
        # The load without the disturbance comes before, too.
        self._expires_at = int(time.time() + 2 + 1.5 * (fill_s + self.seconds))
        fill_mortal(self.port, self.sizes.filler_count, self._expires_at)

    def begin(self):
        pause_s = self._expires_at - EXPIRY_HEAD_S - time.time()
        if pause_s < 0:
            raise BenchError("the items expire before the load begins: storing them took too long")
        time.sleep(pause_s)


class Flush(Freed):
    """By flush_all."""

    def prepare(self):
        self.fill(self.sizes.filler_count)

    def act(self):
        time.sleep(0.2)
        with connect(self.port) as client:
            ask(client, b"flush_all\r\n")


class Clients(Disturbance):
    """Processes that go on until they are told to stop."""

    def start(self, targets_and_arguments):
        self._begun = multiprocessing.Barrier(len(targets_and_arguments) + 1)
        self._is_over = multiprocessing.Event()
        self._clients = [
            multiprocessing.Process(
                target=target, args=(*before, self._begun, self._is_over, *after))
            for target, before, after in targets_and_arguments]
        for client in self._clients:
            client.start()
        self._begun.wait()

    def end(self):
        self._is_over.set()
        for client in self._clients:
            client.join()


class Dumps(Clients):
    """One client takes one dump of all items after the other."""

    def prepare(self):
        self.fill(self.sizes.dump_count)

    def begin(self):
        self._dump_bytes = multiprocessing.Value("Q", 0)
        self.start([(dump, (self.port,), (self._dump_bytes,))])

    def told(self, before, after):
        dumped = self._dump_bytes.value
        return dumped > 0, f"{dumped / 1e6:,.0f} MB of dumps of {int(after['curr_items']):,} items"


class LargeStores(Clients):
    """One client stores a very large value, over and over, into a full cache."""
    client_count = 1
    value_bytes = SMALL_VALUE_BYTES  # of what is evicted

    @staticmethod
    def memory_mb(sizes):
        return sizes.shift_memory_mb

    def prepare(self):
        self.fill_cache(self.value_bytes)

    def begin(self):
        self._stored = multiprocessing.Value("Q", 0)
        self._refused = multiprocessing.Value("Q", 0)
        self.start([(store_large, (self.port, number, self.sizes.large_mb * 1_000_000),
                     (self._stored, self._refused)) for number in range(self.client_count)])

    def told(self, before, after):
        return self._stored.value > 0, f"{self._stored.value} stored, {self._refused.value} refused"


class TenLargeStores(LargeStores):
    """The same by ten clients at a time, which needs more memory: it is full of larger items."""
    client_count = 10
    value_bytes = 1000

    @staticmethod
    def memory_mb(sizes):
        return sizes.memory_mb


DISTURBANCES = {"growth": Growth, "moves": Moves, "expiry": Expiry, "flush": Flush, "dump": Dumps,
                "large": LargeStores, "large-10": TenLargeStores}
