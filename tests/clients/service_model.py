"""Every operation and every member of a request in botocore's model of Kinesis is known to the server. The model is newer
than Debian's: pip downloads it from PyPI, and where that cannot be reached the cases are skipped."""

import glob
import gzip
import json
import os
import subprocess
import sys
import zipfile

from black_box.cases import Skip, equal
from black_box.wire import Wire

VERSION = "1.44.8"
OPERATIONS_MIN = 57
MODEL = "botocore/data/kinesis/2013-12-02/service-2.json.gz"
ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PACKAGES = os.path.join(ROOT, "build", "clients-pypi")
# Operations that answer that they come later, and with what.
LATER = {"Channel": "channels come later, with delivery", "Queue": "queues come later"}
WRONG = {"string": 5, "integer": "x", "long": "x", "boolean": 5, "timestamp": "x", "blob": 5, "list": {}, "map": [],
         "structure": []}


def wheel():
    """The path of botocore's wheel, downloaded once. Skip: PyPI cannot be reached."""
    wanted = os.path.join(PACKAGES, f"botocore-{VERSION}-*.whl")
    if not glob.glob(wanted):
        done = subprocess.run([sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--retries", "1",
                               "--dest", PACKAGES, f"botocore=={VERSION}"], capture_output=True, text=True, timeout=180,
                              check=False)
        if done.returncode != 0:
            raise Skip(f"botocore {VERSION} could not be had from PyPI: {(done.stderr.strip() or 'no reason').splitlines()[-1]}")
    return glob.glob(wanted)[0]


def model():
    with zipfile.ZipFile(wheel()) as packed:
        return json.loads(gzip.decompress(packed.read(MODEL)))


def later(operation):
    return next((text for part, text in LATER.items() if part in operation), None)


def requests(shapes, structure, path="", nest=lambda inner: inner):
    """(member's path, a request in which it has a value of a wrong type) of each member, and of members of members."""
    for name, reference in structure.get("members", {}).items():
        shape = shapes[reference["shape"]]
        yield path + name, nest({name: WRONG[shape["type"]]})
        if shape["type"] == "structure":
            yield from requests(shapes, shape, f"{path}{name}.", lambda inner, name=name: nest({name: inner}))
        if shape["type"] == "list" and shapes[shape["member"]["shape"]]["type"] == "structure":
            yield from requests(shapes, shapes[shape["member"]["shape"]], f"{path}{name}[].",
                                lambda inner, name=name: nest({name: [inner]}))


def run(cases, endpoint):
    known = None
    with cases.case(f"botocore {VERSION} has {OPERATIONS_MIN} operations or more"):
        known = model()
        assert len(known["operations"]) >= OPERATIONS_MIN, sorted(known["operations"])
    if known is None:
        return
    wire = Wire(endpoint)
    for operation, described in sorted(known["operations"].items()):
        if later(operation):
            with cases.case(f"{operation} says that it comes later"):
                answer = wire.post(operation, {})
                equal((answer.status, answer.json["__type"]), (400, "InvalidArgumentException"))
                assert later(operation) in answer.json["message"], answer
            continue
        with cases.case(f"{operation} is known, with all its members"):
            assert wire.post(operation, []).json["__type"] != "UnknownOperationException", "the operation is not known"
            for path, request in requests(known["shapes"], known["shapes"][described["input"]["shape"]]):
                equal(wire.post(operation, request).json["__type"], "SerializationException", path)
