"""A reader of our own for the KPL's aggregated records: F3899AC2, a protobuf message AggregatedRecord, the MD5 of the message.

    AggregatedRecord: 1 partition_key_table, 2 explicit_hash_key_table (strings), 3 records
    Record: 1 partition_key_index, 2 explicit_hash_key_index (varints), 3 data (bytes), 4 tags
"""

import hashlib

MAGIC = bytes.fromhex("F3899AC2")
DIGEST_BYTES = 16


def _varint(data, at):
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
        shift += 7


def _fields(message):
    """(number, value) of each field; a length-delimited one as bytes."""
    at = 0
    while at < len(message):
        tag, at = _varint(message, at)
        kind = tag & 7
        if kind == 0:
            value, at = _varint(message, at)
        elif kind == 2:
            size, at = _varint(message, at)
            if at + size > len(message):
                raise ValueError("a field runs over the message's end")
            value, at = message[at:at + size], at + size
        else:
            raise ValueError(f"wire type {kind} in an aggregated record")
        yield tag >> 3, value


def user_records(partition_key, data):
    """[(partition key, data)] of what one record of a stream holds: itself, where it is not an aggregated one."""
    message, digest = data[len(MAGIC):-DIGEST_BYTES], data[-DIGEST_BYTES:]
    if data[:len(MAGIC)] != MAGIC or hashlib.md5(message).digest() != digest:
        return [(partition_key, data)]
    keys, records = [], []
    for number, value in _fields(message):
        if number == 1:
            keys.append(value.decode())
        elif number == 3:
            records.append(dict(_fields(value)))
    return [(keys[record.get(1, 0)], record[3]) for record in records]
