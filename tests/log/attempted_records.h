// log/attempted_records.h: records that tests append: made from two numbers, so that a record that is read
// back says which one it is, and every byte of it can be checked.
#pragma once

#include <cstdint>
#include <cstring>
#include <optional>
#include <string>

#include "log/record.h"
#include "sim/seeded_random.h"

namespace millrace::log {

// Record `index` of attempt `attempt` (a run that was handed to the log).
struct RecordId {
  std::uint32_t attempt = 0;
  std::uint32_t index = 0;
  friend bool operator==(const RecordId&, const RecordId&) = default;
};

// Owns what a RecordView borrows.
class AttemptedRecord {
 public:
  explicit AttemptedRecord(RecordId id) {
    sim::SeededRandom random{sim::Seed{std::uint64_t{id.attempt} << 32 | id.index}};
    value_.resize(sizeof(id) + drawn_size(random));
    std::memcpy(value_.data(), &id, sizeof(id));
    const bool compresses = random.chance(0.5);
    for (std::size_t i = sizeof(id); i < value_.size(); i += 8) {
      const std::uint64_t word = compresses ? 0x6576656e74732c20 : random.next();
      std::memcpy(value_.data() + i, &word, std::min<std::size_t>(8, value_.size() - i));
    }
    if (!random.chance(0.1)) key_ = "key-" + std::to_string(random.below(1'000));
    if (random.chance(0.1)) attributes_ = "attributes " + std::to_string(random.below(1'000));
    if (random.chance(0.2)) random.fill(hash_key_.emplace());
  }

  RecordView view() const {
    RecordView record;
    if (key_) record.key = as_bytes(*key_);
    record.value = as_bytes(value_);
    record.explicit_hash_key = hash_key_;
    record.attributes = as_bytes(attributes_);
    return record;
  }

 private:
  static std::size_t drawn_size(sim::SeededRandom& random) {
    const std::uint64_t kind = random.below(1'000);
    if (kind == 0) return random.between(50'000, 150'000);
    if (kind < 30) return random.between(2'000, 12'000);
    if (kind < 100) return 0;
    return random.between(1, 400);
  }

  std::string value_;
  std::optional<std::string> key_;
  std::string attributes_;
  std::optional<HashKey> hash_key_;
};

// Which record `record` says that it is; nullopt when it says nothing.
inline std::optional<RecordId> id_of(const RecordView& record) {
  RecordId id;
  if (record.value.size() < sizeof(id)) return std::nullopt;
  std::memcpy(&id, record.value.data(), sizeof(id));
  return id;
}

// Whether it is that record in every byte.
inline bool is_record(const RecordView& record, RecordId id) {
  const AttemptedRecord made{id};
  const RecordView expected = made.view();
  return as_text(record.key) == as_text(expected.key) &&
         (record.key.data() == nullptr) == (expected.key.data() == nullptr) &&
         as_text(record.value) == as_text(expected.value) &&
         record.explicit_hash_key == expected.explicit_hash_key &&
         as_text(record.attributes) == as_text(expected.attributes);
}

}  // namespace millrace::log
