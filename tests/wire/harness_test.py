#!/usr/bin/python3
"""Tests of the harness itself: what must fail does fail, and says why."""

import random
import socket
import tempfile
import threading
import unittest
import unittest.mock
from collections import Counter

import case_runner
import channels
import comparison
from case_runner import CaseRunner, HeldUp, Mismatch
from channels import join_answers
from comparison import PREFIX, Sides, compare_session, run_session, shrink, start
from families import FAMILIES, family_of
from fixture import Server, binary_under_test
from known_differences import known_differences
from request_generator import RequestGenerator
from run_transcripts import ATTEMPTS_MAX, Suite, dialect_of
from session import Normalizer, plan_batches
from transcript import TranscriptError, read_transcript
from transcript_parts import compile_expected
from unit import (BINARY, LINE_BYTES_MAX, TEXT, TEXT_STREAM_END, KeySet, Unit, is_stream,
                  names_cas)
from wire_connection import Cutter


def parse(text):
    """The transcript with this text."""
    with tempfile.NamedTemporaryFile("w", suffix=".txt") as file:
        file.write(text)
        file.flush()
        return read_transcript(file.name)


class TranscriptTest(unittest.TestCase):
    """Reading transcripts."""

    def sent(self, line):
        """The bytes that one sent line stands for."""
        return parse(f"=== case\n>>> {line}\n").cases[0].actions[0].render({"n": 5})

    def test_escapes_repetitions_and_references(self):
        self.assertEqual(self.sent("get a"), b"get a\r\n")
        self.assertEqual(self.sent(r"a\r\n\t\0\\\xfF\c"), b"a\r\n\t\0\\\xff")
        self.assertEqual(self.sent(r"{ab\n*3}\c"), b"ab\nab\nab\n")
        self.assertEqual(self.sent("{n} {n+1} {n-1}"), b"5 6 4\r\n")
        self.assertEqual(self.sent(""), b"\r\n")

    def test_patterns_match_what_they_say_and_nothing_else(self):
        lines = parse("=== case\n<<< <number:x> <decimal> <text>\n").cases[0].actions[0].lines(None)
        form = compile_expected(lines[0], {})
        self.assertEqual(form.fullmatch(b"12 0.5 any text\r\n").group("x"), b"12")
        for other in (b"x 0.5 t\r\n", b"1 5 t\r\n", b"1 0.5 t\n", b"1 0.5 a\r\nb\r\n"):
            self.assertIsNone(form.fullmatch(other), other)

    def test_lines_that_are_not_in_the_grammar_are_refused(self):
        for text in (">>> no case yet\n", "=== c\nsome words\n", "=== c\n--- dance\n",
                     "=== c\n>>> {\n", "=== c\n>>> <number>\n", "=== c\n+++ get_hits 1\n",
                     "=== c\n<<<[1.6.45] no reason\n", "=== c\n!!! 1.2.3: old\n",
                     "=== c\n--- sleep\n", "=== c\n<<< \\q\n"):
            with self.assertRaises(TranscriptError, msg=text):
                parse(text)


class CutterTest(unittest.TestCase):
    """Cutting writes."""

    def test_pieces_are_the_whole(self):
        data = bytes(random.Random(1).randbytes(3000))
        for cutter in (Cutter("whole"), Cutter("bytes"), Cutter("random", random.Random(2))):
            self.assertEqual(b"".join(cutter.pieces(data)), data)
        self.assertEqual(Cutter("bytes").pieces(b"abc"), [b"a", b"b", b"c"])
        self.assertGreater(len(Cutter("random", random.Random(3)).pieces(b"abcdef")), 1)


class CanaryTest(unittest.TestCase):
    """Transcripts that are wrong about the server must fail."""

    @classmethod
    def setUpClass(cls):
        cls.server = Server()

    @classmethod
    def tearDownClass(cls):
        cls.server.stop()

    def run_case(self, body):
        """Runs one case."""
        runner = CaseRunner(self.server, dialect_of(binary_under_test()), Cutter("whole"))
        # What never comes is waited for in most of these cases.
        with unittest.mock.patch.object(case_runner, "REPLY_TIMEOUT_S", 0.3):
            runner.run(parse("=== canary\n" + body).cases[0])

    def test_a_right_transcript_passes(self):
        self.run_case(">>> set k 0 0 1\n>>> a\n<<< STORED\n+++ cmd_set +1, total_items +1\n"
                      ">>> quit\n--- closed\n")

    def test_wrong_bytes_are_found(self):
        for body in (">>> get k\n<<< END \n", ">>> get k\n<<< ENDE\n", ">>> get k\n",
                     ">>> get k\n<<< END\n<<< END\n", ">>> get k\n<<< \\c\n",
                     ">>> get k\n--- silent\n", ">>> version\n<<< VERSION <number>\n"):
            with self.assertRaises(Mismatch, msg=body):
                self.run_case(body)

    def test_wrong_counts_are_found(self):
        for counts in ("get_hits +1, cmd_get +1", "get_misses +1", "no_such_counter +1", ""):
            with self.assertRaises(Mismatch, msg=counts):
                self.run_case(f">>> get k\n<<< END\n+++ {counts}\n")

    def test_a_connection_that_stays_open_is_found(self):
        with self.assertRaises(Mismatch):
            self.run_case(">>> get k\n<<< END\n--- closed\n")


    def test_only_what_counts_seconds_and_was_late_may_be_held_up(self):
        wrong = ">>> get k\n<<< VALUE\n"
        with self.assertRaises(Mismatch) as found:
            self.run_case("--- tick\n" + wrong)
        self.assertNotIsInstance(found.exception, HeldUp)
        with unittest.mock.patch.object(case_runner, "PUNCTUAL_S", 0):
            with self.assertRaises(HeldUp):
                self.run_case("--- tick\n" + wrong)
            with self.assertRaises(Mismatch) as found:
                self.run_case(wrong)
        self.assertNotIsInstance(found.exception, HeldUp)

    def test_a_case_that_is_held_up_is_tried_again_but_not_for_ever(self):
        transcript = parse("=== a\n--- tick\n>>> get k\n<<< END\n")
        for late_times, failures in ((ATTEMPTS_MAX - 1, 0), (ATTEMPTS_MAX, 1)):
            suite = Suite(binary_under_test(), "tcp", "whole", 1)
            outcomes = [HeldUp("late")] * late_times + [None]
            with unittest.mock.patch.object(CaseRunner, "run", side_effect=outcomes):
                suite.run([transcript])
            self.assertEqual((len(suite.failures), suite.passed), (failures, 1 - failures))


class TamperingServer:
    """Passes bytes on to a server and changes one word in its answers."""

    def __init__(self, server):
        self._server = server
        self.binary = server.binary

    def connect(self):
        """A connection through the tampering hands."""
        near, far = socket.socketpair()
        upstream = self._server.connect()
        threading.Thread(target=self._pump, args=(far, upstream, False), daemon=True).start()
        threading.Thread(target=self._pump, args=(upstream, far, True), daemon=True).start()
        return near

    @staticmethod
    def _pump(source, target, tampers):
        source.settimeout(None)
        try:
            while data := source.recv(65536):
                if tampers:
                    data = data.replace(b"NOT_STORED", b"NOT-STORED").replace(
                        b"Not stored.", b"Not Stored.")
                target.sendall(data)
            target.shutdown(socket.SHUT_WR)
        except OSError:
            pass
        source.close()


class SilentServer:
    """Passes connections on, but for those with these numbers: there nobody answers."""

    def __init__(self, server, silent):
        self._server = server
        self.binary = server.binary
        self._silent = silent
        self._count = 0
        self._far = []

    def connect(self):
        """A connection, from 1."""
        self._count += 1
        if self._count not in self._silent:
            return self._server.connect()
        near, far = socket.socketpair()
        self._far.append(far)
        return near

    def close(self):
        """Ends the connections in which nobody answers."""
        for far in self._far:
            far.close()


def units_of(family, seed=1, sessions=1):
    """Units of a kind of session."""
    make = next(make for name, _, make in FAMILIES if name == family)
    keys = KeySet(PREFIX % 1)
    return [unit for number in range(sessions)
            for unit in make(random.Random(f"{seed}/{number}"), keys)]


class GeneratorTest(unittest.TestCase):
    """The requests of random sessions."""

    def test_the_same_seed_makes_the_same_requests(self):
        for family, _, _ in FAMILIES:
            self.assertEqual(units_of(family, 1), units_of(family, 1))
            self.assertNotEqual(units_of(family, 1), units_of(family, 2))

    def test_every_kind_of_session_comes_as_often_as_its_row_says(self):
        names = [family_of(number)[0] for number in range(100)]
        for name, share, _ in FAMILIES:
            self.assertEqual(names.count(name), share, name)

    def test_the_generators_reach_every_known_difference_and_every_command(self):
        units = [unit for family, _, _ in FAMILIES for unit in units_of(family, 1, 120)]
        for rule in known_differences("1.6.18") + known_differences("1.6.45"):
            self.assertTrue(any(rule.about_packets == (unit.data[:1] == b"\x80")
                                and rule.applies(unit) for unit in units if unit.odd), rule.reason)
        commands = {unit.command for unit in units}
        for command in ("get gets gat gats set add replace append prepend cas delete incr decr "
                        "touch flush_all verbosity quit stats mg ms md ma me mn").split():
            self.assertIn(command, commands)
        opcodes = {unit.data[1] for unit in units if unit.channel == BINARY}
        self.assertLessEqual({*range(0x00, 0x1b), *range(0x1c, 0x1f), 0x23, 0x24}, opcodes)

    def test_only_what_is_odd_falls_under_a_known_difference(self):
        rules = known_differences("1.6.18") + known_differences("1.6.45")
        for family, _, _ in FAMILIES:
            for unit in units_of(family, 2, 3):
                if unit.odd:
                    continue
                is_packet = unit.data[:1] == b"\x80"
                applied = [rule.reason for rule in rules
                           if rule.about_packets == is_packet and rule.applies(unit)]
                self.assertEqual(applied, [], unit)

    def test_a_value_too_long_for_a_line_is_never_taken_for_one(self):
        # That is how servers read what follows a size or a flag that is none.
        stores = [unit for unit in units_of("meta", 40, 40)
                  if unit.command == "ms" and len(unit.value) > LINE_BYTES_MAX]
        self.assertGreater(len(stores), 20)
        for unit in stores:
            self.assertEqual(int(unit.words[2]), len(unit.value.splitlines()[0]), unit.line)
            self.assertTrue(all(flag[:1].isalpha() for flag in unit.words[3:]), unit.line)

    def test_a_stream_is_left_out_whole_or_not_at_all(self):
        rules = known_differences("1.6.45")
        sides = unittest.mock.Mock(rules=rules, skipped=Counter())
        sides.rule_for = lambda unit: Sides.rule_for(sides, unit)
        sides.reason_to_leave_out = lambda unit: Sides.reason_to_leave_out(sides, unit)
        units = units_of("malformed text", 7, 3)
        kept = Sides.without_known(sides, units)
        self.assertGreater(sides.skipped.total(), 0)
        streams = b"".join(unit.data for unit in units if is_stream(unit))
        for stream in b"".join(unit.data for unit in kept if is_stream(unit)).split(
                TEXT_STREAM_END):
            self.assertIn(stream + TEXT_STREAM_END, streams + TEXT_STREAM_END)

    def test_batches_keep_the_order_and_part_what_must_not_share_a_write(self):
        units = units_of("all protocols", 3, 5)
        batches = list(plan_batches(units))
        sent = [unit for batch in batches for unit in batch]
        self.assertEqual([unit.line for unit in sent], [unit.line for unit in units])
        for batch in batches:
            self.assertEqual(len({unit.channel for unit in batch}), 1)
            changed = set()
            for unit in batch:
                if names_cas(unit):
                    self.assertTrue(changed.isdisjoint(unit.keys), unit)
                if not unit.reads:
                    changed.update(unit.keys)

    def test_a_unit_with_new_keys_differs_in_nothing_else(self):
        old, new = PREFIX % 1, PREFIX % 2
        for unit in units_of("meta", 1) + units_of("binary", 1):
            renamed = unit.renamed(old, new)
            self.assertEqual(len(renamed.data), len(unit.data))
            self.assertEqual(renamed.renamed(new, old), unit)


class NormalizerTest(unittest.TestCase):
    """What moves by itself in an answer, and what does not."""

    def test_what_moves_is_taken_out_and_the_rest_is_kept(self):
        lines = (b"HD c7 t99 l3\r\n", b"VALUE k 0 1 7\r\n", b"VERSION 1.6.18\r\n",
                 b"ME k exp=-1 la=1 cas=7 fetch=no cls=1 size=64\r\n")
        normal = [Normalizer(exact=False).normalized(line, TEXT) for line in lines]
        self.assertEqual(normal, [b"HD c#0 t2 l\r\n", b"VALUE k 0 1 #0\r\n", b"VERSION\r\n",
                                  b"ME k exp-1 cas=#0 fetch=no\r\n"])
        for line in (b"HD f7 s3 kk O1 h1 W\r\n", b"VALUE k 7 12\r\n", b"c7\r\n"):
            self.assertEqual(Normalizer(exact=False).normalized(line, TEXT), line)

    def test_cas_numbers_are_named_by_their_order_unless_they_are_exact(self):
        line = b"HD c9\r\nHD c4\r\nHD c9\r\nHD c0\r\n"
        self.assertEqual(Normalizer(exact=False).normalized(line, TEXT),
                         b"HD c#0\r\nHD c#1\r\nHD c#0\r\nHD c0\r\n")
        self.assertEqual(Normalizer(exact=True).normalized(line, TEXT), line)

    def test_datagrams_that_are_out_of_order_are_told_from_those_in_order(self):
        def datagram(sequence, total, payload):
            return bytes((0, 7, 0, sequence, 0, total, 0, 0)) + payload

        good = [datagram(0, 2, b"a"), datagram(1, 2, b"b"), datagram(0, 1, b"c")]
        self.assertEqual(join_answers(good), [(7, b"abc")])
        for bad in ([good[1], good[0]], [good[0], good[2]], [datagram(0, 2, b"a")] * 2):
            self.assertIn(b"out of order", b"".join(text for _, text in join_answers(bad)))


class DifferentialTest(unittest.TestCase):
    """The comparison of two servers."""

    def test_a_difference_is_found_and_shrunk_to_the_request_that_shows_it(self):
        with Server() as server, Server() as other:
            sides = Sides(server, TamperingServer(other))
            prefix = sides.fresh_prefix()
            keys = KeySet(prefix)
            generator = RequestGenerator(random.Random(5), keys)
            units = [generator.unit() for _ in range(40)]
            units = [unit for unit in units if sides.rule_for(unit) is None]
            line = b"append " + prefix + b"x 0 0 1"
            units.append(Unit(line + b"\r\n1\r\n", line, (prefix + b"x",)))
            units += [generator.unit() for _ in range(3)]
            self.assertIsNotNone(run_session(sides, units, prefix, 1))
            smallest, _ = shrink(sides, units, prefix, 1)
            self.assertEqual(len(smallest), 1, smallest)
            sides.close()

    def test_a_server_agrees_with_itself_in_every_kind_of_session(self):
        binary = binary_under_test()
        with start(binary, True) as server, start(binary, True) as other:
            sides = Sides(server, other)
            for family, _, _ in FAMILIES:
                number = next(n for n in range(100) if family_of(n)[0] == family)
                result = compare_session(sides, 1, number)
                self.assertEqual((result.failure, result.unsteady), ("", ""), family)
                self.assertGreater(result.requests, 100, family)
            sides.close()

    def test_a_server_that_does_not_answer_is_asked_again_on_new_connections(self):
        # The first connection asks for counters, before each attempt.
        for silent, fails in (({2}, False), ({2, 4}, True)):
            with (Server() as server, Server() as other,
                  unittest.mock.patch.object(channels, "ASK_TIMEOUT_S", 0.3),
                  unittest.mock.patch.object(comparison, "SHRINK_ATTEMPTS_MAX", 3)):
                peer = SilentServer(other, silent)
                sides = Sides(server, peer)
                result = compare_session(sides, 1, 0)
                self.assertEqual(bool(result.failure), fails, result.failure)
                self.assertEqual("does not answer" in result.unsteady, not fails)
                sides.close()
                peer.close()

    def test_a_wrong_server_is_found_out_in_every_protocol(self):
        with Server() as server, Server() as other:
            sides = Sides(server, TamperingServer(other))
            for family in ("text", "binary", "all protocols"):
                prefix = sides.fresh_prefix()
                units = [unit.renamed(PREFIX % 1, prefix) for unit in units_of(family, 4)]
                units = [unit for unit in units if sides.rule_for(unit) is None]
                self.assertIsNotNone(run_session(sides, units, prefix, 1), family)
            sides.close()


if __name__ == "__main__":
    unittest.main()
