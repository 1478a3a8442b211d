"""A record processor of the KCL for Python, started by its daemon for each shard. Adds to the file named by CONSUMER_TOLD:
START shard, R shard key value, END shard, LOST shard, FAILED what. Standard output belongs to the daemon's protocol."""

import os

from amazon_kclpy import kcl
from amazon_kclpy.v3 import processor


class Processor(processor.RecordProcessorBase):
    def __init__(self):
        self._shard = None

    def _tell(self, *words):
        with open(os.environ["CONSUMER_TOLD"], "a", encoding="utf-8") as told:
            told.write(" ".join(words) + "\n")

    def _checkpoint(self, given):
        try:
            given.checkpointer.checkpoint()
        except kcl.CheckpointError as failure:
            self._tell("FAILED", str(failure.value))

    def initialize(self, initialize_input):
        self._shard = initialize_input.shard_id
        self._tell("START", self._shard)

    def process_records(self, process_records_input):
        for record in process_records_input.records:
            self._tell("R", self._shard, record.partition_key, record.binary_data.decode())
        self._checkpoint(process_records_input)

    def lease_lost(self, lease_lost_input):
        self._tell("LOST", self._shard)

    def shard_ended(self, shard_ended_input):
        self._tell("END", self._shard)
        self._checkpoint(shard_ended_input)

    def shutdown_requested(self, shutdown_requested_input):
        self._checkpoint(shutdown_requested_input)


if __name__ == "__main__":
    kcl.KCLProcess(Processor()).run()
