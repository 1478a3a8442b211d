// bench/load/stamp.h: the first 48 bytes of every record's payload, by which a reader knows who sent it, as
// which of the sender's records, and when. The payload stays one JSON object:
// {"n":…,"p":…,"t":…,"type":"click",…}
#pragma once

#include <array>
#include <charconv>
#include <cstdint>
#include <optional>
#include <string_view>

namespace millrace::load {

struct Stamp {
  std::uint64_t sequence;  // of the lane's records, from 0 without gaps; below 10^13
  std::uint32_t lane;      // below 1'000
  std::int64_t due_us;     // since the epoch: when the event happened, or the put was due
};

inline constexpr std::size_t kStampBytes = 48;
inline constexpr std::size_t kStampBase64Bytes = 64;
inline constexpr std::uint32_t kLanesMax = 1'000;

namespace stamp_layout {
inline constexpr std::string_view kBlank = R"({"n":             ,"p":   ,"t":                ,)";
static_assert(kBlank.size() == kStampBytes);
inline constexpr std::size_t kSequenceBegin = 5, kSequenceEnd = 18;
inline constexpr std::size_t kLaneBegin = 23, kLaneEnd = 26;
inline constexpr std::size_t kDueBegin = 31, kDueEnd = 47;

// Writes `value` so that it ends before `end`; blanks are there already.
inline void put(char* text, std::size_t end, std::uint64_t value) {
  do {
    text[--end] = static_cast<char>('0' + value % 10);
    value /= 10;
  } while (value > 0);
}

inline std::optional<std::uint64_t> get(const char* text, std::size_t begin, std::size_t end) {
  while (begin < end && text[begin] == ' ') ++begin;
  std::uint64_t value = 0;
  const auto parsed = std::from_chars(text + begin, text + end, value);
  if (parsed.ec != std::errc{} || parsed.ptr != text + end) return std::nullopt;
  return value;
}
}  // namespace stamp_layout

inline void write_stamp(const Stamp& stamp, char* out) {
  stamp_layout::kBlank.copy(out, kStampBytes);
  stamp_layout::put(out, stamp_layout::kSequenceEnd, stamp.sequence);
  stamp_layout::put(out, stamp_layout::kLaneEnd, stamp.lane);
  stamp_layout::put(out, stamp_layout::kDueEnd, static_cast<std::uint64_t>(stamp.due_us));
}

// nullopt: not a payload of ours. `text` has kStampBytes.
inline std::optional<Stamp> read_stamp(const char* text) {
  if (!std::string_view(text, kStampBytes)
           .starts_with(stamp_layout::kBlank.substr(0, stamp_layout::kSequenceBegin)))
    return std::nullopt;
  const auto sequence = stamp_layout::get(text, stamp_layout::kSequenceBegin, stamp_layout::kSequenceEnd);
  const auto lane = stamp_layout::get(text, stamp_layout::kLaneBegin, stamp_layout::kLaneEnd);
  const auto due_us = stamp_layout::get(text, stamp_layout::kDueBegin, stamp_layout::kDueEnd);
  if (!sequence || !lane || !due_us) return std::nullopt;
  return Stamp{*sequence, static_cast<std::uint32_t>(*lane), static_cast<std::int64_t>(*due_us)};
}

}  // namespace millrace::load
