#!/usr/bin/env python3
"""How many instructions a worker of the server executes for one request.

    instructions.py [--check | --update] [--server BINARY] [workload ...]

The server runs under valgrind's callgrind with one worker thread. Each workload is sent over one
connection, a batch at a time, the answers of which are waited for; counted are the instructions of
the worker's thread, and divided by the requests (in get-100keys: by the keys). The kernel's are not
among them. Unlike times, these counts are the same on every run, under any other load, and on every
machine: valgrind shows the program a processor of its own (any with AVX2 as the same one), by which
the C library chooses its functions. So a change of some per cent is a change of the program.

--check compares with instructions.txt beside this script, which has a column for each compiler that
is checked, and fails where a workload has moved by more than TOLERANCE, either way: what has become
better is to be written down with --update, so that it stays so.
"""

import argparse
import dataclasses
import os
import pathlib
import re
import socket
import subprocess
import tempfile
from typing import Callable

import bench_servers
from bench_servers import BenchError, Server

TABLE = pathlib.Path(__file__).with_name("instructions.txt")
TOLERANCE = 0.03
KEYS = 256
WARMUP_REQUESTS = 512
REQUESTS = 12_800
PIPELINED = 64
SERVER_FLAGS = ("-t", "1", "-m", "64")
SILENCE_SECONDS_MAX = 60
SKIPPED = 77  # exit status by which ctest knows


# --- what is sent, and what must come back --------------------------------------------------------

SMALL = 100  # bytes of a value
COUNTER_START = 1_000_000_000
HUNDRED = 100
HEADER = 24  # bytes of a binary request or answer
GET, SET = 0x00, 0x01


def key(number: int) -> bytes:
    return b"key-%021d" % (number % KEYS)


def value(number: int, size: int = SMALL) -> bytes:
    return (b"%d-" % (number % KEYS)).ljust(size, b"v")


def text_get(number: int) -> bytes:
    return b"get %s\r\n" % key(number)


def text_store(verb: bytes, number: int, size: int = SMALL) -> bytes:
    return b"%s %s 0 0 %d\r\n%s\r\n" % (verb, key(number), size, value(number, size))


def text_item(number: int, size: int = SMALL) -> bytes:
    return b"VALUE %s 0 %d\r\n%s\r\n" % (key(number), size, value(number, size))


def text_hit(number: int, size: int = SMALL) -> bytes:
    return text_item(number, size) + b"END\r\n"


def hundred(number: int) -> range:
    return range(number * HUNDRED, (number + 1) * HUNDRED)


def binary(magic: int, opcode: int, item_key: bytes, extras: bytes, body: bytes) -> bytes:
    """A message: header, extras, key, value. Status, opaque and CAS are 0."""
    body_bytes = len(extras) + len(item_key) + len(body)
    lengths = len(item_key).to_bytes(2, "big") + bytes([len(extras), 0, 0, 0])
    return (bytes([magic, opcode]) + lengths + body_bytes.to_bytes(4, "big") + bytes(12)
            + extras + item_key + body)


def without_cas(answer: bytes) -> bytes:
    """A binary answer as if its CAS, which counts all stores, were 0."""
    return answer[:HEADER - 8] + bytes(8) + answer[HEADER:]


@dataclasses.dataclass(frozen=True)
class Workload:
    """Request number i, and its answer to the last byte; `batch` of them are sent in one go."""
    request: Callable[[int], bytes]
    answer: Callable[[int], bytes]
    batch: int = PIPELINED
    keys: int = 1  # in a request
    value_bytes: int = SMALL
    normalised: Callable[[bytes], bytes] = bytes  # an answer without what cannot be foretold


WORKLOADS = {
    "get": Workload(text_get, text_hit, batch=1),
    "set": Workload(lambda i: text_store(b"set", i), lambda i: b"STORED\r\n", batch=1),
    "get-64": Workload(text_get, text_hit),
    "set-64": Workload(lambda i: text_store(b"set", i), lambda i: b"STORED\r\n"),
    "miss-64": Workload(lambda i: b"get no-%s\r\n" % key(i), lambda i: b"END\r\n"),
    "get-100keys": Workload(
        lambda i: b"get %s\r\n" % b" ".join(key(j) for j in hundred(i)),
        lambda i: b"".join(text_item(j) for j in hundred(i)) + b"END\r\n",
        batch=1, keys=HUNDRED),
    "get-10k": Workload(text_get, lambda i: text_hit(i, 10_000), batch=1, value_bytes=10_000),
    "mg-64": Workload(lambda i: b"mg %s v t\r\n" % key(i),
                      lambda i: b"VA %d t-1\r\n%s\r\n" % (SMALL, value(i))),
    "ms-64": Workload(lambda i: b"ms %s %d T0\r\n%s\r\n" % (key(i), SMALL, value(i)),
                      lambda i: b"HD\r\n"),
    "binary-get-64": Workload(
        lambda i: binary(0x80, GET, key(i), b"", b""),
        lambda i: binary(0x81, GET, b"", bytes(4), value(i)), normalised=without_cas),
    "binary-set-64": Workload(
        lambda i: binary(0x80, SET, key(i), bytes(8), value(i)),
        lambda i: binary(0x81, SET, b"", b"", b""), normalised=without_cas),
    # Every other request: a delete, and then an add of the same key.
    "delete-add-64": Workload(
        lambda i: b"delete %s\r\n" % key(i // 2) if i % 2 == 0 else text_store(b"add", i // 2),
        lambda i: b"DELETED\r\n" if i % 2 == 0 else b"STORED\r\n"),
    "incr-64": Workload(lambda i: b"incr number 1\r\n",
                        lambda i: b"%d\r\n" % (COUNTER_START + i + 1)),
}


class Client:
    """One connection; every answer is waited for to its last byte, and compared."""

    def __init__(self, port: int):
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=SILENCE_SECONDS_MAX)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._socket.close()

    def ask(self, request: bytes, answers: list, normalised=bytes) -> None:
        self._socket.sendall(request)
        for answer in answers:
            received = normalised(self._receive(len(answer)))
            if received != answer:
                raise BenchError(f"{request[:60]!r} is answered with {received[:60]!r}")

    def load(self, workload: Workload, begin: int, end: int) -> None:
        for first in range(begin, end, workload.batch):
            batch = range(first, first + workload.batch)
            self.ask(b"".join(workload.request(i) for i in batch),
                     [workload.answer(i) for i in batch], workload.normalised)

    def _receive(self, size: int) -> bytes:
        pieces = b""
        while len(pieces) < size:
            piece = self._socket.recv(size - len(pieces))
            if not piece:
                raise BenchError("the server has closed the connection")
            pieces += piece
        return pieces


# --- counting -------------------------------------------------------------------------------------

def instructions_of(dump: str) -> int:
    """The sum that callgrind wrote into the dump of one thread."""
    found = re.search(r"^totals: (\d+)$", dump, re.MULTILINE)
    if found is None:
        raise BenchError("callgrind's dump has no totals")
    return int(found.group(1))


class Counts:
    """What callgrind counts in a running server, thread by thread."""

    def __init__(self, folder: str):
        self._folder = pathlib.Path(folder)

    def launcher(self) -> tuple:
        """What stands before the server's own command line."""
        return ("valgrind", "--tool=callgrind", "--separate-threads=yes",
                f"--callgrind-out-file={self._folder / 'dump'}")

    def read(self, pid: int) -> int:
        """The worker's instructions since the last reading: those of the thread that has most, as
        each workload makes a hundred times as many as the others need for their clocks."""
        subprocess.run(["callgrind_control", "--dump", str(pid)], check=True, capture_output=True)
        return max(self.take())

    def take(self) -> list:
        """One sum for each thread, from dump.PART-THREAD, which are removed."""
        sums = []
        for file in self._folder.glob("dump.*-*"):
            sums.append(instructions_of(file.read_text(encoding="utf-8")))
            file.unlink()
        if not sums:
            raise BenchError("callgrind has written no dump")
        return sums


def count(counts: Counts, pid: int, port: int, workload: Workload) -> float:
    """Instructions for one request, or for one of its keys."""
    requests = REQUESTS // workload.keys
    with Client(port) as client:
        for i in range(KEYS):
            client.ask(text_store(b"set", i, workload.value_bytes), [b"STORED\r\n"])
        client.ask(b"set number 0 0 10\r\n%d\r\n" % COUNTER_START, [b"STORED\r\n"])
    with Client(port) as client:  # one that has not spoken text yet
        client.load(workload, 0, WARMUP_REQUESTS)
        counts.read(pid)
        client.load(workload, WARMUP_REQUESTS, WARMUP_REQUESTS + requests)
        return counts.read(pid) / (requests * workload.keys)


# --- the table ------------------------------------------------------------------------------------

def compiler_of(binary_file: bytes) -> str:
    """What the compiler wrote into the program, as the table's columns are called. What clang links
    has parts by gcc, too."""
    for name, pattern in (("clang", rb"clang version (\d+)"), ("g++", rb"GCC: \([^)]*\) (\d+)")):
        found = re.search(pattern, binary_file)
        if found:
            return f"{name}-{found.group(1).decode()}"
    raise BenchError("the program does not say which compiler made it")


class Table:
    """Lines of comment, a line of column titles, and a line of counts for each workload."""

    def __init__(self, text: str):
        lines = [line for line in text.splitlines() if line.strip()]
        self._comments = [line for line in lines if line.startswith("#")]
        rows = [line.split() for line in lines if not line.startswith("#")] or [["workload"]]
        self.compilers = rows[0][1:]
        self._counts = {}
        for name, *cells in rows[1:]:
            if len(cells) != len(self.compilers):
                raise BenchError(f"{name}: {len(cells)} counts for {len(self.compilers)} compilers")
            for compiler, cell in zip(self.compilers, cells):
                self._counts[name, compiler] = None if cell == "-" else int(cell)

    def count(self, workload: str, compiler: str):
        """None where there is none."""
        return self._counts.get((workload, compiler))

    def update(self, compiler: str, counts: dict) -> None:
        if compiler not in self.compilers:
            self.compilers.append(compiler)
        for name, number in counts.items():
            self._counts[name, compiler] = round(number)

    def text(self, workloads) -> str:
        """As it is written; of the workloads that there are."""
        rows = [["workload", *self.compilers]]
        for name in workloads:
            cells = [self.count(name, compiler) for compiler in self.compilers]
            rows.append([name, *("-" if cell is None else str(cell) for cell in cells)])
        lines = [row[0].ljust(16) + "".join(cell.rjust(10) for cell in row[1:]) for row in rows]
        return "\n".join([*self._comments, *lines]) + "\n"


def has_moved(before, now: float) -> bool:
    return before is None or abs(now / before - 1) > TOLERANCE


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="scripts/bench.sh instructions",
                                     description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("workload", nargs="*",
                        help=f"some of: {' '.join(WORKLOADS)} (default: all)")
    parser.add_argument("--server", default=os.environ.get("LARDER", "larder"))
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--check", action="store_true",
                      help=f"fail where a count is more than {TOLERANCE:.0%}% off the table")
    what.add_argument("--update", action="store_true", help="write the counts into the table")
    arguments = parser.parse_args()
    for name in arguments.workload:
        if name not in WORKLOADS:
            parser.error(f"no workload '{name}'; there are: {' '.join(WORKLOADS)}")
    return arguments


def main() -> int:
    arguments = parse_arguments()
    program = bench_servers.program(arguments.server, "--server")
    compiler = compiler_of(pathlib.Path(program).read_bytes())
    table = Table(TABLE.read_text(encoding="utf-8"))
    if arguments.check and compiler not in table.compilers:
        print(f"skipped: {TABLE.name} has no column for {compiler}; --update makes one")
        return SKIPPED
    print(f"{'workload':16}{compiler:>10}{'before':>10}")
    counted = {}
    with tempfile.TemporaryDirectory() as folder:
        counts = Counts(folder)
        server = Server("Larder", program, (*SERVER_FLAGS, *bench_servers.root_flags()),
                        counts.launcher())
        with server.running() as (pid, port):
            for name in arguments.workload or WORKLOADS:
                counted[name] = count(counts, pid, port, WORKLOADS[name])
                before = table.count(name, compiler)
                change = f"{before:10}{counted[name] / before - 1:+9.1%}" if before else ""
                print(f"{name:16}{counted[name]:10.0f}{change}", flush=True)
    if arguments.update:
        table.update(compiler, counted)
        TABLE.write_text(table.text(WORKLOADS), encoding="utf-8")
    moved = [name for name in counted if has_moved(table.count(name, compiler), counted[name])]
    if arguments.check and moved:
        raise BenchError(f"more than {TOLERANCE:.0%} off {TABLE.name}: {', '.join(moved)}; if that "
                         "is meant, `scripts/bench.sh instructions --update` writes it down")
    return 0


if __name__ == "__main__":
    bench_servers.run_main(main)
