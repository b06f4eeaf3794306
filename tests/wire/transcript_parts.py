"""What a line of a transcript is made of: bytes, numbers captured before, forms, packets.

Literal, Reference, Pattern    the parts of a text
Packet, ExpectedPacket         a request and a response of the binary protocol
ExpectedDatagram               a datagram that arrives
"""

import re
import struct
from dataclasses import dataclass

from binary_packet import DEFAULT_OPAQUE, EXTRAS, HEADER_FIELDS, build_request, opcode_of

_PATTERNS = {"number": rb"[0-9]+", "decimal": rb"[0-9]+\.[0-9]+", "text": rb"[^\r\n]*",
             "word": rb"[^\r\n ]+"}


@dataclass(frozen=True)
class Literal:
    """Bytes as they are."""
    data: bytes


@dataclass(frozen=True)
class Reference:
    """A number captured earlier in the case, plus an offset; or the version."""
    name: str
    offset: int = 0


@dataclass(frozen=True)
class Pattern:
    """Bytes that are known by their form only."""
    kind: str
    capture: str | None = None


@dataclass(frozen=True)
class Packet:
    """A request of the binary protocol: each field a list of parts."""
    opcode: str
    fields: dict

    def render(self, names):
        """The packet's bytes."""
        values = {name: render_all(parts, names) for name, parts in self.fields.items()}
        for name in values.keys() & (set(EXTRAS) | set(HEADER_FIELDS)):
            values[name] = int(values[name], 0)
        return build_request(self.opcode, **values)


RESPONSE_NUMBERS = ("status", "flags", "number", "cas", "opaque")


@dataclass(frozen=True)
class ExpectedPacket:
    """A response of the binary protocol: each field a list of parts."""
    opcode: str
    fields: dict
    times: int | None = 1  # None: as many as match

    def mismatch(self, response, names):
        """What is wrong with a response, or None; what it captures goes into `names`."""
        if response.opcode != opcode_of(self.opcode):
            return f"the opcode {response.opcode:#04x}"
        captured = {}
        for name, found in self._found(response).items():
            parts = self.fields.get(name)
            if parts is None:
                usual = DEFAULT_OPAQUE if name == "opaque" else type(found)()
                if found != usual:
                    return f"{name}: {found!r}"
            elif isinstance(found, int) and is_literal(parts):
                if int(render_all(parts, names), 0) != found:
                    return f"{name}: {found!r}"
            else:
                text = b"%d" % found if isinstance(found, int) else found
                form = compile_expected(parts, names).fullmatch(text)
                if not form:
                    return f"{name}: {found!r}"
                captured.update(form.groupdict())
        names.update({name: int(text) for name, text in captured.items()})
        return None

    def _found(self, response):
        found = {"status": response.status, "key": response.key, "cas": response.cas,
                 "opaque": response.opaque}
        if "flags" in self.fields and len(response.extras) == 4:
            found["flags"] = struct.unpack("!I", response.extras)[0]
        else:
            found["extras"] = response.extras
        if "number" in self.fields and len(response.value) == 8:
            found["number"] = struct.unpack("!Q", response.value)[0]
        else:
            found["value"] = response.value
        return found

    def __str__(self):
        shown = " ".join(f"{name}={_show(parts)}" for name, parts in self.fields.items())
        return f"{self.opcode} {shown}".rstrip()


# Request id, sequence, how many datagrams the answer has, reserved.
DATAGRAM_HEADER = struct.Struct("!HHHH")


@dataclass(frozen=True)
class ExpectedDatagram:
    """A datagram: its header without the reserved field, and the parts of what follows."""
    header: tuple
    parts: list

    def mismatch(self, datagram, names):
        """What is wrong with a datagram, or None; what it captures goes into `names`."""
        if len(datagram) < DATAGRAM_HEADER.size:
            return "no header"
        if DATAGRAM_HEADER.unpack_from(datagram) != (*self.header, 0):
            return "the header"
        found = compile_expected(self.parts, names).fullmatch(datagram[DATAGRAM_HEADER.size:])
        if not found:
            return "what follows the header"
        names.update({name: int(text) for name, text in found.groupdict().items()})
        return None

    def __str__(self):
        return "{} {}/{} ".format(*self.header) + _show(self.parts)


def _show(parts):
    """A field for the reader of a failure."""
    return "".join(repr(part.data)[2:-1] if isinstance(part, Literal) else str(part)
                   for part in parts)


def render(part, names):
    if isinstance(part, Packet):
        return part.render(names)
    if isinstance(part, Literal):
        return part.data
    if isinstance(part, Reference):
        value = names[part.name]
        return b"%d" % (value + part.offset) if isinstance(value, int) else value
    raise TypeError(part)


def compile_expected(parts, names):
    """The expected bytes as a regular expression; groups are named after captures."""
    pieces = []
    for part in parts:
        if isinstance(part, Pattern):
            form = _PATTERNS[part.kind]
            pieces.append(b"(?P<%s>%s)" % (part.capture.encode(), form) if part.capture else form)
        else:
            pieces.append(re.escape(render(part, names)))
    return re.compile(b"".join(pieces), re.DOTALL)


def is_literal(parts):
    """True if every byte is known beforehand."""
    return not any(isinstance(part, Pattern) for part in parts)


def render_all(parts, names):
    """The bytes of parts without patterns."""
    return b"".join(render(part, names) for part in parts)


def count_newlines(parts, names):
    """How many line feeds the expected bytes hold; patterns never hold one."""
    return sum(render(part, names).count(b"\n")
               for part in parts if not isinstance(part, Pattern))
