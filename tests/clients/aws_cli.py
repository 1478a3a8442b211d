"""The AWS command line, unchanged but for --endpoint-url: Debian's `awscli`, or MILLRACE_TEST_AWS where that is set."""

import json
import os
import re
import subprocess
import time
import uuid

from black_box import coverage_page
from black_box.cases import Skip, equal
from black_box.server import ACCESS_KEY, REGION, SECRET_KEY
from clients import every_operation

PROGRAM = os.environ.get("MILLRACE_TEST_AWS", "/usr/bin/aws")
THIRD = 2**128 // 3


class CommandFailed(Exception):
    pass


class Cli:
    def __init__(self, endpoint, scratch):
        self.endpoint = endpoint
        # No file of the user's may change what the command does.
        self._environment = {"PATH": "/usr/bin:/bin", "HOME": scratch, "AWS_ACCESS_KEY_ID": ACCESS_KEY,
                             "AWS_SECRET_ACCESS_KEY": SECRET_KEY, "AWS_DEFAULT_REGION": REGION, "AWS_PAGER": "",
                             "AWS_MAX_ATTEMPTS": "2", "LC_ALL": "C.UTF-8"}

    def __call__(self, command, *more):
        """`aws kinesis COMMAND …` with every word of `command`, then `more` as they are; its JSON, or text."""
        words = [PROGRAM, "kinesis", *command.split(), *more, "--endpoint-url", self.endpoint]
        done = subprocess.run(words, env=self._environment, capture_output=True, text=True, timeout=60, check=False)
        if done.returncode != 0:
            raise CommandFailed(f"{' '.join(words[1:6])}…: exit {done.returncode}: {done.stderr.strip()}")
        return json.loads(done.stdout) if done.stdout.lstrip().startswith("{") else done.stdout.strip()

    def operations(self):
        """Its commands, by the names of their operations: it lists them when asked for none of them."""
        _, _, listed = self.fails("no-such-command").partition("choices")
        return {_operation(command) for command in re.findall(r"[a-z]+(?:-[a-z]+)+", listed)}

    def takes_base64(self):
        """Version 2 takes blobs as base64, version 1 as they are."""
        version = subprocess.run([PROGRAM, "--version"], env=self._environment, capture_output=True, text=True,
                                 timeout=60, check=True)
        return (version.stdout + version.stderr).startswith("aws-cli/2")

    def fails(self, command, *more):
        try:
            self(command, *more)
        except CommandFailed as failed:
            return str(failed)
        raise AssertionError("the command passed")


def _operation(command):
    return "".join(word.capitalize() for word in command.split("-"))


def _command(operation):
    return re.sub(r"(?<!^)(?=[A-Z])", "-", operation).lower()


def every(cases, aws):
    """Each operation once, its members as JSON."""
    known = aws.operations()
    assert len(known) >= 25, known
    raw = "--cli-binary-format raw-in-base64-out" if aws.takes_base64() else ""

    def call(operation, request):
        return aws(f"{_command(operation)} {raw} --cli-input-json", json.dumps(request))

    covered = every_operation.run(cases, aws.endpoint, known.__contains__, call)
    coverage_page.check(cases, "AWS CLI", covered, known)


def shard_ids(answer):
    return [int(shard["ShardId"][8:]) for shard in answer["Shards"]]


def run(cases, endpoint, scratch):
    if not os.access(PROGRAM, os.X_OK):
        with cases.case("the AWS command line"):
            raise Skip(f"no {PROGRAM} here (Debian package awscli)")
        return
    aws = Cli(endpoint, scratch)
    name = f"cli-{uuid.uuid4().hex[:8]}"
    stream = f"--stream-name {name}"
    raw = "--cli-binary-format raw-in-base64-out" if aws.takes_base64() else ""

    with cases.case("create-stream, wait stream-exists, describe-stream, describe-stream-summary"):
        equal(aws(f"create-stream {stream} --shard-count 3"), "")
        aws(f"wait stream-exists {stream}")
        description = aws(f"describe-stream {stream}")["StreamDescription"]
        equal((description["StreamStatus"], shard_ids(description)), ("ACTIVE", [0, 1, 2]))
        equal(aws(f"describe-stream-summary {stream}")["StreamDescriptionSummary"]["OpenShardCount"], 3)
    with cases.case("list-streams, describe-limits"):
        assert name in aws("list-streams")["StreamNames"]
        assert aws("describe-limits")["OpenShardCount"] >= 3
    with cases.case("put-record, put-records, get-shard-iterator, get-records"):
        put = aws(f"put-record {stream} --partition-key a {raw} --data", "hello wörld")
        equal(put["ShardId"], "shardId-000000000000")
        batch = aws(f"put-records {stream} {raw} --records", "Data=hi,PartitionKey=a", "Data=you,PartitionKey=b")
        equal((batch["FailedRecordCount"], [r["ShardId"][-1] for r in batch["Records"]]), (0, ["0", "1"]))
        at = aws(f"get-shard-iterator {stream} --shard-id shardId-000000000000 --shard-iterator-type TRIM_HORIZON")
        got = aws("get-records --shard-iterator", at["ShardIterator"])
        equal([record["Data"] for record in got["Records"]], ["aGVsbG8gd8O2cmxk", "aGk="])
        equal(got["MillisBehindLatest"], 0)
    with cases.case("get-shard-iterator of the other four types"):
        first, second = put["SequenceNumber"], batch["Records"][0]["SequenceNumber"]
        for kind, expected in [(f"AT_SEQUENCE_NUMBER --starting-sequence-number {first}", [first, second]),
                               (f"AFTER_SEQUENCE_NUMBER --starting-sequence-number {first}", [second]),
                               (f"AT_TIMESTAMP --timestamp {time.time() - 3600:.0f}", [first, second]),
                               ("LATEST", [])]:
            at = aws(f"get-shard-iterator {stream} --shard-id 0 --shard-iterator-type {kind} --output text")
            got = aws("get-records --shard-iterator", at)
            equal([record["SequenceNumber"] for record in got["Records"]], expected, kind)
    with cases.case("split-shard, merge-shards, lineage, list-shards with filters"):
        aws(f"split-shard {stream} --shard-to-split shardId-000000000000 --new-starting-hash-key {THIRD // 2}")
        aws(f"wait stream-exists {stream}")
        aws(f"merge-shards {stream} --shard-to-merge shardId-000000000004 "
            "--adjacent-shard-to-merge shardId-000000000001")
        aws(f"wait stream-exists {stream}")
        shards = aws(f"list-shards {stream}")["Shards"]
        equal([(s["ShardId"][-1], s.get("ParentShardId", "-")[-1], s.get("AdjacentParentShardId", "-")[-1])
               for s in shards],
              [("0", "-", "-"), ("1", "-", "-"), ("2", "-", "-"), ("3", "0", "-"), ("4", "0", "-"), ("5", "4", "1")])
        equal(shard_ids(aws(f"list-shards {stream} --shard-filter Type=AT_LATEST")), [2, 3, 5])
        equal(shard_ids(aws(f"list-shards {stream} --shard-filter Type=AFTER_SHARD_ID,ShardId=shardId-000000000003")),
              [4, 5])
        equal(shard_ids(aws(f"list-shards {stream} --max-items 2")), [0, 1])
    with cases.case("update-shard-count"):
        answer = aws(f"update-shard-count {stream} --target-shard-count 2 --scaling-type UNIFORM_SCALING")
        equal((answer["CurrentShardCount"], answer["TargetShardCount"]), (3, 2))
        aws(f"wait stream-exists {stream}")
        equal(aws(f"describe-stream-summary {stream}")["StreamDescriptionSummary"]["OpenShardCount"], 2)
    with cases.case("increase- and decrease-stream-retention-period"):
        aws(f"increase-stream-retention-period {stream} --retention-period-hours 168")
        equal(aws(f"describe-stream-summary {stream}")["StreamDescriptionSummary"]["RetentionPeriodHours"], 168)
        aws(f"decrease-stream-retention-period {stream} --retention-period-hours 24")
    with cases.case("add-tags-to-stream, list-tags-for-stream, remove-tags-from-stream"):
        aws(f"add-tags-to-stream {stream} --tags team=clicks,stage=test")
        aws(f"remove-tags-from-stream {stream} --tag-keys stage")
        equal(aws(f"list-tags-for-stream {stream}")["Tags"], [{"Key": "team", "Value": "clicks"}])
    with cases.case("an error names its kind and its text"):
        text = aws.fails("describe-stream --stream-name nowhere")
        assert "(ResourceNotFoundException)" in text and "Stream nowhere under account" in text, text
    with cases.case("delete-stream, wait stream-not-exists"):
        aws(f"delete-stream {stream}")
        aws(f"wait stream-not-exists {stream}")
        assert name not in aws("list-streams")["StreamNames"]
    every(cases, aws)
