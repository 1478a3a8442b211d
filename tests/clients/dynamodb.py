"""DynamoDB as KCL's leases need it, by boto3 and by raw requests: docs/leases-api.md."""

import json
import uuid
import zlib

import boto3
import botocore.exceptions
from botocore.config import Config

from black_box.cases import equal, eventually
from black_box.server import ACCESS_KEY, REGION, SECRET_KEY
from black_box.wire import Wire

LEASE_KEY = {"AttributeDefinitions": [{"AttributeName": "leaseKey", "AttributeType": "S"}],
             "KeySchema": [{"AttributeName": "leaseKey", "KeyType": "HASH"}]}
OWNER_INDEX = "LeaseOwnerToLeaseKeyIndex"


def client_of(endpoint, access=ACCESS_KEY, secret=SECRET_KEY):
    return boto3.client("dynamodb", endpoint_url=endpoint, region_name=REGION, aws_access_key_id=access,
                        aws_secret_access_key=secret, config=Config(retries={"total_max_attempts": 1}))


def error_of(call, **request):
    try:
        call(**request)
    except botocore.exceptions.ClientError as error:
        return error
    raise AssertionError("no error")


def code_of(call, **request):
    return error_of(call, **request).response["Error"]["Code"]


def created(dynamo, **more):
    table = f"t-{uuid.uuid4().hex[:10]}"
    dynamo.create_table(TableName=table, BillingMode="PAY_PER_REQUEST", **{**LEASE_KEY, **more})
    dynamo.get_waiter("table_exists").wait(TableName=table, WaiterConfig={"Delay": 1, "MaxAttempts": 30})
    return table


def lease(shard, counter=0, owner="a"):
    return {"leaseKey": {"S": shard}, "leaseCounter": {"N": str(counter)}, "leaseOwner": {"S": owner},
            "checkpoint": {"S": "TRIM_HORIZON"}}


def tables(cases, dynamo):
    with cases.case("a table is created, described, listed, tagged and deleted"):
        table = f"t-{uuid.uuid4().hex[:10]}"
        made = dynamo.create_table(TableName=table, BillingMode="PAY_PER_REQUEST", Tags=[{"Key": "a", "Value": "b"}],
                                   **LEASE_KEY)["TableDescription"]
        equal(made["TableStatus"], "ACTIVE")
        equal(dynamo.get_item(TableName=table, Key={"leaseKey": {"S": "x"}}).get("Item"), None)
        equal(code_of(dynamo.create_table, TableName=table, BillingMode="PAY_PER_REQUEST", **LEASE_KEY),
              "ResourceInUseException")
        dynamo.get_waiter("table_exists").wait(TableName=table, WaiterConfig={"Delay": 1, "MaxAttempts": 30})
        described = dynamo.describe_table(TableName=table)["Table"]
        equal(described["BillingModeSummary"]["BillingMode"], "PAY_PER_REQUEST")
        assert table in [name for page in dynamo.get_paginator("list_tables").paginate(PaginationConfig={"PageSize": 1})
                         for name in page["TableNames"]]
        arn = described["TableArn"]
        dynamo.tag_resource(ResourceArn=arn, Tags=[{"Key": "c", "Value": "d"}])
        dynamo.untag_resource(ResourceArn=arn, TagKeys=["a"])
        equal(dynamo.list_tags_of_resource(ResourceArn=arn)["Tags"], [{"Key": "c", "Value": "d"}])
        equal(dynamo.delete_table(TableName=table)["TableDescription"]["TableStatus"], "DELETING")
        dynamo.get_waiter("table_not_exists").wait(TableName=table, WaiterConfig={"Delay": 1, "MaxAttempts": 30})
    with cases.case("a table is protected, billed otherwise, backed up by its flag, and its items expire"):
        table = created(dynamo)
        dynamo.update_table(TableName=table, BillingMode="PROVISIONED",
                            ProvisionedThroughput={"ReadCapacityUnits": 5, "WriteCapacityUnits": 6})
        dynamo.get_waiter("table_exists").wait(TableName=table, WaiterConfig={"Delay": 1, "MaxAttempts": 30})
        units = dynamo.describe_table(TableName=table)["Table"]["ProvisionedThroughput"]
        equal((units["ReadCapacityUnits"], units["WriteCapacityUnits"]), (5, 6))
        dynamo.update_continuous_backups(TableName=table,
                                         PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": True})
        equal(dynamo.describe_continuous_backups(TableName=table)["ContinuousBackupsDescription"]
              ["PointInTimeRecoveryDescription"]["PointInTimeRecoveryStatus"], "ENABLED")
        dynamo.update_time_to_live(TableName=table,
                                   TimeToLiveSpecification={"Enabled": True, "AttributeName": "until"})
        equal(dynamo.describe_time_to_live(TableName=table)["TimeToLiveDescription"],
              {"TimeToLiveStatus": "ENABLED", "AttributeName": "until"})
    with cases.case("what is not there is refused in words"):
        equal(code_of(dynamo.create_backup, TableName=table, BackupName="abc"), "UnknownOperationException")
        error = error_of(dynamo.create_table, TableName="local", BillingMode="PAY_PER_REQUEST", **LEASE_KEY,
                         StreamSpecification={"StreamEnabled": True, "StreamViewType": "KEYS_ONLY"})
        assert "StreamSpecification is not supported" in error.response["Error"]["Message"], error


def leases(cases, dynamo):
    table = created(dynamo)
    with cases.case("a lease is created once, by either form of condition"):
        dynamo.put_item(TableName=table, Item=lease("s-1"), Expected={"leaseKey": {"Exists": False}})
        error = error_of(dynamo.put_item, TableName=table, Item=lease("s-1"), Expected={"leaseKey": {"Exists": False}})
        assert isinstance(error, dynamo.exceptions.ConditionalCheckFailedException), error
        equal(error.response["Error"]["Message"], "The conditional request failed")
        equal(code_of(dynamo.put_item, TableName=table, Item=lease("s-1"),
                      ConditionExpression="attribute_not_exists(leaseKey)"), "ConditionalCheckFailedException")
    with cases.case("a lease is renewed by who holds it, and taken from who does not renew it"):
        def renew(counter):
            return dict(TableName=table, Key={"leaseKey": {"S": "s-1"}},
                        Expected={"leaseCounter": {"Value": {"N": str(counter)}},
                                  "leaseOwner": {"Value": {"S": "a"}}},
                        AttributeUpdates={"leaseCounter": {"Action": "PUT", "Value": {"N": str(counter + 1)}}})
        dynamo.update_item(**renew(0))
        equal(code_of(dynamo.update_item, **renew(0)), "ConditionalCheckFailedException")
        taken = dynamo.update_item(
            TableName=table, Key={"leaseKey": {"S": "s-1"}}, ConditionExpression="leaseCounter = :c AND leaseOwner = :a",
            UpdateExpression="SET leaseOwner = :b, leaseCounter = leaseCounter + :one",
            ExpressionAttributeValues={":c": {"N": "1"}, ":a": {"S": "a"}, ":b": {"S": "b"}, ":one": {"N": "1"}},
            ReturnValues="ALL_NEW")["Attributes"]
        equal((taken["leaseOwner"], taken["leaseCounter"]), ({"S": "b"}, {"N": "2"}))
        error = error_of(dynamo.delete_item, TableName=table, Key={"leaseKey": {"S": "s-1"}},
                         Expected={"leaseOwner": {"Value": {"S": "a"}}})
        equal(error.response["Error"]["Code"], "ConditionalCheckFailedException")
    with cases.case("leases are scanned by pages, by segments and through a filter"):
        for i in range(2, 60):
            dynamo.put_item(TableName=table, Item=lease(f"s-{i}", owner="abc"[i % 3]))
        pages = list(dynamo.get_paginator("scan").paginate(TableName=table, PaginationConfig={"PageSize": 7}))
        assert len(pages) > 8, len(pages)
        equal(sorted(i["leaseKey"]["S"] for p in pages for i in p["Items"]), sorted(f"s-{i}" for i in range(1, 60)))
        equal(sum(dynamo.scan(TableName=table, Segment=s, TotalSegments=5)["Count"] for s in range(5)), 59)
        filtered = dynamo.scan(TableName=table, FilterExpression="leaseOwner = :o AND leaseCounter < :n",
                               ExpressionAttributeValues={":o": {"S": "c"}, ":n": {"N": "1"}})
        equal((filtered["Count"], filtered["ScannedCount"]), (20, 59))
    with cases.case("an index that is made later is filled, and answers queries by pages in both directions"):
        dynamo.update_table(TableName=table, AttributeDefinitions=[
            *LEASE_KEY["AttributeDefinitions"], {"AttributeName": "leaseOwner", "AttributeType": "S"}],
            GlobalSecondaryIndexUpdates=[{"Create": {
                "IndexName": OWNER_INDEX, "Projection": {"ProjectionType": "KEYS_ONLY"},
                "KeySchema": [{"AttributeName": "leaseOwner", "KeyType": "HASH"},
                              {"AttributeName": "leaseKey", "KeyType": "RANGE"}]}}])
        eventually(lambda: dynamo.describe_table(TableName=table)["Table"]["GlobalSecondaryIndexes"][0]["IndexStatus"]
                   == "ACTIVE", 20, "the index is ACTIVE")
        for forward in (True, False):
            pages = list(dynamo.get_paginator("query").paginate(
                TableName=table, IndexName=OWNER_INDEX, KeyConditionExpression="leaseOwner = :o",
                ExpressionAttributeValues={":o": {"S": "c"}}, ScanIndexForward=forward, PaginationConfig={"PageSize": 4}))
            keys = [i["leaseKey"]["S"] for p in pages for i in p["Items"]]
            equal(keys, sorted((f"s-{i}" for i in range(2, 60) if i % 3 == 2), reverse=not forward))
            equal({tuple(sorted(i)) for p in pages for i in p["Items"]}, {("leaseKey", "leaseOwner")})
        dynamo.update_item(TableName=table, Key={"leaseKey": {"S": "s-2"}}, UpdateExpression="REMOVE leaseOwner")
        equal(dynamo.query(TableName=table, IndexName=OWNER_INDEX, Select="COUNT", ExpressionAttributeValues={
            ":o": {"S": "c"}}, KeyConditionExpression="leaseOwner = :o")["Count"], 19)
        equal(dynamo.query(TableName=table, IndexName=OWNER_INDEX, KeyConditionExpression=
                           "leaseOwner = :o AND begins_with(leaseKey, :p)",
                           ExpressionAttributeValues={":o": {"S": "c"}, ":p": {"S": "s-2"}})["Count"], 4)
    return table


def many_at_once(cases, dynamo, table):
    with cases.case("batches write and read"):
        dynamo.batch_write_item(RequestItems={table: [
            {"PutRequest": {"Item": lease(f"b-{i}")}} for i in range(24)] + [{"DeleteRequest": {"Key": {
                "leaseKey": {"S": "s-3"}}}}]})
        got = dynamo.batch_get_item(RequestItems={table: {"Keys": [{"leaseKey": {"S": f"b-{i}"}} for i in range(30)],
                                                          "ProjectionExpression": "leaseKey"}})["Responses"][table]
        equal(len(got), 24)
        equal(code_of(dynamo.batch_write_item, RequestItems={table: [
            {"PutRequest": {"Item": lease("twice")}}] * 2}), "ValidationException")
    with cases.case("a transaction happens as a whole or says why not"):
        def put(key, **more):
            return {"Put": {"TableName": table, "Item": lease(key), **more}}

        dynamo.transact_write_items(TransactItems=[put("t-1"), put("t-2"), {"Delete": {
            "TableName": table, "Key": {"leaseKey": {"S": "b-0"}}}}])
        error = error_of(dynamo.transact_write_items, TransactItems=[
            put("t-3"), put("t-1", ConditionExpression="attribute_not_exists(leaseKey)",
                            ReturnValuesOnConditionCheckFailure="ALL_OLD")])
        equal(error.response["Error"]["Code"], "TransactionCanceledException")
        reasons = error.response["CancellationReasons"]
        equal([reason["Code"] for reason in reasons], ["None", "ConditionalCheckFailed"])
        equal(reasons[1]["Item"]["leaseKey"], {"S": "t-1"})
        got = dynamo.transact_get_items(TransactItems=[{"Get": {"TableName": table, "Key": {"leaseKey": {"S": key}}}}
                                                       for key in ("t-1", "t-2", "t-3", "b-0")])["Responses"]
        equal(["Item" in one for one in got], [True, True, False, False])
    with cases.case("an item of more than 400 KB is refused"):
        equal(code_of(dynamo.put_item, TableName=table, Item={**lease("big"), "v": {"S": "x" * 410_000}}),
              "ValidationException")
        dynamo.put_item(TableName=table, Item={**lease("big"), "v": {"B": b"x" * 400_000}})


def protocol(cases, endpoint, dynamo, table):
    wire = Wire(endpoint)

    def post(operation, body, **how):
        return wire.exchange(headers={"content-type": "application/x-amz-json-1.0",
                                      "x-amz-target": f"DynamoDB_20120810.{operation}"},
                             body=body if isinstance(body, bytes) else json.dumps(body).encode(),
                             **{"service": "dynamodb", **how})

    with cases.case("answers have the checksum and the type that SDKs look at"):
        answer = post("GetItem", {"TableName": table, "Key": {"leaseKey": {"S": "t-1"}}})
        equal(answer.status, 200)
        equal(int(answer.headers["x-amz-crc32"]), zlib.crc32(answer.body))
        equal(answer.headers["content-type"], "application/x-amz-json-1.0")
        equal(len(answer.headers["x-amzn-requestid"]), 52)
    with cases.case("what is unsigned, wrongly signed or signed for another service is refused"):
        body = {"TableName": table}
        equal(post("DescribeTable", body, sign=False).json["__type"].split("#")[1], "MissingAuthenticationTokenException")
        equal(post("DescribeTable", body, secret="wrong").json["__type"].split("#")[1], "InvalidSignatureException")
        equal(post("DescribeTable", body, service="kinesis").status, 400)
        equal(code_of(client_of(endpoint, access="AKIANOBODY").list_tables), "UnrecognizedClientException")
    with cases.case("bodies that are none get an error of the protocol"):
        for body, error in ((b"", "SerializationException"), (b"{", "SerializationException"),
                            (b"[]", "SerializationException"), (b"[" * 100_000, "ValidationException"),
                            (b'{"TableName": 5}', "SerializationException"), (b"{}", "ValidationException")):
            answer = post("DescribeTable", body)
            equal((answer.status, answer.json["__type"].split("#")[1]), (400, error), repr(body[:20]))


def run(cases, server, endpoint):
    dynamo = client_of(endpoint)
    tables(cases, dynamo)
    table = leases(cases, dynamo)
    many_at_once(cases, dynamo, table)
    protocol(cases, endpoint, dynamo, table)
    with cases.case("what was acknowledged is there after kill -9"):
        before = dynamo.scan(TableName=table)["Items"]
        server.kill9()
        server.start()
        after = client_of(server.endpoint).scan(TableName=table)["Items"]
        equal(len(after), len(before))
        assert all(item in after for item in before)
