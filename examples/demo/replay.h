// examples/demo/replay.h: real events from a file: one JSON object a line (NDJSON).
#pragma once

#include <cstdint>
#include <fstream>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace millrace::demo {

// Borrowed until the next call.
struct ReplayedEvent {
  std::optional<std::int64_t> at_us;  // the line's own "at_us", since the run began: what --record writes
  std::string_view key;               // the key field's value, or a hash of the line where it has none
  std::string_view json;
};

class Replay {
 public:
  // key_field   whose value becomes the partition key.   Ends the process (2) when the file cannot be read.
  Replay(const std::string& path, std::string key_field);
  ~Replay();
  // nullopt at the end. Lines that are no JSON object are left out, and counted.
  std::optional<ReplayedEvent> next();
  std::uint64_t left_out() const { return left_out_; }

 private:
  struct Parser;

  std::ifstream file_;
  std::string key_field_;
  std::unique_ptr<Parser> parser_;
  std::string line_;
  std::string key_;
  std::uint64_t left_out_ = 0;
};

}  // namespace millrace::demo
