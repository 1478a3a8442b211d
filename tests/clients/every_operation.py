"""Each operation once, through any client: the steps of every_operation.json, which all clients' programs share.

A step calls an operation `with` members, in which "$name", "$arn", "$now" and what was `save`d before stand for values;
`expect`s values by their path in the answer (of SubscribeToShard: in its first event); and waits until the stream, or the
consumer, is ACTIVE where it says `then`."""

import json
import os
import time
import uuid

from black_box.cases import Skip, equal, eventually
from black_box.server import REGION
from black_box.wire import Wire

STEPS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "every_operation.json")


def filled(value, known):
    """`value` with what its "$…" stand for."""
    if isinstance(value, dict):
        return {key: filled(one, known) for key, one in value.items()}
    if isinstance(value, list):
        return [filled(one, known) for one in value]
    return known.get(value, value) if isinstance(value, str) else value


def at(answer, path):
    for part in path.split("."):
        answer = answer[int(part)] if part.isdigit() else answer[part]
    return answer


def run(cases, endpoint, has, call):
    """`has(operation)`: whether the client knows it. `call(operation, request)` answers, or throws. Returns the operations
    that went well."""
    wire = Wire(endpoint)  # waits without the client, which may take a second a call
    with open(STEPS, encoding="utf-8") as steps:
        steps = json.load(steps)
    name = f"every-{uuid.uuid4().hex[:8]}"
    known = {"$name": name, "$arn": f"arn:aws:kinesis:{REGION}:000000000000:stream/{name}", "$now": int(time.time())}
    covered = set()

    for step in steps:
        operation = step["call"]
        with cases.case(f"{operation}, once"):
            if not has(operation):
                raise Skip("this version of the client does not know it")
            answer = call(operation, filled(step["with"], known))
            for path, expected in step.get("expect", {}).items():
                equal(at(answer, path), filled(expected, known), path)
            for variable, path in step.get("save", {}).items():
                known[variable] = at(answer, path)
            if step.get("then") == "active":
                wire.wait_active(name)
            if step.get("then") == "consumer active":
                eventually(lambda: wire.call("DescribeStreamConsumer", ConsumerARN=known["$consumer"])
                           ["ConsumerDescription"]["ConsumerStatus"] == "ACTIVE", 30, "consumer ACTIVE")
            covered.add(operation)
    return covered
