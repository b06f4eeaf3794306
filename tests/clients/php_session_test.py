#!/usr/bin/python3
"""PHP sessions kept in the server: a page, a browser's cookie, and what must survive.

The page is php_session_page.php, served by PHP's own web server with several worker processes,
so that requests of one visitor meet at the session's lock. Every test runs with php-memcached over
text and binary, and with php-memcache.
"""

import concurrent.futures
import http.client
import json
import os
import signal
import subprocess
import tempfile
import time
import unittest

from server_fixture import OneServer, Server, free_port

FOLDER = os.path.dirname(os.path.abspath(__file__))
PAGE = "/php_session_page.php"
READY_TIMEOUT_S = 20
LIFETIME_S = 1440


class MemcachedHandler:
    """Sessions through php-memcached, which speaks binary unless told otherwise."""

    key_prefix = "memc.sess.key."
    lock_given_back = None
    settings = {
        "session.save_handler": "memcached",
        "memcached.sess_binary_protocol": 1,
        "memcached.sess_lock_wait_min": 20,
        "memcached.sess_lock_wait_max": 100,
        "memcached.sess_lock_retries": 200,
    }

    @staticmethod
    def save_path(servers):
        """What session.save_path calls these servers."""
        return ",".join(f"{server.socket_path}:0" if server.socket_path else server.address
                        for server in servers)

    @staticmethod
    def lock_of(key):
        """The key of a session's lock."""
        return "lock." + key


class MemcachedTextHandler(MemcachedHandler):
    """The same over text."""

    settings = dict(MemcachedHandler.settings, **{"memcached.sess_binary_protocol": 0})


class MemcacheHandler:
    """Sessions through php-memcache, over text."""

    key_prefix = ""
    lock_given_back = b"0"
    settings = {
        "session.save_handler": "memcache",
        "memcache.session_redundancy": 1,
    }

    @staticmethod
    def save_path(servers):
        """What session.save_path calls these servers."""
        return ",".join(f"unix://{server.socket_path}" if server.socket_path
                        else f"tcp://{server.address}" for server in servers)

    @staticmethod
    def lock_of(key):
        """The key of a session's lock."""
        return key + ".lock"


class PhpServer:
    """`php -S` whose sessions live in `servers`; a context manager."""

    def __init__(self, handler, *servers, **more_settings):
        self.port = free_port()
        settings = {
            "session.save_path": handler.save_path(servers),
            "session.gc_maxlifetime": LIFETIME_S,
            **handler.settings,
            **more_settings,
        }
        command = ["php", "-S", f"127.0.0.1:{self.port}", "-t", FOLDER]
        for name, value in settings.items():
            command += ["-d", f"{name}={value}"]
        self._log = tempfile.TemporaryFile()
        environment = dict(os.environ, PHP_CLI_SERVER_WORKERS="4")
        self._process = subprocess.Popen(command, env=environment, stdout=self._log,
                                         stderr=self._log, start_new_session=True)
        if not self._is_ready():
            log = self.log()
            self.stop()
            raise RuntimeError("php -S did not start:\n" + log)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

    def stop(self):
        """Ends PHP and its workers."""
        # The workers outlive PHP's first process; they are in the group that it leads.
        os.killpg(self._process.pid, signal.SIGTERM)
        self._process.wait(20)
        self._log.close()

    def log(self):
        """What PHP has written."""
        self._log.seek(0)
        return self._log.read().decode(errors="replace")

    def _is_ready(self):
        deadline = time.monotonic() + READY_TIMEOUT_S
        while time.monotonic() < deadline and self._process.poll() is None:
            try:
                connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=1)
                connection.connect()
                connection.close()
                return True
            except OSError:
                time.sleep(0.02)
        return False


class Browser:
    """A visitor: keeps the cookie that the page sets."""

    def __init__(self):
        self.cookie = None

    def get(self, php, query=""):
        """The body of the page."""
        connection = http.client.HTTPConnection("127.0.0.1", php.port, timeout=30)
        headers = {"Cookie": self.cookie} if self.cookie else {}
        connection.request("GET", PAGE + query, headers=headers)
        response = connection.getresponse()
        body = response.read().decode()
        if response.status != 200:
            raise RuntimeError(f"status {response.status}: {body}\n{php.log()}")
        cookie = response.getheader("Set-Cookie")
        if cookie and not cookie.startswith("PHPSESSID=deleted"):
            self.cookie = cookie.split(";")[0]
        connection.close()
        return body

    def visit(self, php, query=""):
        """The page's JSON."""
        body = self.get(php, query)
        try:
            return json.loads(body)
        except ValueError:
            raise RuntimeError(f"not JSON: {body}\n{php.log()}") from None

    @property
    def session_id(self):
        """What the cookie says."""
        return self.cookie.split("=", 1)[1]


def stored(server, key):
    """The value of a key, or None."""
    with server.connect() as connection:
        connection.sendall(b"get " + key.encode() + b"\r\n")
        text = b""
        while not text.endswith(b"END\r\n"):
            text += connection.recv(65536)
    if text == b"END\r\n":
        return None
    size = int(text.split(b"\r\n", 1)[0].split(b" ")[3])
    start = text.index(b"\r\n") + 2
    return text[start:start + size]


class SessionTests:
    """For the classes below, which have a server each; every visitor's session has its own key."""

    handler = None

    def php(self, *servers, **more_settings):
        """PHP with the handler of this class."""
        return PhpServer(self.handler, *(servers or [self.server]), **more_settings)

    def key_of(self, browser):
        """Under which key a visitor's session is stored."""
        return self.handler.key_prefix + browser.session_id

    def test_a_visitor_is_known_again_and_the_counter_goes_up(self):
        with self.php() as php:
            browser = Browser()
            self.assertEqual(browser.visit(php, "?name=Ada"), {
                "visits": 1, "visitor": {"name": "Ada", "roles": ["reader", "writer"]}})
            for visits in range(2, 20):
                answer = browser.visit(php)
                self.assertEqual(answer["visits"], visits)
                self.assertEqual(answer["visitor"]["name"], "Ada")

    def test_visitors_do_not_see_each_other(self):
        with self.php() as php:
            ada, ben = Browser(), Browser()
            ada.visit(php, "?name=Ada")
            ben.visit(php, "?name=Ben")
            self.assertNotEqual(ada.cookie, ben.cookie)
            self.assertEqual(ada.visit(php)["visitor"]["name"], "Ada")
            self.assertEqual(ben.visit(php)["visitor"]["name"], "Ben")

    def test_the_session_is_in_the_server_under_its_key(self):
        with self.php() as php:
            browser = Browser()
            browser.visit(php, "?name=Ada")
            value = stored(self.server, self.key_of(browser))
            self.assertIsNotNone(value)
            self.assertIn(b"visits|i:1;", value)
            self.assertIn(b"Ada", value)
            lock = stored(self.server, self.handler.lock_of(self.key_of(browser)))
            self.assertEqual(lock, self.handler.lock_given_back, "at the end of the request")

    def test_a_session_outlives_a_restart_of_php(self):
        browser = Browser()
        with self.php() as php:
            browser.visit(php, "?name=Ada")
        with self.php() as php:
            answer = browser.visit(php)
        self.assertEqual(answer["visits"], 2)
        self.assertEqual(answer["visitor"]["name"], "Ada")

    def test_logout_removes_the_session(self):
        with self.php() as php:
            browser = Browser()
            browser.visit(php, "?name=Ada")
            key = self.key_of(browser)
            self.assertEqual(browser.get(php, "?logout=1"), "bye")
            self.assertIsNone(stored(self.server, key))
            self.assertEqual(browser.visit(php)["visits"], 1)

    def test_requests_of_one_visitor_wait_for_each_other(self):
        with self.php() as php:
            browser = Browser()
            browser.visit(php)
            with concurrent.futures.ThreadPoolExecutor(4) as pool:
                jobs = [pool.submit(browser.visit, php, "?slow=100") for _ in range(8)]
                visits = sorted(job.result()["visits"] for job in jobs)
            self.assertEqual(visits, list(range(2, 10)), "without the lock visits would be lost")

    def test_a_flushed_cache_forgets_sessions_and_goes_on(self):
        with self.php() as php:
            browser = Browser()
            browser.visit(php, "?name=Ada")
            with self.server.connect() as connection:
                connection.sendall(b"flush_all\r\n")
                self.assertEqual(connection.recv(64), b"OK\r\n")
            answer = browser.visit(php)
            self.assertEqual(answer, {"visits": 1, "visitor": None})
            self.assertEqual(browser.visit(php)["visits"], 2)

    def test_sessions_over_a_unix_socket(self):
        with Server(unix=True) as server, self.php(server) as php:
            browser = Browser()
            browser.visit(php, "?name=Ada")
            self.assertEqual(browser.visit(php)["visits"], 2)
            self.assertIsNotNone(stored(server, self.key_of(browser)))

    def test_sessions_spread_over_two_servers(self):
        with Server() as second:
            with self.php(self.server, second) as php:
                browsers = [Browser() for _ in range(20)]
                for browser in browsers:
                    browser.visit(php)
                for browser in browsers:
                    self.assertEqual(browser.visit(php)["visits"], 2)
                counts = [sum(stored(server, self.key_of(browser)) is not None
                              for browser in browsers) for server in (self.server, second)]
            self.assertEqual(sum(counts), len(browsers))
            self.assertTrue(all(counts), counts)


class MemcachedTextTest(SessionTests, OneServer):
    """php-memcached as memcached.sess_binary_protocol=0 has it."""

    handler = MemcachedTextHandler

    def test_sessions_without_locking(self):
        with self.php(**{"memcached.sess_locking": 0}) as php:
            browser = Browser()
            browser.visit(php, "?name=Ada")
            self.assertEqual(browser.visit(php)["visits"], 2)
            self.assertIsNotNone(stored(self.server, self.key_of(browser)))


class MemcachedBinaryTest(SessionTests, OneServer):
    """php-memcached as PHP configures it unless told otherwise."""

    handler = MemcachedHandler

    def test_connections_that_outlive_the_request(self):
        with self.php(**{"memcached.sess_persistent": 1}) as php:
            browsers = [Browser() for _ in range(5)]
            for visits in range(1, 9):
                for browser in browsers:
                    self.assertEqual(browser.visit(php)["visits"], visits)

    def test_every_session_has_a_copy_on_a_second_server(self):
        with Server() as second:
            copies = {"memcached.sess_number_of_replicas": 1}
            with self.php(self.server, second, **copies) as php:
                browser = Browser()
                browser.visit(php, "?name=Ada")
                self.assertEqual(browser.visit(php)["visits"], 2)
            for server in (self.server, second):
                self.assertIn(b"visits|i:2;", stored(server, self.key_of(browser)))


class MemcacheTest(SessionTests, OneServer):
    """php-memcache."""

    handler = MemcacheHandler


if __name__ == "__main__":
    unittest.main()
