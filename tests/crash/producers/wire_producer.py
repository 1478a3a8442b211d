"""A producer on raw signed HTTP, faster than an SDK: wire_producer.py ENDPOINT STREAM LANE FOLDER. Until SIGTERM."""

import http.client
import os
import random
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))

from black_box.wire import Wire, b64
from crash.producers.lane import Lane


def main(endpoint, stream, lane_name, folder):
    wire = Wire(endpoint)
    lane = Lane(lane_name, folder, random.Random(lane_name), 500)
    while lane.goes_on():
        request, records = lane.next_request()
        body = {"StreamName": stream, "Records": [{"PartitionKey": key, "Data": b64(data)} for key, data in records]}
        try:
            answer = wire.post("PutRecords", body)
        except (OSError, http.client.HTTPException) as error:
            lane.failed(request, error)
            time.sleep(0.02)
            continue
        if answer.status == 200:
            lane.answered(request, answer.json["Records"])
            continue
        if answer.status < 500:
            lane.unexpected(request, answer)
        lane.failed(request, answer)


if __name__ == "__main__":
    main(*sys.argv[1:])
