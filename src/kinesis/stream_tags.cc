#include "kinesis/stream_tags.h"

#include <fmt/format.h>

#include <algorithm>

#include "identity/tag_characters.h"
#include "kinesis/consumer_ref.h"

namespace millrace::kinesis {
namespace {

constexpr std::size_t kTagsMax = 50;
constexpr std::string_view kReservedPrefix = "aws:";  // the service's own tags

// As the service decides, by what was recorded.
bool has_tag_characters_only(std::string_view text) {
  return identity::has_tag_characters_only(text, "_./-=+: @%");
}

template <typename Texts>
Outcome check_characters(const Texts& texts, const StreamPlace& place, std::string_view doing) {
  if (!std::all_of(texts.begin(), texts.end(),
                   [](const std::string* text) { return has_tag_characters_only(*text); }))
    return invalid_argument(
        "Some tags contain invalid characters. Valid characters: Unicode letters, digits, white space, _ . / "
        "= + - % "
        "@.");
  if (std::any_of(texts.begin(), texts.end(),
                  [](const std::string* text) { return text->find('%') != std::string::npos; }))
    return invalid_argument(fmt::format(
        "Failed to {} stream {} under account {} because some tags contained illegal characters. The allowed "
        "characters are Unicode letters, white-spaces, '_',',','/','=','+','-','@'.",
        doing, place.name, place.account));
  return std::nullopt;
}

ApiError reserved_key(const StreamPlace& place, std::string_view doing) {
  return invalid_argument(
      fmt::format("Failed to {} stream {} under account {} because tag keys that begin with {} are reserved.",
                  doing, place.name, place.account, kReservedPrefix));
}

}  // namespace

Outcome check_new_tags(const Tags& tags, const Tags& before, const StreamPlace& place) {
  std::vector<const std::string*> texts;
  std::size_t count = before.size();
  for (const auto& [key, value] : tags) {
    texts.push_back(&key);
    texts.push_back(&value);
    count += before.contains(key) ? 0 : 1;
  }
  if (Outcome error = check_characters(texts, place, "add tags to"); error.has_value()) return error;
  if (std::any_of(tags.begin(), tags.end(),
                  [](const auto& tag) { return tag.first.starts_with(kReservedPrefix); }))
    return reserved_key(place, "add tags to");
  if (count > kTagsMax)  // the service's own words: it said 10 when it took 50 already
    return invalid_argument(
        fmt::format("Failed to add tags to stream {} under account {} because a given stream cannot have "
                    "more than 10 tags "
                    "associated with it.",
                    place.name, place.account));
  return std::nullopt;
}

Outcome check_tag_keys(const std::vector<std::string>& keys, const StreamPlace& place) {
  std::vector<const std::string*> texts;
  texts.reserve(keys.size());
  for (const std::string& key : keys) texts.push_back(&key);
  if (Outcome error = check_characters(texts, place, "remove tags from"); error.has_value()) return error;
  if (std::any_of(keys.begin(), keys.end(),
                  [](const std::string& key) { return key.starts_with(kReservedPrefix); }))
    return reserved_key(place, "remove tags from");
  return std::nullopt;
}

Outcome check_taggable(const StreamPlace& place, const broker::Stream& stream,
                       const broker::Consumer* consumer) {
  using broker::ConsumerStatus;
  using broker::StreamStatus;
  if (consumer != nullptr) {
    if (consumer->status == ConsumerStatus::kActive) return std::nullopt;
    return consumer_not_active(place, *consumer);
  }
  if (stream.status == StreamStatus::kCreating || stream.status == StreamStatus::kDeleting)
    return not_active(place, stream.status);
  return std::nullopt;
}

}  // namespace millrace::kinesis
