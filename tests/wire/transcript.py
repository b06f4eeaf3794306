"""Reads transcript files: what a client sends, what it must receive, what is counted.

A file is a list of cases; README.md in this folder shows the format by example.

    # a comment                     up to the end of the line, only at its start
    --- flags -C                    before the first case: every server of this file gets them
    --- memcached-flags -o x        the same, if the server is a memcached
    === a sentence                  opens a case: a new connection to an emptied cache
    !!! 1.6.18: the reason          memcached of this version is known to differ in this case
    >>> get a                       sent, CR LF added; lines that follow each other: one write
    <<< END                         received, CR LF added
    <<<[1.6.45] END                 received instead, when that version is the server
    >b> get key=k opaque=7          a packet of the binary protocol, by its opcode and fields
    <b< get status=1 opaque=7 value="Not found"
    >u> 7 0/1 get a                 one datagram: request id, sequence/total, bytes, CR LF added
    >u> raw \\x01\\c                a datagram without a header made for it
    <u< 7 0/1 END                   one datagram received
    +++ cmd_get +1, get_misses +1   change of the statistics since the case or the last +++
    --- directive                   one of DIRECTIVES

In sent and received lines: \\r \\n \\t \\0 \\\\ \\xHH; \\c at the end of a line: no CR LF;
{x*250} the text x 250 times; {name} and {name+1} a number that was captured before.
Packets: numbers decimal or 0x..; texts with the same escapes, in "" if they hold spaces. Requests
have key, value, flags, exptime, delta, initial, cas, opaque; raw extras; and, to be wrong on
purpose, magic, keylen, extlen, bodylen, datatype, vbucket. The opcode is a name of
binary_packet.OPCODES or 0x... Responses have status, flags or number (a value of 8 bytes), key,
value, cas, opaque; what is not named is 0 or empty, and the opaque the default. times=n expects n
such packets, times=any as many as come.
In received lines only: <number>, <decimal> (as 0.25), <word>, <text> (up to the end of the line)
and <number:name>, which captures. {version} is what the server in its dialect calls itself.

Errors   TranscriptError with file and line for everything that is not in this grammar.
"""

import re
from dataclasses import dataclass, field

from binary_packet import EXTRAS, HEADER_FIELDS, opcode_of
from transcript_parts import (DATAGRAM_HEADER, RESPONSE_NUMBERS, ExpectedDatagram, ExpectedPacket,
                              Literal, Packet, Pattern, Reference, render_all)

LARDER = "larder"
# What `version` answers, by dialect. Larder answers memcached's number: clients look at it.
VERSIONS = {LARDER: "1.6.45", "1.6.45": "1.6.45", "1.6.18": "1.6.18"}

DIRECTIVES = {
    "count": "the next +++ counts from here",
    "fresh": "the case has a server process of its own, started for it",
    "whole": "the case depends on how bytes share a read: its writes are not cut",
    "pause": "what follows is another write, after the server has read the one before",
    "silent": "nothing arrives for a fifth of a second",
    "closed": "the server has closed the connection, and nothing more has arrived",
    "half-close": "the client sends no more",
    "tick": "wait until the server's clock has just ticked",
    "sleep": "wait for this many seconds",
    "flags": "before the first case: flags for the server",
    "udp": "before the first case: the server answers over UDP too",
    "memcached-flags": "before the first case: flags for the server if it is a memcached",
}

_ESCAPES = {"r": b"\r", "n": b"\n", "t": b"\t", "0": b"\0", "\\": b"\\"}
_TOKEN = re.compile(
    r"\\x(?P<hex>[0-9a-fA-F]{2})"
    r"|\\(?P<escape>[rnt0\\])"
    r"|\{(?P<repeat>[^{}]+)\*(?P<times>[0-9]+)\}"
    r"|\{(?P<name>[a-z_]+)(?P<plus>[+-][0-9]+)?\}"
    r"|<(?P<pattern>number|decimal|text|word)(?::(?P<capture>[a-z_]+))?>"
    r"|(?P<bad>[\\{}])"
    r"|(?P<plain>[^\\{}<]+|<)")


class TranscriptError(Exception):
    """A transcript that cannot be read."""


@dataclass
class Send:
    """One write."""
    parts: list
    line: int

    def render(self, names):
        """The bytes to send; `names` holds what was captured."""
        return render_all(self.parts, names)


@dataclass
class SendDatagram:
    """One datagram, its header included."""
    parts: list
    line: int

    def render(self, names):
        """The datagram to send."""
        return render_all(self.parts, names)


@dataclass
class Expect:
    """What arrives next: for everybody, or for one dialect. A list of lines, each of parts."""
    line: int
    by_dialect: dict = field(default_factory=dict)

    def lines(self, dialect):
        """The lines expected from a server of this dialect."""
        return self.by_dialect.get(dialect, self.by_dialect.get(None, []))


@dataclass
class StatsChange:
    """Expected change of counters."""
    changes: dict
    line: int


@dataclass
class Directive:
    """A line beginning with ---."""
    name: str
    argument: str
    line: int


@dataclass
class Case:
    """One sentence about the protocol and the exchange that proves it."""
    name: str
    file: str
    line: int
    actions: list = field(default_factory=list)
    differences: dict = field(default_factory=dict)
    fresh: bool = False
    whole: bool = False

    def has_own_expectation(self, dialect):
        """True if the case spells out what this dialect answers."""
        return any(isinstance(action, Expect) and dialect in action.by_dialect
                   for action in self.actions)

    def waits(self):
        """True if the case takes its time."""
        return self.counts_seconds() or self._has_directive("silent")

    def counts_seconds(self):
        """True if its answers depend on being served within a second of the server's clock."""
        return self._has_directive("tick", "sleep")

    def _has_directive(self, *names):
        return any(isinstance(action, Directive) and action.name in names
                   for action in self.actions)


@dataclass
class Transcript:
    """One file."""
    path: str
    flags: list = field(default_factory=list)
    memcached_flags: list = field(default_factory=list)
    udp: bool = False
    cases: list = field(default_factory=list)

    def flags_for(self, dialect):
        """The flags of a server of this dialect."""
        return self.flags + (self.memcached_flags if dialect != LARDER else [])


class _Parser:
    """Reads one file, line by line."""

    def __init__(self, path):
        self._transcript = Transcript(path)
        self._line = 0
        self._case = None

    def parse(self):
        """The transcript of the file."""
        with open(self._transcript.path, encoding="utf-8") as file:
            for text in file:
                self._line += 1
                self._take(text.rstrip("\n"))
        return self._transcript

    def _fail(self, what):
        raise TranscriptError(f"{self._transcript.path}:{self._line}: {what}")

    def _take(self, text):
        if not text.strip() or text.startswith("#"):
            return
        sign, rest = text[:3], text[3:].removeprefix(" ")
        if sign == "===":
            self._case = Case(rest, self._transcript.path, self._line)
            self._transcript.cases.append(self._case)
        elif self._case is None and text.startswith("--- flags "):
            self._transcript.flags += rest.split()[1:]
        elif self._case is None and text.startswith("--- memcached-flags "):
            self._transcript.memcached_flags += rest.split()[1:]
        elif self._case is None and text == "--- udp":
            self._transcript.udp = True
        elif self._case is None:
            self._fail("expected === and the name of a case")
        elif sign == ">>>":
            self._add_sent(self._parts(rest))
        elif sign == ">u>":
            self._case.actions.append(SendDatagram(self._datagram(rest), self._line))
        elif sign == ">b>":
            self._add_sent([self._packet(rest)])
        elif sign == "<<<":
            self._add_expected(text[3:], self._parts)
        elif sign == "<b<":
            self._add_expected(text[3:], self._expected_packet)
        elif sign == "<u<":
            self._add_expected(text[3:], self._expected_datagram)
        elif sign == "+++":
            self._case.actions.append(StatsChange(self._changes(rest), self._line))
        elif sign == "!!!":
            self._add_difference(rest)
        elif sign == "---":
            self._add_directive(rest)
        else:
            self._fail(f"a line must begin with === !!! >>> >b> >u> <<< <b< <u< +++ --- or #: "
                       f"{text!r}")

    def _parts(self, text):
        ends_line = not text.endswith("\\c")
        parts = []
        for token in _TOKEN.finditer(text if ends_line else text[:-2]):
            parts.append(self._part(token))
        if ends_line:
            parts.append(Literal(b"\r\n"))
        return parts

    def _part(self, token):
        found = token.groupdict()
        if found["bad"]:
            self._fail(f"stray {found['bad']!r}: write it as \\xHH")
        if found["hex"]:
            return Literal(bytes.fromhex(found["hex"]))
        if found["escape"]:
            return Literal(_ESCAPES[found["escape"]])
        if found["repeat"]:
            return Literal(self._literal(found["repeat"]) * int(found["times"]))
        if found["name"]:
            return Reference(found["name"], int(found["plus"] or 0))
        if found["pattern"]:
            return Pattern(found["pattern"], found["capture"])
        return Literal(found["plain"].encode())

    def _literal(self, text):
        return b"".join(self._part(token).data for token in _TOKEN.finditer(text))

    def _fields(self, text):
        fields = {}
        place = 0
        for field_text in re.finditer(r' *([a-z]+)=("[^"]*"|[^ "]*)(?= |$)', text):
            if field_text.start() != place or field_text.group(1) in fields:
                break
            place = field_text.end()
            fields[field_text.group(1)] = self._parts(field_text.group(2).strip('"') + "\\c")
        if text[place:].strip():
            self._fail(f"expected field=value: {text[place:]!r}")
        return fields

    def _opcode(self, name):
        try:
            opcode_of(name)
        except ValueError:
            self._fail(f"unknown opcode {name!r}")
        return name

    def _packet(self, text):
        name, _, rest = text.partition(" ")
        fields = self._fields(rest)
        unknown = set(fields) - {"key", "value", "extras", *EXTRAS, *HEADER_FIELDS}
        if unknown:
            self._fail(f"a request has no {', '.join(unknown)}")
        if any(isinstance(part, Pattern) for parts in fields.values() for part in parts):
            self._fail("a sent packet cannot hold a pattern")
        return Packet(self._opcode(name), fields)

    def _expected_packet(self, text):
        name, _, rest = text.partition(" ")
        fields = self._fields(rest)
        times = render_all(fields.pop("times", [Literal(b"1")]), {}).decode()
        unknown = set(fields) - {"key", "value", "extras", *RESPONSE_NUMBERS}
        if unknown:
            self._fail(f"a response has no {', '.join(unknown)}")
        if not re.fullmatch("any|[0-9]+", times):
            self._fail("times= is a number or any")
        return ExpectedPacket(self._opcode(name), fields, None if times == "any" else int(times))

    def _header(self, text):
        """The three numbers a datagram begins with, and the rest of the line."""
        form = re.match(r"([0-9]+) ([0-9]+)/([0-9]+) ?", text)
        if not form:
            self._fail("a datagram begins with its id and sequence/total")
        return tuple(map(int, form.groups())), text[form.end():]

    def _datagram(self, text):
        if text.startswith("raw "):
            return self._parts(text[4:])
        header, rest = self._header(text)
        return [Literal(DATAGRAM_HEADER.pack(*header, 0)), *self._parts(rest)]

    def _expected_datagram(self, text):
        header, rest = self._header(text)
        return ExpectedDatagram(header, self._parts(rest))

    def _add_sent(self, parts):
        if any(isinstance(part, Pattern) for part in parts):
            self._fail("a sent line cannot hold a pattern: write < as \\x3c")
        actions = self._case.actions
        if actions and isinstance(actions[-1], Send):
            actions[-1].parts += parts
        else:
            actions.append(Send(parts, self._line))

    def _add_expected(self, text, read):
        marked = re.match(r"\[([^\]]+)\]", text)
        dialect = marked.group(1) if marked else None
        if dialect is not None and dialect not in VERSIONS:
            self._fail(f"unknown dialect {dialect!r}")
        if dialect is not None and dialect not in self._case.differences:
            self._fail(f"a reason is missing: !!! {dialect}: ...")
        rest = (text[marked.end():] if marked else text).removeprefix(" ")
        actions = self._case.actions
        if not (actions and isinstance(actions[-1], Expect)):
            actions.append(Expect(self._line))
        actions[-1].by_dialect.setdefault(dialect, []).append(read(rest))

    def _changes(self, text):
        changes = {}
        for item in filter(None, (piece.strip() for piece in text.split(","))):
            form = re.fullmatch(r"([a-z_]+) ([+-][0-9]+)", item)
            if not form:
                self._fail(f"expected `counter +n`: {item!r}")
            changes[form.group(1)] = int(form.group(2))
        return changes

    def _add_difference(self, text):
        form = re.fullmatch(r"([0-9.]+): (.+)", text)
        if not form or form.group(1) not in VERSIONS:
            self._fail("expected `!!! version: reason` with a known version")
        self._case.differences[form.group(1)] = form.group(2)

    def _add_directive(self, text):
        name, _, argument = text.partition(" ")
        if name not in DIRECTIVES or name.endswith(("flags", "udp")):
            self._fail(f"unknown directive {name!r}")
        if (name == "sleep") != bool(argument):
            self._fail("only `sleep` takes an argument")
        if name in ("fresh", "whole"):
            setattr(self._case, name, True)
        else:
            self._case.actions.append(Directive(name, argument, self._line))


def read_transcript(path):
    """Reads and checks one file."""
    return _Parser(path).parse()
