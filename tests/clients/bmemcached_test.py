#!/usr/bin/python3
"""python3-binary-memcached, which speaks nothing but the binary protocol.

It is what Django's binary cache backends and Datadog's agent ask for statistics.
"""

import unittest

import bmemcached

from server_fixture import OneServer, Server

VALUES = {
    "bytes": b"a\0b\r\nEND\r\n\xff", "text": "\u00e4\u20ac", "integer": 42, "negative": -7,
    "object": {"a": [1, None, 2.5]}, "empty": "", "long": "compress me " * 5000,
}
# This version's set_multi takes no text or numbers.
MANY = {f"many{number}": b"%d" % number for number in range(300)}

# What the check of Datadog's agent turns into rates and gauges.
DATADOG_KEYS = """
    rusage_user rusage_system cmd_get cmd_set cmd_flush get_hits get_misses delete_misses
    delete_hits evictions bytes_read bytes_written cas_misses cas_hits cas_badval total_connections
    curr_connections curr_items limit_maxbytes bytes uptime pointer_size threads
    connection_structures total_items listen_disabled_num conn_yields incr_hits incr_misses
    decr_hits decr_misses touch_hits touch_misses""".split()


class BmemcachedTest(OneServer):
    """One client of one server; every test begins with an empty cache."""

    def setUp(self):
        self.client = bmemcached.Client([self.server.address], socket_timeout=10)
        self.addCleanup(self.client.disconnect_all)
        self.assertTrue(self.client.flush_all())

    def test_python_objects_keep_their_type(self):
        for key, value in VALUES.items():
            self.assertTrue(self.client.set(key, value), key)
            self.assertEqual(self.client.get(key), value)
        self.assertIsNone(self.client.get("absent"))
        self.assertEqual(self.client.get("absent", "other"), "other")

    def test_many_keys_at_once(self):
        self.assertEqual(self.client.set_multi(MANY), [])
        self.assertEqual(self.client.get_multi([*MANY, "absent"]), MANY)
        found = self.client.get_multi(list(MANY), get_cas=True)
        self.assertEqual({key: pair[0] for key, pair in found.items()}, MANY)
        self.assertEqual(len({pair[1] for pair in found.values()}), len(MANY))
        self.assertTrue(self.client.delete_multi(list(MANY)))
        self.assertEqual(self.client.get_multi(list(MANY)), {})

    def test_add_replace_and_delete(self):
        self.assertFalse(self.client.replace("key", "x"))
        self.assertTrue(self.client.add("key", "one"))
        self.assertFalse(self.client.add("key", "x"))
        self.assertTrue(self.client.replace("key", "two"))
        self.assertEqual(self.client.get("key"), "two")
        self.assertTrue(self.client.delete("key"))
        self.assertTrue(self.client.delete("key"), "to this client absent is as good as deleted")

    def test_cas_stores_only_what_nobody_changed(self):
        self.client.set("key", "one")
        value, number = self.client.gets("key")
        self.assertEqual(value, "one")
        self.assertTrue(self.client.cas("key", "two", number))
        self.assertFalse(self.client.cas("key", "three", number))
        self.assertFalse(self.client.delete("key", cas=number))
        _, number = self.client.gets("key")
        self.assertTrue(self.client.delete("key", cas=number))
        self.assertIsNone(self.client.get("key"))

    def test_cas_zero_stores_only_what_is_new(self):
        self.client.set("key", "one")
        failed = self.client.set_multi({("key", 0): b"x", ("other", 0): b"y"})
        self.assertEqual(failed, [("key", 0)])
        self.assertEqual(self.client.get_multi(["key", "other"]), {"key": "one", "other": b"y"})

    def test_counters_begin_where_the_client_says(self):
        self.assertEqual(self.client.incr("counter", 5, default=10), 10)
        self.assertEqual(self.client.incr("counter", 5), 15)
        self.assertEqual(self.client.decr("counter", 6), 9)
        self.assertEqual(self.client.decr("counter", 100), 0)
        self.assertEqual(self.client.incr("counter", 2**63), 2**63)

    def test_sizes_up_to_the_limit_and_one_above(self):
        for size in (1000, 16384, 262144, 1_000_000):
            value = (b"0123456789abcdef" * (size // 16 + 1))[:size]
            self.assertTrue(self.client.set("sized", value, compress_level=0))
            self.assertEqual(self.client.get("sized"), value)
        with self.assertRaises(bmemcached.exceptions.MemcachedException):
            self.client.set("huge", b"x" * 1_100_000, compress_level=0)
        self.assertTrue(self.client.set("huge", b"small"))

    def test_times_to_live(self):
        self.client.set("kept", 1, time=100)
        self.client.set("past", 1, time=31 * 24 * 3600)
        self.assertEqual(self.client.get_multi(["kept", "past"]), {"kept": 1})

    def test_a_user_is_taken_by_a_server_without_users(self):
        client = bmemcached.Client([self.server.address], "user", "password")
        self.addCleanup(client.disconnect_all)
        self.assertTrue(client.set("key", "value"))
        self.assertEqual(client.get("key"), "value")

    def test_over_a_unix_socket(self):
        with Server(unix=True) as server:
            client = bmemcached.Client([server.socket_path])
            self.assertTrue(client.set("key", "value"))
            self.assertEqual(client.get("key"), "value")
            client.disconnect_all()

    def test_the_statistics_that_monitoring_reads(self):
        self.client.set("key", "value")
        self.client.get("key")
        stats, = self.client.stats().values()
        self.assertEqual([key for key in DATADOG_KEYS if key not in stats], [])
        self.assertEqual(stats["pid"], str(self.server.pid).encode())
        self.assertGreaterEqual(int(stats["curr_items"]), 1)
        for group, name in (("settings", "maxbytes"), ("items", "number"),
                            ("slabs", "used_chunks")):
            stats, = self.client.stats(group).values()
            self.assertIn(name, {key.split(":")[-1] for key in stats}, group)


class DistributedTest(unittest.TestCase):
    """Keys spread over several servers."""

    def test_keys_are_spread_over_three_servers_and_found_again(self):
        servers = [Server() for _ in range(3)]
        for server in servers:
            self.addCleanup(server.stop)
        client = bmemcached.DistributedClient([server.address for server in servers])
        self.addCleanup(client.disconnect_all)
        self.assertEqual(client.set_multi(MANY), [])
        self.assertEqual(client.get_multi(list(MANY)), MANY)
        counts = [int(server.stats()["curr_items"]) for server in servers]
        self.assertEqual(sum(counts), len(MANY))
        self.assertTrue(all(count > 30 for count in counts), counts)


if __name__ == "__main__":
    unittest.main()
