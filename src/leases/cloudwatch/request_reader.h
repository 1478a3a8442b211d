// leases/cloudwatch/request_reader.h: reads members of a request, which in the query protocol are all text.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "leases/cloudwatch/answer.h"
#include "leases/cloudwatch/metric_board.h"
#include "leases/json.h"

namespace millrace::leases::cloudwatch {

Failure invalid_value(std::string message);
Failure missing(std::string_view parameter);

// Seconds since the epoch of "2026-11-25T10:00:00Z", with or without fractions and an offset.
std::optional<double> parse_time(std::string_view iso);

// Reads on after a failure, but keeps only the first.
class RequestReader {
 public:
  RequestReader(const Json& map, std::optional<Failure>& failure) : map_(map), failure_(failure) {}

  bool has(std::string_view name) const { return find(name) != nullptr; }
  std::string text(std::string_view name, std::size_t length_max);
  std::string required_text(std::string_view name, std::size_t length_max);
  std::optional<double> number(std::string_view name);
  std::optional<std::int64_t> time_s(std::string_view name);
  // Its items; none where it is not there.
  const std::vector<Json>& list(std::string_view name, std::size_t items_max);
  const Json* structure(std::string_view name);
  std::vector<double> numbers(std::string_view name, std::size_t items_max);
  std::vector<std::string> texts(std::string_view name, std::size_t items_max);
  // Of "Dimensions": [{Name, Value}].
  Dimensions dimensions();

  void fail(Failure failure) {
    if (!failure_.has_value()) failure_ = std::move(failure);
  }

 private:
  const Json* find(std::string_view name) const;  // an empty text is one that is not there
  std::optional<double> number_of(const Json& value, std::string_view name);

  const Json& map_;
  std::optional<Failure>& failure_;
};

}  // namespace millrace::leases::cloudwatch
