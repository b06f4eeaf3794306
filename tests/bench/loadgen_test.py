#!/usr/bin/env python3
"""Tests of loadgen as a whole, against a server of a few lines that can be made to pause.

LOADGEN in the environment names the program. Times are only held against what cannot be faster.
"""

import contextlib
import os
import socketserver
import threading
import time
import unittest

import bench_servers

KEY_COUNT = 10


class Conversation(socketserver.StreamRequestHandler):
    """One client: sets and gets of what was set."""

    def handle(self):
        with contextlib.suppress(ConnectionError):
            while line := self.rfile.readline():
                self.answer(line.split())

    def answer(self, words):
        server = self.server
        if words[0] == b"set":
            server.values[words[1]] = self.rfile.read(int(words[4]) + 2)
            self.wfile.write(b"STORED\r\n")
            return
        with server.lock:
            server.get_count += 1
            pauses = server.get_count == server.pause_at
        if pauses:
            time.sleep(server.pause_s)
        value = server.values[words[1]]
        self.wfile.write(b"VALUE %s 0 %d\r\n%sEND\r\n" % (words[1], len(value) - 2, value))


class SlowServer(socketserver.ThreadingTCPServer):
    """Pauses once, before it answers its `pause_at`th get."""
    daemon_threads = True

    def __init__(self, pause_at=0, pause_s=0.0):
        super().__init__(("127.0.0.1", 0), Conversation)
        self.values = {}
        self.lock = threading.Lock()
        self.get_count = 0
        self.pause_at = pause_at
        self.pause_s = pause_s

    def __enter__(self):
        threading.Thread(target=self.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.shutdown()
        self.server_close()


def load(server, *arguments):
    """Returns the figures of a run of gets."""
    figures = bench_servers.run_tool([
        bench_servers.program_from_environment("LOADGEN", "loadgen"),
        f"--port={server.server_address[1]}", f"--keys={KEY_COUNT}", "--warmup=0", *arguments])
    return {key: float(value) for key, value in figures.items()}


class RateTest(unittest.TestCase):
    def test_requests_are_not_sent_before_they_are_due(self):
        with SlowServer() as server:
            figures = load(server, "--connections=3", "--rate=1000", "--requests=301")
        self.assertEqual(figures["requests"], 301)
        self.assertGreaterEqual(figures["seconds"], 0.3)

    def test_a_batch_is_due_when_its_requests_are(self):
        with SlowServer() as server:
            figures = load(server, "--connections=2", "--pipeline=10", "--rate=1000",
                           "--requests=310")
        self.assertEqual(figures["requests"], 310)
        self.assertGreaterEqual(figures["seconds"], 0.3)

    def test_what_was_due_during_a_pause_has_waited_for_its_end(self):
        with SlowServer(pause_at=1, pause_s=0.4) as server:
            figures = load(server, "--connections=1", "--rate=1000", "--requests=400")
        # The n-th of 400 was due 400 - n milliseconds before the end of the pause.
        self.assertGreaterEqual(figures["p50_us"], 190_000)
        self.assertGreaterEqual(figures["max_us"], 390_000)

    def test_what_was_not_sent_in_time_is_left_out(self):
        with SlowServer(pause_at=1, pause_s=1.2) as server:
            figures = load(server, "--connections=1", "--rate=1000", "--requests=400",
                           "--seconds-max=1")
        self.assertEqual(figures["requests"], 1)

    def test_without_a_rate_a_pause_is_one_slow_request(self):
        with SlowServer(pause_at=1, pause_s=0.4) as server:
            figures = load(server, "--connections=1", "--requests=400")
        self.assertGreaterEqual(figures["max_us"], 390_000)
        self.assertEqual(server.get_count, 400)


if __name__ == "__main__":
    unittest.main(verbosity=2)
