"""Differences that the differential test knows: each with the reason, and how to tell it.

One row is Difference(reason, applies, translate). `applies(unit)` is true for requests that the
peer answers differently. With `translate` the peer's answer, translated, must be Larder's;
without it the request is left out against this peer: the transcripts, which are held against
memcached 1.6.45, say what Larder must answer there.

The differences of single cases stand in the transcripts themselves, as `!!! version: reason`.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass

from request_generator import ARITHMETIC, READS, STORES, Unit

KEY_BYTES_MAX = 250
BAD_LINE = b"CLIENT_ERROR bad command line format\r\n"

# How many words each command may have at most in 1.6.18, and needs at least.
WORDS_1_6_18 = {
    "set": (5, 6), "add": (5, 6), "replace": (5, 6), "append": (5, 6), "prepend": (5, 6),
    "cas": (6, 7), "incr": (3, 4), "decr": (3, 4), "delete": (2, 4), "touch": (3, 4),
    "flush_all": (1, 3), "verbosity": (2, 4), "quit": (1, 1), "get": (2, 10**6),
    "gets": (2, 10**6), "gat": (3, 10**6), "gats": (3, 10**6), "stats": (1, 24)}


@dataclass(frozen=True)
class Difference:
    """One row of the table."""
    reason: str
    applies: Callable[[Unit], bool]
    translate: Callable[[bytes], bytes] | None = None


def has_long_key(unit):
    """A get, gets, gat or gats with a key above 250 bytes."""
    return unit.command in READS and any(len(word) > KEY_BYTES_MAX for word in unit.words[1:])


def _touches_before_long_key(unit):
    """A gat that is refused for a later key, when the ones before have been touched already."""
    return unit.command.startswith("gat") and any(
        len(word) > KEY_BYTES_MAX for word in unit.words[3:])


def _without_empty_line(reply):
    # With noreply as the last key only the empty line is left of the error.
    return BAD_LINE if reply in (BAD_LINE + b"\r\n", b"\r\n") else reply


def _has_leading_space(unit):
    return unit.line.startswith(b" ")


def _is_short_line(unit):
    return unit.data.index(b"\n") + 1 < 4


def _leaves_a_rest(unit):
    """What follows the line is, in part or whole, read as lines of their own."""
    if unit.command not in STORES or len(unit.words) < 5:
        return unit.data.count(b"\n") > 1
    try:
        wanted = int(unit.words[4])
    except ValueError:
        return False
    return len(unit.value) != wanted + 2


def _is_gat_with_long_key(unit):
    """A gat with a key above 250 bytes and an exptime that is not a number."""
    return unit.command.startswith("gat") and has_long_key(unit)


def _is_unknown_noreply(unit):
    return unit.command not in WORDS_1_6_18 and unit.words[-1:] == [b"noreply"]


def _is_http_alone(unit):
    return len(unit.words) == 1 and unit.words[0].startswith(b"HTTP/")


def _has_other_word_count(unit):
    """Too few words for the command, or more than 1.6.18 knows."""
    least, most = WORDS_1_6_18.get(unit.command, (0, 10**6))
    return not least <= len(unit.words) <= most


def _has_delete_argument(unit):
    return unit.command == "delete" and unit.words[2:] not in (
        [], [b"0"], [b"noreply"], [b"0", b"noreply"])


def _is_good(word, form, least, most):
    return re.fullmatch(form, word) is not None and least <= int(word) <= most


def _has_bad_store_words(unit):
    """A store with a word that is refused, or that only 1.6.18 takes for a number."""
    if unit.command not in STORES:
        return False
    words = unit.words
    good = (len(words) >= 5 and len(words[1]) <= KEY_BYTES_MAX
            and _is_good(words[2], rb"[0-9]+", 0, 2**32 - 1)
            and _is_good(words[3], rb"-?[0-9]+", -2**63, 2**63 - 1)
            and _is_good(words[4], rb"[0-9]{1,11}", 0, 2**31 - 3))
    if unit.command == "cas":
        good = good and len(words) >= 6 and _is_good_or_cas(words[5])
    return not good


def _is_good_or_cas(word):
    return word == b"<cas>" or _is_good(word, rb"[0-9]+", 0, 2**64 - 1)


def _has_odd_number(unit):
    """A delta, delay or exptime that one version takes for a number and the other does not."""
    words = unit.words
    place = {"incr": 2, "decr": 2, "touch": 2, "gat": 1, "gats": 1, "flush_all": 1,
             "verbosity": 1}.get(unit.command)
    if place is None or len(words) <= place or words[place] == b"noreply" and place == 1:
        return False
    if unit.command in ("incr", "decr"):
        return not re.fullmatch(rb"[0-9]{1,22}|x|1x|1\.5", words[place])
    return not (re.fullmatch(rb"-?[0-9]{1,11}|x|1x|0x", words[place])
                and not _is_beyond_32_bits(words[place]))


def _is_beyond_32_bits(word):
    return re.fullmatch(rb"-?[0-9]+", word) is not None and not -2**31 <= int(word) < 2**31


def _has_huge_number(unit):
    """Numbers from 2^63 on as a value or delta, or long enough to become one."""
    if unit.command in ARITHMETIC:
        return any(word.isdigit() and int(word) >= 2**63 for word in unit.words[2:])
    return unit.command in STORES and re.search(rb"[0-9]{18}", unit.value) is not None


def _is_noreply_in_a_place(unit):
    """`noreply` as the exptime, delta or delay, or as the only key of delete."""
    return b"noreply" in unit.words[1:-1] or unit.words == [b"delete", b"noreply"]


ALL = [
    Difference("touches the keys before the one above 250 bytes for which it refuses a gat",
               _touches_before_long_key),
]

NEWER = ALL + [
    Difference("sends an empty line after the error about a key above 250 bytes",
               has_long_key, _without_empty_line),
]

OLDER = ALL + [
    Difference("skips leading spaces", _has_leading_space),
    Difference("a short line is ERROR there", _is_short_line),
    Difference("a short line behind a bad line or chunk is ERROR there", _leaves_a_rest),
    Difference("looks at the keys before the exptime", _is_gat_with_long_key),
    Difference("answers an unknown command that ends in noreply", _is_unknown_noreply),
    Difference("takes HTTP/ alone for a request of a browser", _is_http_alone),
    Difference("too few words are ERROR there, and so are more than it knows",
               _has_other_word_count),
    Difference("delete takes no argument but 0", _has_delete_argument),
    Difference("does not swallow the value of a refused line, reads numbers more freely",
               _has_bad_store_words),
    Difference("reads numbers as 64 bits and cuts them, takes a plus sign", _has_odd_number),
    Difference("looks for a minus sign behind the end of numbers from 2^63 on", _has_huge_number),
    Difference("counts words differently when noreply is not the last one", _is_noreply_in_a_place),
]


def known_differences(dialect):
    """The table against a memcached of this dialect."""
    return NEWER if dialect == "1.6.45" else OLDER
