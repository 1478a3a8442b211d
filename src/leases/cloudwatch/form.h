// leases/cloudwatch/form.h: a request of AWS's query protocol, as the tree that it stands for.
#pragma once

#include <optional>
#include <string_view>

#include "leases/json.h"

namespace millrace::leases::cloudwatch {

// "Action=PutMetricData&MetricData.member.1.Value=5":
// {"Action":"PutMetricData","MetricData":[{"Value":"5"}]}. All values are text. nullopt: not well-formed, or
// more than 50'000 values or 12 levels.
std::optional<Json> parse_form(std::string_view form);

}  // namespace millrace::leases::cloudwatch
