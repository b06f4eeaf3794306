"""Values that the differential test stores, and tables to pick from."""

from unit import VALUE_BYTES_MAX


def encoded(texts):
    """Texts as bytes."""
    return [text.encode() for text in texts]


def table(usual, edges):
    """A table for Choices.pick."""
    return encoded(usual), encoded(edges)


# What is a number, nearly one, or none.
NUMBER_LIKE = table(
    ["0", "9", "10", "99", "100", "12345"],
    ["18446744073709551615", "18446744073709551614", "18446744073709551616", " 7", "+4",
     "-0", "-5", "12 abc", "12abc", "12\0abc", "12\t", "007", "1.5", "", "1" * 19,
     "0" * 30 + "7", "\r\n7", "-9223372036854775808", "7\r\n", "+-1"])

# Without m: a line of two or three letters must not become a meta command.
_LETTERS = b"abcdefghijklnop+-_."
_TEXT = _LETTERS * 300


def text(choices, size):
    """So many letters."""
    start = choices.below(len(_LETTERS))
    step = _TEXT[start:start + size]
    return step if len(step) == size else step + b"k" * (size - len(step))


def value_of(choices):
    """Any value."""
    kind = choices.below(100)
    if kind < 40:
        return choices.pick(NUMBER_LIKE, 3)
    if kind < 80:
        return text(choices, choices.below(61))
    if kind < 90:
        return b"\r\n".join(text(choices, 5) for _ in range(2 + choices.below(3)))
    if kind < 98:
        return text(choices, 100 + choices.below(900 if choices.below(4) else 4900))
    if choices.one_in(8):
        return b"L" * 1_048_600 if choices.one_in(4) else b"l" * (12800 + choices.below(400000))
    return b"\0\xff\r\n\x80" * 40


def in_step(data, line, place):
    """Adds what the line, whose word at `place` is a length, makes a server wait for."""
    words = [word for word in line.split(b" ") if word]
    if len(words) > place:
        try:
            wanted = int(words[place])
        except ValueError:
            wanted = 0
        have = len(data) - data.index(b"\n") - 1
        if wanted <= VALUE_BYTES_MAX and have < wanted + 2:
            data += b"z" * (wanted + 2 - have)
    return data if data.endswith(b"\n") else data + b"\r\n"
