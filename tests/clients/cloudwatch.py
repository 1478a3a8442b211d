"""CloudWatch as KCL and the KPL need it, in each protocol that SDKs speak: docs/leases-api.md."""

import datetime
import gzip
import json
import urllib.parse
import uuid

import boto3
import botocore.exceptions
from botocore.config import Config

from black_box.cases import equal, eventually
from black_box.server import ACCESS_KEY, REGION, SECRET_KEY
from black_box.wire import Wire
from clients import sdk_boto3
from clients.fan_out import Subscriber, registered

TARGET = "GraniteServiceVersion20100801"


def client_of(endpoint):
    return boto3.client("cloudwatch", endpoint_url=endpoint, region_name=REGION, aws_access_key_id=ACCESS_KEY,
                        aws_secret_access_key=SECRET_KEY, config=Config(retries={"total_max_attempts": 1}))


def minute_ago(minutes=0):
    now = datetime.datetime.now(datetime.timezone.utc).replace(second=0, microsecond=0)
    return now - datetime.timedelta(minutes=minutes)


def sdk(cases, watch):
    space = f"app-{uuid.uuid4().hex[:8]}"
    dimensions = [{"Name": "Operation", "Value": "ProcessTask"}, {"Name": "ShardId", "Value": "s-1"}]
    with cases.case("what was published is added up by the minute and the period"):
        at = minute_ago(10)
        for i in range(6):
            watch.put_metric_data(Namespace=space, MetricData=[
                {"MetricName": "RecordsProcessed", "Dimensions": dimensions, "Value": i, "Unit": "Count",
                 "Timestamp": at + datetime.timedelta(seconds=30 * i)}])
        watch.put_metric_data(Namespace=space, MetricData=[
            {"MetricName": "Time", "Unit": "Milliseconds", "StatisticValues": {
                "SampleCount": 4, "Sum": 10, "Minimum": 1, "Maximum": 4}},
            {"MetricName": "Spread", "Values": [1.0, 5.0], "Counts": [3.0, 1.0]}])
        statistics = watch.get_metric_statistics(
            Namespace=space, MetricName="RecordsProcessed", Dimensions=dimensions, Period=60, StartTime=at,
            EndTime=minute_ago(-1), Statistics=["Sum", "Average", "Minimum", "Maximum", "SampleCount"])
        points = sorted(statistics["Datapoints"], key=lambda p: p["Timestamp"])
        equal([(p["Sum"], p["Average"], p["SampleCount"], p["Unit"]) for p in points],
              [(1, 0.5, 2, "Count"), (5, 2.5, 2, "Count"), (9, 4.5, 2, "Count")])
        equal(points[0]["Timestamp"], at)
        whole = watch.get_metric_statistics(Namespace=space, MetricName="RecordsProcessed", Dimensions=dimensions,
                                            Period=3600, StartTime=at, EndTime=minute_ago(-1), Statistics=["Sum"])
        equal(sum(p["Sum"] for p in whole["Datapoints"]), 15)
    with cases.case("several metrics are read at once, newest first unless told"):
        def query(id_, name, stat, dims=()):
            return {"Id": id_, "MetricStat": {"Metric": {"Namespace": space, "MetricName": name, "Dimensions": list(dims)},
                                              "Period": 60, "Stat": stat}}
        got = watch.get_metric_data(StartTime=minute_ago(30), EndTime=minute_ago(-2), MetricDataQueries=[
            query("a", "RecordsProcessed", "Sum", dimensions), query("b", "Time", "Maximum"),
            query("c", "Spread", "SampleCount"), query("d", "Nothing", "Sum")])["MetricDataResults"]
        equal([(r["Id"], r["Values"], r["StatusCode"]) for r in got],
              [("a", [9, 5, 1], "Complete"), ("b", [4], "Complete"), ("c", [4], "Complete"), ("d", [], "Complete")])
    with cases.case("metrics are listed by namespace, name and dimension"):
        names = [m["MetricName"] for page in watch.get_paginator("list_metrics").paginate(Namespace=space)
                 for m in page["Metrics"]]
        equal(sorted(names), ["RecordsProcessed", "Spread", "Time"])
        found = watch.list_metrics(Namespace=space, Dimensions=[{"Name": "ShardId"}])["Metrics"]
        equal(found[0]["Dimensions"], dimensions)
        equal(watch.list_metrics(Namespace=space, Dimensions=[{"Name": "ShardId", "Value": "s-2"}])["Metrics"], [])
    with cases.case("what is wrong is refused in CloudWatch's codes"):
        for code, call, request in (
                ("InvalidParameterCombination", watch.put_metric_data,
                 {"Namespace": space, "MetricData": [{"MetricName": "x"}]}),
                ("InvalidParameterValue", watch.put_metric_data,
                 {"Namespace": "AWS/Kinesis", "MetricData": [{"MetricName": "x", "Value": 1}]}),
                ("InvalidParameterValue", watch.get_metric_statistics,
                 {"Namespace": space, "MetricName": "x", "Period": 61, "StartTime": minute_ago(5),
                  "EndTime": minute_ago(), "Statistics": ["Sum"]})):
            try:
                call(**request)
                raise AssertionError("no error")
            except botocore.exceptions.ClientError as error:
                assert error.response["Error"]["Code"].startswith(code), error
    return space


def query_protocol(cases, wire):
    """As the KPL's daemon and SDKs of before 2025 send it."""
    def post(**form):
        return wire.exchange(headers={"content-type": "application/x-www-form-urlencoded; charset=utf-8"},
                             body=urllib.parse.urlencode({"Version": "2010-08-01", **form}).encode(), service="monitoring")

    with cases.case("the query protocol answers in XML"):
        space = f"kpl-{uuid.uuid4().hex[:8]}"
        answer = post(**{"Action": "PutMetricData", "Namespace": space, "MetricData.member.1.MetricName": "UserRecordsPut",
                         "MetricData.member.1.Unit": "Count", "MetricData.member.1.Dimensions.member.1.Name": "StreamName",
                         "MetricData.member.1.Dimensions.member.1.Value": "a <b>", "MetricData.member.1.Timestamp":
                             minute_ago(1).strftime("%Y-%m-%dT%H:%M:%SZ"),
                         "MetricData.member.1.StatisticValues.SampleCount": "2", "MetricData.member.1.StatisticValues.Sum": "7",
                         "MetricData.member.1.StatisticValues.Minimum": "3", "MetricData.member.1.StatisticValues.Maximum": "4"})
        equal((answer.status, answer.headers["content-type"]), (200, "text/xml"))
        assert b"<PutMetricDataResponse" in answer.body and b"<RequestId>" in answer.body, answer
        answer = post(**{"Action": "GetMetricStatistics", "Namespace": space, "MetricName": "UserRecordsPut", "Period": "60",
                         "Dimensions.member.1.Name": "StreamName", "Dimensions.member.1.Value": "a <b>",
                         "Statistics.member.1": "Sum", "StartTime": minute_ago(5).isoformat(),
                         "EndTime": minute_ago(-1).strftime("%Y-%m-%dT%H:%M:%SZ")})
        assert b"<Sum>7</Sum>" in answer.body and b"<Unit>Count</Unit>" in answer.body, answer
        assert b"<Value>a &lt;b&gt;</Value>" in post(Action="ListMetrics", Namespace=space).body
    with cases.case("an error of the query protocol is XML, too"):
        answer = post(Action="DescribeAlarms")
        equal(answer.status, 400)
        assert b"<Code>InvalidAction</Code>" in answer.body, answer
        answer = wire.exchange(headers={"content-type": "application/x-www-form-urlencoded"}, body=b"Action=ListMetrics",
                               service="monitoring", secret="wrong")
        equal(answer.status, 403)
        assert b"<Code>InvalidSignature" in answer.body or b"<Code>SignatureDoesNotMatch" in answer.body, answer


def newer_protocols(cases, wire):
    space = f"new-{uuid.uuid4().hex[:8]}"
    body = json.dumps({"Namespace": space, "MetricData": [{"MetricName": "m", "Value": 2.5}]}).encode()
    headers = {"content-type": "application/x-amz-json-1.0", "x-amz-target": f"{TARGET}.PutMetricData"}
    with cases.case("JSON 1.0, plain and compressed"):
        answer = wire.exchange(headers=headers, body=body, service="monitoring")
        equal((answer.status, answer.json), (200, {}))
        answer = wire.exchange(headers={**headers, "content-encoding": "gzip"}, body=gzip.compress(body), service="monitoring")
        equal(answer.status, 200)
        listed = wire.exchange(headers={**headers, "x-amz-target": f"{TARGET}.ListMetrics"},
                               body=json.dumps({"Namespace": space}).encode(), service="monitoring").json
        equal(listed["Metrics"], [{"Namespace": space, "MetricName": "m", "Dimensions": []}])
    with cases.case("a body that inflates beyond its bound is refused"):
        answer = wire.exchange(headers={**headers, "content-encoding": "gzip"}, body=gzip.compress(bytes(50_000_000)),
                               service="monitoring")
        equal(answer.status, 400)
    with cases.case("CBOR over its own path"):
        # {"Namespace": space, "MetricData": [{"MetricName": "m", "Value": 2.5}]}
        def text(value):
            return bytes([0x60 + len(value)]) + value.encode()
        cbor = (b"\xa2" + text("Namespace") + text(space) + text("MetricData") + b"\x9f\xbf" + text("MetricName") + text("c") +
                text("Value") + b"\xfb\x40\x04\x00\x00\x00\x00\x00\x00\xff\xff")
        headers = {"content-type": "application/cbor", "smithy-protocol": "rpc-v2-cbor"}
        answer = wire.exchange(target=f"/service/{TARGET}/operation/PutMetricData", headers=headers, body=cbor,
                               service="monitoring")
        equal((answer.status, answer.headers.get("smithy-protocol")), (200, "rpc-v2-cbor"))
        answer = wire.exchange(target=f"/service/{TARGET}/operation/ListMetrics", headers=headers,
                               body=b"\xa1" + text("Namespace") + text(space), service="monitoring")
        assert text("MetricName") + text("c") in answer.body, answer
        answer = wire.exchange(target=f"/service/{TARGET}/operation/PutMetricData", headers=headers, body=b"\xa0",
                               service="monitoring")
        equal((answer.status, answer.headers["x-amzn-query-error"]), (400, "MissingParameter;Sender"))
        answer = wire.exchange(target=f"/service/{TARGET}/operation/PutMetricData", headers=headers, body=b"\xbf\x01",
                               service="monitoring")
        equal(answer.status, 400)


def statistics(watch, name, metric, statistic="Sum", **dimensions):
    """What the metric came to within the last minutes: (value, unit), or None. Asked as the Scaling Utility asks."""
    points = watch.get_metric_statistics(
        Namespace="AWS/Kinesis", MetricName=metric, Period=60, Statistics=[statistic], StartTime=minute_ago(10),
        EndTime=minute_ago(-2), Dimensions=[{"Name": "StreamName", "Value": name}] +
        [{"Name": key, "Value": value} for key, value in dimensions.items()])["Datapoints"]
    if not points:
        return None
    values = [point[statistic] for point in points]
    return {"Sum": sum, "SampleCount": sum, "Maximum": max, "Minimum": min}[statistic](values), points[0]["Unit"]


def own_metrics(cases, endpoint, watch):
    """What was done to streams, under the names of AWS/Kinesis: the figures are at most about a second old."""
    kinesis = sdk_boto3.client_of(endpoint)
    name = sdk_boto3.created(kinesis, 2, "metered")
    idle = sdk_boto3.created(kinesis, 1, "idle")
    kinesis.enable_enhanced_monitoring(StreamName=name, ShardLevelMetrics=["IncomingRecords", "OutgoingBytes"])

    def comes_to(metric, value, unit, statistic="Sum", **dimensions):
        eventually(lambda: statistics(watch, name, metric, statistic, **dimensions) == (value, unit), 10,
                   f"{metric} {value} {unit}: {statistics(watch, name, metric, statistic, **dimensions)}")

    def batch(data, halves):
        kinesis.put_records(StreamName=name, Records=[
            {"PartitionKey": "k", "ExplicitHashKey": str(half << 127), "Data": data} for half in halves])

    with cases.case("puts, as the Scaling Utility adds them up"):
        batch(b"0123456789", (0, 0, 1))
        batch(b"x", (0, 1))
        kinesis.put_record(StreamName=name, PartitionKey="k", ExplicitHashKey="0", Data=b"0123")
        comes_to("PutRecord.Bytes", 5, "Bytes")  # data and key
        comes_to("PutRecords.Bytes", 37, "Bytes")
        comes_to("PutRecord.Success", 1, "Count")
        comes_to("PutRecords.Records", 5, "Count")
        comes_to("IncomingBytes", 42, "Bytes")
        comes_to("IncomingRecords", 6, "Count")
        comes_to("IncomingRecords", 3, "Count", "Maximum")
        comes_to("IncomingRecords", 3, "Count", "SampleCount")
        comes_to("PutRecords.Success", 2, "Count")
        comes_to("PutRecords.TotalRecords", 5, "Count")
        comes_to("PutRecords.SuccessfulRecords", 5, "Count")
        comes_to("PutRecords.FailedRecords", 0, "Count")
        comes_to("PutRecords.ThrottledRecords", 0, "Count")
        comes_to("WriteProvisionedThroughputExceeded", 0, "Count")
        value, unit = statistics(watch, name, "PutRecords.Latency", "Maximum")
        assert 0 < value < 60_000 and unit == "Milliseconds", (value, unit)
    with cases.case("reads"):
        for shard in (0, 1):
            kinesis.get_records(ShardIterator=sdk_boto3.iterator(kinesis, name, shard))
        comes_to("GetRecords.Bytes", 42, "Bytes")
        comes_to("GetRecords.Records", 6, "Count")
        comes_to("GetRecords.Success", 2, "Count")
        comes_to("ReadProvisionedThroughputExceeded", 0, "Count")
        for metric in ("GetRecords.Latency", "GetRecords.IteratorAgeMilliseconds"):
            value, unit = statistics(watch, name, metric, "Maximum")
            assert 0 < value < 60_000 and unit == "Milliseconds", (metric, value, unit)
    with cases.case("of shards what their owner enabled, and no more"):
        comes_to("IncomingRecords", 4, "Count", ShardId="shardId-000000000000")
        comes_to("IncomingRecords", 2, "Count", ShardId="shardId-000000000001")
        comes_to("OutgoingBytes", 13, "Bytes", ShardId="shardId-000000000001")
        equal(statistics(watch, name, "IncomingBytes", ShardId="shardId-000000000000"), None)
    with cases.case("consumers with a throughput of their own"):
        arn = registered(kinesis, name, "reader")
        reader = Subscriber(endpoint, arn, 0, {"Type": "TRIM_HORIZON"})
        eventually(lambda: len(reader.data()) == 4, 10, "4 records")
        sdk_boto3.error_of(sdk_boto3.client_of(endpoint).subscribe_to_shard, ConsumerARN=arn,
                           ShardId="shardId-000000000000", StartingPosition={"Type": "LATEST"})
        comes_to("SubscribeToShard.Success", 1, "Count", ConsumerName="reader")
        comes_to("SubscribeToShard.Success", 2, "Count", "SampleCount", ConsumerName="reader")
        comes_to("SubscribeToShard.RateExceeded", 1, "Count", ConsumerName="reader")
        comes_to("SubscribeToShardEvent.Bytes", 29, "Bytes", ConsumerName="reader")
        comes_to("SubscribeToShardEvent.Records", 4, "Count", ConsumerName="reader")
        comes_to("SubscribeToShardEvent.MillisBehindLatest", 0, "Milliseconds", "Minimum", ConsumerName="reader")
        comes_to("SubscribeToShardEvent.Success", 1, "Count", "Maximum", ConsumerName="reader")
        reader.close()
    with cases.case("GetMetricData reads them, and ListMetrics names what there is of a stream"):
        at = [{"Name": "StreamName", "Value": name}]
        got = watch.get_metric_data(StartTime=minute_ago(10), EndTime=minute_ago(-2), MetricDataQueries=[
            {"Id": f"q{i}", "MetricStat": {"Metric": {"Namespace": "AWS/Kinesis", "MetricName": metric, "Dimensions": at},
                                           "Period": 3600, "Stat": "Sum"}}
            for i, metric in enumerate(("IncomingBytes", "GetRecords.Bytes"))])["MetricDataResults"]
        equal([sum(result["Values"]) for result in got], [42, 42])
        listed = [metric for page in watch.get_paginator("list_metrics").paginate(Namespace="AWS/Kinesis", Dimensions=at)
                  for metric in page["Metrics"]]
        names = {(metric["MetricName"], len(metric["Dimensions"])) for metric in listed}
        assert {("IncomingBytes", 1), ("GetRecords.IteratorAgeMilliseconds", 1), ("IncomingRecords", 2),
                ("SubscribeToShardEvent.Bytes", 2)} <= names, names
        assert ("IncomingBytes", 2) not in names, names
    with cases.case("a stream to which nothing is done has no metrics"):
        equal(watch.list_metrics(Namespace="AWS/Kinesis", Dimensions=[{"Name": "StreamName", "Value": idle}])["Metrics"], [])


def run(cases, endpoint):
    sdk(cases, client_of(endpoint))
    own_metrics(cases, endpoint, client_of(endpoint))
    wire = Wire(endpoint)
    query_protocol(cases, wire)
    newer_protocols(cases, wire)
