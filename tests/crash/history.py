"""What was sent, what was acknowledged and what is read, and whether the three agree.

A record is "LANE.N.REQUEST.filler": lane, number within the lane, request of the lane that carried it; the filler follows
from these, so a record read proves that it was sent as it is. A producer resends what was not acknowledged in a new
request, so every (lane, n, request) may be there once at most.

A ledger (one a lane) holds a line for each event, in order:
    S REQUEST FIRST COUNT            about to send the records FIRST … FIRST+COUNT-1
    A REQUEST SHARD:HEX SHARD:HEX …  answered: the shard's index and the sequence number of each; "-": this one failed
    F REQUEST WHY                    no answer, or a 5xx: may or may not be there
    X REQUEST WHY                    an answer that no producer may see
"""

import hashlib
import os

KEYS_OF_A_LANE = 61


def filler(head):
    return hashlib.sha256(head.encode()).hexdigest() * 2


def payload(lane, n, request):
    head = f"{lane}.{n}.{request}"
    return f"{head}.{filler(head)}".encode()


def partition_key(lane, n):
    return f"{lane}-{n % KEYS_OF_A_LANE}"


class Ledger:
    """The producer's side."""

    def __init__(self, folder, lane):
        self._file = os.open(os.path.join(folder, f"{lane}.ledger"), os.O_CREAT | os.O_WRONLY | os.O_APPEND, 0o644)

    def _write(self, line):
        os.write(self._file, f"{line}\n".encode())

    def sending(self, request, first, count):
        self._write(f"S {request} {first} {count}")

    def answered(self, request, places):
        """places: (shard id, sequence number) of each record, or None where it failed"""
        words = ("-" if place is None else f"{int(place[0][8:])}:{int(place[1]):x}" for place in places)
        self._write(f"A {request} {' '.join(words)}")

    def failed(self, request, why):
        self._write(f"F {request} {str(why)[:200]!r}")

    def unexpected(self, request, why):
        self._write(f"X {request} {str(why)[:1000]!r}")


class History:
    """All ledgers of a folder; then fed with what is read, shard by shard."""

    def __init__(self, folder):
        self._lanes = {}
        self._acknowledged = {}  # (lane, n, request) packed -> shard and sequence number, hashed
        self._requests = {}  # (lane, request) packed -> (first, count)
        self._unacknowledged_found = set()
        self.acknowledged = self.sent = self.read = 0
        self.unexpected, self.disordered, self.misplaced, self.never_sent, self.doubled = [], [], [], [], []
        for name in sorted(os.listdir(folder)):
            if name.endswith(".ledger"):
                self._read_ledger(os.path.join(folder, name), name.removesuffix(".ledger"))

    def _pack(self, lane, n, request):
        return self._lanes[lane] << 64 | n << 24 | request

    def _read_ledger(self, path, lane):
        self._lanes[lane] = len(self._lanes)
        last_of_key = {}
        with open(path) as rows:
            for row in rows:
                kind, request, rest = row.rstrip("\n").split(" ", 2)
                request = int(request)
                if kind == "S":
                    first, count = map(int, rest.split())
                    self._requests[self._pack(lane, 0, request)] = (first, count)
                    self.sent += count
                elif kind == "A":
                    first, count = self._requests[self._pack(lane, 0, request)]
                    places = rest.split()
                    if len(places) != count:
                        self.unexpected.append(f"{lane} {request}: {count} sent, {len(places)} answered")
                    for n, place in enumerate(places, first):
                        if place == "-":
                            continue
                        shard, number = place.split(":")
                        self._acknowledge(lane, n, request, int(shard), int(number, 16), last_of_key)
                elif kind == "X":
                    self.unexpected.append(f"{lane} {request}: {rest}")

    def _acknowledge(self, lane, n, request, shard, number, last_of_key):
        # One request of a lane is under way at a time, so numbers of one key rise with acknowledgement, and from a
        # parent shard to its child.
        key = n % KEYS_OF_A_LANE
        if last_of_key.get(key, 0) >= number:
            self.disordered.append(f"{lane}.{n}.{request}: acknowledged as {number}, behind {last_of_key[key]}")
        last_of_key[key] = number
        self._acknowledged[self._pack(lane, n, request)] = hash((shard, number))
        self.acknowledged += 1

    def seen(self, shard, records):
        """Feeds the records of one shard, (sequence number, partition key, data), in the order that they are read."""
        last = 0
        for number, key, data in records:
            self.read += 1
            if number <= last:
                self.disordered.append(f"shard {shard}: {number} read behind {last}")
            last = number
            try:
                lane, n, request, _ = data.decode().split(".", 3)
                n, request = int(n), int(request)
                packed = self._pack(lane, n, request)
                first, count = self._requests[self._pack(lane, 0, request)]
                sent = first <= n < first + count and data == payload(lane, n, request) and key == partition_key(lane, n)
            except (KeyError, ValueError):
                sent = False
            if not sent:
                self.never_sent.append(f"shard {shard}, {number}: {data[:80]!r}")
                continue
            place = self._acknowledged.get(packed)
            if place is None:
                if packed in self._unacknowledged_found:
                    self.doubled.append(f"{lane}.{n}.{request}")
                self._unacknowledged_found.add(packed)
            elif place is True:
                self.doubled.append(f"{lane}.{n}.{request}")
            else:
                if place != hash((shard, number)):
                    self.misplaced.append(f"{lane}.{n}.{request}: read in shard {shard} as {number}")
                self._acknowledged[packed] = True  # found

    @property
    def unacknowledged_found(self):
        return len(self._unacknowledged_found)

    def lost(self):
        """Acknowledged and not seen, as text; ask when all shards were fed."""
        names = {index: lane for lane, index in self._lanes.items()}
        return [f"{names[packed >> 64]}.{packed >> 24 & (1 << 40) - 1}.{packed & (1 << 24) - 1}"
                for packed, place in self._acknowledged.items() if place is not True]
