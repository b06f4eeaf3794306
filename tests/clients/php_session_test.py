#!/usr/bin/python3
"""PHP sessions kept in the server: a page, a browser's cookie, and what must survive.

The page is php_session_page.php, served by PHP's own web server with several worker processes,
so that requests of one visitor meet at the session's lock. php-memcached speaks text here
(memcached.sess_binary_protocol=0).
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

from server_fixture import Server, free_port

FOLDER = os.path.dirname(os.path.abspath(__file__))
PAGE = "/php_session_page.php"
READY_TIMEOUT_S = 20
SESSION_PREFIX = "memc.sess.key."
LIFETIME_S = 1440


class PhpServer:
    """`php -S` whose sessions live in `server`; a context manager."""

    def __init__(self, server, locking=True, save_path=None):
        self.port = free_port()
        settings = {
            "session.save_handler": "memcached",
            "session.save_path": save_path or server.address,
            "session.gc_maxlifetime": LIFETIME_S,
            "memcached.sess_binary_protocol": 0,
            "memcached.sess_locking": int(locking),
            "memcached.sess_lock_wait_min": 20,
            "memcached.sess_lock_wait_max": 100,
            "memcached.sess_lock_retries": 200,
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
    def session_key(self):
        """Under which key the session is stored."""
        return SESSION_PREFIX + self.cookie.split("=", 1)[1]


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


class PhpSessionTest(unittest.TestCase):
    """Each test has a server of its own."""

    def setUp(self):
        self.server = Server()
        self.addCleanup(self.server.stop)

    def test_a_visitor_is_known_again_and_the_counter_goes_up(self):
        with PhpServer(self.server) as php:
            browser = Browser()
            self.assertEqual(browser.visit(php, "?name=Ada"), {
                "visits": 1, "visitor": {"name": "Ada", "roles": ["reader", "writer"]}})
            for visits in range(2, 20):
                answer = browser.visit(php)
                self.assertEqual(answer["visits"], visits)
                self.assertEqual(answer["visitor"]["name"], "Ada")

    def test_visitors_do_not_see_each_other(self):
        with PhpServer(self.server) as php:
            ada, ben = Browser(), Browser()
            ada.visit(php, "?name=Ada")
            ben.visit(php, "?name=Ben")
            self.assertNotEqual(ada.cookie, ben.cookie)
            self.assertEqual(ada.visit(php)["visitor"]["name"], "Ada")
            self.assertEqual(ben.visit(php)["visitor"]["name"], "Ben")

    def test_the_session_is_in_the_server_under_its_key(self):
        with PhpServer(self.server) as php:
            browser = Browser()
            browser.visit(php, "?name=Ada")
            value = stored(self.server, browser.session_key)
            self.assertIsNotNone(value)
            self.assertIn(b"visits|i:1;", value)
            self.assertIn(b"Ada", value)
            self.assertIsNone(stored(self.server, "lock." + browser.session_key),
                              "the lock is given back at the end of the request")

    def test_a_session_outlives_a_restart_of_php(self):
        browser = Browser()
        with PhpServer(self.server) as php:
            browser.visit(php, "?name=Ada")
        with PhpServer(self.server) as php:
            answer = browser.visit(php)
        self.assertEqual(answer["visits"], 2)
        self.assertEqual(answer["visitor"]["name"], "Ada")

    def test_logout_removes_the_session(self):
        with PhpServer(self.server) as php:
            browser = Browser()
            browser.visit(php, "?name=Ada")
            key = browser.session_key
            self.assertEqual(browser.get(php, "?logout=1"), "bye")
            self.assertIsNone(stored(self.server, key))
            self.assertEqual(browser.visit(php)["visits"], 1)

    def test_requests_of_one_visitor_wait_for_each_other(self):
        with PhpServer(self.server) as php:
            browser = Browser()
            browser.visit(php)
            with concurrent.futures.ThreadPoolExecutor(4) as pool:
                jobs = [pool.submit(browser.visit, php, "?slow=100") for _ in range(8)]
                visits = sorted(job.result()["visits"] for job in jobs)
            self.assertEqual(visits, list(range(2, 10)), "without the lock visits would be lost")

    def test_a_flushed_cache_forgets_sessions_and_goes_on(self):
        with PhpServer(self.server) as php:
            browser = Browser()
            browser.visit(php, "?name=Ada")
            with self.server.connect() as connection:
                connection.sendall(b"flush_all\r\n")
                self.assertEqual(connection.recv(64), b"OK\r\n")
            answer = browser.visit(php)
            self.assertEqual(answer, {"visits": 1, "visitor": None})
            self.assertEqual(browser.visit(php)["visits"], 2)

    def test_sessions_without_locking_and_over_a_unix_socket(self):
        with Server(unix=True) as server:
            with PhpServer(server, locking=False, save_path=f"{server.socket_path}:0") as php:
                browser = Browser()
                browser.visit(php, "?name=Ada")
                self.assertEqual(browser.visit(php)["visits"], 2)
                self.assertIsNotNone(stored(server, browser.session_key))

    def test_sessions_spread_over_two_servers(self):
        with Server() as second:
            both = f"{self.server.address},{second.address}"
            with PhpServer(self.server, save_path=both) as php:
                browsers = [Browser() for _ in range(20)]
                for browser in browsers:
                    browser.visit(php)
                for browser in browsers:
                    self.assertEqual(browser.visit(php)["visits"], 2)
                counts = [sum(stored(server, browser.session_key) is not None
                              for browser in browsers) for server in (self.server, second)]
            self.assertEqual(sum(counts), len(browsers))
            self.assertTrue(all(counts), counts)


if __name__ == "__main__":
    unittest.main()
