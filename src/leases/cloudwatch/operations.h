// leases/cloudwatch/operations.h: the operations of CloudWatch that there are here.
// source: CloudWatch API reference
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "leases/cloudwatch/answer.h"
#include "leases/cloudwatch/metric_board.h"
#include "leases/json.h"

namespace millrace::leases::cloudwatch {

struct Operation {
  std::string_view name;    // "PutMetricData"
  std::string_view action;  // "cloudwatch:PutMetricData"
  bool reads;               // what the board has
  // On the board's loop. nullopt: it went well.
  std::optional<Failure> (*run)(const Json& request, MetricBoard& board, std::int64_t now_s, Answer* answer);
};

const Operation* find_operation(std::string_view name);  // nullptr: there is none

}  // namespace millrace::leases::cloudwatch
