#!/usr/bin/python3
"""nutcracker (twemproxy) in front of three servers: keys are spread, a dead node is ejected."""

import json
import os
import socket
import subprocess
import tempfile
import time
import unittest

from pymemcache.client.base import Client
from pymemcache.exceptions import MemcacheError

from server_fixture import Server, free_port

NODE_COUNT = 3
PATIENCE_S = 20

POOL = """larder:
  listen: 127.0.0.1:{port}
  hash: fnv1a_64
  distribution: ketama
  timeout: 5000
  preconnect: true
  auto_eject_hosts: true
  server_retry_timeout: 600000
  server_failure_limit: 1
  servers:
{servers}
"""


class Nutcracker:
    """The proxy in front of `servers`; a context manager."""

    def __init__(self, servers):
        self.port = free_port()
        self._stats_port = free_port()
        self._folder = tempfile.TemporaryDirectory(prefix="larder-nutcracker-")
        path = os.path.join(self._folder.name, "pool.yml")
        with open(path, "w", encoding="ascii") as file:
            file.write(POOL.format(port=self.port, servers="\n".join(
                f"   - {server.address}:1 node{number}"
                for number, server in enumerate(servers))))
        with open(os.path.join(self._folder.name, "log"), "wb") as log:
            self._process = subprocess.Popen(
                ["/usr/sbin/nutcracker", "-c", path, "-a", "127.0.0.1",
                 "-s", str(self._stats_port), "-i", "100"], stdout=log, stderr=log)
        self._await(self.port)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._process.terminate()
        self._process.wait(PATIENCE_S)
        self._folder.cleanup()

    def stats(self):
        """What the proxy counts for the pool."""
        with socket.create_connection(("127.0.0.1", self._stats_port), PATIENCE_S) as connection:
            text = b""
            while piece := connection.recv(65536):
                text += piece
        return json.loads(text)["larder"]

    def _await(self, port):
        deadline = time.monotonic() + PATIENCE_S
        while time.monotonic() < deadline and self._process.poll() is None:
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
                return
            except OSError:
                time.sleep(0.02)
        self.__exit__()
        raise RuntimeError("nutcracker did not start")


class NutcrackerTest(unittest.TestCase):
    """Each test has three servers and a proxy of its own."""

    def setUp(self):
        self.servers = [Server() for _ in range(NODE_COUNT)]
        for server in self.servers:
            self.addCleanup(server.stop)
        self.proxy = Nutcracker(self.servers)
        self.addCleanup(self.proxy.__exit__)
        self.client = Client(("127.0.0.1", self.proxy.port), default_noreply=False,
                             timeout=PATIENCE_S)
        self.addCleanup(self.client.close)

    def counts(self, servers):
        """How many items each of these servers holds."""
        return [int(server.stats()["curr_items"]) for server in servers]

    def test_every_command_that_the_proxy_knows(self):
        self.assertTrue(self.client.set("key", b"b"))
        self.assertFalse(self.client.add("key", b"x"))
        self.assertTrue(self.client.append("key", b"c"))
        self.assertTrue(self.client.prepend("key", b"a"))
        self.assertEqual(self.client.get("key"), b"abc")
        self.assertTrue(self.client.replace("key", b"10"))
        self.assertEqual(self.client.incr("key", 5), 15)
        self.assertEqual(self.client.decr("key", 7), 8)
        value, number = self.client.gets("key")
        self.assertTrue(self.client.cas("key", value + b"!", number))
        self.assertFalse(self.client.cas("key", b"x", number))
        self.assertTrue(self.client.touch("key", 100))
        self.assertEqual(self.client.get("key"), b"8 !", "decr keeps the length")
        self.assertTrue(self.client.delete("key"))
        self.assertFalse(self.client.delete("key"))
        for number in range(100):
            self.client.set(f"quiet{number}", b"%d" % number, noreply=True)
        self.assertEqual(self.client.get("quiet99"), b"99")
        self.assertEqual(self.proxy.stats()["client_err"], 0)

    def test_large_values_and_many_keys_pass_through_whole(self):
        values = {f"large{number}": bytes([number]) * (1 << number) for number in range(20)}
        for key, value in values.items():
            self.assertTrue(self.client.set(key, value))
        self.assertEqual(self.client.get_many([*values, "absent"]), values)

    @staticmethod
    def _soon(condition):
        """The proxy adds its figures up now and then."""
        deadline = time.monotonic() + PATIENCE_S
        while not condition():
            if time.monotonic() > deadline:
                return False
            time.sleep(0.05)
        return True

    def test_keys_are_spread_over_the_nodes(self):
        values = {f"spread{number}": b"%d" % number for number in range(600)}
        self.assertEqual(self.client.set_many(values), [])
        self.assertEqual(self.client.get_many(list(values)), values)
        counts = self.counts(self.servers)
        self.assertEqual(sum(counts), len(values))
        self.assertTrue(all(count > 60 for count in counts), counts)

    def test_a_dead_node_is_ejected_and_its_keys_move(self):
        values = {f"moved{number}": b"%d" % number for number in range(600)}
        self.assertEqual(self.client.set_many(values), [])
        kept = sum(self.counts(self.servers[1:]))
        self.servers[0].stop()
        # The proxy learns of it by its connections and by requests that fail.
        for key in values:
            try:
                self.client.get(key)
            except MemcacheError:
                pass
        self.assertTrue(self._soon(lambda: self.proxy.stats()["server_ejects"] == 1))
        self.assertEqual(len(self.client.get_many(list(values))), kept)
        self.assertEqual(self.client.set_many(values), [])
        self.assertEqual(self.client.get_many(list(values)), values)
        self.assertEqual(sum(self.counts(self.servers[1:])), len(values))


if __name__ == "__main__":
    unittest.main()
