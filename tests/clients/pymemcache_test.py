#!/usr/bin/python3
"""pymemcache, the plain client and the one that spreads keys over several servers."""

import concurrent.futures
import contextlib
import json
import time
import unittest

from pymemcache.client.base import Client, PooledClient
from pymemcache.client.hash import HashClient
from pymemcache.client.retrying import RetryingClient
from pymemcache.exceptions import MemcacheClientError, MemcacheError, MemcacheServerError
from pymemcache.serde import pickle_serde

from server_fixture import OneServer, Server

NODE_COUNT = 3


class PymemcacheTest(OneServer):
    """The plain client; each test begins with an empty cache."""

    def setUp(self):
        self.client = Client(("127.0.0.1", self.server.port), default_noreply=False, timeout=10)
        self.addCleanup(self.client.close)
        self.client.flush_all()

    def test_a_value_comes_back_as_it_was_stored(self):
        self.assertTrue(self.client.set("key", b"value"))
        self.assertEqual(self.client.get("key"), b"value")
        self.assertIsNone(self.client.get("other"))
        self.assertEqual(self.client.get("other", default="none"), "none")

    def test_every_size_comes_back_whole(self):
        for size in (0, 1, 1023, 1024, 16384, 100_000, 512 * 1024, 1_000_000, 1_048_000):
            value = bytes(index * 7 % 256 for index in range(min(size, 4096)))
            value = (value * (size // 4096 + 1))[:size]
            self.assertTrue(self.client.set("sized", value), size)
            self.assertEqual(self.client.get("sized"), value, size)

    def test_a_value_that_is_too_large_is_a_server_error_and_the_connection_goes_on(self):
        with self.assertRaises(MemcacheServerError):
            self.client.set("huge", b"x" * 1_100_000)
        self.assertIsNone(self.client.get("huge"))
        self.assertTrue(self.client.set("huge", b"small"))

    def test_many_keys_at_once(self):
        values = {f"many{number}": b"%d" % number for number in range(500)}
        self.assertEqual(self.client.set_many(values), [])
        self.assertEqual(self.client.get_many(list(values) + ["absent"]), values)
        self.assertTrue(self.client.delete_many(list(values)))
        self.assertEqual(self.client.get_many(list(values)), {})

    def test_add_replace_append_prepend(self):
        self.assertFalse(self.client.replace("key", b"b"))
        self.assertFalse(self.client.append("key", b"b"))
        self.assertTrue(self.client.add("key", b"b"))
        self.assertFalse(self.client.add("key", b"x"))
        self.assertTrue(self.client.append("key", b"c"))
        self.assertTrue(self.client.prepend("key", b"a"))
        self.assertEqual(self.client.get("key"), b"abc")
        self.assertTrue(self.client.replace("key", b"new"))
        self.assertEqual(self.client.get("key"), b"new")

    def test_cas_stores_only_what_nobody_changed(self):
        self.assertIsNone(self.client.cas("key", b"x", b"1"))
        self.client.set("key", b"one")
        value, number = self.client.gets("key")
        self.assertEqual(value, b"one")
        self.assertTrue(self.client.cas("key", b"two", number))
        self.assertFalse(self.client.cas("key", b"three", number))
        self.assertEqual(self.client.get("key"), b"two")
        self.client.set("other", b"o")
        both = self.client.gets_many(["key", "other"])
        self.assertEqual({key: pair[0] for key, pair in both.items()},
                         {"key": b"two", "other": b"o"})

    def test_counters(self):
        self.assertIsNone(self.client.incr("counter", 1))
        self.client.set("counter", b"10")
        self.assertEqual(self.client.incr("counter", 5), 15)
        self.assertEqual(self.client.decr("counter", 6), 9)
        self.assertEqual(self.client.decr("counter", 100), 0)
        self.client.set("word", b"word")
        with self.assertRaises(MemcacheClientError):
            self.client.incr("word", 1)

    def test_delete_and_touch(self):
        self.assertFalse(self.client.delete("key"))
        self.assertFalse(self.client.touch("key", 10))
        self.client.set("key", b"value")
        self.assertTrue(self.client.touch("key", 1))
        self.client.set("gone", b"value", expire=1)
        self.client.set("stays", b"value", expire=1)
        self.assertTrue(self.client.touch("stays", 100))
        time.sleep(2.2)
        self.assertEqual(self.client.get_many(["key", "gone", "stays"]), {"stays": b"value"})
        self.assertTrue(self.client.delete("stays"))

    def test_flush_all_empties_the_cache(self):
        self.client.set("key", b"value")
        self.assertTrue(self.client.flush_all())
        self.assertIsNone(self.client.get("key"))

    def test_noreply_stores_and_the_answers_stay_in_step(self):
        for number in range(200):
            self.client.set(f"silent{number}", b"%d" % number, noreply=True)
        self.client.delete("silent0", noreply=True)
        self.client.incr("silent1", 1, noreply=True)
        self.assertIsNone(self.client.get("silent0"))
        self.assertEqual(self.client.get("silent1"), b"2")
        self.assertEqual(self.client.get("silent199"), b"199")

    def test_stats_and_version(self):
        self.client.set("key", b"value")
        self.client.get("key")
        stats = self.client.stats()
        self.assertGreaterEqual(stats[b"curr_items"], 1)
        self.assertGreaterEqual(stats[b"get_hits"], 1)
        self.assertEqual(stats[b"pid"], self.server.pid)
        self.assertEqual(self.client.version(), stats[b"version"])
        self.assertIn(b"maxbytes", self.client.stats("settings"))
        self.assertRegex(self.client.version(), rb"^[0-9]+\.[0-9]+\.[0-9]+$")

    def test_objects_through_a_serializer_with_flags(self):
        client = Client(
            ("127.0.0.1", self.server.port), timeout=10,
            serializer=lambda key, value: (json.dumps(value).encode(), 7),
            deserializer=lambda key, value, flags: (json.loads(value), flags))
        with contextlib.closing(client):
            client.set("object", {"a": [1, 2, None]})
            self.assertEqual(client.get("object"), ({"a": [1, 2, None]}, 7))

    def test_python_objects_keep_their_type(self):
        values = {"text": "\u00e4\u20ac", "bytes": b"\0\xff", "integer": 42,
                  "object": {"a": [1, None]}, "long": "long " * 1000}
        client = Client(("127.0.0.1", self.server.port), serde=pickle_serde, timeout=10)
        with contextlib.closing(client):
            client.set_many(values, noreply=False)
            self.assertEqual(client.get_many(list(values)), values)

    def test_a_prefix_and_keys_that_are_not_ascii(self):
        client = Client(("127.0.0.1", self.server.port), key_prefix=b"prefix:", encoding="utf8",
                        allow_unicode_keys=True, default_noreply=False, timeout=10)
        with contextlib.closing(client):
            self.assertTrue(client.set("key-\u00e4\u20ac", b"value"))
            self.assertEqual(client.get("key-\u00e4\u20ac"), b"value")
            self.assertTrue(client.set("plain", b"value"))
            self.assertEqual(self.client.get("prefix:plain"), b"value")

    def test_the_memory_limit_may_be_changed(self):
        self.assertTrue(self.client.cache_memlimit(48))
        self.assertEqual(self.client.stats()[b"limit_maxbytes"], 48 * 1024 * 1024)

    def test_a_pool_of_connections_under_many_threads(self):
        pool = PooledClient(("127.0.0.1", self.server.port), max_pool_size=8, timeout=10)
        with contextlib.closing(pool), concurrent.futures.ThreadPoolExecutor(8) as threads:
            pool.set("pooled", b"0", noreply=False)
            jobs = [threads.submit(pool.incr, "pooled", 1) for _ in range(2000)]
            counts = sorted(job.result() for job in jobs)
            self.assertEqual(counts, list(range(1, 2001)), "each number is given out once")

    def test_a_retrying_client_survives_a_restart_of_the_server(self):
        server = Server()
        client = RetryingClient(
            Client(("127.0.0.1", server.port), default_noreply=False, timeout=10),
            attempts=3, retry_delay=0.01, do_not_retry_for=[MemcacheClientError])
        with contextlib.closing(client):
            self.assertTrue(client.set("key", b"value"))
            server.stop()
            with Server(port=server.port):
                self.assertIsNone(client.get("key"))
                self.assertTrue(client.set("key", b"value"))

    def test_shutdown_works_only_where_the_server_was_told_so(self):
        with self.assertRaises(MemcacheError):
            self.client.shutdown()
        self.assertTrue(self.client.set("key", b"value"))
        server = Server(["-A"])
        client = Client(("127.0.0.1", server.port), timeout=10)
        with contextlib.closing(client):
            client.shutdown(graceful=True)
        self.assertEqual(server.process.wait(20), 0)
        server.stop(check=False)


class HashClientTest(unittest.TestCase):
    """Keys spread over several servers."""

    def setUp(self):
        self.servers = [Server() for _ in range(NODE_COUNT)]
        for server in self.servers:
            self.addCleanup(server.stop)
        self.nodes = [("127.0.0.1", server.port) for server in self.servers]
        self.values = {f"spread{number}": b"%d" % number for number in range(300)}

    def client(self, **options):
        """A hash client of all nodes."""
        client = HashClient(self.nodes, timeout=10, connect_timeout=10, **options)
        self.addCleanup(client.close)
        return client

    def test_keys_are_spread_over_three_servers_and_found_again(self):
        for pooling in (False, True):
            client = self.client(use_pooling=pooling)
            self.assertTrue(client.delete_many(list(self.values), noreply=False))
            self.assertEqual(client.get_many(list(self.values)), {})
            self.assertEqual(client.set_many(self.values, noreply=False), [])
            self.assertEqual(client.get_many(list(self.values)), self.values)
            counts = [int(server.stats()["curr_items"]) for server in self.servers]
            self.assertEqual(sum(counts), len(self.values))
            self.assertTrue(all(count > 50 for count in counts), counts)
            self.assertEqual(client.incr("spread1", 4, noreply=False), 5)
            value, number = client.gets("spread2")
            self.assertEqual(value, b"2")
            self.assertTrue(client.cas("spread2", b"two", number))

    def test_a_node_that_dies_is_left_out_and_its_keys_move(self):
        client = self.client(ignore_exc=True, retry_attempts=0, default_noreply=False)
        client.set_many(self.values)
        dead = self.servers[0]
        lost = int(dead.stats()["curr_items"])
        dead.stop()
        for key in self.values:
            client.get(key)
        found = client.get_many(list(self.values))
        self.assertEqual(len(found), len(self.values) - lost)
        # What was lost is stored again, on the nodes that are left.
        self.assertEqual(client.set_many(self.values), [])
        self.assertEqual(client.get_many(list(self.values)), self.values)
        counts = [int(server.stats()["curr_items"]) for server in self.servers[1:]]
        self.assertEqual(sum(counts), len(self.values))


if __name__ == "__main__":
    unittest.main()
