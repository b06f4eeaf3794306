#!/usr/bin/env python3
"""What a dump of all items costs those who read meanwhile.

    dump_impact.py LARDER LOADGEN [--items N] [--rounds N] [--command TEXT]

Fills a Larder with N items, then loads it with small GETs in pairs of runs: one while nothing else
happens, one while dump follows dump. Prints, for each run and as the median of the pairs, the CPU
time of the worker threads for one GET, and the latency percentiles of loadgen. Worker threads are
those of normal priority: the crawler's own time is not theirs, but sending the dump is. Figures of
a machine with a core for each of server's worker, crawler and load generator tell most; with fewer,
they compete for the core itself.
"""

import argparse
import os
import pathlib
import socket
import statistics
import subprocess
import threading
import time

START_SECONDS_MAX = 10
VALUE_BYTES = 20


def free_port():
    """A port that was free a moment ago."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


def connect(port):
    """A connection, as soon as the server listens."""
    deadline = time.monotonic() + START_SECONDS_MAX
    while True:
        try:
            return socket.create_connection(("127.0.0.1", port))
        except ConnectionRefusedError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)


def fill(port, items):
    """Stores items whose keys no load generator asks for."""
    batch = 5000
    value = b"v" * VALUE_BYTES
    with connect(port) as client:
        for begin in range(0, items, batch):
            client.sendall(b"".join(
                b"set fill-%012d-abcdef 0 0 %d noreply\r\n%s\r\n" % (i, VALUE_BYTES, value)
                for i in range(begin, min(begin + batch, items))))
        client.sendall(b"version\r\n")
        client.recv(100)


def worker_cpu_ns(pid):
    """CPU time of all threads that serve clients."""
    total = 0
    for task in pathlib.Path(f"/proc/{pid}/task").iterdir():
        fields = (task / "stat").read_text().rsplit(")", 1)[1].split()
        is_background = int(fields[16]) > 0
        if not is_background:
            total += int((task / "schedstat").read_text().split()[0])
    return total


class Dumper(threading.Thread):
    """Takes one dump after the other until it is stopped."""

    def __init__(self, port, command):
        super().__init__()
        self._port = port
        self._command = command
        self._stop_wanted = threading.Event()
        self.bytes = 0
        self.dumps = 0

    def run(self):
        buffer = bytearray(1 << 20)
        end = b"EN\r\n" if "mgdump" in self._command else b"END\r\n"
        with connect(self._port) as client:
            while not self._stop_wanted.is_set():
                client.sendall(self._command.encode() + b"\r\n")
                tail = b""
                while not tail.endswith(b"\n" + end):
                    count = client.recv_into(buffer)
                    self.bytes += count
                    tail = (tail + bytes(buffer[max(0, count - 8):count]))[-8:]
                    if self._stop_wanted.is_set():
                        return
                self.dumps += 1

    def stop(self):
        """Ends the thread with the dump it is at."""
        self._stop_wanted.set()
        self.join()


def load(arguments, port, pid):
    """One run of the load generator: CPU time of the workers for one request, and percentiles."""
    before = worker_cpu_ns(pid)
    output = subprocess.run(
        [arguments.loadgen, f"--port={port}", "--op=get", "--connections=50", "--pipeline=1",
         f"--requests={arguments.requests}", "--warmup=1"],
        check=True, capture_output=True, text=True).stdout
    figures = dict(pair.split("=") for pair in output.split() if "=" in pair)
    figures["worker_us"] = (worker_cpu_ns(pid) - before) / arguments.requests / 1000
    return figures


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("larder")
    parser.add_argument("loadgen")
    parser.add_argument("--items", type=int, default=10_000_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--requests", type=int, default=400_000)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--command", default="lru_crawler metadump all")
    arguments = parser.parse_args()

    port = free_port()
    megabytes = 64 + arguments.items * 120 // (1 << 20)
    root = ["-u", "root"] if os.geteuid() == 0 else []
    server = subprocess.Popen([arguments.larder, "-p", str(port), "-l", "127.0.0.1",
                               "-t", str(arguments.threads), "-m", str(megabytes), *root])
    try:
        fill(port, arguments.items)
        load(arguments, port, server.pid)  # to warm up
        ratios = []
        for _ in range(arguments.rounds):
            alone = load(arguments, port, server.pid)
            dumper = Dumper(port, arguments.command)
            dumper.start()
            started = time.monotonic()
            beside = load(arguments, port, server.pid)
            seconds = time.monotonic() - started
            dumper.stop()
            ratios.append(beside["worker_us"] / alone["worker_us"])
            print(f"alone {alone}\nbeside {beside}\n"
                  f"dumped {dumper.bytes / seconds / 1e6:.0f} MB/s; "
                  f"worker CPU for a get {ratios[-1]:.3f}x", flush=True)
        print(f"median {statistics.median(ratios):.3f}x")
    finally:
        server.terminate()
        server.wait()


if __name__ == "__main__":
    main()
