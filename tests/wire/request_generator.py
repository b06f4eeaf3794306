"""Makes random streams of text-protocol requests, valid and malformed, the same for one seed.

A Unit is one request with everything that belongs to it: its line, its value, and whatever makes
sure that a server which takes the line differently is in step again at the end of the unit.

Left out, because the answer depends on the clock or on luck: times to live of a few seconds,
delayed flushes, arithmetic on values of blanks alone (memcached looks behind their end) and on
numbers below -2^63 (memcached takes some of them modulo 2^64). `version` is left out too: it marks
the end of each unit's answer.
"""

from dataclasses import dataclass

STORES = ("set", "add", "replace", "append", "prepend", "cas")
READS = ("get", "gets", "gat", "gats")
ARITHMETIC = ("incr", "decr")

# The cas number that the server last gave for the unit's first key stands for this.
CAS_HERE = b"<cas>"

VALUE_BYTES_MAX = 2_000_000

# memcached closes at a longer line, unless it is a get or gets or arrives in one piece. A value
# that is longer must not be taken for a line.
LINE_BYTES_MAX = 1500

# Each table: the usual ones, then the edges.
FLAGS = (["0", "1", "7", "65535", "4294967295"],
         ["4294967296", "4294967297", "18446744073709551615", "18446744073709551616", "-1", "-0",
          "+5", "\t5", "5\t", "007", "x", "5x", "0x10", "99999999999999999999", "1.5", "-",
          "-18446744073709551615", "-18446744073709551616"])
EXPTIMES = (["0", "0", "0", "100", "2592000", "-1", "2147483647"],
            ["2592001", "-2147483648", "2147483648", "4294967295", "4294967296", "4294967396",
             "9223372036854775807", "9223372036854775808", "-9223372036854775808",
             "-9223372036854775809", "+100", "\t100", "100\t", "x", "1x", "00100", "-0", "-"])
STRICT_EXPTIMES = (["0", "100", "2592000", "-1", "2147483647"],
                   ["2592001", "-2147483648", "2147483648", "-2147483649", "4294967396", "+100",
                    "x", "1x", "\t100", "00100", "00000000100", "000000000100", "-0", "-",
                    "noreply", "99999999999"])
# Not here: 1, which depends on the second in which it arrives.
FLUSH_DELAYS = (["0"], ["-1", "-2147483648", "2592001", "2147483648", "+0", "x", "0x", "-0", "00",
                        "noreply", "\t0"])
DELTAS = (["0", "1", "2", "9", "10", "99", "1000"],
          ["18446744073709551615", "18446744073709551616", "-1", "+1", "x", "1x", "007", "1.5",
           "0000000000000000000001", "00000000000000000000001", "noreply", "-0", "\t1"])
CAS_NUMBERS = (["<cas>"],
               ["0", "1", "18446744073709551615", "18446744073709551616", "x", "-1", "+1", "1x",
                "noreply", "007"])
NUMBERS = (["0", "9", "10", "99", "100", "12345"],
           ["18446744073709551615", "18446744073709551614", "18446744073709551616", " 7", "+4",
            "-0", "-5", "12 abc", "12abc", "12\0abc", "12\t", "007", "1.5", "", "1" * 19,
            "0" * 30 + "7", "\r\n7", "-9223372036854775808", "7\r\n", "+-1"])
UNKNOWN = ["foo", "GET a", "gett a", "set_", "ge", "versionx", "noreply", "foo noreply",
           "foo bar noreply", "foo noreply x", "HTTP/1.1", "foo HTTP/1.1 x", "sett a 0 0 1",
           "x" * 300, "flush", "delete_ a", "stats foo", "stats itemsx", "stats noreply", "\t",
           "get\ta", "incr\ta 1", "verbosity x", "verbosity -1", "verbosity", "verbosity 0",
           "verbosity 0 noreply", "verbosity noreply", "verbosity 4294967296", "verbosity +0",
           "a", "ab", "abc", "", "get", "gets", "gat", "gat 0", "set", "delete", "incr", "touch",
           "cas", " ", "   ", "stats sizes"]
CLOSING = ["quit", "quit foo", "quit noreply", "GET / HTTP/1.1", "POST x HTTP/1.0", "foo HTTP/"]
EXTRA_WORDS = ["foo", "0", "noreply", "norepl", "noreplyx", "NOREPLY"]


@dataclass(frozen=True)
class Unit:
    """One request. `line` is its first line without the line end."""
    data: bytes
    line: bytes
    keys: tuple = ()
    closes: bool = False

    @property
    def words(self):
        """The words of the line as memcached separates them."""
        return [word for word in self.line.split(b" ") if word]

    @property
    def value(self):
        """What follows the line."""
        return self.data[self.data.index(b"\n") + 1:]

    @property
    def command(self):
        """The first word, or nothing."""
        words = self.words
        return words[0].decode("latin-1") if words else ""


class RequestGenerator:
    """Units over a small set of keys that all begin with `prefix`."""

    def __init__(self, random, prefix):
        self._random = random
        self._keys = [prefix + suffix for suffix in (
            b"a", b"b", b"c", b"d", b"n1", b"n2", b"\t\x01\xff", b"k" * (250 - len(prefix)))]
        self._long_keys = [prefix + b"k" * (251 - len(prefix)), prefix + b"k" * 400]
        self._makers = [
            (30, self._store), (8, self._number), (28, self._read), (14, self._arithmetic),
            (8, self._delete), (6, self._touch), (2, self._flush), (4, self._unknown)]
        self._weights = [weight for weight, _ in self._makers]

    def session(self, size):
        """So many units; sometimes the last one closes the connection."""
        units = [self._unit() for _ in range(size)]
        if self._random.random() < 0.1:
            line = self._random.choice(CLOSING).encode()
            units.append(Unit(line + b"\r\n", line, closes=True))
        return units

    def _unit(self):
        maker = self._random.choices(self._makers, self._weights)[0][1]
        return maker()

    # --- choices ---------------------------------------------------------------------------------

    def _one_in(self, count):
        return self._random.randrange(count) == 0

    def _pick(self, table, edge_one_in=5):
        usual, edges = table
        return self._random.choice(edges if self._one_in(edge_one_in) else usual).encode()

    def _key(self):
        return self._random.choice(self._long_keys if self._one_in(60) else self._keys)

    def _noreply(self):
        if self._one_in(7):
            return [b"noreply"]
        if self._one_in(25):
            count = self._random.randint(1, 3)
            return [self._random.choice(EXTRA_WORDS).encode() for _ in range(count)]
        if self._one_in(150):
            return [b"foo"] * self._random.randint(10, 22) + [b"noreply"]
        return []

    def _spoil(self, words):
        """The words as a line; rarely with a flaw in it, unless it is long."""
        words = list(words)
        if sum(map(len, words)) > LINE_BYTES_MAX:
            return b" ".join(words)
        flaw = self._random.randrange(60)
        if flaw == 0 and len(words) > 1:
            del words[self._random.randrange(1, len(words))]
        elif flaw == 1:
            words[0] = words[0].upper()
        elif flaw == 2:
            words.insert(self._random.randrange(1, len(words) + 1), b"")
        elif flaw == 3:
            words.append(b"")
        elif flaw == 4:
            words.insert(0, b"")
        return b" ".join(words)

    def _line_end(self):
        return b"\n" if self._one_in(20) else b"\r\n"

    def _request(self, words, keys):
        line = self._spoil(words)
        return Unit(line + self._line_end(), line, tuple(keys))

    # --- stores ----------------------------------------------------------------------------------

    def _store(self):
        return self._store_of(self._random.choice(STORES), self._value())

    def _number(self):
        return self._store_of("set", self._pick(NUMBERS, 3))

    def _value(self):
        kind = self._random.randrange(100)
        if kind < 40:
            return self._pick(NUMBERS, 3)
        if kind < 80:
            return self._text(self._random.randint(0, 60))
        if kind < 90:
            return b"\r\n".join(self._text(5) for _ in range(self._random.randint(2, 4)))
        if kind < 98:
            return self._text(self._random.randint(100, 5000))
        if kind == 98:
            return self._text(64) * self._random.randint(200, 5000)
        return b"L" * 1_048_600 if self._one_in(8) else b"\0\xff\r\n\x80" * 40

    def _text(self, size):
        # Without m: a line of two or three letters must not become a meta command.
        return bytes(self._random.choices(b"abcdefghijklnop+-_.", k=size))

    def _store_of(self, command, value):
        key = self._key()
        plain = len(value) > LINE_BYTES_MAX or not self._one_in(12)
        size = b"%d" % len(value) if plain else self._odd_size(len(value))
        words = [command.encode(), key, self._pick(FLAGS, 8), self._pick(EXPTIMES, 8), size]
        if command == "cas":
            words.append(self._pick(CAS_NUMBERS, 3))
        words += self._noreply()
        line = b" ".join(words) if len(value) > LINE_BYTES_MAX else self._spoil(words)
        end = b"\r\n" if not self._one_in(40) else self._random.choice(
            [b"x\r\n", b"\n\n", b"\r\r", b"xyz\r\n", b"\n"])
        data = line + self._line_end() + value + end
        return Unit(self._in_step(line, data), line, (key,))

    def _odd_size(self, size):
        return self._random.choice([
            b"%d" % (size + 1), b"%d" % max(0, size - 1), b"%d" % max(0, size - 5),
            b"%d" % (size + 7), b"+%d" % size, b"%08d" % size, b"%012d" % size, b"-0", b"-1",
            b"x", b"%dx" % size, b"2147483646", b"2147483647", b"2147483648", b"99999999999",
            b"\t%d" % size])

    @staticmethod
    def _in_step(line, data):
        """Adds what the line makes a server wait for, so that no later unit is eaten."""
        words = [word for word in line.split(b" ") if word]
        if len(words) >= 5:
            try:
                wanted = int(words[4])
            except ValueError:
                wanted = 0
            have = data[data.index(b"\n") + 1:]
            if wanted <= VALUE_BYTES_MAX and len(have) < wanted + 2:
                data += b"z" * (wanted + 2 - len(have))
        return data if data.endswith(b"\n") else data + b"\r\n"

    # --- everything else -------------------------------------------------------------------------

    def _read(self):
        command = self._random.choice(READS)
        count = 60 if self._one_in(60) else self._random.choice([1, 1, 1, 2, 3, 8])
        keys = [self._key() for _ in range(count)]
        if sum(map(len, keys)) > LINE_BYTES_MAX and command.startswith("gat"):
            keys = keys[:4]
        words = [command.encode()]
        if command.startswith("gat"):
            words.append(self._pick(STRICT_EXPTIMES))
        if self._one_in(40):
            keys.append(b"noreply")
        return self._request(words + keys, keys)

    def _arithmetic(self):
        key = self._random.choice(self._keys)
        words = [self._random.choice(ARITHMETIC).encode(), key, self._pick(DELTAS)]
        return self._request(words + self._noreply(), [key])

    def _delete(self):
        key = self._key()
        extra = [b"0"] if self._one_in(10) else []
        return self._request([b"delete", key] + extra + self._noreply(), [key])

    def _touch(self):
        key = self._key()
        words = [b"touch", key, self._pick(STRICT_EXPTIMES)]
        return self._request(words + self._noreply(), [key])

    def _flush(self):
        delay = [] if self._one_in(2) else [self._pick(FLUSH_DELAYS, 3)]
        return self._request([b"flush_all"] + delay + self._noreply(), [])

    def _unknown(self):
        line = self._random.choice(UNKNOWN).encode()
        return Unit(line + self._line_end(), line)
