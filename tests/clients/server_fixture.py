"""Starts the server under test on a free port or a unix socket, and stops it by its pid.

    with Server(["-m", "64"]) as server:
        connection = server.connect()

OneServer      a base class for tests that share a server; `self.server` from setUpClass on.
Which server   the environment variable LARDER_UNDER_TEST, or the `binary` argument: larder, or
               any memcached, since both take the same flags.
Ready          the constructor returns once `version` has been answered.
Stopped        `stop` sends SIGTERM and waits. A server that died early, that needs SIGKILL, or
               that does not exit with status 0 fails the test with what it wrote on stderr.
"""

import os
import signal
import socket
import subprocess
import tempfile
import time
import unittest

READY_TIMEOUT_S = 20.0
STOP_TIMEOUT_S = 20.0
START_ATTEMPTS = 5

# The binary protocol's word for `version`, and how its answer begins.
BINARY_VERSION = b"\x80\x0b" + bytes(22)
BINARY_ANSWER = b"\x81"


def binary_under_test():
    """The path of the server that the tests are about."""
    path = os.environ.get("LARDER_UNDER_TEST")
    if not path:
        raise SystemExit("LARDER_UNDER_TEST must hold the path of the server binary")
    return path


def free_port():
    """A TCP port of 127.0.0.1 that nothing listens on at this moment."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def version_line(binary):
    """What `binary -V` prints first, such as `memcached 1.6.18` or `larder 0.1.0`."""
    done = subprocess.run([binary, "-V"], stdout=subprocess.PIPE, check=True, timeout=20)
    return done.stdout.decode().splitlines()[0]


class Server:
    """One server process; a context manager.

    `udp` lets it answer on its port over UDP too; `port` is for a server that comes back.

    Units    none. Owner the caller: whoever constructs it stops it.
    Errors   RuntimeError when it does not start, dies early or does not stop cleanly.
    """

    def __init__(self, flags=(), binary=None, unix=False, udp=False,
                 port=None):
        self.binary = binary or binary_under_test()
        self.flags = list(flags)
        self.port = port
        self.socket_path = None
        self.process = None
        self._folder = tempfile.TemporaryDirectory(prefix="larder-test-")
        self._stderr_path = os.path.join(self._folder.name, "stderr")
        self._fixed_port = port
        self._start(unix, udp)

    def __enter__(self):
        return self

    def __exit__(self, error_type, error, trace):
        self.stop(check=error_type is None)

    @property
    def pid(self):
        return self.process.pid

    @property
    def is_binary_only(self):
        """True if the server was told to close text connections."""
        return ("-B", "binary") in zip(self.flags, self.flags[1:])

    @property
    def address(self):
        """`host:port`, or the path of the unix socket."""
        return self.socket_path or f"127.0.0.1:{self.port}"

    def connect(self, timeout_s=10.0):
        """A new connected stream socket."""
        if self.socket_path:
            connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            target = self.socket_path
        else:
            connection = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
            target = ("127.0.0.1", self.port)
        try:
            connection.settimeout(timeout_s)
            connection.connect(target)
        except OSError:
            connection.close()
            raise
        if not self.socket_path:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return connection

    def stats(self, group=""):
        """The statistics of one group as a dict of strings."""
        with self.connect() as connection:
            connection.sendall(b"stats " + group.encode() + b"\r\n" if group else b"stats\r\n")
            text = b""
            while not text.endswith(b"END\r\n"):
                piece = connection.recv(65536)
                if not piece:
                    raise RuntimeError(f"stats {group}: connection closed after {text!r}")
                text += piece
        rows = (line.split(" ", 2) for line in text.decode().splitlines()[:-1])
        return {row[1]: row[2] if len(row) > 2 else "" for row in rows}

    def stderr(self):
        """What the server has written on stderr so far."""
        with open(self._stderr_path, encoding="utf-8", errors="replace") as file:
            return file.read()

    def stop(self, check=True):
        """Stops the process and, with `check`, insists that it was alive and ended cleanly."""
        if self.process is None:
            return
        process, self.process = self.process, None
        died_early = process.poll() is not None
        killed = self._terminate(process)
        complaint = None
        if died_early:
            complaint = f"died early with status {process.returncode}"
        elif killed:
            complaint = "did not stop on SIGTERM"
        elif process.returncode != 0:
            complaint = f"ended with status {process.returncode} on SIGTERM"
        text = self.stderr()
        self._folder.cleanup()
        if check and complaint:
            raise RuntimeError(f"{self.binary} {complaint}; its stderr:\n{text}")

    def _start(self, unix, udp):
        for attempt in range(START_ATTEMPTS):
            command = self._command_line(unix, udp)
            with open(self._stderr_path, "wb") as stderr:
                self.process = subprocess.Popen(
                    command, stdin=subprocess.DEVNULL, stdout=stderr, stderr=stderr)
            if self._wait_ready():
                return
            text = self.stderr()
            self._terminate(self.process)
            # Between choosing a free port and binding it somebody else may take it.
            if "in use" not in text or attempt + 1 == START_ATTEMPTS:
                self.process = None
                self._folder.cleanup()
                raise RuntimeError(f"{' '.join(command)} did not start; its stderr:\n{text}")

    def _command_line(self, unix, udp):
        command = [self.binary] + self.flags
        if os.geteuid() == 0 and "-u" not in self.flags:
            command += ["-u", "root"]
        if unix:
            self.socket_path = os.path.join(self._folder.name, "socket")
            return command + ["-s", self.socket_path]
        self.port = self._fixed_port or free_port()
        if udp:
            command += ["-U", str(self.port)]
        return command + ["-l", "127.0.0.1", "-p", str(self.port)]

    def _wait_ready(self):
        deadline = time.monotonic() + READY_TIMEOUT_S
        while time.monotonic() < deadline and self.process.poll() is None:
            try:
                with self.connect(timeout_s=READY_TIMEOUT_S) as connection:
                    connection.sendall(BINARY_VERSION if self.is_binary_only else b"version\r\n")
                    if connection.recv(64).startswith((b"VERSION", BINARY_ANSWER)):
                        return self.process.poll() is None
            except OSError:
                pass
            time.sleep(0.01)
        return False

    @staticmethod
    def _terminate(process):
        """Ends the process; true if it took SIGKILL."""
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
        try:
            process.wait(STOP_TIMEOUT_S)
            return False
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            return True


class OneServer(unittest.TestCase):
    """Tests that share a server; `flags` are for its command line."""

    flags = ()
    server = None

    @classmethod
    def setUpClass(cls):
        cls.server = Server(cls.flags)

    @classmethod
    def tearDownClass(cls):
        cls.server.stop()
