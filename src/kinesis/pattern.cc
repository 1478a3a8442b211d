#include "kinesis/pattern.h"

#include <algorithm>

namespace millrace::kinesis {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_name_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || is_digit(c) || c == '_' || c == '.' || c == '-';
}

bool is_name(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), is_name_character);
}

bool is_decimal(std::string_view text, std::size_t digits_max) {
  if (text == "0") return true;
  return !text.empty() && text.size() <= digits_max && text[0] != '0' &&
         std::all_of(text.begin(), text.end(), is_digit);
}

// Takes `prefix` away from the front of `text`; false when it is not there.
bool take(std::string_view& text, std::string_view prefix) {
  if (!text.starts_with(prefix)) return false;
  text.remove_prefix(prefix.size());
  return true;
}

// arn:aws.*:kinesis:.*:\d{12}: and what is behind it. The dots of the pattern match colons too, so each place
// where the rest could begin is tried.
template <typename Rest>
bool is_arn(std::string_view text, Rest rest_matches) {
  if (!take(text, "arn:aws")) return false;
  const std::size_t service = text.find(":kinesis:");
  if (service == std::string_view::npos) return false;
  text.remove_prefix(service + std::string_view(":kinesis:").size());
  for (std::size_t at = text.find(':'); at != std::string_view::npos; at = text.find(':', at + 1)) {
    const std::string_view account = text.substr(at + 1, 13);
    if (account.size() == 13 && account[12] == ':' &&
        std::all_of(account.begin(), account.end() - 1, is_digit) && rest_matches(text.substr(at + 14)))
      return true;
  }
  return false;
}

bool is_unbroken(std::string_view text) {
  return !text.empty() && text.find_first_of(" \t\n\r\f\v") == std::string_view::npos;
}

bool is_stream_arn(std::string_view text) {
  return is_arn(text, [](std::string_view rest) { return take(rest, "stream/") && is_unbroken(rest); });
}

bool is_resource_arn(std::string_view text) {
  return is_arn(text, [](std::string_view rest) {
    const std::size_t stream = rest.find("stream/");
    return stream != std::string_view::npos && is_unbroken(rest.substr(stream + 7));
  });
}

// A stream's name, "/consumer/", a consumer's name, ':' and digits.
bool is_consumer(std::string_view text) {
  constexpr std::string_view kBetween = "/consumer/";
  const std::size_t slash = text.find(kBetween);
  const std::size_t colon = text.rfind(':');
  if (slash == std::string_view::npos || colon == std::string_view::npos || colon < slash + kBetween.size())
    return false;
  const std::string_view digits = text.substr(colon + 1);
  return is_name(text.substr(0, slash)) &&
         is_name(text.substr(slash + kBetween.size(), colon - slash - kBetween.size())) && !digits.empty() &&
         std::all_of(digits.begin(), digits.end(), is_digit);
}

bool is_consumer_arn(std::string_view text) {
  return is_arn(text, [](std::string_view rest) {
    const std::size_t stream = rest.find("stream/");
    return stream != std::string_view::npos && is_consumer(rest.substr(stream + 7));
  });
}

bool is_stream_id(std::string_view text) {
  const auto lower = [](char c) { return (c >= 'a' && c <= 'z') || is_digit(c); };
  return text.size() == 24 && text[20] == '-' && std::all_of(text.begin(), text.begin() + 20, lower) &&
         std::all_of(text.begin() + 21, text.end(), lower);
}

}  // namespace

const api::Pattern kNamePattern{"[a-zA-Z0-9_.-]+", is_name};
const api::Pattern kSequencePattern{R"(0|([1-9]\d{0,128}))",
                                    [](std::string_view text) { return is_decimal(text, 129); }};
const api::Pattern kHashKeyPattern{R"(0|([1-9]\d{0,38}))",
                                   [](std::string_view text) { return is_decimal(text, 39); }};
const api::Pattern kStreamArnPattern{R"(arn:aws.*:kinesis:.*:\d{12}:stream/\S+)", is_stream_arn};
const api::Pattern kResourceArnPattern{R"(arn:aws.*:kinesis:.*:\d{12}:.*stream/\S+)", is_resource_arn};
const api::Pattern kConsumerArnPattern{
    R"(^(arn):aws.*:kinesis:.*:\d{12}:.*stream\/[a-zA-Z0-9_.-]+\/consumer\/[a-zA-Z0-9_.-]+:[0-9]+)",
    is_consumer_arn};
const api::Pattern kStreamIdPattern{"[a-z0-9]{20}-[a-z0-9]{3}", is_stream_id};

}  // namespace millrace::kinesis
