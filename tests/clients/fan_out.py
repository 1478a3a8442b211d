"""Enhanced fan-out by boto3, over HTTP/1.1: consumers, subscriptions, resharding under them, and the server's stop."""

import threading
import time

from black_box.cases import equal, eventually
from clients.sdk_boto3 import active, client_of, created, error_of, ids, shards_of


def registered(kinesis, name, consumer):
    arn = kinesis.describe_stream_summary(StreamName=name)["StreamDescriptionSummary"]["StreamARN"]
    consumer_arn = kinesis.register_stream_consumer(StreamARN=arn, ConsumerName=consumer)["Consumer"]["ConsumerARN"]
    eventually(lambda: kinesis.describe_stream_consumer(ConsumerARN=consumer_arn)["ConsumerDescription"]["ConsumerStatus"]
               == "ACTIVE", 30, f"{consumer} ACTIVE")
    return consumer_arn


class Subscriber:
    """Reads one shard in a thread until the subscription ends; `events` grows meanwhile."""

    def __init__(self, endpoint, consumer_arn, shard, position=None):
        # A client of its own: botocore lends a connection to one answer at a time.
        self._answer = client_of(endpoint).subscribe_to_shard(
            ConsumerARN=consumer_arn, ShardId=f"shardId-{shard:012d}", StartingPosition=position or {"Type": "LATEST"})
        self.shard = shard
        self.events = []
        self.error = None
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()
        eventually(lambda: self.events, 10, "the first event")

    def _read(self):
        try:
            for event in self._answer["EventStream"]:
                self.events.append(event["SubscribeToShardEvent"])
        except Exception as error:  # told to whoever joins
            self.error = error

    def ended(self, seconds=20):
        self._thread.join(seconds)
        assert not self._thread.is_alive(), "the subscription goes on"
        return self

    def close(self):
        self._answer["EventStream"].close()

    def data(self):
        return [record["Data"] for event in list(self.events) for record in event["Records"]]

    def children(self):
        return ids(self.events[-1].get("ChildShards", []))


def subscriptions(cases, endpoint, kinesis):
    name = created(kinesis, 2, "fan-out")
    arn = registered(kinesis, name, "reader")
    with cases.case("a consumer is listed, and takes tags along"):
        stream_arn = arn.split("/consumer/")[0]
        equal([one["ConsumerName"] for one in kinesis.list_stream_consumers(StreamARN=stream_arn)["Consumers"]], ["reader"])
        equal(kinesis.describe_stream_summary(StreamName=name)["StreamDescriptionSummary"]["ConsumerCount"], 1)
    with cases.case("records are pushed to whoever subscribes, each shard's to its own"):
        readers = [Subscriber(endpoint, arn, shard) for shard in (0, 1)]
        sent = [f"{i}".encode() for i in range(500)]
        answers = kinesis.put_records(StreamName=name, Records=[
            {"PartitionKey": f"k{i}", "Data": data} for i, data in enumerate(sent)])["Records"]
        for reader in readers:
            wanted = [data for data, answer in zip(sent, answers) if ids([answer]) == [reader.shard]]
            eventually(lambda: len(reader.data()) >= len(wanted), 10, "all records")
            equal(reader.data(), wanted)
            equal(reader.events[-1]["MillisBehindLatest"], 0)
    with cases.case("a second subscription within five seconds is refused, a later one takes over from the first"):
        error = error_of(client_of(endpoint).subscribe_to_shard, ConsumerARN=arn, ShardId="shardId-000000000000",
                         StartingPosition={"Type": "LATEST"})
        equal(error.response["Error"]["Code"], "ResourceInUseException")
        equal(error.response["ResponseMetadata"]["HTTPStatusCode"], 400)
        time.sleep(5)
        go_on = {"Type": "AFTER_SEQUENCE_NUMBER", "SequenceNumber": readers[0].events[-1]["ContinuationSequenceNumber"]}
        second = Subscriber(endpoint, arn, 0, go_on)
        assert "ResourceInUseException" in str(readers[0].ended().error), readers[0].error
        kinesis.put_record(StreamName=name, PartitionKey="k", ExplicitHashKey="0", Data=b"for the second")
        eventually(lambda: second.data() == [b"for the second"], 10, "the record")
    with cases.case("a client that went away can come again, and gets what it has not seen"):
        at = second.events[-1]["ContinuationSequenceNumber"]
        second.close()
        kinesis.put_record(StreamName=name, PartitionKey="k", ExplicitHashKey="0", Data=b"meanwhile")
        time.sleep(5)
        third = Subscriber(endpoint, arn, 0, {"Type": "AT_SEQUENCE_NUMBER", "SequenceNumber": at})
        eventually(lambda: third.data() == [b"meanwhile"], 10, "the record")
    with cases.case("a stream with consumers is deleted by force only, and its subscriptions are told"):
        equal(error_of(kinesis.delete_stream, StreamName=name).response["Error"]["Code"], "ResourceInUseException")
        kinesis.delete_stream(StreamName=name, EnforceConsumerDeletion=True)
        assert "ResourceNotFoundException" in str(third.ended().error), third.error


def resharding(cases, endpoint, kinesis):
    """Shards split and merge under the subscriber, who follows the children that it is told of."""
    name = created(kinesis, 2, "fan-reshard")
    arn = registered(kinesis, name, "reader")
    with cases.case("every record once while shards split and merge, each shard to its end, children as told"):
        sent, stop = [], threading.Event()

        def produce():
            client = client_of(endpoint)
            for i in range(100_000):
                if stop.is_set():
                    return
                batch = [f"{i}-{j}".encode() for j in range(20)]
                answer = client.put_records(StreamName=name, Records=[
                    {"PartitionKey": data.decode(), "Data": data} for data in batch])
                sent.extend(data for data, one in zip(batch, answer["Records"]) if "ErrorCode" not in one)

        readers = {shard: Subscriber(endpoint, arn, shard) for shard in (0, 1)}
        producer = threading.Thread(target=produce, daemon=True)
        producer.start()

        def follow(shard):
            """Waits for the end of `shard`, and subscribes to the children that nobody has yet."""
            children = readers[shard].ended().children()
            assert children and readers[shard].error is None, (shard, readers[shard].events[-1], readers[shard].error)
            assert "ContinuationSequenceNumber" not in readers[shard].events[-1]
            for child in children:
                if child not in readers:
                    readers[child] = Subscriber(endpoint, arn, child, {"Type": "TRIM_HORIZON"})
            return children

        kinesis.split_shard(StreamName=name, ShardToSplit="shardId-000000000000", NewStartingHashKey=str(2**126))
        equal(follow(0), [2, 3])
        active(kinesis, name)
        kinesis.merge_shards(StreamName=name, ShardToMerge="shardId-000000000003", AdjacentShardToMerge="shardId-000000000001")
        equal(follow(3), [4])
        equal(follow(1), [4])
        active(kinesis, name)
        time.sleep(0.5)
        stop.set()
        producer.join(20)
        got = lambda: [data for reader in readers.values() for data in reader.data()]
        eventually(lambda: len(got()) >= len(sent), 20, "all records")
        equal(sorted(got()), sorted(sent))
        equal(sorted(readers), ids(shards_of(kinesis, name)))


def stopping(cases, server, endpoint, kinesis):
    name = created(kinesis, 1, "fan-stop")
    arn = registered(kinesis, name, "reader")
    with cases.case("a server that stops ends its subscriptions in order, and knows its consumers afterwards"):
        reader = Subscriber(endpoint, arn, 0)
        kinesis.put_record(StreamName=name, PartitionKey="k", Data=b"before")
        eventually(lambda: reader.data() == [b"before"], 10, "the record")
        began = time.monotonic()
        equal(server.stop(), 0, "exit code")
        assert time.monotonic() - began < 8, "the drain waited for the subscription"
        equal(reader.ended().error, None)
        server.start()
        after = Subscriber(endpoint, arn, 0, {"Type": "TRIM_HORIZON"})
        eventually(lambda: after.data() == [b"before"], 10, "the record")


def run(cases, server, endpoint):
    """`server` is None where it is not ours to restart."""
    kinesis = client_of(endpoint)
    subscriptions(cases, endpoint, kinesis)
    resharding(cases, endpoint, kinesis)
    if server is not None:
        stopping(cases, server, endpoint, kinesis)
