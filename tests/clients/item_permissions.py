"""Conditions on DynamoDB's items, tables and on CloudWatch's namespaces, by boto3."""

import json

from black_box.cases import equal, eventually
from black_box.server import ACCESS_KEY, REGION, SECRET_KEY
from clients.identity import ACCOUNT, client, denied, document, error_of


def run(cases, server, admin):
    """AWS's own pattern for items that are each user's own, and what it must not reach."""
    root = client(server.endpoint, "dynamodb", {"AccessKeyId": ACCESS_KEY, "SecretAccessKey": SECRET_KEY})
    root.create_table(TableName="items", BillingMode="PAY_PER_REQUEST", KeySchema=[
        {"AttributeName": "owner", "KeyType": "HASH"}, {"AttributeName": "n", "KeyType": "RANGE"}], AttributeDefinitions=[
            {"AttributeName": "owner", "AttributeType": "S"}, {"AttributeName": "n", "AttributeType": "N"}],
        Tags=[{"Key": "stage", "Value": "test"}])
    eventually(lambda: root.describe_table(TableName="items")["Table"]["TableStatus"] == "ACTIVE", 30, "the table")

    def item(owner):
        return {"owner": {"S": owner}, "n": {"N": "1"}}
    for owner in ("alice", "bob"):
        root.put_item(TableName="items", Item={**item(owner), "secret": {"S": "s"}, "open": {"S": "o"}})
    admin("user", "add", "alice")
    dynamo = client(server.endpoint, "dynamodb", admin("key", "create", "alice"))
    table = {"TableName": "items"}
    actions = ["dynamodb:GetItem", "dynamodb:BatchGetItem", "dynamodb:Query", "dynamodb:PutItem", "dynamodb:UpdateItem",
               "dynamodb:DeleteItem", "dynamodb:BatchWriteItem", "dynamodb:ConditionCheckItem"]

    def calls(owner, first="alice"):
        key, put = {**table, "Key": item(owner)}, {**table, "Item": item(owner)}
        condition = {"ExpressionAttributeNames": {"#o": "owner"}, "ExpressionAttributeValues": {":o": {"S": owner}}}
        yield dynamo.get_item, key
        yield dynamo.put_item, put
        yield dynamo.update_item, key
        yield dynamo.query, {**table, "KeyConditionExpression": "#o = :o", **condition}
        yield dynamo.query, {**table, "KeyConditions": {"owner": {"ComparisonOperator": "EQ", "AttributeValueList": [{"S": owner}]}}}
        yield dynamo.batch_get_item, {"RequestItems": {"items": {"Keys": [{**item(first), "n": {"N": "7"}}, item(owner)]}}}
        yield dynamo.batch_write_item, {"RequestItems": {"items": [
            {"PutRequest": {"Item": {**item(first), "n": {"N": "7"}}}}, {"DeleteRequest": {"Key": item(owner)}}]}}
        yield dynamo.transact_get_items, {"TransactItems": [{"Get": {**table, "Key": {**item(first), "n": {"N": "7"}}}}, {"Get": key}]}
        for kind, request in (("Put", put), ("Delete", key), ("ConditionCheck", {**key, "ConditionExpression": "attribute_not_exists(x)"}),
                              ("Update", {**key, "UpdateExpression": "SET x = :x", "ExpressionAttributeValues": {":x": {"S": "x"}}})):
            yield dynamo.transact_write_items, {"TransactItems": [{kind: request}]}
        yield dynamo.delete_item, key
    for operator in ("ForAllValues:StringEquals", "StringEquals", "ForAllValues:StringLike"):
        with cases.case(f"boto3, DynamoDB: with {operator} of dynamodb:LeadingKeys a user has own items and nobody else's"):
            admin("policy", "put-inline", "own", "-", "--user", "alice", stdin=document(
                "Allow", actions, f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/items",
                Condition={operator: {"dynamodb:LeadingKeys": ["${aws:username}"]}}))
            for call, request in calls("bob"):
                denied(call, **request)
            equal(root.get_item(TableName="items", Key=item("bob"))["Item"]["secret"], {"S": "s"})
            for call, request in calls("alice"):
                call(**request)
            root.put_item(TableName="items", Item={**item("alice"), "secret": {"S": "s"}, "open": {"S": "o"}})
    with cases.case("boto3, DynamoDB: a deny by dynamodb:LeadingKeys holds, in batches too"):
        admin("policy", "put-inline", "own", "-", "--user", "alice", stdin=json.dumps({"Version": "2012-10-17", "Statement": [
            {"Effect": "Allow", "Action": "*", "Resource": "*"}, {"Effect": "Deny", "Action": "*", "Resource": "*", "Condition": {
                "ForAnyValue:StringEquals": {"dynamodb:LeadingKeys": "bob"}}}]}))
        for call, request in calls("bob"):
            denied(call, **request)
    with cases.case("boto3, DynamoDB: dynamodb:Attributes and dynamodb:Select show a user only some of an item"):
        admin("policy", "put-inline", "own", "-", "--user", "alice", stdin=document("Allow", "dynamodb:*", Condition={
            "ForAllValues:StringEquals": {"dynamodb:Attributes": ["owner", "n", "open"]},
            "StringEqualsIfExists": {"dynamodb:Select": "SPECIFIC_ATTRIBUTES", "dynamodb:ReturnValues": ["NONE", "UPDATED_NEW"]}}))
        key = {**table, "Key": item("bob")}
        equal(dynamo.get_item(**key, ProjectionExpression="#o", ExpressionAttributeNames={"#o": "open"})["Item"], {"open": {"S": "o"}})
        equal(dynamo.scan(**table, ProjectionExpression="#o", ExpressionAttributeNames={"#o": "open"})["Count"] >= 2, True)
        by_secret = {"ExpressionAttributeValues": {":s": {"S": "s"}}}
        for call, request in (
                (dynamo.get_item, key), (dynamo.get_item, {**key, "ProjectionExpression": "secret"}),
                (dynamo.get_item, {**key, "AttributesToGet": ["secret"]}), (dynamo.scan, table),
                (dynamo.scan, {**table, "ProjectionExpression": "n", "FilterExpression": "begins_with(secret, :s)", **by_secret}),
                (dynamo.scan, {**table, "Select": "COUNT"}),
                (dynamo.delete_item, {**key, "ConditionExpression": "secret = :s", **by_secret}),
                (dynamo.delete_item, {**key, "Expected": {"secret": {"Value": {"S": "t"}}}}),
                (dynamo.delete_item, {**key, "ReturnValues": "ALL_OLD"}),
                (dynamo.update_item, {**key, "UpdateExpression": "SET #o = secret", "ExpressionAttributeNames": {"#o": "open"}}),
                (dynamo.transact_write_items, {"TransactItems": [{"Delete": {
                    **key, "ConditionExpression": "attribute_not_exists(n)", "ReturnValuesOnConditionCheckFailure": "ALL_OLD"}}]}),
                (dynamo.put_item, {**table, "Item": {**item("bob"), "secret": {"S": "other"}}}),
                (dynamo.batch_get_item, {"RequestItems": {"items": {"Keys": [item("bob")]}}})):
            denied(call, **request)
        equal(root.get_item(TableName="items", Key=item("bob"))["Item"]["secret"], {"S": "s"})
    with cases.case("boto3, DynamoDB: a table's tags, and those of requests, are what conditions ask about"):
        admin("policy", "put-inline", "own", "-", "--user", "alice", stdin=json.dumps({"Version": "2012-10-17", "Statement": [
            {"Effect": "Allow", "Action": "*", "Resource": "*"},
            {"Effect": "Deny", "Action": "dynamodb:GetItem", "Resource": "*", "Condition": {
                "StringEquals": {"aws:ResourceTag/stage": "test"}}},
            {"Effect": "Deny", "Action": "dynamodb:TagResource", "Resource": "*", "Condition": {
                "ForAnyValue:StringEquals": {"aws:TagKeys": "stage"}}}]}))
        denied(dynamo.get_item, **key)
        stage = {"Tags": [{"Key": "stage", "Value": "live"}]}
        denied(dynamo.tag_resource, ResourceArn=f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/items", **stage)
        keys = {"KeySchema": [{"AttributeName": "k", "KeyType": "HASH"}],
                "AttributeDefinitions": [{"AttributeName": "k", "AttributeType": "S"}]}
        denied(dynamo.create_table, TableName="staged", BillingMode="PAY_PER_REQUEST", **keys, **stage)
        dynamo.create_table(TableName="staged", BillingMode="PAY_PER_REQUEST", **keys, Tags=[{"Key": "x", "Value": "y"}])
    with cases.case("boto3, CloudWatch: cloudwatch:namespace says where metrics may be put"):
        admin("policy", "put-inline", "own", "-", "--user", "alice", stdin=document(
            "Allow", "cloudwatch:PutMetricData", Condition={"StringEquals": {"cloudwatch:namespace": "mine"}}))
        cloudwatch = client(server.endpoint, "cloudwatch", admin("key", "create", "alice"))
        data = [{"MetricName": "m", "Value": 1}]
        cloudwatch.put_metric_data(Namespace="mine", MetricData=data)
        equal(error_of(cloudwatch.put_metric_data, Namespace="theirs", MetricData=data)[0].startswith("AccessDenied"), True)
    admin("user", "remove", "alice")
