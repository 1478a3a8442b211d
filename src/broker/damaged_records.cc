#include "broker/damaged_records.h"

#include "broker/sequence_number.h"

namespace millrace::broker {

DamagedRecords name_damaged(const Catalog& catalog, const log::DamagedBlock& block) {
  DamagedRecords named;
  named.file = block.file;
  named.position = block.position;
  named.what = block.what;
  for (const auto& [name, stream] : catalog.streams) {
    for (const Shard& shard : stream->shards) {
      if (shard.key != block.shard) continue;
      named.stream = name;
      named.shard = shard.index;
      named.first_sequence = to_string(sequence_of(shard, block.first_offset, block.first_arrival_ms));
      named.last_sequence = to_string(sequence_of(shard, block.end_offset - 1, block.last_arrival_ms));
    }
  }
  return named;
}

}  // namespace millrace::broker
