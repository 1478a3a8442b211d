"""A producer on boto3: boto3_producer.py ENDPOINT STREAM LANE FOLDER. One request at a time, until SIGTERM."""

import os
import random
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))

import botocore.exceptions

from clients.sdk_boto3 import client_of
from crash.producers.lane import Lane


def main(endpoint, stream, lane_name, folder):
    kinesis = client_of(endpoint, attempts=1)
    lane = Lane(lane_name, folder, random.Random(lane_name), 200)
    while lane.goes_on():
        request, records = lane.next_request()
        try:
            answer = kinesis.put_records(StreamName=stream, Records=[{"PartitionKey": key, "Data": data}
                                                                     for key, data in records])
        except botocore.exceptions.ClientError as error:
            if error.response["ResponseMetadata"]["HTTPStatusCode"] < 500:
                lane.unexpected(request, error)
            lane.failed(request, error)
        except botocore.exceptions.BotoCoreError as error:
            lane.failed(request, error)
            time.sleep(0.02)
        else:
            lane.answered(request, answer["Records"])


if __name__ == "__main__":
    main(*sys.argv[1:])
