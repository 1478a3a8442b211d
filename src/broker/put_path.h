// broker/put_path.h: a put's records, routed to shards and encoded for their loops.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "base/result.h"
#include "broker/broker.h"
#include "broker/catalog_board.h"
#include "broker/throttle.h"
#include "keys/data_keys.h"
#include "log/batch.h"
#include "log/log.h"

namespace millrace::broker {

class PutPath {
 public:
  // All borrowed. throttle: nullptr where shards have no limits
  PutPath(CatalogBoard& board, log::Log& log, keys::DataKeys& keys, Throttle* throttle);

  // As Broker::put.
  Task<Result<PutResult>> put(std::string_view stream, std::span<const PutEntry> entries);

 private:
  // What goes to one loop, and which entries its records are, in order.
  struct Part {
    std::size_t loop;
    std::unique_ptr<log::Batch> batch;
    std::vector<std::uint32_t> entries;
    std::shared_ptr<const log::Batch> answered;
  };
  // Reused by every put on a loop; used between suspensions only.
  struct alignas(64) Scratch {
    std::vector<ByteView> keys;
    std::vector<std::uint32_t> hashed;
    std::vector<std::array<std::uint8_t, 16>> digests;
    std::vector<std::uint64_t> order;
    std::vector<std::uint64_t> order_spare;
    std::size_t next_open = 0;  // of a stream that distributes records itself: where the next one goes
  };

  // Routes the entries named in `pending` and encodes them, in order within each shard. encryptor   or
  // nullptr
  Result<std::vector<Part>> encode(const Stream& stream, std::span<const PutEntry> entries,
                                   std::span<const std::uint32_t> pending, std::vector<PutOutcome>& outcomes,
                                   const std::shared_ptr<log::RunEncryptor>& encryptor);
  void route(const Stream& stream, std::span<const PutEntry> entries, std::span<const std::uint32_t> pending,
             Scratch& scratch);
  Task<void> append(std::vector<Part>& parts);

  CatalogBoard& board_;
  log::Log& log_;
  keys::DataKeys& keys_;
  Throttle* throttle_;
  std::vector<Scratch> scratch_;
};

}  // namespace millrace::broker
