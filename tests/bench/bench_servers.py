"""What every comparison of Larder with memcached needs: servers that come and go, what is said
about the machine, and how a tool's line of key=value is read."""

import contextlib
import dataclasses
import datetime
import os
import platform
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

START_SECONDS_MAX = 60  # under valgrind, beside other work
STOP_SECONDS_MAX = 10


class BenchError(Exception):
    """Something that ends the comparison; its text is for the one who started it."""


@dataclasses.dataclass(frozen=True)
class Server:
    name: str
    program: str
    flags: tuple
    launcher: tuple = ()  # a command that runs the program in its own process, as valgrind does

    def version(self) -> str:
        result = subprocess.run([self.program, "-V"], capture_output=True, text=True, check=False)
        lines = (result.stdout + result.stderr).strip().splitlines()
        return lines[0] if lines else "unknown version"

    @contextlib.contextmanager
    def running(self):
        """Yields (pid, port) of a new process, and stops it whatever happens."""
        with self.process() as (process, port):
            yield process.pid, port

    @contextlib.contextmanager
    def process(self):
        """The same for those who end it themselves, or ask how it ended: (Popen, port)."""
        port = free_port()
        command = [*self.launcher, self.program, "-l", "127.0.0.1", "-p", str(port), *self.flags]
        with tempfile.TemporaryFile(mode="w+") as log:
            process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
            try:
                wait_until_serving(process, port, command, log)
                yield process, port
            finally:
                stop(process)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_until_serving(process, port: int, command: list, log) -> None:
    deadline = time.monotonic() + START_SECONDS_MAX
    while time.monotonic() < deadline and process.poll() is None:
        with contextlib.suppress(OSError):
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        time.sleep(0.02)
    log.seek(0)
    raise BenchError(f"{shlex.join(command)} does not serve: {log.read().strip() or 'no message'}")


def stop(process) -> None:
    process.terminate()
    try:
        process.wait(STOP_SECONDS_MAX)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def stats(port: int, group: str = "") -> dict:
    """What the server answers to `stats`, or to a group of it that it has, as text."""
    with socket.create_connection(("127.0.0.1", port)) as client:
        client.sendall(f"stats {group}".rstrip().encode() + b"\r\n")
        with client.makefile("r", newline="\r\n") as lines:
            return dict(line.split()[1:3] for line in iter(lines.readline, "END\r\n")
                        if len(line.split()) >= 3)


def run_tool(command: list) -> dict:
    """Runs one of the C++ programs. Returns the figures of its line of key=value, as text."""
    # No time limit here: the tools give up by themselves on a server that falls silent.
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    if result.returncode != 0:
        raise BenchError(f"{shlex.join(command)}: {result.stderr.strip()}")
    return dict(field.split("=") for field in result.stdout.split())


def processor() -> str:
    with open("/proc/cpuinfo", encoding="utf-8") as cpuinfo:
        for line in cpuinfo:
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.machine()


def print_place() -> None:
    """Says when, where and by which command the table below was made."""
    now = datetime.datetime.now().astimezone()
    print(f"- {now:%Y-%m-%d %H:%M %Z}, Linux {platform.release()}, {os.cpu_count()} x {processor()}")
    print(f"- `{os.environ.get('BENCH_COMMAND', shlex.join(sys.argv))}`")


def print_preamble(larder: Server, memcached: Server) -> None:
    """Says when, where and with what the table below was made."""
    print_place()
    print(f"- {larder.name}: {larder.version()}; {memcached.name}: {memcached.version()}; "
          f"both with `{shlex.join(larder.flags)}`")


def print_head(cells: list) -> None:
    """The first two lines of a table: a column of names, then columns of numbers."""
    print("| " + " | ".join(cells) + " |\n|---|" + "---:|" * (len(cells) - 1), flush=True)


def print_row(cells: list) -> None:
    print("| " + " | ".join(cells) + " |", flush=True)


def program(name: str, asked_by: str) -> str:
    found = shutil.which(name)
    if found is None:
        raise BenchError(f"{asked_by}: no program '{name}'")
    return found


def program_from_environment(variable: str, default: str) -> str:
    return program(os.environ.get(variable, default), variable)


def root_flags() -> tuple:
    """memcached refuses to run as root without being told to."""
    return ("-u", "root") if os.geteuid() == 0 else ()


def run_main(main) -> None:
    """Runs a script's main(), which returns its exit status, and exits with that."""
    # A plain SIGTERM would leave the servers behind: turn it into an exit that unwinds.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    try:
        sys.exit(main())
    except BenchError as error:
        print(f"bench: {error}", file=sys.stderr)
        sys.exit(1)
