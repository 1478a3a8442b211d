#include "load/report.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <nlohmann/json.hpp>

namespace millrace::load {
namespace {

using Json = nlohmann::ordered_json;

Json latency(const Histogram& histogram) {
  return {{"count", histogram.count()},
          {"p50_us", histogram.quantile_us(0.5)},
          {"p90_us", histogram.quantile_us(0.9)},
          {"p99_us", histogram.quantile_us(0.99)},
          {"p999_us", histogram.quantile_us(0.999)},
          {"max_us", histogram.max_us()}};
}

double rate(std::uint64_t count, double seconds) {
  return seconds > 0 ? static_cast<double>(count) / seconds : 0;
}

}  // namespace

void SecondLines::start() {
  begin_us_ = now_us();
  loop_.at(begin_us_ + 1'000'000, [this] { print(); });
}

void SecondLines::print() {
  ++second_;
  const Histogram interval = totals_.end_to_end_us.since(end_to_end_before_);
  const Json line = {
      {"second", second_},
      {"in", totals_.put_records - put_records_},
      {"out", totals_.get_records - get_records_},
      {"in_bytes", totals_.put_bytes - put_bytes_},
      {"out_bytes", totals_.get_bytes - get_bytes_},
      {"p50_us", interval.quantile_us(0.5)},
      {"p99_us", interval.quantile_us(0.99)},
      {"max_us", interval.quantile_us(1)},
      // A record may be received before its acknowledgement arrives.
      {"lag", totals_.put_records - std::min(totals_.get_records, totals_.put_records)},
  };
  fmt::print("{}\n", line.dump());
  std::fflush(stdout);
  put_records_ = totals_.put_records;
  get_records_ = totals_.get_records;
  put_bytes_ = totals_.put_bytes;
  get_bytes_ = totals_.get_bytes;
  end_to_end_before_ = totals_.end_to_end_us;
  loop_.at(begin_us_ + (second_ + 1) * 1'000'000, [this] { print(); });
}

std::string summary(const Totals& totals, const Verdict* verdict, const FanOutReader* fan_out,
                    double put_seconds, double get_seconds) {
  Json json;
  if (totals.put_requests > 0) {
    json["put"] = {{"seconds", put_seconds},
                   {"requests", totals.put_requests},
                   {"records", totals.put_records},
                   {"records_per_s", rate(totals.put_records, put_seconds)},
                   {"payload_mb_per_s", rate(totals.put_bytes, put_seconds) / 1e6},
                   {"body_mb_per_s", rate(totals.put_body_bytes, put_seconds) / 1e6},
                   {"refused_records", totals.refused_records},
                   {"latency", latency(totals.put_us)}};
  }
  if (totals.get_requests > 0) {
    json["get"] = {{"seconds", get_seconds},
                   {"requests", totals.get_requests},
                   {"records", totals.get_records},
                   {"records_per_s", rate(totals.get_records, get_seconds)},
                   {"payload_mb_per_s", rate(totals.get_bytes, get_seconds) / 1e6},
                   {"body_mb_per_s", rate(totals.get_body_bytes, get_seconds) / 1e6}};
    if (totals.end_to_end_us.count() > 0) json["get"]["end_to_end"] = latency(totals.end_to_end_us);
  }
  json["errors"] = totals.errors;
  if (verdict != nullptr) {
    const Verdict::Counts counts = verdict->counts();
    json["verdict"] = {{"attempted", counts.attempted},   {"acknowledged", counts.acknowledged},
                       {"received", counts.received},     {"lost", counts.lost},
                       {"duplicated", counts.duplicated}, {"out_of_order", counts.out_of_order},
                       {"never_sent", counts.never_sent}, {"foreign", counts.foreign},
                       {"clean", counts.clean()}};
  }
  if (fan_out != nullptr) {
    const FanOutReader::Counts counts = fan_out->counts();
    json["fan_out"] = {{"consumers", counts.consumers},       {"lost", counts.lost},
                       {"duplicated", counts.duplicated},     {"out_of_order", counts.out_of_order},
                       {"slow_records", counts.slow_records}, {"clean", counts.clean()}};
  }
  return json.dump();
}

}  // namespace millrace::load
