"""Makes random requests of the meta commands: mg ms md ma me mn, every flag, right and wrong.

Left out, because the answer depends on the clock: times to live of a few seconds, and R with a
number that a remaining time may pass during the session.
"""

from request_generator import BAD_ENDS
from unit import CAS_HERE, LINE_BYTES_MAX, Choices, Unit, cumulated
from values import NUMBER_LIKE, encoded, in_step, table, value_of

# The flags that mean something to a command, the likely ones more than once.
FLAGS_OF = {
    "mg": "vvvvvkkssttffcchhlqquOONTRCE",
    "ms": "qOOkkccssFFTTMMMMNCCIE",
    "md": "qqOOkkCCIIITTxxFE",
    "ma": "qOOkkccttvvvvNNJJDDDMMMTCE",
}
# Those that not every version of memcached understands in the same way.
NEW_FLAGS = {"mg": "EC", "ms": "EsN", "md": "Ex", "ma": "EqT"}
# A flag that stands for none of a command's is accepted all the same.
ALL_FLAGS = "bNTRlOPLkstcfvhuqxFCEMJDI"
NO_FLAGS = encoded(["!", "-", "{", "\x7f", "w", "z", "A", "Z", "0", "9", "S100", "n", "["])

NUMBER_EDGES = ["", "x", "1x", "+5", "-0", "00100", "1.5", "18446744073709551616"]
TTLS = table(["0", "100", "1000", "2592000", "-1"],
             ["2592001", "2147483647", "2147483648", "-2147483648", "-2147483649",
              "00000000100", "000000000100", "-", *NUMBER_EDGES])
RECACHES = table(["0", "-1", "50", "500", "5000", "2000000"],
                 ["2147483647", "2147483648", *NUMBER_EDGES])
CAS_TOKENS = table([CAS_HERE.decode(), CAS_HERE.decode(), "0", "1", "99999999999"],
                   ["18446744073709551615", "00000000000000000000001", "-1", *NUMBER_EDGES])
NEW_CAS = table(["0", "1", "5", "99999999999", "18446744073709551615"], ["-1", *NUMBER_EDGES])
CLIENT_FLAGS = table(["0", "1", "65535", "4294967295"], ["4294967296", "-1", *NUMBER_EDGES])
AMOUNTS = table(["0", "1", "2", "10", "99"],
                ["18446744073709551615", "18446744073709551614", "-1", *NUMBER_EDGES])
OPAQUES = table(["1", "abc", "00000000", "x" * 31],
                ["", "x" * 32, "x" * 40, "!", "-1", "{", "O"])
NOTHING = table([""], ["foo", "1", "q"])
MODES_OF = {
    "ms": table(["S", "E", "A", "P", "R"], ["s", "e", "a", "X", "", "SET", "APPEND", "I"]),
    "ma": table(["I", "D", "+", "-"], ["i", "d", "INCR", "decr", "S", "X", ""]),
    "mg": table(["I", "S"], ["", "!"]),
    "md": table(["I", "S"], ["", "!"]),
}
TOKENS = {"T": TTLS, "N": TTLS, "R": RECACHES, "C": CAS_TOKENS, "E": NEW_CAS,
          "F": CLIENT_FLAGS, "J": AMOUNTS, "D": AMOUNTS, "O": OPAQUES, "P": OPAQUES, "L": OPAQUES}
ODD_LINES = encoded([
    "mg", "ms", "md", "ma", "me", "mx", "mn foo", "mn noreply", "m", "mg ", "mgx a", "mg  ",
    "ms a", "MG a", "me a b", "mnx", "mn  "])


class MetaGenerator(Choices):
    """Units of the meta commands over a small set of keys."""

    def __init__(self, random, keys):
        super().__init__(random)
        self._keys = keys
        self._total, self._makers = cumulated([
            (36, self._get), (28, self._set), (10, self._delete), (14, self._arithmetic),
            (4, self._debug), (2, self._no_op), (2, self._odd_line)])

    def unit(self):
        """Any meta request."""
        self.odd = False
        return self.weighted(self._total, self._makers)()

    def _key(self):
        """The key, and as it stands in the line with the flag that says so."""
        if self.one_in(6):
            key = self.one_of(self._keys.encodable)
            word = self._keys.encoded[key]
            if self.edge_in(20):
                word = self.one_of((word[:-1], word + b"=", word + b"A", word[:-2] + b"!=",
                                    word[:8] + b"=" + word[9:]))
            return key, word, [b"b"]
        key = self.one_of(self._keys.long if self.edge_in(60) else self._keys.usual)
        return key, key, []

    def _flags(self, command, most=7):
        flags, seen = [], ""
        own = FLAGS_OF[command]
        for _ in range(self.below(most)):
            letter = self.one_of(own)
            if self.edge_in(40):
                letter = self.one_of(ALL_FLAGS)
            if letter in seen and not self.edge_in(40):
                continue
            seen += letter
            if letter in NEW_FLAGS[command]:
                self.odd = True
            tokens = MODES_OF[command] if letter == "M" else TOKENS.get(letter, NOTHING)
            flags.append(letter.encode() + self.pick(tokens, 8 if letter in "JD" else 25))
        if self.edge_in(80):
            flags.append(self.one_of(NO_FLAGS))
        if self.edge_in(200):
            flags += [b"P%d" % number for number in range(1)] + [b"k"] * self.below(20)
        return flags

    def _line(self, words):
        if self.edge_in(40):
            words = list(words)
            flaw = self.below(4)
            if flaw == 0:
                del words[self.below(len(words))]
            elif flaw == 1:
                words.insert(self.below(len(words) + 1), b"")
            elif flaw == 2:
                words.append(b"noreply")
            else:
                words.append(self.one_of(words))
        return b" ".join(words)

    def _line_end(self):
        return b"\n" if self.one_in(20) else b"\r\n"

    def _keyed(self, command, flags, **nature):
        key, word, base64_flag = self._key()
        flags = flags + base64_flag
        if base64_flag and self.one_in(2):
            flags.reverse()
        line = self._line([command.encode(), word, *flags])
        return Unit(line + self._line_end(), line, (key,), odd=self.odd, **nature)

    def _get(self):
        return self._keyed("mg", self._flags("mg", 9), reads=True)

    def _delete(self):
        return self._keyed("md", self._flags("md", 5))

    def _arithmetic(self):
        return self._keyed("ma", self._flags("ma"), counts=True)

    def _debug(self):
        self.odd = True
        return self._keyed("me", [])

    def _no_op(self):
        return Unit(b"mn\r\n", b"mn")

    def _odd_line(self):
        self.odd = True
        line = self.one_of(ODD_LINES)
        return Unit(line + self._line_end(), line, odd=True)

    def _set(self):
        value = self.pick(NUMBER_LIKE, 3) if self.one_in(4) else value_of(self)
        # Too long to be taken for a line, which it is behind a size or a flag that is none.
        is_long = len(value) > LINE_BYTES_MAX
        key, word, flags = self._key()
        size = b"%d" % len(value)
        if not is_long and self.edge_in(25):
            size = self._odd_size(len(value))
        flags = self._flags("ms") + flags
        if is_long:
            flags = [flag for flag in flags if flag not in NO_FLAGS]
        if flags and self.one_in(2):
            flags.reverse()
        words = [b"ms", word, size, *flags]
        line = b" ".join(words) if is_long else self._line(words)
        end = self.one_of(BAD_ENDS) if self.edge_in(40) else b"\r\n"
        data = in_step(line + self._line_end() + value + end, line, 2)
        return Unit(data, line, (key,), odd=self.odd)

    def _odd_size(self, size):
        return self.one_of([
            b"%d" % (size + 1), b"%d" % max(0, size - 1), b"+%d" % size, b"%08d" % size,
            b"%012d" % size, b"-0", b"-1", b"x", b"%dx" % size, b"2147483646", b"2147483648",
            b"S%d" % size, b"S%d %d" % (size, size)])
