"""The kinds of sessions that the differential test runs, and how often.

A session's number decides its kind and with the run's seed everything in it: any of them can be
repeated alone. A session holds SESSION_UNITS requests.
"""

from binary_generator import BinaryGenerator
from malformed_generator import Datagrams, MalformedPackets, MalformedText
from meta_generator import MetaGenerator
from request_generator import RequestGenerator

SESSION_UNITS = 200
DATAGRAMS = "datagrams"


def _single(make):
    def units(random, keys):
        generator = make(random, keys)
        made = [generator.unit() for _ in range(SESSION_UNITS)]
        if random.random() < 0.2 and hasattr(generator, "closing"):
            made.append(generator.closing())
        return made
    return units


def _mixed(*makes):
    """Runs of requests of several protocols, on the same keys."""
    def units(random, keys):
        generators = [make(random, keys) for make in makes]
        made = []
        while len(made) < SESSION_UNITS:
            generator = generators[int(random.random() * len(generators))]
            made += [generator.unit() for _ in range(1 + int(random.random() * 12))]
        return made[:SESSION_UNITS]
    return units


def _streams(make):
    def units(random, keys):
        generator = make(random, keys)
        sound = RequestGenerator(random, keys)
        made = []
        while len(made) < SESSION_UNITS:
            made += generator.stream()
            # What the stream left in the cache shows here.
            made += [sound.unit() for _ in range(int(random.random() * 4))]
        return made
    return units


# Out of a hundred sessions.
FAMILIES = (
    ("text", 38, _single(RequestGenerator)),
    ("meta", 20, _single(MetaGenerator)),
    ("text and meta", 12, _mixed(RequestGenerator, MetaGenerator)),
    ("binary", 12, _single(BinaryGenerator)),
    ("all protocols", 9, _mixed(RequestGenerator, MetaGenerator, BinaryGenerator)),
    ("malformed text", 4, _streams(MalformedText)),
    ("malformed packets", 2, _streams(MalformedPackets)),
    (DATAGRAMS, 3, _single(Datagrams)),
)
_WHEEL = [row for row in FAMILIES for _ in range(row[1])]
# Sessions next to each other are of different kinds.
_STRIDE = 37

assert len(_WHEEL) == 100


def family_of(number):
    """(name, units) of session `number`; units(random, keys) makes its requests."""
    name, _, units = _WHEEL[number * _STRIDE % len(_WHEEL)]
    return name, units
