// bench/load/event_source.h: where the events to send come from.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>

namespace millrace::load {

// Borrowed until the source's next call.
struct Event {
  std::int64_t due_us;    // since the run began
  std::string_view key;   // partition key, of characters that JSON does not escape
  std::string_view rest;  // what follows the stamp in the payload: `"type":"click",…}`
  std::uint32_t lane;     // which connection sends it; events of one key have one lane
};

class EventSource {
 public:
  virtual ~EventSource() = default;
  // The next event, which stays the next until pop(); nullptr when there is none (yet).
  virtual const Event* peek() = 0;
  virtual void pop() = 0;
  // No more will come.
  virtual bool ended() const = 0;
};

struct SyntheticOptions {
  std::size_t record_bytes;  // of a payload, stamp included; 64 or more
  std::uint32_t lanes;
  std::uint32_t burst;  // so many events, all for one lane, are due at one instant
  double rate;          // events a second; 0: all are due at once
};
// Page views of random users, without end. The same in each run.
std::unique_ptr<EventSource> synthetic_events(SyntheticOptions options);

// Lines from `fd` (made non-blocking): due_us, key and JSON object, with a tab between:
// `1500<TAB>u-17<TAB>{"type":…}`.
std::unique_ptr<EventSource> events_from_lines(int fd, std::uint32_t lanes);

}  // namespace millrace::load
