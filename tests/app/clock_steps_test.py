"""The wall clock of a real server steps: nothing acknowledged goes, and arrival times never fall."""
import base64
import http.client
import json
import pathlib
import shutil
import struct
import subprocess
import tempfile
import time
import unittest

from process import BINARY, Server

CLOCK_SOURCE = pathlib.Path(__file__).with_name("stepped_wall_clock.c")
DAY_S = 86_400


class SteppedServer:
    """A server, over several runs on one folder, whose wall clock is set by step()."""

    def __init__(self, test: unittest.TestCase):
        self.test = test
        self.folder = tempfile.mkdtemp(prefix="millrace-clock-")
        self.file = pathlib.Path(self.folder) / "wall-clock"
        self.library = self.folder + "/stepped_wall_clock.so"
        subprocess.run(["gcc", "-shared", "-fPIC", "-O1", "-o", self.library, CLOCK_SOURCE], check=True)
        self.acknowledged: list[str] = []
        self.newest_s = 0.0
        self.step(0)

    def step(self, seconds: int) -> None:
        """Sets the wall clock so far off the right one, at once."""
        with open(self.file, "r+b" if self.file.exists() else "xb") as file:
            file.write(struct.pack("=q", seconds))

    def start(self) -> Server:
        server = Server("--settle-after-ms", "200", data=self.folder + "/data",
                        env={"LD_PRELOAD": self.library, "STEPPED_WALL_CLOCK": str(self.file)})
        self.server = server.__enter__()
        return self.server

    def stop(self) -> None:
        self.test.assertEqual(self.server.stop(), 0)
        self.server.__exit__()

    def call(self, operation: str, **body: object) -> dict:
        connection = http.client.HTTPConnection(self.server.address, timeout=30)
        try:
            connection.request("POST", "/", json.dumps(body), {"Content-Type": "application/x-amz-json-1.1",
                                                               "X-Amz-Target": f"Kinesis_20131202.{operation}"})
            answer = connection.getresponse()
            text = answer.read().decode()
            self.test.assertEqual(answer.status, 200, text)
            return json.loads(text) if text else {}
        finally:
            connection.close()

    def put(self) -> None:
        text = f"record {len(self.acknowledged)}"
        self.call("PutRecord", StreamName="s", PartitionKey="k", Data=base64.b64encode(text.encode()).decode())
        self.acknowledged.append(text)

    def check(self) -> None:
        """All that was acknowledged is there, in order, and its arrival times rise."""
        iterator = self.call("GetShardIterator", StreamName="s", ShardId="shardId-000000000000",
                             ShardIteratorType="TRIM_HORIZON")["ShardIterator"]
        found, arrival_s = [], 0.0
        while len(found) < len(self.acknowledged):
            answer = self.call("GetRecords", ShardIterator=iterator)
            if not answer["Records"]:
                break
            iterator = answer["NextShardIterator"]
            for record in answer["Records"]:
                found.append(base64.b64decode(record["Data"]).decode())
                self.test.assertGreaterEqual(record["ApproximateArrivalTimestamp"], arrival_s)
                arrival_s = record["ApproximateArrivalTimestamp"]
        self.test.assertEqual(found, self.acknowledged)
        self.newest_s = arrival_s

    def wait_for_warning(self, begin: str, seconds: float = 15) -> None:
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            if any(json.loads(line)["msg"].startswith(begin) for line in list(self.server.stderr_lines)):
                return
            time.sleep(0.05)
        self.test.fail(f"no line {begin!r} in {self.server.stderr_lines}")


class ClockSteps(unittest.TestCase):
    def stepped_server(self) -> SteppedServer:
        machine = SteppedServer(self)
        self.addCleanup(shutil.rmtree, machine.folder, True)
        machine.start()
        self.addCleanup(lambda: machine.server.__exit__())
        machine.call("CreateStream", StreamName="s", ShardCount=1)
        until = time.monotonic() + 30
        while machine.call("DescribeStreamSummary", StreamName="s")["StreamDescriptionSummary"]["StreamStatus"] != "ACTIVE":
            self.assertLess(time.monotonic(), until)
            time.sleep(0.05)
        return machine

    def test_steps_while_it_runs(self):
        machine = self.stepped_server()
        for days in (2, -2, 400, -400):
            machine.put()
            machine.check()
            machine.server.stderr_lines.clear()
            machine.step(days * DAY_S)
            machine.wait_for_warning("clock step: ")
            machine.put()
            time.sleep(1)  # four looks at what has expired
            machine.check()
            self.assertIn("\nmillrace_clock_step_waiting 1\n", machine.server.get("/metrics")[2])
            machine.step(0)
            machine.wait_for_warning("clock step over: ")
            machine.put()
            machine.check()
            self.assertLess(abs(machine.newest_s - time.time()), 60)
        machine.stop()

    def test_steps_between_two_runs(self):
        machine = self.stepped_server()
        machine.put()
        for days in (2, 400, -400, 0):
            machine.stop()
            machine.step(days * DAY_S)
            machine.start()
            machine.put()
            time.sleep(1.5)
            machine.put()
            machine.check()
            self.assertLess(machine.newest_s, time.time() + 3 * DAY_S, "400 days are not taken at once")
        machine.stop()
        verified = subprocess.run([BINARY, "log", "verify", machine.folder + "/data"], capture_output=True, text=True,
                                  timeout=60, check=False)
        self.assertEqual(verified.returncode, 0, verified.stdout + verified.stderr)


if __name__ == "__main__":
    unittest.main()
