"""Differences that the differential test knows: each with the reason, and how to tell it.

One row is Difference(reason, applies, translate). `applies(unit)` is true for requests that the
peer answers differently. With `translate` the peer's answer, translated, must be Larder's;
without it the request is left out against this peer: the transcripts, which are held against
memcached 1.6.45, say what Larder must answer there.

The differences of single cases stand in the transcripts themselves, as `!!! version: reason`.
"""

import re
import struct
from collections.abc import Callable
from dataclasses import dataclass

from unit import ARITHMETIC, READS, STORES, TEXT_STREAM, TEXT_STREAM_END, Unit, is_stream

KEY_BYTES_MAX = 250
OPAQUE_BYTES_MAX = 32
META = ("mg", "ms", "md", "ma", "me", "mn")
_READS_LONG_KEY = re.compile(rb"g(et|ets|at|ats) [^\n]*[^ \n]{251}")
_HUGE_NUMBER = re.compile(rb"[0-9]{18}")
_JOINS_TO_HUGE_NEGATIVE = re.compile(rb"[0-9]{18}|-0(\r?\n|$)")
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
    about_packets: bool = False


def has_long_key(unit):
    """A get, gets, gat or gats with a key above 250 bytes."""
    return unit.command in READS and any(len(word) > KEY_BYTES_MAX for word in unit.words[1:])


def reads_long_key(stream):
    """The same anywhere in the bytes of a stream, for which memcached drops replies."""
    return _READS_LONG_KEY.search(stream) is not None


def counts_differently(unit):
    """A get that is refused for a long key counts the keys before it or does not; a store that is
    cut off counts or does not."""
    return is_stream(unit) or unit.odd and has_long_key(unit)


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
    return unit.data.find(b"\n") + 1 < 4 and unit.data != TEXT_STREAM_END


def _leaves_a_rest(unit):
    """What follows the line is, in part or whole, read as lines of their own."""
    if unit.command == "ms" or unit.data == TEXT_STREAM_END:
        return False
    if unit.command not in STORES or len(unit.words) < 5:
        return unit.data.count(b"\n") > 1
    try:
        wanted = int(unit.words[4])
    except ValueError:
        return False
    return len(unit.value) != wanted + 2


def _is_unended(unit):
    """A piece of a stream that runs into the next one."""
    return unit.channel == TEXT_STREAM and not unit.data.endswith(b"\n")


def _is_gat_with_long_key(unit):
    """A gat with a key above 250 bytes and an exptime that is not a number."""
    return unit.command.startswith("gat") and has_long_key(unit)


def _is_unknown_noreply(unit):
    return unit.command not in WORDS_1_6_18 and unit.words[-1:] == [b"noreply"]


def _is_http_alone(unit):
    return len(unit.words) == 1 and unit.words[0].startswith(b"HTTP/")


def _has_other_word_count(unit):
    """Too few words for the command, or more than 1.6.18 knows."""
    if unit.command == "verbosity" and unit.channel == TEXT_STREAM:
        return True
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
    return unit.command in (*STORES, "ms") and _HUGE_NUMBER.search(unit.value) is not None


def _may_join_to_huge_negative(unit):
    """Digits put behind what may be a minus sign, or a minus sign before what may be digits."""
    if unit.command == "ms":
        joins = any(flag[:2].upper() in (b"MA", b"MP") for flag in _flags(unit))
    else:
        joins = unit.command in ("append", "prepend")
    return joins and _JOINS_TO_HUGE_NEGATIVE.search(unit.value) is not None


def _is_noreply_in_a_place(unit):
    """`noreply` as the exptime, delta or delay, or as the only key of delete."""
    return b"noreply" in unit.words[1:-1] or unit.words == [b"delete", b"noreply"]


# --- meta ----------------------------------------------------------------------------------------

# A line whose every flag is of these forms means the same to both versions.
_SHARED_FLAG = re.compile(
    rb"[bktcfvhuqslI]|[TNR](-1|[0-9]{1,9})|C([0-9]{1,19}|<cas>)|F([0-9]{1,9}|4294967295)"
    rb"|M[SEAPRIDid+-]|[JD][0-9]{1,18}|O[0-9a-z]{1,31}")


def _flags(unit):
    return unit.words[3 if unit.command == "ms" else 2:]


def _is_odd_meta(unit):
    """A meta line with something that is not quite right, or that 1.6.18 does not know."""
    if unit.command not in META:
        return unit.command[:1] == "m" or unit.command[:2] == "MG"
    words, flags = unit.words, _flags(unit)
    if unit.command == "mn":
        return words != [b"mn"]
    if unit.command == "me":
        return len(words) != 2 or len(words[1]) > KEY_BYTES_MAX
    letters = [flag[:1] for flag in flags]
    return (len(words) < 3 and unit.command == "ms" or len(words) < 2
            or len(words[1]) > KEY_BYTES_MAX or len(words) > 20
            or len(set(letters)) < len(letters)
            or not all(map(_SHARED_FLAG.fullmatch, flags))
            or b"b" in letters and not _is_base64(words[1]))


def _is_base64(word):
    return re.fullmatch(rb"([A-Za-z0-9+/]{4})*([A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?",
                        word) is not None


def _is_odd_meta_store(unit):
    """An ms that is refused when its value has been read, or whose size is odd."""
    return unit.command == "ms" and (
        len(unit.words) < 3 or not re.fullmatch(rb"[0-9]{1,9}", unit.words[2])
        or len(unit.value) != int(unit.words[2]) + 2 or not unit.value.endswith(b"\r\n")
        or any(flag[:1] == b"O" and len(flag) > OPAQUE_BYTES_MAX for flag in _flags(unit)))


def _has_flags(command, *letters):
    def applies(unit):
        return unit.command == command and {flag[:1] for flag in _flags(unit)} >= set(letters)
    return applies


def _is_debug(unit):
    return unit.command == "me"


def _is_debug_in_stream(unit):
    return unit.command == "me" and unit.channel == TEXT_STREAM


def _has_zero_byte(unit):
    return b"\0" in unit.line


def _is_debug_of_base64(unit):
    return unit.command == "me" and len(unit.words) > 2


def _is_loose_base64(unit):
    """A key that is said to be base64 and holds something else, or = not at its end."""
    return (unit.command in META and len(unit.words) > 1
            and any(word.startswith(b"b") for word in unit.words[2:])
            and re.fullmatch(rb"[A-Za-z0-9+/]*=*", unit.words[1]) is None)


def _without_exptime(reply):
    return re.sub(rb" exp[^ ]* ", b" ", reply)


# --- binary --------------------------------------------------------------------------------------

_INCREMENTS = (b"\x05", b"\x06", b"\x15", b"\x16")
_FLUSHES = (b"\x08", b"\x18")


# Touch, GAT and their kind, and Stat.
_VALUE_NOT_LOOKED_AT = (b"\x1c", b"\x1d", b"\x1e", b"\x23", b"\x24", b"\x10")


def _is_misread_packet(unit):
    """A value that no one expects: memcached takes it, or more than it, for the next packet."""
    if len(unit.data) < 24:
        return False
    key_size, extras_size, body_size = struct.unpack_from("!xxHBxxxI", unit.data)
    if body_size <= key_size + extras_size:
        return False
    opcode = unit.data[1:2]
    if opcode in _VALUE_NOT_LOOKED_AT:
        return True
    return opcode[0] > 0x24 or opcode in (b"\x1b", b"\x1f", b"\x20", b"\x21", b"\x22")


def _has_huge_amount(unit):
    return (unit.data[1:2] in _INCREMENTS and len(unit.data) >= 40
            and max(struct.unpack_from("!QQ", unit.data, 24)) >= 2**63)


def _has_exptime_of_flush(unit):
    return unit.data[1:2] in _FLUSHES and any(unit.data[24:])


def _stores_huge_number(unit):
    return _HUGE_NUMBER.search(unit.data, 24) is not None


def _is_text_like_packet(unit):
    return unit.channel == TEXT_STREAM


def _has_huge_body(unit):
    return unit.data[8:12] > b"\x40"


def _flushes_in_the_past(unit):
    return unit.command == "flush_all" and unit.words[1:2] in ([b"2592001"], [b"2147483648"])


ALL = [
    Difference("touches the keys before the one above 250 bytes for which it refuses a gat",
               _touches_before_long_key),
    Difference("me looks for the flag b in the wrong place", _is_debug_of_base64),
    Difference("skips what is not base64 in a key that should be", _is_loose_base64),
    Difference("ma loses T and E when the number gets longer", _has_flags("ma", b"T")),
    Difference("ma loses T and E when the number gets longer", _has_flags("ma", b"E")),
    Difference("an ms that is refused at its end takes a cas number, which the next store may use",
               _is_odd_meta_store),
    Difference("takes some numbers below -2^63 for what they are modulo 2^64",
               _may_join_to_huge_negative),
    Difference("reads the value behind a packet that has none as packets", _is_misread_packet,
               about_packets=True),
]

NEWER = ALL + [
    Difference("sends an empty line after the error about a key above 250 bytes",
               has_long_key, _without_empty_line),
]

OLDER = ALL + [
    Difference("skips leading spaces", _has_leading_space),
    Difference("a short line is ERROR there", _is_short_line),
    Difference("a short line behind a bad line or chunk is ERROR there", _leaves_a_rest),
    Difference("a line that runs into the next one may be any of these", _is_unended),
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
    Difference("has fewer meta flags, and other words for what is wrong with them", _is_odd_meta),
    Difference("ms does not answer s", _has_flags("ms", b"s")),
    Difference("ms does not create with N", _has_flags("ms", b"N")),
    Difference("mg does not know C", _has_flags("mg", b"C")),
    Difference("ma answers in spite of q what it creates", _has_flags("ma", b"q", b"N")),
    Difference("me does not tell the time left", _is_debug_in_stream),
    Difference("me does not tell the time left", _is_debug, _without_exptime),
    Difference("a line ends at a zero byte", _has_zero_byte),
    Difference("a flush in the past revives what an earlier one took", _flushes_in_the_past),
    Difference("a flush in the past revives what an earlier one took", _has_exptime_of_flush,
               about_packets=True),
    Difference("cannot count on from 2^63", _has_huge_amount, about_packets=True),
    Difference("looks for a minus sign behind the end of numbers from 2^63 on",
               _stores_huge_number, about_packets=True),
    Difference("a line that begins like a packet is ERROR there", _is_text_like_packet,
               about_packets=True),
    Difference("takes a body of more than a GiB", _has_huge_body, about_packets=True),
]


def known_differences(dialect):
    """The table against a memcached of this dialect."""
    return NEWER if dialect == "1.6.45" else OLDER
