#!/usr/bin/python3
"""pylibmc, Python's door to libmemcached, over text and binary."""

import pickle
import unittest

import pylibmc

from server_fixture import OneServer, Server

VALUES = {
    "bytes": b"a\0b\r\nEND\r\n\xff", "text": "\u00e4\u20ac", "integer": 42, "negative": -7,
    "true": True, "object": {"a": [1, None, 2.5]}, "empty": b"", "long": "compress me " * 5000,
}


class Verbs:
    """What both protocols can do; every test begins with an empty cache."""

    binary = False

    def setUp(self):
        self.client = self.make_client(self.server, tcp_nodelay=True, cas=True)
        self.assertTrue(self.client.flush_all())

    def make_client(self, *servers, **behaviors):
        """A client of these servers."""
        return pylibmc.Client([server.address for server in servers], binary=self.binary,
                              behaviors=behaviors)

    def test_python_objects_keep_their_type(self):
        for key, value in VALUES.items():
            self.assertTrue(self.client.set(key, value), key)
            self.assertEqual(self.client.get(key), value)
        self.assertIsNone(self.client.get("absent"))
        self.assertEqual(self.client.get("absent", "other"), "other")

    def test_many_keys_at_once(self):
        self.assertEqual(self.client.set_multi(VALUES), [])
        self.assertEqual(self.client.get_multi([*VALUES, "absent"]), VALUES)
        self.assertEqual(self.client.add_multi(VALUES), list(VALUES))
        self.assertTrue(self.client.delete_multi(list(VALUES)))
        self.assertEqual(self.client.get_multi(list(VALUES)), {})
        self.assertEqual(self.client.set_multi(VALUES, key_prefix="p:"), [])
        self.assertEqual(self.client.get_multi(list(VALUES), key_prefix="p:"), VALUES)
        self.assertEqual(self.client.get("p:integer"), 42)

    def test_compression(self):
        long = "compress me " * 5000
        before = int(self.server.stats()["bytes"])
        self.assertTrue(self.client.set("long", long, min_compress_len=100))
        self.assertEqual(self.client.get("long"), long)
        self.assertLess(int(self.server.stats()["bytes"]) - before, 5000)

    def test_add_replace_append_prepend_and_delete(self):
        if not self.binary:
            # The binary protocol's "not found" is an exception to pylibmc.
            self.assertFalse(self.client.replace("key", b"x"))
        self.assertTrue(self.client.add("key", b"b"))
        self.assertFalse(self.client.add("key", b"x"))
        self.assertTrue(self.client.append("key", b"c"))
        self.assertTrue(self.client.prepend("key", b"a"))
        self.assertEqual(self.client.get("key"), b"abc")
        self.assertTrue(self.client.replace("key", b"new"))
        self.assertTrue(self.client.delete("key"))
        self.assertFalse(self.client.delete("key"))

    def test_counters(self):
        with self.assertRaises(pylibmc.NotFound):
            self.client.incr("counter")
        self.client.set("counter", 10)
        self.assertEqual(self.client.incr("counter", 5), 15)
        self.assertEqual(self.client.decr("counter", 6), 9)
        self.assertEqual(self.client.decr("counter", 100), 0)
        self.client.set_multi({"n1": 1, "n2": 2})
        self.client.incr_multi(["n1", "n2"], delta=5)
        self.assertEqual(self.client.get_multi(["n1", "n2"]), {"n1": 6, "n2": 7})

    def test_cas_stores_only_what_nobody_changed(self):
        self.client.set("key", "one")
        value, number = self.client.gets("key")
        self.assertEqual(value, "one")
        self.assertTrue(self.client.cas("key", "two", number))
        self.assertFalse(self.client.cas("key", "three", number))
        self.assertEqual(self.client.get("key"), "two")
        self.assertEqual(self.client.gets("absent"), (None, None))

    def test_touch_and_expiry(self):
        self.assertFalse(self.client.touch("key", 100))
        self.client.set("key", 1, time=100)
        self.assertTrue(self.client.touch("key", 200))
        self.assertEqual(self.client.get("key"), 1)
        # A time in the past: gone at once.
        self.client.touch("key", 31 * 24 * 3600)
        self.assertIsNone(self.client.get("key"))

    def test_sizes_up_to_the_limit_and_one_above(self):
        for size in (1000, 16384, 262144, 1_000_000):
            value = (b"0123456789abcdef" * (size // 16 + 1))[:size]
            self.assertTrue(self.client.set("sized", value))
            self.assertEqual(self.client.get("sized"), value)
        with self.assertRaises(pylibmc.Error):
            self.client.set("huge", b"x" * 1_100_000)
        self.assertTrue(self.client.set("huge", b"small"))

    def test_requests_without_replies_arrive_in_order(self):
        client = self.make_client(self.server, no_block=True, _noreply=True)
        for number in range(1000):
            client.set(f"quiet{number % 100}", number)
        client.behaviors["_noreply"] = False
        self.assertEqual(client.get("quiet99"), 999)
        self.assertEqual(client.get("quiet0"), 900)

    def test_stats(self):
        self.client.set("key", 1)
        (name, stats), = self.client.get_stats()
        self.assertIn(str(self.server.port).encode(), name)
        self.assertEqual(stats["pid"], str(self.server.pid).encode())
        self.assertGreaterEqual(int(stats["curr_items"]), 1)
        self.assertRegex(stats["version"], rb"^\d+\.\d+\.\d+$")

    def test_clones_in_a_pool(self):
        pool = pylibmc.ClientPool(self.client, 4)
        for number in range(20):
            with pool.reserve() as client:
                self.assertTrue(client.set(f"pooled{number}", number))
        self.assertEqual(self.client.get("pooled19"), 19)

    def test_ketama_spreads_keys_over_three_servers(self):
        servers = [Server() for _ in range(3)]
        for server in servers:
            self.addCleanup(server.stop)
        client = self.make_client(*servers, ketama=True)
        values = {f"spread{number}": number for number in range(300)}
        self.assertEqual(client.set_multi(values), [])
        self.assertEqual(client.get_multi(list(values)), values)
        counts = [int(server.stats()["curr_items"]) for server in servers]
        self.assertEqual(sum(counts), len(values))
        self.assertTrue(all(count > 30 for count in counts), counts)


class TextTest(Verbs, OneServer):
    """The protocol that pylibmc speaks unless told otherwise."""


class BinaryTest(Verbs, OneServer):
    """The same in the binary protocol."""

    binary = True

    def test_what_one_protocol_stores_the_other_reads(self):
        text = pylibmc.Client([self.server.address])
        self.client.set_multi(VALUES)
        self.assertEqual(text.get_multi(list(VALUES)), VALUES)
        text.set("object", VALUES["object"])
        self.assertEqual(self.client.get("object"), VALUES["object"])
        with self.server.connect() as connection:
            connection.sendall(b"get object\r\n")
            header, body = connection.recv(4096).split(b"\r\n", 1)
        flags, size = (int(word) for word in header.split()[2:])
        self.assertEqual(flags, 1, "pylibmc's flag for a pickled object")
        self.assertEqual(pickle.loads(body[:size]), VALUES["object"])


if __name__ == "__main__":
    unittest.main()
