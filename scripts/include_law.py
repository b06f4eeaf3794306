#!/usr/bin/env python3
"""Checks which folder includes what: the law that keeps Larder's three libraries apart.

    scripts/include_law.py [root]

Prints one line for each #include that its folder may not have, and exits with 1 if there is any.
"""

import pathlib
import re
import sys
from typing import Iterator, NamedTuple

# Kinds of included file. A file of the project is its own kind: its path from the root.
STD, THREADS, OS, FMT, XXHASH, LIBEVENT, OPENSSL = (
    "the standard library", "threads", "the operating system", "fmt", "xxHash", "libevent",
    "OpenSSL")

THREAD_HEADERS = {
    "barrier", "condition_variable", "future", "latch", "mutex", "semaphore", "shared_mutex",
    "stop_token", "thread", "pthread.h", "sched.h",
}
LIBRARY_PREFIXES = {"fmt/": FMT, "xxhash.h": XXHASH, "event2/": LIBEVENT, "openssl/": OPENSSL}
# Compiler intrinsics belong to the language as far as the law is concerned.
INTRINSICS = re.compile(r"[a-z]*intrin\.h$")

CACHE_DOOR = [
    r"slab/cache\.h", r"slab/cache_config\.h", r"slab/cache_stats\.h", r"slab/clock\.h",
    r"slab/expiry\.h", r"slab/event_sink\.h", r"slab/[a-z_]+\.def",
]
CACHE_FIGURES = [
    r"slab/cache_config\.h", r"slab/cache_stats\.h", r"slab/memory_plan\.h",
    r"slab/event_sink\.h", r"slab/[a-z_]+\.def",
]
PARSERS = [
    r"protocol/[a-z_]*parser\.h", r"protocol/parse_result\.h", r"protocol/request\.h",
    r"protocol/limits\.h", r"protocol/udp_frame\.h", r"protocol/reply_sink\.h",
]


class Room(NamedTuple):
    """Files whose path matches `files` may include these kinds and project files, nothing else."""
    files: str
    kinds: set
    project_files: list


# The first row that matches a file is its row.
LAW = [
    Room(r"protocol/", {STD, FMT}, [r"protocol/.*"]),
    Room(r"slab/", {STD, THREADS, OS, FMT, XXHASH}, [r"slab/.*"]),
    Room(r"server/net/tls_[a-z_]*\.cc$", {STD, THREADS, OS, FMT, LIBEVENT, OPENSSL},
         [r"server/net/.*", r"server/os/.*", *PARSERS]),
    Room(r"server/net/", {STD, THREADS, OS, FMT, LIBEVENT},
         [r"server/net/.*", r"server/os/.*", *PARSERS]),
    Room(r"server/commands/", {STD, FMT},
         [r"server/commands/.*", r"server/live_settings\.(h|def)",
          r"server/net/(stream_handler|connection_facts)\.h",
          r"server/observe/(byte_ring|event_log|uri_encoding)\.h", r"protocol/.*", *CACHE_DOOR]),
    Room(r"server/observe/admin_http", {STD, THREADS, OS, FMT, LIBEVENT},
         [r"server/(observe|os)/.*", *CACHE_FIGURES]),
    Room(r"server/(auth|observe|cluster|os)/", {STD, THREADS, OS, FMT},
         [r"server/(auth|observe|cluster|os)/.*", r"server/net/connection_observer\.h",
          *CACHE_FIGURES]),
    Room(r"server/(server|main)\.(cc|h)$", {STD, THREADS, OS, FMT, XXHASH, LIBEVENT, OPENSSL},
         [r".*"]),
    Room(r"server/ticker\.(cc|h)$", {STD, THREADS, OS, FMT}, [r"server/[^/]*", *CACHE_DOOR]),
    Room(r"server/", {STD, THREADS, OS, FMT},
         [r"server/[^/]*", r"server/os/.*", r"server/commands/server_view\.h", *CACHE_FIGURES]),
]

INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]')


def kind_of_system_header(name: str) -> str:
    if name in THREAD_HEADERS:
        return THREADS
    for prefix, kind in LIBRARY_PREFIXES.items():
        if name.startswith(prefix):
            return kind
    if INTRINSICS.match(name) or "." not in name and "/" not in name:
        return STD
    return OS


def room_of(path: str):
    return next((room for room in LAW if re.match(room.files, path)), None)


def objection(room: Room, bracket: str, name: str):
    """Says why `room` may not include `name`, or returns None if it may."""
    if bracket == "<":
        kind = kind_of_system_header(name)
        return None if kind in room.kinds else f"<{name}> belongs to {kind}"
    if not re.match(r"(protocol|slab|server|tests)/(?!.*\.\./)", name):
        return f'"{name}" must be written from the root of the repository'
    if any(re.fullmatch(pattern, name) for pattern in room.project_files):
        return None
    return f'"{name}" is not for this folder'


def check_file(root: pathlib.Path, path: str) -> Iterator[str]:
    room = room_of(path)
    for number, line in enumerate((root / path).read_text().splitlines(), start=1):
        include = INCLUDE.match(line)
        if include and room:
            reason = objection(room, *include.groups())
            if reason:
                yield f"{path}:{number}: {reason}"


def check_tree(root: pathlib.Path) -> list:
    problems = []
    for folder in ("protocol", "slab", "server"):
        for file in sorted((root / folder).rglob("*")):
            if file.suffix in (".h", ".cc", ".def"):
                problems.extend(check_file(root, file.relative_to(root).as_posix()))
    return problems


def main() -> int:
    default_root = pathlib.Path(__file__).resolve().parent.parent
    problems = check_tree(pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else default_root)
    for problem in problems:
        print(problem)
    if problems:
        print(f"include law: {len(problems)} broken; the table is in scripts/include_law.py")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
