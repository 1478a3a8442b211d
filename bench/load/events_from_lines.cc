#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <string>

#include "load/event_source.h"

namespace millrace::load {
namespace {

constexpr std::size_t kBufferBytes = 4u << 20;
constexpr int kPipeBytes = 1 << 20;

class EventsFromLines final : public EventSource {
 public:
  EventsFromLines(int fd, std::uint32_t lanes) : fd_(fd), lanes_(lanes) {
    fcntl(fd_, F_SETFL, fcntl(fd_, F_GETFL) | O_NONBLOCK);
    fcntl(fd_, F_SETPIPE_SZ, kPipeBytes);  // may be refused: then less is read ahead
    buffer_.resize(kBufferBytes);
  }

  const Event* peek() override {
    if (!have_) have_ = parse();
    return have_ ? &event_ : nullptr;
  }
  void pop() override { have_ = false; }
  bool ended() const override { return ended_ && !have_ && begin_ == end_; }

 private:
  bool parse() {
    if (end_ - begin_ < kBufferBytes / 4) refill();
    const char* line = buffer_.data() + begin_;
    const auto* line_end = static_cast<const char*>(std::memchr(line, '\n', end_ - begin_));
    if (line_end == nullptr) return false;
    const auto* key =
        static_cast<const char*>(std::memchr(line, '\t', static_cast<std::size_t>(line_end - line)));
    if (key == nullptr) fail(line, line_end);
    const auto* json =
        static_cast<const char*>(std::memchr(key + 1, '\t', static_cast<std::size_t>(line_end - key - 1)));
    if (json == nullptr || json[1] != '{') fail(line, line_end);
    std::from_chars(line, key, event_.due_us);
    event_.key = {key + 1, json};
    event_.rest = {json + 2, line_end};
    event_.lane = static_cast<std::uint32_t>(std::hash<std::string_view>{}(event_.key) % lanes_);
    begin_ += static_cast<std::size_t>(line_end + 1 - line);
    return true;
  }

  void refill() {
    if (ended_) return;
    std::memmove(buffer_.data(), buffer_.data() + begin_, end_ - begin_);
    end_ -= begin_;
    begin_ = 0;
    while (end_ < buffer_.size()) {
      const ssize_t got = read(fd_, buffer_.data() + end_, buffer_.size() - end_);
      if (got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR)) ended_ = true;
      if (got <= 0) break;
      end_ += static_cast<std::size_t>(got);
    }
    // Half a line at the end: its writer was stopped.
    while (ended_ && end_ > 0 && buffer_[end_ - 1] != '\n') --end_;
  }

  [[noreturn]] static void fail(const char* line, const char* line_end) {
    std::fprintf(stderr, "load: not an event (due_us, key, JSON object, with tabs between): %.*s\n",
                 static_cast<int>(line_end - line), line);
    std::exit(2);
  }

  int fd_;
  std::uint32_t lanes_;
  std::string buffer_;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
  bool ended_ = false;
  bool have_ = false;
  Event event_{};
};

}  // namespace

std::unique_ptr<EventSource> events_from_lines(int fd, std::uint32_t lanes) {
  return std::make_unique<EventsFromLines>(fd, lanes);
}

}  // namespace millrace::load
