"""Packets of the binary protocol: opcodes by name, requests from their fields, responses to fields.

A packet is a header of 24 bytes, big-endian, and a body: extras, key, value.

    build_request("set", key=b"k", flags=5, exptime=0, value=b"v")
    read_response(data) -> Response, or None while it is not complete

Errors   KeyError for a name that is none; ValueError for a response that is no packet.
"""

import struct
from dataclasses import dataclass

REQUEST_MAGIC = 0x80
RESPONSE_MAGIC = 0x81
HEADER = struct.Struct("!BBHBBHIIQ")
# Sent and expected back unless a packet names another: its bytes differ, so order shows.
DEFAULT_OPAQUE = 0x01020304

OPCODES = {
    "get": 0x00, "set": 0x01, "add": 0x02, "replace": 0x03, "delete": 0x04, "incr": 0x05,
    "decr": 0x06, "quit": 0x07, "flush": 0x08, "getq": 0x09, "noop": 0x0a, "version": 0x0b,
    "getk": 0x0c, "getkq": 0x0d, "append": 0x0e, "prepend": 0x0f, "stat": 0x10, "setq": 0x11,
    "addq": 0x12, "replaceq": 0x13, "deleteq": 0x14, "incrq": 0x15, "decrq": 0x16, "quitq": 0x17,
    "flushq": 0x18, "appendq": 0x19, "prependq": 0x1a, "touch": 0x1c, "gat": 0x1d, "gatq": 0x1e,
    "sasl_list": 0x20, "sasl_auth": 0x21, "sasl_step": 0x22, "gatk": 0x23, "gatkq": 0x24,
}

# Extras that have a name, in the order in which they stand in a packet.
EXTRAS = {"flags": "!I", "delta": "!Q", "initial": "!Q", "exptime": "!I"}
# What a request's header says unless a packet, broken on purpose, says something else.
HEADER_FIELDS = ("magic", "keylen", "extlen", "datatype", "vbucket", "bodylen", "opaque", "cas")


def opcode_of(name):
    """The number of a name, or of a number as text."""
    return OPCODES[name] if name in OPCODES else int(name, 0)


def build_request(opcode, key=b"", value=b"", extras=None, **fields):
    """A packet. `fields`: named extras, and what of HEADER_FIELDS is to be other than right."""
    if extras is None:
        extras = b"".join(struct.pack(form, fields[name])
                          for name, form in EXTRAS.items() if name in fields)
    unknown = set(fields) - set(EXTRAS) - set(HEADER_FIELDS)
    if unknown:
        raise KeyError(*unknown)
    body = extras + key + value
    header = HEADER.pack(
        fields.get("magic", REQUEST_MAGIC), opcode_of(opcode), fields.get("keylen", len(key)),
        fields.get("extlen", len(extras)), fields.get("datatype", 0), fields.get("vbucket", 0),
        fields.get("bodylen", len(body)), fields.get("opaque", DEFAULT_OPAQUE),
        fields.get("cas", 0))
    return header + body


@dataclass(frozen=True)
class Response:
    """One packet from the server. size: its bytes on the wire."""
    opcode: int
    status: int
    extras: bytes
    key: bytes
    value: bytes
    opaque: int
    cas: int
    size: int

    def __str__(self):
        names = {number: name for name, number in OPCODES.items()}
        text = f"{names.get(self.opcode, hex(self.opcode))} status={self.status:#04x}"
        for name in ("extras", "key", "value"):
            if getattr(self, name):
                text += f" {name}={getattr(self, name)!r}"
        return f"{text} opaque={self.opaque:#x} cas={self.cas}"


def read_response(data):
    """The packet that `data` begins with."""
    if data[:1] and data[0] != RESPONSE_MAGIC:
        raise ValueError("no packet")
    if len(data) < HEADER.size:
        return None
    _, opcode, key_size, extras_size, datatype, status, body_size, opaque, cas = HEADER.unpack(
        bytes(data[:HEADER.size]))
    if datatype != 0 or key_size + extras_size > body_size:
        raise ValueError("a header that is not sound")
    if len(data) < HEADER.size + body_size:
        return None
    body = bytes(data[HEADER.size:HEADER.size + body_size])
    extras, key = body[:extras_size], body[extras_size:extras_size + key_size]
    return Response(opcode, status, extras, key, body[extras_size + key_size:], opaque, cas,
                    HEADER.size + body_size)
