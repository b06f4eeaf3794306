#!/usr/bin/python3
"""python3-memcache, the oldest of Python's clients, over text."""

import unittest

import memcache

from server_fixture import OneServer, Server

VALUES = {
    "bytes": b"a\0b\r\nEND\r\n\xff", "text": "\u00e4\u20ac", "integer": 42, "negative": -7,
    "object": {"a": [1, None, 2.5]}, "empty": "", "long": "compress me " * 5000,
}


class PythonMemcacheTest(OneServer):
    """One client of one server; every test begins with an empty cache."""

    def setUp(self):
        self.client = memcache.Client([self.server.address], socket_timeout=10, cache_cas=True)
        self.addCleanup(self.client.disconnect_all)
        self.client.flush_all()

    def test_python_objects_keep_their_type(self):
        for key, value in VALUES.items():
            self.assertTrue(self.client.set(key, value, min_compress_len=1000), key)
            self.assertEqual(self.client.get(key), value)
        self.assertIsNone(self.client.get("absent"))

    def test_many_keys_at_once(self):
        self.assertEqual(self.client.set_multi(VALUES), [])
        self.assertEqual(self.client.get_multi([*VALUES, "absent"]), VALUES)
        self.assertTrue(self.client.delete_multi(list(VALUES)))
        self.assertEqual(self.client.get_multi(list(VALUES)), {})

    def test_add_replace_append_prepend_and_delete(self):
        self.assertFalse(self.client.replace("key", "x"))
        self.assertTrue(self.client.add("key", "b"))
        self.assertFalse(self.client.add("key", "x"))
        self.assertTrue(self.client.append("key", "c"))
        self.assertTrue(self.client.prepend("key", "a"))
        self.assertEqual(self.client.get("key"), "abc")
        self.assertTrue(self.client.replace("key", "new"))
        self.assertTrue(self.client.touch("key", 100))
        self.assertTrue(self.client.delete("key"))
        self.assertIsNone(self.client.get("key"))

    def test_counters(self):
        self.assertIsNone(self.client.incr("counter"))
        self.client.set("counter", 10)
        self.assertEqual(self.client.incr("counter", 5), 15)
        self.assertEqual(self.client.decr("counter", 100), 0)

    def test_cas_stores_only_what_nobody_changed(self):
        self.client.set("key", "one")
        self.assertEqual(self.client.gets("key"), "one")
        self.assertTrue(self.client.cas("key", "two"))
        self.client.gets("key")
        with self.server.connect() as connection:
            connection.sendall(b"append key 0 0 1\r\n+\r\n")
            self.assertEqual(connection.recv(64), b"STORED\r\n")
        self.assertFalse(self.client.cas("key", "three"))
        self.assertEqual(self.client.get("key"), "two+")

    def test_requests_without_replies(self):
        for number in range(200):
            self.client.set(f"quiet{number}", number, noreply=True)
        self.client.delete("quiet0", noreply=True)
        self.assertIsNone(self.client.get("quiet0"))
        self.assertEqual(self.client.get("quiet199"), 199)

    def test_statistics(self):
        self.client.set("key", "value")
        (_, stats), = self.client.get_stats()
        self.assertEqual(stats["pid"], str(self.server.pid))
        (_, settings), = self.client.get_stats("settings")
        self.assertIn("maxbytes", settings)

    def test_keys_are_spread_over_servers_and_a_dead_one_is_left_out(self):
        servers = [Server() for _ in range(3)]
        for server in servers:
            self.addCleanup(server.stop)
        client = memcache.Client([server.address for server in servers], socket_timeout=10)
        self.addCleanup(client.disconnect_all)
        values = {f"spread{number}": number for number in range(300)}
        self.assertEqual(client.set_multi(values), [])
        self.assertEqual(client.get_multi(list(values)), values)
        lost = int(servers[0].stats()["curr_items"])
        self.assertGreater(lost, 30)
        servers[0].stop()
        self.assertEqual(len(client.get_multi(list(values))), len(values) - lost)
        self.assertEqual(client.set_multi(values), [])
        self.assertEqual(client.get_multi(list(values)), values)


if __name__ == "__main__":
    unittest.main()
