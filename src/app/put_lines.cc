#include "app/put_lines.h"

#include <fmt/format.h>

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <future>
#include <iostream>
#include <utility>
#include <vector>

#include "app/exit_code.h"
#include "app/server_call.h"

namespace millrace::app {
namespace {

using enum ErrorKind;
using Json = nlohmann::ordered_json;

// source: AWS Kinesis API reference, PutRecords
constexpr std::size_t kRecordsMax = 500;
constexpr std::size_t kRequestBytes = 4u << 20;
constexpr int kAttempts = 10;
constexpr int kFirstPauseMs = 50;

class LinePutter {
 public:
  LinePutter(const PutLines& command, std::string credentials)
      : command_(command), credentials_(std::move(credentials)) {}

  Result<void> run() {
    std::string line;
    while (std::getline(std::cin, line)) {
      ++line_;
      if (line.empty()) continue;
      MR_ASSIGN(Json record, record_of(line));
      if (waiting_.size() == kRecordsMax || bytes_ + line.size() > kRequestBytes) MR_TRY(put_waiting());
      bytes_ += line.size();
      waiting_.push_back({line_, std::move(record)});
    }
    return put_waiting();
  }
  std::uint64_t put() const { return put_; }

 private:
  struct Waiting {
    std::uint64_t line;
    Json record;
  };

  Result<Json> record_of(const std::string& line) const {
    const Json read = Json::parse(line, nullptr, false);
    if (!read.is_object())
      return Error{
          kInvalid,
          fmt::format("line {} is no JSON object: each has PartitionKey and Data, in base64", line_)};
    Json record = Json::object();
    for (const char* member : {"PartitionKey", "Data", "ExplicitHashKey"}) {
      const auto found = read.find(member);
      if (found != read.end() && found->is_string())
        record[member] = *found;
      else if (record.size() < 2)
        return Error{kInvalid, fmt::format("line {} has no {}", line_, member)};
    }
    return record;
  }

  // Those that are refused for a while are put again, before anything that comes after them.
  Result<void> put_waiting() {
    int pause_ms = kFirstPauseMs;
    for (int attempt = 1; !waiting_.empty(); ++attempt) {
      MR_ASSIGN(const Json results, request());
      std::vector<Waiting> again;
      std::string why;
      for (std::size_t i = 0; i < waiting_.size(); ++i) {
        if (!results[i].contains("ErrorCode")) {
          ++put_;
          continue;
        }
        why = results[i].value("ErrorMessage", results[i].value("ErrorCode", ""));
        again.push_back(std::move(waiting_[i]));
      }
      waiting_ = std::move(again);
      if (waiting_.empty()) break;
      if (attempt == kAttempts)
        return Error{kUnavailable, fmt::format("line {}: {}", waiting_.front().line, why)};
      std::promise<void>().get_future().wait_for(std::chrono::milliseconds(pause_ms));
      pause_ms *= 2;
    }
    bytes_ = 0;
    return {};
  }

  Result<Json> request() {
    Json records = Json::array();
    for (const Waiting& each : waiting_) records.push_back(each.record);
    const ServerRequest request{
        .path = "/",
        .service = "kinesis",
        .headers = {"Content-Type: application/x-amz-json-1.1", "X-Amz-Target: Kinesis_20131202.PutRecords"},
        .body = Json({{"StreamName", command_.stream}, {"Records", records}}).dump()};
    MR_ASSIGN(const ServerAnswer answer, call_server(command_.server, credentials_, request));
    const Json json = Json::parse(answer.body, nullptr, false);
    if (answer.status == 200 && json.is_object() && json.contains("Records") &&
        json["Records"].size() == waiting_.size())
      return json["Records"];
    return Error{kInvalid, fmt::format("lines {} to {}: {}", waiting_.front().line, waiting_.back().line,
                                       json.is_object() ? json.value("message", json.value("__type", ""))
                                                        : fmt::format("HTTP {}", answer.status))};
  }

  const PutLines& command_;
  std::string credentials_;
  std::uint64_t line_ = 0;
  std::uint64_t put_ = 0;
  std::vector<Waiting> waiting_;
  std::size_t bytes_ = 0;
};

}  // namespace

int put_lines(const PutLines& command) {
  auto credentials = credentials_of_environment();
  if (!credentials.ok()) {
    std::fprintf(stderr, "millrace: put: %s\n", credentials.error().text.c_str());
    return kBadUsage;
  }
  LinePutter putter(command, std::move(*credentials));
  const auto done = putter.run();
  std::printf("%llu records put\n", static_cast<unsigned long long>(putter.put()));
  if (done.ok()) return 0;
  std::fprintf(stderr, "millrace: put: %s\n",
               done.error().text.substr(0, done.error().text.find('\n')).c_str());
  return kFailed;
}

}  // namespace millrace::app
