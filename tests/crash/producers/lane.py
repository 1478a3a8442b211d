"""What a producer sends next, and what it does with an answer. One request of a lane is under way at a time."""

import signal
import sys
import time

from crash.history import Ledger, partition_key, payload

# What a record of an answered PutRecords may say; it is sent again.
RETRIED = ("InternalFailure", "InternalFailureException", "ProvisionedThroughputExceededException")


class Lane:
    def __init__(self, name, folder, dice, batch_max):
        self._name, self._dice, self._batch_max = name, dice, batch_max
        self._ledger = Ledger(folder, name)
        self._request = 0
        self._fresh = 0  # the next number never sent
        self._again = []  # (first, count) to be sent again, in order
        self._current = None
        self._stopping = False
        signal.signal(signal.SIGTERM, self._stop)

    def _stop(self, *_):
        self._stopping = True

    def goes_on(self):
        # Ends only when all that was sent is acknowledged, so that the end is not all "may be there".
        return not self._stopping or bool(self._again)

    def next_request(self):
        """(request number, [(partition key, data)])"""
        self._request += 1
        if self._again:
            first, count = self._again.pop(0)
        else:
            first, count = self._fresh, self._dice.randint(1, self._batch_max)
            self._fresh += count
        self._current = (first, count)
        self._ledger.sending(self._request, first, count)
        return self._request, [(partition_key(self._name, n), payload(self._name, n, self._request))
                               for n in range(first, first + count)]

    def answered(self, request, results):
        """results: as PutRecords answers, one a record"""
        places = []
        for result in results:
            code = result.get("ErrorCode")
            places.append(None if code else (result["ShardId"], result["SequenceNumber"]))
            if code and code not in RETRIED:
                self.unexpected(request, result)
        self._ledger.answered(request, places)
        first, _ = self._current
        # Runs of failed ones, each sent again before anything new.
        self._again[:0] = runs(first + i for i, place in enumerate(places) if place is None)

    def failed(self, request, why):
        self._ledger.failed(request, why)
        self._again.insert(0, self._current)

    def unexpected(self, request, why):
        self._ledger.unexpected(request, why)
        print(f"{self._name}: {why}", file=sys.stderr, flush=True)
        time.sleep(0.1)


def runs(numbers):
    """[(first, count)] of consecutive numbers."""
    result = []
    for number in numbers:
        if result and number == sum(result[-1]):
            result[-1] = (result[-1][0], result[-1][1] + 1)
        else:
            result.append((number, 1))
    return result
