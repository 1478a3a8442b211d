// Pages of CloudWatch's answers: bounded, and together everything, each thing once.
#include <gtest/gtest.h>

#include <fmt/format.h>

#include <map>
#include <set>
#include <string>
#include <vector>

#include "leases/cloudwatch/operations.h"

namespace millrace::leases::cloudwatch {
namespace {

constexpr std::int64_t kAskedAt = 1'795'000'020;

Answer page_of(MetricBoard& board, std::string_view operation, const std::string& request) {
  const JsonDocument document = parse_json(as_bytes(request));
  EXPECT_EQ(document.fault, JsonFault::kNone);
  Answer answer;
  const auto failure = find_operation(operation)->run(document.root, board, kAskedAt, &answer);
  EXPECT_FALSE(failure.has_value()) << failure->message;
  return answer;
}

const Answer* member(const Answer& answer, std::string_view name) {
  for (std::size_t i = 0; i < answer.names.size(); ++i)
    if (answer.names[i] == name) return &answer.items[i];
  return nullptr;
}

std::string next_of(const Answer& answer) {
  const Answer* token = member(answer, "NextToken");
  return token == nullptr ? "" : fmt::format(R"(,"NextToken":"{}")", token->text);
}

TEST(MetricPages, ListMetricsEndsAPageByItsBytes) {
  MetricBoard board;
  constexpr std::size_t kMetrics = 300;
  for (std::size_t i = 0; i < kMetrics; ++i) {
    MetricName metric{"app", fmt::format("metric-{:03}", i), {}};
    for (char name = 'a'; name <= 'z'; ++name)
      metric.dimensions[std::string(250, name)] = std::string(1'000, 'v');
    board.add(metric, "None", kAskedAt, Statistics::of(1, 1), kAskedAt);
  }
  std::set<std::string> listed;
  std::string token;
  std::size_t pages = 0;
  do {
    const Answer answer = page_of(board, "ListMetrics", fmt::format(R"({{"Namespace":"app"{}}})", token));
    EXPECT_LT(encode(Protocol::kQuery, "ListMetrics", answer, "id").size(), 3u << 20);
    for (const Answer& metric : member(answer, "Metrics")->items)
      EXPECT_TRUE(listed.insert(member(metric, "MetricName")->text).second);
    token = next_of(answer);
    ++pages;
  } while (!token.empty());
  EXPECT_EQ(listed.size(), kMetrics);
  EXPECT_GT(pages, 5u);
}

TEST(MetricPages, GetMetricDataGoesOnWhereAPageEnded) {
  MetricBoard board;
  constexpr int kMinutes = 120;
  std::string queries;
  for (int metric = 0; metric < 3; ++metric) {
    const MetricName name{"app", fmt::format("m{}", metric), {}};
    for (int minute = 0; minute < kMinutes; ++minute)
      board.add(name, "None", kAskedAt - 60 * minute, Statistics::of(minute, 1), kAskedAt);
    queries += fmt::format(
        R"({}{{"Id":"q{}","MetricStat":{{"Metric":{{"Namespace":"app","MetricName":"m{}"}},"Period":60,"Stat":"Sum"}}}})",
        metric == 0 ? "" : ",", metric, metric);
  }
  for (const std::string_view order : {"TimestampAscending", "TimestampDescending"}) {
    std::map<std::string, std::vector<double>> values;
    std::string token;
    std::size_t pages = 0;
    do {
      const Answer answer =
          page_of(board, "GetMetricData",
                  fmt::format(R"({{"StartTime":{},"EndTime":{},"ScanBy":"{}","MaxDatapoints":50,)"
                              R"("MetricDataQueries":[{}]{}}})",
                              kAskedAt - 3 * 3'600, kAskedAt + 60, order, queries, token));
      std::size_t points = 0;
      for (const Answer& result : member(answer, "MetricDataResults")->items) {
        auto& all = values[member(result, "Id")->text];
        for (const Answer& value : member(result, "Values")->items) all.push_back(value.number);
        points += member(result, "Values")->items.size();
        EXPECT_EQ(member(result, "StatusCode")->text == "Complete", all.size() == kMinutes);
      }
      EXPECT_LE(points, 50u);
      token = next_of(answer);
      ++pages;
    } while (!token.empty() && pages < 100);
    EXPECT_EQ(pages, 8u);
    std::vector<double> expected;
    for (int minute = 0; minute < kMinutes; ++minute)
      expected.push_back(order == "TimestampAscending" ? kMinutes - 1 - minute : minute);
    for (const auto& [id, all] : values) EXPECT_EQ(all, expected) << id << " " << order;
    EXPECT_EQ(values.size(), 3u);
  }
}

// What GetMetricData says against a query of that period and page; empty: nothing.
std::string refusal_of(std::string_view period, std::string_view token) {
  MetricBoard board;
  const std::string request = fmt::format(
      R"({{"StartTime":1,"EndTime":60,"NextToken":"{}","MetricDataQueries":[{{"Id":"q","MetricStat":)"
      R"({{"Metric":{{"Namespace":"app","MetricName":"m"}},"Period":{},"Stat":"Sum"}}}}]}})",
      token, period);
  Answer answer;
  const auto failure =
      find_operation("GetMetricData")->run(parse_json(as_bytes(request)).root, board, kAskedAt, &answer);
  return failure.has_value() ? failure->message : "";
}

TEST(MetricPages, APeriodThatIsNoneIsRefusedHoweverLargeItIs) {
  for (const std::string_view period : {"6888888888888888288888880", "-1e300", "1e19", "59", "0", "61"})
    EXPECT_EQ(refusal_of(period, ""), "The parameter Period must be a multiple of 60 between 60 and 86400.")
        << period;
}

TEST(MetricPages, ATokenOfNoPageIsRefused) {
  for (const std::string_view token : {"x", "1", "9:", ":", "0:y", "0:1:2"})
    EXPECT_EQ(refusal_of("60", token), "The parameter NextToken is invalid.") << token;
}

}  // namespace
}  // namespace millrace::leases::cloudwatch
