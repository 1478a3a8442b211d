"""One change of each part of a server that keeps a chain of changes of its own: streams, identities, keys, tables."""

import itertools
import json

_numbers = itertools.count(1)
TABLE = "leases"


def _post(wire, target, content_type, service, body):
    return wire.exchange(headers={"content-type": content_type, "x-amz-target": target}, body=json.dumps(body).encode(),
                         service=service)


def _table(wire, operation, body):
    return _post(wire, f"DynamoDB_20120810.{operation}", "application/x-amz-json-1.0", "dynamodb", body)


def make_table(wire):
    """Once, before change_each()."""
    made = _table(wire, "CreateTable", {
        "TableName": TABLE, "BillingMode": "PAY_PER_REQUEST",
        "AttributeDefinitions": [{"AttributeName": "leaseKey", "AttributeType": "S"}],
        "KeySchema": [{"AttributeName": "leaseKey", "KeyType": "HASH"}]})
    assert made.status == 200, made


def change_each(wire, stream, identities=True):
    """Tries one change of each; the answers by part. identities: whether the server checks signatures."""
    number = next(_numbers)
    answers = {
        "streams": wire.post("AddTagsToStream", {"StreamName": stream, "Tags": {"changed": str(number)}}),
        "keys": _post(wire, "TrentService.CreateKey", "application/x-amz-json-1.1", "kms", {"Description": str(number)}),
        "tables": _table(wire, "PutItem", {"TableName": TABLE, "Item": {"leaseKey": {"S": str(number)}}}),
    }
    if identities:
        answers["identities"] = wire.exchange(target="/admin/AddUser", headers={"content-type": "application/json"},
                                              body=json.dumps({"User": f"user-{number}"}).encode(), service="millrace")
    return answers


def refused(answers):
    """Those that are no success."""
    return {part: answer for part, answer in answers.items() if answer.status != 200}
