#include "leases/cloudwatch/operations.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>
#include <vector>

#include "api/number.h"
#include "leases/cloudwatch/request_reader.h"

namespace millrace::leases::cloudwatch {
namespace {

using Outcome = std::optional<Failure>;

constexpr std::size_t kNameMax = 255;
constexpr std::size_t kDatumsMax = 1'000;
constexpr std::size_t kDatumValuesMax = 150;
constexpr std::size_t kDatapointsMax = 1'440;
constexpr std::size_t kQueriesMax = 500;
constexpr std::size_t kListedMax = 500;
constexpr std::size_t kListedBytesMax = std::size_t{1} << 20;  // of names; long ones end a page sooner
// Of a page of GetMetricData, as the service has it; ours are shorter, since each value is held several times
// until it is sent.
constexpr std::int64_t kPagePointsMax = 100'800;
constexpr std::size_t kPagePoints = 20'000;
constexpr std::array<std::string_view, 5> kStatistics = {"SampleCount", "Average", "Sum", "Minimum",
                                                         "Maximum"};

double statistic(std::string_view name, const Statistics& statistics) {
  if (name == "SampleCount") return statistics.count;
  if (name == "Average") return statistics.count == 0 ? 0 : statistics.sum / statistics.count;
  if (name == "Sum") return statistics.sum;
  return name == "Minimum" ? statistics.min : statistics.max;
}

bool is_statistic(std::string_view name) {
  return std::find(kStatistics.begin(), kStatistics.end(), name) != kStatistics.end();
}

Failure bad_combination(std::string message) {
  return {"InvalidParameterCombination", "InvalidParameterCombinationException", std::move(message)};
}

struct Datum {
  MetricName metric;
  std::string unit;
  std::int64_t at_s;
  Statistics statistics;
};

Statistics read_values(RequestReader& reader) {
  const auto value = reader.number("Value");
  const auto values = reader.numbers("Values", kDatumValuesMax);
  const auto counts = reader.numbers("Counts", kDatumValuesMax);
  const Json* set = reader.structure("StatisticValues");
  const int given = (value.has_value() ? 1 : 0) + (values.empty() ? 0 : 1) + (set != nullptr ? 1 : 0);
  if (given != 1) {
    reader.fail(
        given == 0
            ? bad_combination("At least one of the parameters Value, Values or StatisticValues must be "
                              "specified.")
            : bad_combination("The parameters Value, Values and StatisticValues are mutually exclusive and "
                              "you have specified more than one."));
    return {};
  }
  if (value.has_value()) return Statistics::of(*value, 1);
  Statistics all;
  if (set != nullptr) {
    std::optional<Failure> wrong;
    RequestReader read(*set, wrong);
    for (const std::string_view name : {"SampleCount", "Sum", "Minimum", "Maximum"})
      if (!read.has(name)) read.fail(missing(name));
    all = {read.number("SampleCount").value_or(0), read.number("Sum").value_or(0),
           read.number("Minimum").value_or(0), read.number("Maximum").value_or(0)};
    if (wrong.has_value()) reader.fail(std::move(*wrong));
    return all;
  }
  if (!counts.empty() && counts.size() != values.size())
    reader.fail(invalid_value("The parameters Values and Counts must be of the same size."));
  for (std::size_t i = 0; i < values.size(); ++i)
    all.add(Statistics::of(values[i], i < counts.size() ? counts[i] : 1));
  return all;
}

Outcome put_metric_data(const Json& request, MetricBoard& board, std::int64_t now_s, Answer*) {
  Outcome failure;
  RequestReader reader(request, failure);
  const std::string name_space = reader.required_text("Namespace", kNameMax);
  if (!reader.has("MetricData")) reader.fail(missing("MetricData"));
  if (reader.has("EntityMetricData"))
    reader.fail(invalid_value("The parameter EntityMetricData is not supported by this server."));
  if (name_space.starts_with("AWS/"))
    reader.fail(invalid_value("The value AWS/ for parameter Namespace is invalid."));
  std::vector<Datum> datums;
  for (const Json& item : reader.list("MetricData", kDatumsMax)) {
    RequestReader datum(item, failure);
    std::string name = datum.required_text("MetricName", kNameMax);
    std::string unit = datum.text("Unit", kNameMax);
    datums.push_back({{name_space, std::move(name), datum.dimensions()},
                      unit.empty() ? "None" : std::move(unit),
                      datum.time_s("Timestamp").value_or(now_s),
                      read_values(datum)});
    if (failure.has_value()) return failure;
  }
  if (failure.has_value()) return failure;
  for (const Datum& datum : datums) board.add(datum.metric, datum.unit, datum.at_s, datum.statistics, now_s);
  return std::nullopt;
}

std::int64_t read_period(RequestReader& reader) {
  const auto period = reader.number("Period");
  if (!period.has_value()) reader.fail(missing("Period"));
  const std::int64_t seconds = api::to_integer(period.value_or(60));
  constexpr std::int64_t kPeriodMax = 86'400;
  if (seconds < 60 || seconds % 60 != 0 || seconds > kPeriodMax) {
    reader.fail(invalid_value("The parameter Period must be a multiple of 60 between 60 and 86400."));
    return 60;
  }
  return seconds;
}

struct Range {
  std::int64_t begin_s = 0;
  std::int64_t end_s = 0;
};
Range read_range(RequestReader& reader) {
  for (const std::string_view name : {"StartTime", "EndTime"})
    if (!reader.has(name)) reader.fail(missing(name));
  const Range range{reader.time_s("StartTime").value_or(0), reader.time_s("EndTime").value_or(0)};
  if (range.begin_s >= range.end_s)
    reader.fail(invalid_value("The parameter StartTime must be less than the parameter EndTime."));
  return range;
}

Outcome get_metric_statistics(const Json& request, MetricBoard& board, std::int64_t, Answer* answer) {
  Outcome failure;
  RequestReader reader(request, failure);
  MetricName metric{reader.required_text("Namespace", kNameMax), reader.required_text("MetricName", kNameMax),
                    reader.dimensions()};
  const Range range = read_range(reader);
  const std::int64_t period_s = read_period(reader);
  const auto wanted = reader.texts("Statistics", kStatistics.size());
  if (reader.has("ExtendedStatistics"))
    reader.fail(invalid_value("The parameter ExtendedStatistics is not supported by this server."));
  if (wanted.empty()) reader.fail(missing("Statistics"));
  for (const std::string& name : wanted)
    if (!is_statistic(name))
      reader.fail(invalid_value(fmt::format("The value {} for parameter Statistics is invalid.", name)));
  const std::string unit = reader.text("Unit", kNameMax);
  if (failure.has_value()) return failure;
  if ((range.end_s - range.begin_s) / period_s > static_cast<std::int64_t>(kDatapointsMax))
    return bad_combination(
        fmt::format("You have requested up to {} datapoints, which exceeds the limit of {}. You may "
                    "reduce the datapoints requested by increasing Period, or decreasing the time range.",
                    (range.end_s - range.begin_s) / period_s, kDatapointsMax));
  Answer points = Answer::list();
  for (const auto& point : board.read(metric, unit, range.begin_s, range.end_s, period_s)) {
    Answer shown;
    shown.add("Timestamp", Answer::time(point.at_s));
    for (const std::string& name : wanted) shown.add(name, Answer::of(statistic(name, point.statistics)));
    shown.add("Unit", Answer::of(board.unit_of(metric)));
    points.items.push_back(std::move(shown));
  }
  answer->add("Label", Answer::of(metric.name));
  answer->add("Datapoints", std::move(points));
  return std::nullopt;
}

struct MetricQuery {
  std::string id;
  std::string label;
  MetricName metric;
  std::int64_t period_s = 60;
  std::string statistic;
  std::string unit;
  bool returned = true;
};

MetricQuery read_query(const Json& item, Outcome& failure) {
  MetricQuery query;
  RequestReader reader(item, failure);
  query.id = reader.required_text("Id", kNameMax);
  query.label = reader.text("Label", kNameMax);
  if (reader.has("Expression"))
    reader.fail({"ValidationError", "ValidationError",
                 "Expressions are not supported by this server: give each MetricDataQuery a MetricStat."});
  const Json* returned = item.find("ReturnData");
  query.returned = returned == nullptr || returned->boolean || returned->text == "true";
  const Json* stat = reader.structure("MetricStat");
  if (stat == nullptr) {
    reader.fail(missing("MetricStat"));
    return query;
  }
  RequestReader read(*stat, failure);
  query.period_s = read_period(read);
  query.statistic = read.required_text("Stat", kNameMax);
  query.unit = read.text("Unit", kNameMax);
  if (!is_statistic(query.statistic))
    read.fail(invalid_value(
        fmt::format("The value {} for parameter MetricDataQueries is not supported by this server: Stat "
                    "is one of SampleCount, Average, Sum, Minimum, Maximum.",
                    query.statistic)));
  const Json* metric = read.structure("Metric");
  if (metric == nullptr) {
    read.fail(missing("Metric"));
    return query;
  }
  RequestReader named(*metric, failure);
  query.metric = {named.required_text("Namespace", kNameMax), named.required_text("MetricName", kNameMax),
                  named.dimensions()};
  return query;
}

// Where a page of GetMetricData goes on: at a query, behind a point of it.
struct PageStart {
  std::size_t query = 0;
  std::optional<std::int64_t> behind_s;
};

std::string token_of(const PageStart& start) {
  return fmt::format("{}:{}", start.query, start.behind_s.has_value() ? std::to_string(*start.behind_s) : "");
}

std::optional<PageStart> page_start_of(std::string_view token) {
  PageStart start;
  const char* const end = token.data() + token.size();
  const auto query = std::from_chars(token.data(), end, start.query);
  if (query.ec != std::errc{} || query.ptr == end || *query.ptr != ':') return std::nullopt;
  if (query.ptr + 1 == end) return start;
  const auto behind = std::from_chars(query.ptr + 1, end, start.behind_s.emplace());
  if (behind.ec != std::errc{} || behind.ptr != end) return std::nullopt;
  return start;
}

// How many points a page has. AWS counts from 1 to kPagePointsMax.
std::size_t read_page_points(RequestReader& reader) {
  const double wanted = reader.number("MaxDatapoints").value_or(static_cast<double>(kPagePointsMax));
  if (!(wanted >= 1 && wanted <= static_cast<double>(kPagePointsMax))) {
    reader.fail(
        invalid_value(fmt::format("The parameter MaxDatapoints must be between 1 and {}.", kPagePointsMax)));
    return 1;
  }
  return std::min(kPagePoints, static_cast<std::size_t>(wanted));
}

Outcome get_metric_data(const Json& request, MetricBoard& board, std::int64_t, Answer* answer) {
  Outcome failure;
  RequestReader reader(request, failure);
  const Range range = read_range(reader);
  const bool ascending = reader.text("ScanBy", kNameMax) == "TimestampAscending";
  const std::string token = reader.text("NextToken", kNameMax);
  std::size_t points_left = read_page_points(reader);
  if (!reader.has("MetricDataQueries")) reader.fail(missing("MetricDataQueries"));
  std::vector<MetricQuery> queries;
  for (const Json& item : reader.list("MetricDataQueries", kQueriesMax))
    queries.push_back(read_query(item, failure));
  if (failure.has_value()) return failure;
  PageStart start;
  if (!token.empty()) {
    const auto given = page_start_of(token);
    if (!given.has_value() || given->query >= queries.size())
      return invalid_value("The parameter NextToken is invalid.");
    start = *given;
  }
  Answer results = Answer::list();
  std::optional<PageStart> next;
  for (std::size_t at = start.query; at < queries.size(); ++at) {
    const MetricQuery& query = queries[at];
    if (!query.returned) continue;
    if (points_left == 0) {
      next = PageStart{at, std::nullopt};
      break;
    }
    auto points = board.read(query.metric, query.unit, range.begin_s, range.end_s, query.period_s);
    if (!ascending) std::reverse(points.begin(), points.end());
    if (at == start.query && start.behind_s.has_value())
      std::erase_if(points, [&](const MetricBoard::Point& point) {
        return ascending ? point.at_s <= *start.behind_s : point.at_s >= *start.behind_s;
      });
    const bool whole = points.size() <= points_left;
    if (!whole) points.resize(points_left);
    points_left -= points.size();
    Answer times = Answer::list();
    Answer values = Answer::list();
    for (const auto& point : points) {
      times.items.push_back(Answer::time(point.at_s));
      values.items.push_back(Answer::of(statistic(query.statistic, point.statistics)));
    }
    Answer result;
    result.add("Id", Answer::of(query.id));
    result.add("Label", Answer::of(query.label.empty() ? query.metric.name : query.label));
    result.add("Timestamps", std::move(times));
    result.add("Values", std::move(values));
    result.add("StatusCode", Answer::of(whole ? "Complete" : "PartialData"));
    results.items.push_back(std::move(result));
    if (whole) continue;
    next = PageStart{at, points.back().at_s};
    break;
  }
  answer->add("MetricDataResults", std::move(results));
  answer->add("Messages", Answer::list());
  if (next.has_value()) answer->add("NextToken", Answer::of(token_of(*next)));
  return std::nullopt;
}

// A page ends with the last metric in it, written so that it can be found again.
std::string token_of(const MetricName& metric) {
  std::string token = metric.name_space + '\n' + metric.name;
  for (const auto& [name, value] : metric.dimensions)
    token.append(1, '\n').append(name).append(1, '\n').append(value);
  std::string hex;
  for (const char c : token) hex += fmt::format("{:02x}", static_cast<unsigned char>(c));
  return hex;
}

std::optional<MetricName> metric_of(std::string_view token) {
  std::vector<std::string> parts(1);
  for (std::size_t i = 0; i + 1 < token.size(); i += 2) {
    unsigned byte = 0;
    const char* digits = token.data() + i;
    if (std::from_chars(digits, digits + 2, byte, 16).ptr != digits + 2) return std::nullopt;
    if (byte == '\n')
      parts.emplace_back();
    else
      parts.back() += static_cast<char>(byte);
  }
  if (parts.size() < 2 || parts.size() % 2 != 0) return std::nullopt;
  MetricName metric{parts[0], parts[1], {}};
  for (std::size_t i = 2; i < parts.size(); i += 2) metric.dimensions[parts[i]] = parts[i + 1];
  return metric;
}

Answer shown(const MetricName& metric) {
  Answer dimensions = Answer::list();
  for (const auto& [name, value] : metric.dimensions) {
    Answer dimension;
    dimension.add("Name", Answer::of(name));
    dimension.add("Value", Answer::of(value));
    dimensions.items.push_back(std::move(dimension));
  }
  Answer shown;
  shown.add("Namespace", Answer::of(metric.name_space));
  shown.add("MetricName", Answer::of(metric.name));
  shown.add("Dimensions", std::move(dimensions));
  return shown;
}

std::size_t name_bytes(const MetricName& metric) {
  std::size_t bytes = metric.name_space.size() + metric.name.size();
  for (const auto& [name, value] : metric.dimensions) bytes += name.size() + value.size();
  return bytes;
}

Outcome list_metrics(const Json& request, MetricBoard& board, std::int64_t, Answer* answer) {
  Outcome failure;
  RequestReader reader(request, failure);
  const std::string name_space = reader.text("Namespace", kNameMax);
  const std::string name = reader.text("MetricName", kNameMax);
  std::vector<std::pair<std::string, std::string>> filters;
  for (const Json& item : reader.list("Dimensions", 10)) {
    RequestReader filter(item, failure);
    std::string wanted = filter.required_text("Name", kNameMax);
    filters.emplace_back(std::move(wanted), filter.text("Value", 1'024));
  }
  const std::string token = reader.text("NextToken", 200'000);
  if (failure.has_value()) return failure;
  std::optional<MetricName> after;
  if (!token.empty()) {
    after = metric_of(token);
    if (!after.has_value()) return invalid_value("The parameter NextToken is invalid.");
  }
  const auto matches = [&](const MetricName& metric) {
    if (!name_space.empty() && metric.name_space != name_space) return false;
    if (!name.empty() && metric.name != name) return false;
    return std::all_of(filters.begin(), filters.end(), [&metric](const auto& filter) {
      const auto found = metric.dimensions.find(filter.first);
      return found != metric.dimensions.end() && (filter.second.empty() || found->second == filter.second);
    });
  };
  Answer metrics = Answer::list();
  std::optional<MetricName> last;
  bool more = false;
  std::size_t bytes = 0;
  board.each(after, [&](const MetricName& metric) {
    if (!matches(metric)) return true;
    more = metrics.items.size() == kListedMax || bytes >= kListedBytesMax;
    if (more) return false;
    bytes += name_bytes(metric);
    metrics.items.push_back(shown(metric));
    last = metric;
    return true;
  });
  answer->add("Metrics", std::move(metrics));
  if (more) answer->add("NextToken", Answer::of(token_of(*last)));
  return std::nullopt;
}

constexpr Operation kOperations[] = {
    {"GetMetricData", "cloudwatch:GetMetricData", true, get_metric_data},
    {"GetMetricStatistics", "cloudwatch:GetMetricStatistics", true, get_metric_statistics},
    {"ListMetrics", "cloudwatch:ListMetrics", true, list_metrics},
    {"PutMetricData", "cloudwatch:PutMetricData", false, put_metric_data},
};

}  // namespace

const Operation* find_operation(std::string_view name) {
  for (const Operation& operation : kOperations)
    if (operation.name == name) return &operation;
  return nullptr;
}

}  // namespace millrace::leases::cloudwatch
