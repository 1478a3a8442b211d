// Byte 0: limits. Bytes 1 to 48: choices, taken in turn: how the handler answers, where the bytes are cut,
// what happens between the pieces, and how much the peer takes. The rest is what a client sends.
//
// However it is cut, and whenever answers come: requests keep to the limits and are the same, answers leave
// in order and whole, and in the end no memory is held.
#include <algorithm>
#include <optional>
#include <string>
#include <vector>

#include "base/assert.h"
#include "fuzz/drawn_handler.h"
#include "fuzz/drawn_input.h"
#include "net/bare_driver.h"

namespace millrace::net {
namespace {

constexpr std::size_t kChoices = 48;
constexpr std::size_t kSlackBytes = 4u << 20;  // small answers and streams are taken beyond the budget

ServerLimits some_limits(std::uint8_t choice) {
  ServerLimits limits;
  limits.header_bytes_max = (choice & 1) != 0 ? 200 : 4'000;
  limits.body_bytes_max = (choice & 2) != 0 ? 100 : 200'000;
  limits.buffered_bytes_max = (choice & 4) != 0 ? 100'000 : 8'000'000;
  limits.pipelined_max = (choice & 8) != 0 ? 2 : 16;
  limits.header_ms_max = 100;
  limits.body_ms_max = 200;
  limits.idle_ms_max = 300;
  return limits;
}

// What a client reads.
struct Answer {
  int status = 0;
  std::optional<std::size_t> number;  // of the request, as the handler wrote it; none: from the driver
  std::string body;
  bool whole = false;
  bool until_close = false;  // of a stream to an HTTP/1.0 client: no answer can follow it
};

class AnswerReader {
 public:
  AnswerReader(std::string_view output, const std::vector<DrawnHandler::Taken>& taken)
      : rest_(output), taken_(taken) {}

  std::vector<Answer> run() {
    std::vector<Answer> answers;
    while (!rest_.empty()) {
      Answer answer = read(answers.size());
      const bool whole = answer.whole;
      if (answer.status != 100) answers.push_back(std::move(answer));
      if (!whole) break;
    }
    return answers;
  }

 private:
  std::string_view line() {
    const std::size_t end = rest_.find("\r\n");
    MR_ASSERT(end != std::string_view::npos);
    const std::string_view taken = rest_.substr(0, end);
    rest_.remove_prefix(end + 2);
    return taken;
  }
  bool take(std::size_t bytes, std::string& to) {
    to += rest_.substr(0, bytes);
    const bool all = rest_.size() >= bytes;
    rest_.remove_prefix(std::min(bytes, rest_.size()));
    return all;
  }

  // The answer to request `index`.
  Answer read(std::size_t index) {
    Answer answer;
    const std::string_view status = line();
    MR_ASSERT(status.starts_with("HTTP/1.1 ") && status.size() >= 12);
    answer.status = std::stoi(std::string(status.substr(9, 3)));
    std::optional<std::size_t> length;
    bool chunked = false;
    for (std::string_view field = line(); !field.empty(); field = line()) {
      const std::size_t colon = field.find(": ");
      MR_ASSERT(colon != std::string_view::npos);
      const std::string value(field.substr(colon + 2));
      if (field.starts_with("X-Number:")) answer.number = std::stoul(value);
      if (field.starts_with("Content-Length:")) length = std::stoul(value);
      if (field.starts_with("Transfer-Encoding:")) chunked = value == "chunked";
    }
    MR_ASSERT(!(chunked && length));
    if (answer.status == 100 || (index < taken_.size() && taken_[index].method == "HEAD")) {
      answer.whole = true;
    } else if (chunked) {
      answer.whole = read_chunks(answer.body);
    } else {
      answer.until_close = !length;
      answer.whole = take(length.value_or(rest_.size()), answer.body) && length.has_value();
    }
    return answer;
  }
  bool read_chunks(std::string& to) {
    while (!rest_.empty()) {
      const std::size_t bytes = std::stoul(std::string(line()), nullptr, 16);
      if (!take(bytes, to)) return false;
      if (rest_.empty()) return false;
      MR_ASSERT(line().empty());
      if (bytes == 0) return true;
    }
    return false;
  }

  std::string_view rest_;
  const std::vector<DrawnHandler::Taken>& taken_;
};

// A client and the driver, step by step.
class Trial {
 public:
  Trial(const ServerLimits& limits, std::string_view choices, std::string_view bytes)
      : choices_(choices), handler_(choices_, limits), bytes_(bytes), bare_(limits, handler_.handler()) {
    bare_.speak_http1();
  }

  void run() {
    for (std::size_t at = 0; at < bytes_.size() && goes_on();) {
      const std::uint8_t choice = choices_.byte();
      const std::size_t n = choice == 0 ? bytes_.size() : choice < 192 ? choice : 4'096;
      bare_.input(bytes_.substr(at, n));
      at += n;
      between();
      check_bounds();
    }
    if (choices_.byte() % 4 == 0) end_input();
    // A request that was held until output had gone is taken up while this settles.
    while (settle() || (goes_on() && handler_.waiting() + open_streams() > 0)) {
    }
    check_answers();
    if (choices_.byte() % 2 == 0) handler_.forget();
    bare_.driver->gone();
    bare_.driver.reset();
    handler_.forget();
    bare_.loop.run();
    MR_ASSERT(bare_.budget->used() == 0);
  }

 private:
  bool goes_on() const { return bare_.driver->ending() == Driver::Ending::kNone; }
  std::size_t open_streams() const {
    return static_cast<std::size_t>(std::count_if(handler_.taken().begin(), handler_.taken().end(),
                                                  [](const auto& one) { return one.stream != nullptr; }));
  }

  void between() {
    const std::uint8_t choice = choices_.byte();
    if ((choice & 1) != 0) output_ += bare_.output(std::size_t{choice} * 32);
    if ((choice & 2) != 0) handler_.go_on();
    if ((choice & 4) != 0) bare_.loop.run();
    if (choice >= 224) tick(choice == 255 ? 1'000 : 40);
    if (choice == 223) bare_.driver->drain();
    bare_.go_on();
  }
  void tick(std::int64_t ms) {
    bare_.now_ns += ms * 1'000'000;
    bare_.driver->tick(bare_.now_ns);
  }
  void end_input() {
    input_ended_ = true;
    bare_.driver->input_ended();
  }
  // Whether output came of it: what follows it may be more.
  bool settle() {
    const std::size_t before = output_.size();
    handler_.finish();
    output_ += bare_.output();
    bare_.loop.run();
    output_ += bare_.output();
    return output_.size() != before;
  }

  void check_bounds() {
    MR_ASSERT(handler_.waiting() <= bare_.limits.pipelined_max);
    MR_ASSERT(bare_.budget->used() <= bare_.limits.buffered_bytes_max + kSlackBytes);
  }

  void check_answers() {
    const auto& taken = handler_.taken();
    const auto answers = AnswerReader(output_, taken).run();
    // A client that has ended is taken not to wait for what a stream holds up.
    bool broken_off =
        input_ended_ && std::any_of(taken.begin(), taken.end(), [](const auto& one) { return one.closed; });
    for (const auto& one : taken) broken_off = broken_off || one.dropped;
    for (std::size_t i = 0; i < answers.size(); ++i) {
      const Answer& answer = answers[i];
      if (!answer.number) {
        MR_ASSERT(answer.status >= 400 && answer.status < 600);
        // In place of one that memory did not suffice for, or the last: nothing is read behind it.
        MR_ASSERT(answer.status == 503 || i + 1 == answers.size());
        continue;
      }
      MR_ASSERT(*answer.number == i);
      const auto& one = taken.at(i);
      if (answer.whole && one.ended && one.method != "HEAD") MR_ASSERT(answer.body == one.body);
      if (!answer.whole) MR_ASSERT(i + 1 == answers.size());
    }
    if (!answers.empty() && answers.back().until_close) broken_off = true;
    MR_ASSERT(broken_off || answers.size() >= taken.size());
    MR_ASSERT(broken_off || !goes_on() || bare_.driver->wants_input());
  }

  fuzz::DrawnInput choices_;
  DrawnHandler handler_;
  std::string_view bytes_;
  BareDriver bare_;
  std::string output_;
  bool input_ended_ = false;
};

// All requests, and what came of them, when each is answered at once.
std::string requests_of(const ServerLimits& limits, std::string_view bytes, fuzz::DrawnInput cuts) {
  fuzz::DrawnInput no_choices{{}};
  DrawnHandler handler(no_choices, limits);
  BareDriver bare(limits, handler.handler());
  bare.speak_http1();
  std::string output;
  for (std::size_t at = 0; at < bytes.size();) {
    const std::size_t n = cuts.empty() ? bytes.size() : std::size_t{1} + cuts.byte() % 64;
    bare.input(bytes.substr(at, n));
    output += bare.output();
    at += n;
  }
  std::string text;
  for (const auto& one : handler.taken()) text += one.text + "\n--\n";
  for (const Answer& answer : AnswerReader(output, handler.taken()).run())
    text +=
        answer.status < 400 ? "answered\n" : "refused\n";  // of two faults, the first one to be seen is named
  return text + (bare.driver->ending() == Driver::Ending::kNone ? "goes on" : "ends");
}

void check(std::string_view input) {
  if (input.size() < 1 + kChoices) return;
  const ServerLimits limits = some_limits(static_cast<std::uint8_t>(input[0]));
  const std::string_view choices = input.substr(1, kChoices);
  const std::string_view bytes = input.substr(1 + kChoices);
  Trial(limits, choices, bytes).run();
  MR_ASSERT(requests_of(limits, bytes, fuzz::DrawnInput(choices)) ==
            requests_of(limits, bytes, fuzz::DrawnInput{{}}));
}

}  // namespace
}  // namespace millrace::net

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  millrace::net::check({reinterpret_cast<const char*>(data), size});
  return 0;
}
