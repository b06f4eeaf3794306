#!/usr/bin/env python3
"""Tests of bench_servers.py: its care for processes. memcached is the packaged one."""

import os
import unittest

import bench_servers
from bench_servers import BenchError, Server


class ServerTest(unittest.TestCase):
    def test_a_server_is_gone_after_use_even_when_its_user_failed(self):
        server = Server("memcached", "memcached", bench_servers.root_flags())
        with self.assertRaises(RuntimeError), server.running() as (pid, _):
            os.kill(pid, 0)
            raise RuntimeError
        with self.assertRaises(ProcessLookupError):
            os.kill(pid, 0)

    def test_a_server_that_does_not_start_is_reported_with_its_own_words(self):
        server = Server("memcached", "memcached", ("--no-such-flag",))
        with self.assertRaisesRegex(BenchError, "no-such-flag"), server.running():
            pass


if __name__ == "__main__":
    unittest.main(verbosity=2)
