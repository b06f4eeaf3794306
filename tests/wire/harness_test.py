#!/usr/bin/python3
"""Tests of the harness itself: what must fail does fail, and says why."""

import random
import socket
import tempfile
import threading
import unittest
import unittest.mock

import case_runner
from case_runner import CaseRunner, Mismatch
from differential import PREFIX, Sides, run_session, shrink
from known_differences import known_differences
from request_generator import RequestGenerator, Unit
from run_transcripts import dialect_of
from fixture import Server, binary_under_test
from session import plan_batches
from transcript import TranscriptError, compile_expected, read_transcript
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
        while data := source.recv(65536):
            if tampers:
                data = data.replace(b"NOT_STORED", b"NOT-STORED")
            target.sendall(data)
        target.close()


class DifferentialTest(unittest.TestCase):
    """The comparison of two servers."""

    def test_a_difference_is_found_and_shrunk_to_the_request_that_shows_it(self):
        with Server() as server, Server() as other:
            sides = Sides(server, TamperingServer(other))
            prefix = sides.fresh_prefix()
            units = RequestGenerator(random.Random(5), prefix).session(40)
            units = [unit for unit in units if sides.rule_for(unit) is None]
            line = b"append " + prefix + b"x 0 0 1"
            units.append(Unit(line + b"\r\n1\r\n", line, (prefix + b"x",)))
            units += RequestGenerator(random.Random(6), prefix).session(3)
            index, _ = run_session(sides, units, prefix, 1)
            self.assertIsNotNone(index)
            smallest, _ = shrink(sides, units, prefix, 1)
            self.assertEqual(len(smallest), 1, smallest)

    def test_the_same_seed_makes_the_same_requests(self):
        first, again, other = (
            RequestGenerator(random.Random(seed), PREFIX % 1).session(200) for seed in (1, 1, 2))
        self.assertEqual(first, again)
        self.assertNotEqual(first, other)

    def test_the_generator_reaches_every_known_difference_and_every_command(self):
        generator = RequestGenerator(random.Random(1), PREFIX % 1)
        units = [unit for _ in range(500) for unit in generator.session(40)]
        for rule in known_differences("1.6.18") + known_differences("1.6.45"):
            self.assertTrue(any(map(rule.applies, units)), rule.reason)
        for command in ("get gets gat gats set add replace append prepend cas delete incr decr "
                        "touch flush_all verbosity quit stats").split():
            self.assertTrue(any(unit.command == command for unit in units), command)

    def test_batches_keep_the_order_and_part_what_must_not_share_a_write(self):
        units = RequestGenerator(random.Random(3), PREFIX % 1).session(500)
        batches = list(plan_batches(units))
        self.assertEqual([unit for batch in batches for unit in batch], units)
        for batch in batches:
            if any(b"<cas>" in unit.data for unit in batch):
                self.assertEqual(len(batch), 1)


if __name__ == "__main__":
    unittest.main()
