// leases/cloudwatch/answer.h: an operation's answer, and an error, in each protocol of CloudWatch.
// source: AWS Query protocol; Smithy RPC v2 CBOR; AWS JSON 1.0 with awsQueryCompatible errors
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/bytes.h"

namespace millrace::leases::cloudwatch {

enum class Protocol : std::uint8_t { kQuery, kCbor, kJson };
std::string_view content_type(Protocol protocol);

// A value of an answer.
struct Answer {
  enum class Kind : std::uint8_t { kMap, kList, kText, kNumber, kTimestamp };
  Kind kind = Kind::kMap;
  std::string text = {};
  double number = 0;                    // of kTimestamp: seconds since the epoch
  std::vector<std::string> names = {};  // of a map, as `items`
  std::vector<Answer> items = {};

  static Answer of(std::string value) { return {.kind = Kind::kText, .text = std::move(value)}; }
  static Answer of(double value) { return {.kind = Kind::kNumber, .number = value}; }
  static Answer time(std::int64_t seconds) {
    return {.kind = Kind::kTimestamp, .number = static_cast<double>(seconds)};
  }
  static Answer list() { return {.kind = Kind::kList}; }
  void add(std::string name, Answer value) {
    names.push_back(std::move(name));
    items.push_back(std::move(value));
  }
};

struct Failure {
  std::string code;   // of the query protocol: "InvalidParameterValue"
  std::string shape;  // of the others: "InvalidParameterValueException"
  std::string message;
  int http_status = 400;
};

Bytes encode(Protocol protocol, std::string_view operation, const Answer& answer,
             std::string_view request_id);
Bytes encode(Protocol protocol, const Failure& failure, std::string_view request_id);

}  // namespace millrace::leases::cloudwatch
