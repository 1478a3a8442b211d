// log/journal_groups.h: how far a loop's journal goes, and by what its groups are known.
#pragma once

#include <fmt/format.h>

#include <cstdint>
#include <string>
#include <vector>

namespace millrace::log {

struct JournalGroups {
  std::uint64_t newest = 0;
  // Of those that were read, in order, the newest last: the CRC32C in the header of each one's frame.
  std::vector<std::uint32_t> sums;

  // The next group.
  void add(std::uint64_t sequence, std::uint32_t sum) {
    newest = sequence;
    sums.push_back(sum);
  }
  // As PartMark has it; empty: that group was not read.
  std::string sum_of(std::uint64_t group) const {
    if (group > newest || newest - group >= sums.size()) return {};
    return fmt::format("{:08x}", sums[sums.size() - 1 - static_cast<std::size_t>(newest - group)]);
  }
};

}  // namespace millrace::log
