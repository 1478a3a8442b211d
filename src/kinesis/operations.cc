#include <array>

#include "kinesis/operation.h"

namespace millrace::kinesis {

#define OPERATION(name, file)     \
  namespace file {                \
  extern const Operation k##name; \
  }
#include "kinesis/operations.def"
#undef OPERATION

namespace {

constexpr std::array kOperations = {
#define OPERATION(name, file) &file::k##name,
#include "kinesis/operations.def"
#undef OPERATION
};

constexpr std::array<std::string_view, kOperations.size()> kNames = {
#define OPERATION(name, file) #name,
#include "kinesis/operations.def"
#undef OPERATION
};

constexpr std::array<std::string_view, kOperations.size()> kActions = {
#define OPERATION(name, file) "kinesis:" #name,
#include "kinesis/operations.def"
#undef OPERATION
};

constexpr std::size_t kSlots = 1024;
constexpr std::uint8_t kEmpty = 0xff;
static_assert(kOperations.size() < kEmpty);

constexpr std::size_t slot_of(std::string_view name, std::size_t seed) {
  std::size_t hash = seed;
  for (const char c : name) hash = (hash ^ static_cast<std::uint8_t>(c)) * 0x9e37'79b1;
  return (hash >> 13) % kSlots;
}

// The first seed that gives each name a slot of its own; the compiler finds it.
constexpr std::size_t kSeed = [] {
  for (std::size_t seed = 1;; ++seed) {
    std::array<bool, kSlots> taken{};
    bool perfect = true;
    for (const std::string_view name : kNames) {
      bool& slot = taken[slot_of(name, seed)];
      perfect = perfect && !slot;
      slot = true;
    }
    if (perfect) return seed;
  }
}();

constexpr auto kTable = [] {
  std::array<std::uint8_t, kSlots> table{};
  table.fill(kEmpty);
  for (std::size_t i = 0; i < kNames.size(); ++i)
    table[slot_of(kNames[i], kSeed)] = static_cast<std::uint8_t>(i);
  return table;
}();

}  // namespace

std::span<const Operation* const> all_operations() { return kOperations; }

std::string_view action_of(std::size_t position) { return kActions[position]; }

std::optional<std::size_t> find_operation(std::string_view name) {
  constexpr std::size_t kNameBytesMax = 64;  // longer ones are none, and need no hashing
  if (name.size() > kNameBytesMax) return std::nullopt;
  const std::uint8_t position = kTable[slot_of(name, kSeed)];
  if (position == kEmpty || kNames[position] != name) return std::nullopt;
  return position;
}

}  // namespace millrace::kinesis
