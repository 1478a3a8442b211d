#include "replay.h"

#include <fmt/format.h>
#include <simdjson.h>

#include <cstdlib>
#include <functional>
#include <utility>

namespace millrace::demo {
namespace {

constexpr std::size_t kKeyCharactersMax = 256;

// What the generators put into JSON as it is.
bool plain(std::string_view key) {
  if (key.empty() || key.size() > kKeyCharactersMax) return false;
  for (const char c : key) {
    if (c < ' ' || c == '"' || c == '\\' || c == '\x7f') return false;
  }
  return true;
}

}  // namespace

struct Replay::Parser {
  simdjson::dom::parser json;
};

Replay::Replay(const std::string& path, std::string key_field)
    : file_(path), key_field_(std::move(key_field)), parser_(std::make_unique<Parser>()) {
  if (file_) return;
  fmt::print(stderr, "demo: cannot read {}\n", path);
  std::exit(2);
}

Replay::~Replay() = default;

std::optional<ReplayedEvent> Replay::next() {
  while (std::getline(file_, line_)) {
    simdjson::dom::object object;
    if (parser_->json.parse(line_).get(object) != simdjson::SUCCESS || object.size() == 0) {
      left_out_ += line_.find_first_not_of(" \r") != std::string::npos;
      continue;
    }
    ReplayedEvent event{};
    std::int64_t at_us = 0;
    if (object["at_us"].get(at_us) == simdjson::SUCCESS) event.at_us = at_us;
    simdjson::dom::element key;
    key_.clear();
    if (object[key_field_].get(key) == simdjson::SUCCESS) {
      std::string_view text;
      key_ = key.get(text) == simdjson::SUCCESS ? std::string(text) : simdjson::minify(key);
    }
    if (!plain(key_)) key_ = fmt::format("h-{:x}", std::hash<std::string>{}(key_.empty() ? line_ : key_));
    event.key = key_;
    event.json = std::string_view(line_).substr(line_.find('{'));
    event.json = event.json.substr(0, event.json.rfind('}') + 1);
    return event;
  }
  return std::nullopt;
}

}  // namespace millrace::demo
