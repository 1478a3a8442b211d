#include "load/put_body.h"

#include <array>
#include <charconv>

#include "base/base64.h"
#include "base/bytes.h"

namespace millrace::load {
namespace {

constexpr std::size_t kBase64Slack = 64;

std::string head(std::string_view stream) {
  return R"({"StreamName":")" + std::string(stream) + R"(","Records":[)";
}

}  // namespace

PutBody::PutBody(std::string_view stream) : json_(head(stream)) {}

void PutBody::begin_record() {
  if (!begins_.empty()) json_.push_back(',');
  begins_.push_back(json_.size());
}

void PutBody::add(const Stamp& stamp, std::string_view key, std::string_view rest) {
  begin_record();
  stamps_.push_back(stamp);
  payload_bytes_ += kStampBytes + rest.size();

  // Stamp and rest are encoded one behind the other: a stamp's bytes are a multiple of three.
  static_assert(kStampBytes % 3 == 0);
  std::array<char, kStampBytes> text;
  write_stamp(stamp, text.data());
  constexpr std::string_view kData = R"({"Data":")", kKey = R"(","PartitionKey":")", kEnd = R"("})";
  const std::size_t rest_base64 = base64_encoded_size(rest.size());
  const std::size_t begin = json_.size() + kData.size();
  json_.append(kData);
  json_.resize(begin + kStampBase64Bytes + rest_base64 + kBase64Slack);
  base64_encode(as_bytes({text.data(), text.size()}), json_.data() + begin);
  base64_encode(as_bytes(rest), json_.data() + begin + kStampBase64Bytes);
  json_.resize(begin + kStampBase64Bytes + rest_base64);
  json_.append(kKey).append(key).append(kEnd);
}

void PutBody::add_from(const PutBody& other, std::size_t index) {
  begin_record();
  stamps_.push_back(other.stamps_[index]);
  const std::size_t begin = other.begins_[index];
  // Of the last record: without the "]}" that finish() put behind it; of others: without the comma.
  const std::size_t end =
      index + 1 < other.begins_.size() ? other.begins_[index + 1] - 1 : other.json_.size() - 2;
  json_.append(other.json_, begin, end - begin);
}

void PutBody::finish() { json_.append("]}"); }

std::vector<std::size_t> failed_records(std::string_view answer) {
  constexpr std::string_view kCount = R"("FailedRecordCount":)";
  const std::size_t at = answer.find(kCount);
  if (at == std::string_view::npos) return {};
  std::size_t count = 0;
  const std::string_view digits = answer.substr(at + kCount.size());
  std::from_chars(digits.data(), digits.data() + digits.size(), count);
  std::vector<std::size_t> failed;
  if (count == 0) return failed;

  // Each entry is a flat object: what lies between two braces holds "ErrorCode" with a text, or not.
  constexpr std::string_view kError = R"("ErrorCode":")";
  std::size_t open = answer.find('{', answer.find(R"("Records":[)"));
  for (std::size_t index = 0; open != std::string_view::npos; ++index) {
    const std::size_t close = answer.find('}', open);
    if (close == std::string_view::npos) break;
    if (answer.substr(open, close - open).find(kError) != std::string_view::npos) failed.push_back(index);
    open = answer.find('{', close);
  }
  return failed;
}

}  // namespace millrace::load
