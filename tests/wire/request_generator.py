"""Makes random text-protocol requests, valid and malformed, the same for one seed.

Left out, because the answer depends on the clock or on luck: times to live of a few seconds,
delayed flushes, arithmetic on values of blanks alone (memcached looks behind their end) and on
numbers below -2^63 (memcached takes some of them modulo 2^64). `version` is left out too: it marks
the end of each unit's answer.
"""

from unit import ARITHMETIC, CAS_HERE, LINE_BYTES_MAX, READS, STORES, Choices, Unit, cumulated
from values import NUMBER_LIKE, encoded, in_step, table, value_of

# Each table: the usual ones, then the edges.
FLAGS = table(
    ["0", "1", "7", "65535", "4294967295"],
    ["4294967296", "4294967297", "18446744073709551615", "18446744073709551616", "-1", "-0",
     "+5", "\t5", "5\t", "007", "x", "5x", "0x10", "99999999999999999999", "1.5", "-",
     "-18446744073709551615", "-18446744073709551616"])
EXPTIMES = table(
    ["0", "0", "0", "100", "2592000", "-1", "2147483647"],
    ["2592001", "-2147483648", "2147483648", "4294967295", "4294967296", "4294967396",
     "9223372036854775807", "9223372036854775808", "-9223372036854775808",
     "-9223372036854775809", "+100", "\t100", "100\t", "x", "1x", "00100", "-0", "-"])
STRICT_EXPTIMES = table(
    ["0", "100", "2592000", "-1", "2147483647"],
    ["2592001", "-2147483648", "2147483648", "-2147483649", "4294967396", "+100",
     "x", "1x", "\t100", "00100", "00000000100", "000000000100", "-0", "-",
     "noreply", "99999999999"])
# Not here: 1, which depends on the second in which it arrives.
FLUSH_DELAYS = table(
    ["0"],
    ["-1", "-2147483648", "2592001", "2147483648", "+0", "x", "0x", "-0", "00", "noreply", "\t0"])
DELTAS = table(
    ["0", "1", "2", "9", "10", "99", "1000"],
    ["18446744073709551615", "18446744073709551616", "-1", "+1", "x", "1x", "007", "1.5",
     "0000000000000000000001", "00000000000000000000001", "noreply", "-0", "\t1"])
CAS_NUMBERS = table(
    ["<cas>"],
    ["0", "1", "18446744073709551615", "18446744073709551616", "x", "-1", "+1", "1x",
     "noreply", "007"])
UNKNOWN = encoded([
    "foo", "GET a", "gett a", "set_", "ge", "versionx", "noreply", "foo noreply",
    "foo bar noreply", "foo noreply x", "HTTP/1.1", "foo HTTP/1.1 x", "sett a 0 0 1",
    "x" * 300, "flush", "delete_ a", "stats foo", "stats itemsx", "stats noreply", "\t",
    "get\ta", "incr\ta 1", "verbosity x", "verbosity -1", "verbosity", "verbosity 0",
    "verbosity 0 noreply", "verbosity noreply", "verbosity 4294967296", "verbosity +0",
    "a", "ab", "abc", "", "get", "gets", "gat", "gat 0", "set", "delete", "incr", "touch",
    "cas", " ", "   ", "stats sizes"])
CLOSING = encoded(
    ["quit", "quit foo", "quit noreply", "GET / HTTP/1.1", "POST x HTTP/1.0", "foo HTTP/"])
EXTRA_WORDS = encoded(["foo", "0", "noreply", "norepl", "noreplyx", "NOREPLY"])
BAD_ENDS = [b"x\r\n", b"\n\n", b"\r\r", b"xyz\r\n", b"\n"]


class RequestGenerator(Choices):
    """Units over a small set of keys."""

    def __init__(self, random, keys):
        super().__init__(random)
        self._keys = keys
        self._total, self._makers = cumulated([
            (30, self._store), (8, self._number), (28, self._read), (14, self._arithmetic),
            (8, self._delete), (6, self._touch), (2, self._flush), (4, self._unknown)])

    def unit(self):
        """Any request that leaves the connection open."""
        self.odd = False
        return self.weighted(self._total, self._makers)()

    def closing(self):
        """A request that closes the connection."""
        line = self.one_of(CLOSING)
        return Unit(line + b"\r\n", line, closes=True, odd=True)

    # --- choices ---------------------------------------------------------------------------------

    def _key(self):
        return self.one_of(self._keys.long if self.edge_in(60) else self._keys.usual)

    def _noreply(self):
        if self.one_in(7):
            return [b"noreply"]
        if self.edge_in(25):
            return [self.one_of(EXTRA_WORDS) for _ in range(1 + self.below(3))]
        if self.edge_in(150):
            return [b"foo"] * (10 + self.below(13)) + [b"noreply"]
        return []

    def _spoiled(self, words):
        """The words as a line; rarely with a flaw in it, unless it is long."""
        if self.edge_in(12) and sum(map(len, words)) <= LINE_BYTES_MAX:
            words = list(words)
            flaw = self.below(5)
            if flaw == 0 and len(words) > 1:
                del words[1 + self.below(len(words) - 1)]
            elif flaw == 1:
                words[0] = words[0].upper()
            elif flaw == 2:
                words.insert(1 + self.below(len(words)), b"")
            elif flaw == 3:
                words.append(b"")
            elif flaw == 4:
                words.insert(0, b"")
        return b" ".join(words)

    def _line_end(self):
        return b"\n" if self.one_in(20) else b"\r\n"

    def _request(self, words, keys, **nature):
        line = self._spoiled(words)
        return Unit(line + self._line_end(), line, tuple(keys), odd=self.odd, **nature)

    # --- stores ----------------------------------------------------------------------------------

    def _store(self):
        return self._store_of(self.one_of(STORES), value_of(self))

    def _number(self):
        return self._store_of("set", self.pick(NUMBER_LIKE, 3))

    def _store_of(self, command, value):
        key = self._key()
        long = len(value) > LINE_BYTES_MAX
        size = b"%d" % len(value) if long or not self.edge_in(12) else self._odd_size(len(value))
        words = [command.encode(), key, self.pick(FLAGS, 8), self.pick(EXPTIMES, 8), size]
        if command == "cas":
            words.append(self.pick(CAS_NUMBERS, 3))
        words += self._noreply()
        line = b" ".join(words) if long else self._spoiled(words)
        # (A key may hold a tab, at which Python's own split would part it.)
        if command == "cas" and [word for word in line.split(b" ") if word][4:5] == [CAS_HERE]:
            # A flaw has made the length of it, which must be known here.
            line = line.replace(CAS_HERE, b"9")
        end = self.one_of(BAD_ENDS) if self.edge_in(40) else b"\r\n"
        data = in_step(line + self._line_end() + value + end, line, 4)
        return Unit(data, line, (key,), odd=self.odd)

    def _odd_size(self, size):
        return self.one_of([
            b"%d" % (size + 1), b"%d" % max(0, size - 1), b"%d" % max(0, size - 5),
            b"%d" % (size + 7), b"+%d" % size, b"%08d" % size, b"%012d" % size, b"-0", b"-1",
            b"x", b"%dx" % size, b"2147483646", b"2147483647", b"2147483648", b"99999999999",
            b"\t%d" % size])

    # --- everything else -------------------------------------------------------------------------

    def _read(self):
        command = self.one_of(READS)
        count = 60 if self.one_in(60) else self.one_of((1, 1, 1, 2, 3, 8))
        keys = [self._key() for _ in range(count)]
        if sum(map(len, keys)) > LINE_BYTES_MAX and command.startswith("gat"):
            keys = keys[:4]
        words = [command.encode()]
        if command.startswith("gat"):
            words.append(self.pick(STRICT_EXPTIMES))
        if self.one_in(40):
            keys.append(b"noreply")
        return self._request(words + keys, keys, reads=True)

    def _arithmetic(self):
        key = self.one_of(self._keys.usual)
        words = [self.one_of(ARITHMETIC).encode(), key, self.pick(DELTAS)]
        return self._request(words + self._noreply(), [key], counts=True)

    def _delete(self):
        key = self._key()
        extra = [b"0"] if self.one_in(10) else []
        return self._request([b"delete", key] + extra + self._noreply(), [key])

    def _touch(self):
        key = self._key()
        words = [b"touch", key, self.pick(STRICT_EXPTIMES)]
        return self._request(words + self._noreply(), [key])

    def _flush(self):
        delay = [] if self.one_in(2) else [self.pick(FLUSH_DELAYS, 3)]
        return self._request([b"flush_all"] + delay + self._noreply(), [])

    def _unknown(self):
        line = self.one_of(UNKNOWN)
        self.odd = True
        return Unit(line + self._line_end(), line, odd=True)
