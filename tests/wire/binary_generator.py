"""Makes random requests of the binary protocol, whole ones; the broken ones: malformed_generator.

Left out: stat, whose answer is the server's own, but for groups that there are not; and the same
times to live as in text.
"""

import struct

from binary_packet import HEADER, OPCODES, REQUEST_MAGIC
from unit import BINARY, CAS_FIELD_HERE, Choices, Unit, cumulated
from values import NUMBER_LIKE, text, value_of

_FLAGS = (0, 0, 1, 7, 65535, 4294967295)
# Past and absolute, never, and what text would call negative.
_EXPTIMES = (0, 0, 0, 100, 2592000, 2592001, 0xffffffff, 0x7fffffff)
_AMOUNTS = ((0, 1, 2, 10, 99, 1000), (2**63, 2**64 - 1))
# 0xffffffff: do not create.
_CREATES = (0, 0, 100, 0xffffffff, 0xffffffff)
_FLUSHES = ((None, None, 0), (2592001,))
_STAT_GROUPS = (b"foo", b"itemsx", b"set", b"conns", b"x" * 250)
_ONE_NUMBER = struct.Struct("!I")
_TWO_NUMBERS = struct.Struct("!II")
_COUNT_EXTRAS = struct.Struct("!QQI")


def packet(opcode, key=b"", extras=b"", value=b"", cas=0, opaque=0):
    """The bytes of a request; `cas` is a number or the field's bytes."""
    body = extras + key + value
    number = cas if isinstance(cas, int) else 0
    header = HEADER.pack(REQUEST_MAGIC, opcode, len(key), len(extras), 0, 0, len(body), opaque,
                         number)
    return (header if isinstance(cas, int) else header[:16] + cas) + body


class BinaryGenerator(Choices):
    """Units of the binary protocol over a small set of keys."""

    def __init__(self, random, keys):
        super().__init__(random)
        self._keys = keys.all()
        self._opaque = 0
        self._total, self._makers = cumulated([
            (28, self._get), (8, self._touch), (26, self._store), (6, self._number),
            (10, self._append), (14, self._count), (8, self._delete), (1, self._flush),
            (2, self._other)])

    def unit(self):
        """Any request that leaves the connection open."""
        self.odd = False
        return self.weighted(self._total, self._makers)()

    def closing(self):
        """A request that closes the connection."""
        return Unit(packet(OPCODES[self.one_of(("quit", "quitq"))]), closes=True, channel=BINARY)

    def _unit(self, name, key=b"", extras=b"", value=b"", cas=0, **nature):
        self._opaque += 1
        data = packet(OPCODES[name], key, extras, value, cas, self._opaque)
        return Unit(data, keys=(key,) if key else (), odd=self.odd, channel=BINARY, **nature)

    def _key(self):
        return self.one_of(self._keys)

    def _cas(self, one_in):
        if not self.one_in(one_in):
            return 0
        return self.one_of((CAS_FIELD_HERE, CAS_FIELD_HERE, 1, 2**64 - 1))

    def _get(self):
        name = self.one_of(("get", "getq", "getk", "getkq"))
        return self._unit(name, self._key(), cas=self._cas(30), reads=True)

    def _touch(self):
        name = self.one_of(("touch", "gat", "gatq", "gatk", "gatkq"))
        extras = _ONE_NUMBER.pack(self.one_of(_EXPTIMES))
        return self._unit(name, self._key(), extras, reads=True)

    def _store(self):
        name = self.one_of(("set", "setq", "set", "add", "addq", "replace", "replaceq"))
        extras = _TWO_NUMBERS.pack(self.one_of(_FLAGS), self.one_of(_EXPTIMES))
        return self._unit(name, self._key(), extras, value_of(self), self._cas(3))

    def _number(self):
        extras = _TWO_NUMBERS.pack(self.one_of(_FLAGS), 0)
        return self._unit("set", self._key(), extras, self.pick(NUMBER_LIKE, 3))

    def _append(self):
        name = self.one_of(("append", "appendq", "prepend", "prependq"))
        value = text(self, self.below(200)) if self.one_in(3) else self.one_of((b"", b"1", b"00"))
        return self._unit(name, self._key(), value=value, cas=self._cas(3))

    def _count(self):
        name = self.one_of(("incr", "incrq", "decr", "decrq"))
        extras = _COUNT_EXTRAS.pack(self.pick(_AMOUNTS), self.pick(_AMOUNTS),
                                    self.one_of(_CREATES))
        return self._unit(name, self._key(), extras, cas=self._cas(6), counts=True)

    def _delete(self):
        return self._unit(self.one_of(("delete", "deleteq")), self._key(), cas=self._cas(3))

    def _flush(self):
        exptime = self.pick(_FLUSHES)
        extras = b"" if exptime is None else _ONE_NUMBER.pack(exptime)
        return self._unit(self.one_of(("flush", "flushq")), extras=extras)

    def _other(self):
        kind = self.below(4)
        if kind == 0:
            return self._unit("noop")
        if kind == 1:
            return self._unit("stat", self.one_of(_STAT_GROUPS))
        if kind == 2:
            # What memcached does not know stays readable only without key and extras.
            self._opaque += 1
            self.odd = True
            opcode = self.one_of((0x1b, 0x1f, 0x20, 0x25, 0x30, 0x3c, 0x60, 0x80, 0xff))
            value = b"" if opcode == 0x20 else text(self, self.below(50))
            return Unit(packet(opcode, value=value, opaque=self._opaque), odd=True, channel=BINARY)
        return self._unit("version" if self.one_in(8) else "noop")
