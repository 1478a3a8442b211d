#!/usr/bin/python3
"""The checker itself: a history that is whole passes, and each way to break it is seen."""

import os
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from crash.history import History, Ledger, partition_key, payload


def record(number, n, request, lane="a"):
    return number, partition_key(lane, n), payload(lane, n, request)


class HistoryTest(unittest.TestCase):
    def setUp(self):
        self._folder = tempfile.TemporaryDirectory()
        self.addCleanup(self._folder.cleanup)
        ledger = Ledger(self._folder.name, "a")
        ledger.sending(1, 0, 3)
        ledger.answered(1, [("shardId-000000000000", "10"), ("shardId-000000000001", "11"), None])
        ledger.sending(2, 2, 1)
        ledger.failed(2, "reset")
        ledger.sending(3, 2, 1)
        ledger.answered(3, [("shardId-000000000000", "20")])

    def read(self, zero, one):
        history = History(self._folder.name)
        history.seen(0, zero)
        history.seen(1, one)
        return history

    def test_what_was_acknowledged_and_what_may_be_there_pass(self):
        history = self.read([record(10, 0, 1), record(15, 2, 2), record(20, 2, 3)], [record(11, 1, 1)])
        self.assertEqual(history.acknowledged, 3)
        self.assertEqual(history.unacknowledged_found, 1)
        for wrong in (history.lost(), history.misplaced, history.disordered, history.never_sent, history.doubled):
            self.assertEqual(wrong, [])

    def test_an_acknowledged_record_that_is_not_read_is_lost(self):
        self.assertEqual(self.read([record(10, 0, 1)], [record(11, 1, 1)]).lost(), ["a.2.3"])

    def test_another_shard_or_number_than_acknowledged_is_misplaced(self):
        history = self.read([record(10, 0, 1), record(11, 1, 1), record(21, 2, 3)], [])
        self.assertEqual(len(history.misplaced), 2)

    def test_numbers_that_do_not_rise_are_disorder(self):
        self.assertEqual(len(self.read([record(20, 2, 3), record(10, 0, 1)], [record(11, 1, 1)]).disordered), 1)

    def test_a_later_acknowledgement_of_a_key_with_a_lower_number_is_disorder(self):
        ledger = Ledger(self._folder.name, "a")
        ledger.sending(4, 61, 1)  # the key of 0
        ledger.answered(4, [("shardId-000000000000", "5")])
        self.assertEqual(len(History(self._folder.name).disordered), 1)

    def test_a_record_twice_is_doubled_acknowledged_or_not(self):
        history = self.read([record(10, 0, 1), record(12, 0, 1), record(15, 2, 2), record(16, 2, 2), record(20, 2, 3)],
                            [record(11, 1, 1)])
        self.assertEqual(history.doubled, ["a.0.1", "a.2.2"])

    def test_bytes_that_nobody_sent_are_seen(self):
        changed = payload("a", 0, 1)[:-1] + b"!"
        history = self.read([(10, "a-0", changed), (12, "a-9", payload("a", 9, 1)), (13, "b-0", payload("b", 0, 1)),
                             (14, "k", b"x"), (15, "wrong-key", payload("a", 1, 1))], [])
        self.assertEqual(len(history.never_sent), 5)


if __name__ == "__main__":
    unittest.main()
