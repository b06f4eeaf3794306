#!/usr/bin/python3
"""Writes the fuzzers' first inputs, made of the wire transcripts and the tables of options.

    make_seeds.py FOLDER

FOLDER/<fuzzer> is emptied and filled for each row of registry.txt.
"""

import hashlib
import os
import re
import shutil
import struct
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
sys.path.append(os.path.join(os.path.dirname(HERE), "wire"))

from run_transcripts import transcript_files
from transcript import Send, SendDatagram, read_transcript

LONGEST_SEED_BYTES = 1400
# What a case has captured from earlier answers, as far as seeds go.
CAPTURED = 2
PIECE = b"\x06"
FRAME = struct.pack("!HHHH", 1, 0, 1, 0)
# Moves of connections_fuzz.cc.
SAY, FILL, LEAVE, PASS_TIME, WORK, MOVE_COUNT = 0, 2, 3, 4, 5, 6
SAY_BYTES_MAX = 255


class Captured(dict):
    """Names that a transcript captures, all of them the same."""

    def __missing__(self, name):
        return b"1.6.45" if name == "version" else CAPTURED


def conversations():
    """(bytes sent, bytes of datagrams) of every case."""
    for path in transcript_files():
        for case in read_transcript(path).cases:
            names = Captured()
            sent = b"".join(action.render(names) for action in case.actions
                            if isinstance(action, Send))
            datagrams = [action.render(names) for action in case.actions
                         if isinstance(action, SendDatagram)]
            if sent or datagrams:
                yield sent[:LONGEST_SEED_BYTES], datagrams


def text():
    """What clients say."""
    return [sent for sent, _ in conversations() if sent[:1] != b"\x80"]


def packets():
    """What clients of the binary protocol say."""
    return [sent for sent, _ in conversations() if sent[:1] == b"\x80"]


def meta():
    """Meta commands without their first word, behind the number that stands for it."""
    numbers = {b"mg": b"\0", b"ms": b"\1", b"md": b"\2", b"ma": b"\3", b"me": b"\4"}
    lines = {line for sent in text() for line in sent.split(b"\n")}
    return [numbers[line[:2]] + line[3:] for line in lines
            if line[:2] in numbers and line[2:3] == b" "]


def session():
    """Conversations behind the byte that says how they are cut."""
    return [PIECE + sent for sent, _ in conversations() if sent]


def datagram():
    """Conversations as one datagram, and the datagrams of transcripts."""
    seeds = [FRAME + sent for sent, _ in conversations() if sent]
    return seeds + [one for _, datagrams in conversations() for one in datagrams]


def _say(client, data):
    parts = (data[at:at + SAY_BYTES_MAX] for at in range(0, len(data), SAY_BYTES_MAX))
    return b"".join(bytes((client * MOVE_COUNT + SAY, len(part))) + part for part in parts)


def connections():
    """Conversations of two clients after each other and into each other, in a full cache."""
    said = [sent for sent, _ in conversations() if sent]
    moves = []
    for one, other in zip(said, said[1:]):
        half = len(one) // 2
        moves.append(_say(0, one[:half]) + bytes((MOVE_COUNT + FILL, 17)) + _say(1, other)
                     + bytes((PASS_TIME, 1, WORK, 0)) + _say(0, one[half:])
                     + bytes((MOVE_COUNT + LEAVE, 0)))
    return moves


def _options():
    """(long name, argument) of every option, and the same of those of -o."""
    for name, form in (("settings", r'^[A-Z]+\((?:[^,]+, )?"([a-z-]+)", "?([^,"]*)'),
                       ("extended_settings", r"^[A-Z_]+\(([a-z_]+)(?:, \"([^\"]*)\")?")):
        with open(os.path.join(ROOT, "server", name + ".def"), encoding="utf-8") as file:
            for found in re.finditer(form, file.read(), re.MULTILINE):
                yield name, found.group(1), found.group(2)


def command_line():
    """Each option alone, with a number and without, on the command line and in a file."""
    seeds = []
    for table, name, _ in _options():
        for value in ("1024", "", "x"):
            ends = f"={value}" if value else ""
            option = f"--{name}{ends}\n" if table == "settings" else f"-o\n{name}{ends}\n"
            seeds.append(option.encode())
            seeds.append(f"--config\nx\n--check\n\n{name} = {value or 'true'}\n".encode())
    seeds.append(b"--config\nx\n\n# a comment\n-d\nlogfile /var/log/x\n-m 64\n-l 127.0.0.1\n")
    seeds.append(b"-m 64\n-l\n[::1]:11211,127.0.0.1\n-vv\n-o\nslab_automove=2,idle_timeout=5\n")
    return seeds


KINDS = {"text": text, "meta": meta, "packets": packets, "session": session,
         "datagram": datagram, "connections": connections, "command_line": command_line}


def rows():
    """The registry: (name, seeds, dictionary, longest, fate)."""
    with open(os.path.join(HERE, "registry.txt"), encoding="utf-8") as file:
        return [tuple(line.split()) for line in file if line.strip() and line[0] != "#"]


def main():
    """Fills the folder."""
    folder = sys.argv[1]
    for name, kind, *_ in rows():
        own = os.path.join(folder, name)
        shutil.rmtree(own, ignore_errors=True)
        os.makedirs(own)
        seeds = set(KINDS[kind]())
        for seed in seeds:
            with open(os.path.join(own, hashlib.sha1(seed).hexdigest()), "wb") as file:
                file.write(seed)
        print(f"{name}: {len(seeds)} seeds")
        if not seeds:
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
