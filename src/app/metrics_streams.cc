#include "app/metrics_streams.h"

#include <fmt/format.h>

#include <utility>

namespace millrace::app {
namespace {

using prometheus::MetricFamily;
using prometheus::MetricType;

constexpr const char* kRest = "(others)";  // no stream, consumer or application can have this name

class StreamFamilies {
 public:
  void add(const StreamFigures::Stream& stream, const std::string& name) {
    const MetricLabels labels{{"stream", name}};
    in_records_.metric.push_back(counted(labels, static_cast<double>(stream.total.in_records)));
    in_bytes_.metric.push_back(counted(labels, static_cast<double>(stream.total.in_bytes)));
    out_records_.metric.push_back(counted(labels, static_cast<double>(stream.total.out_records)));
    out_bytes_.metric.push_back(counted(labels, static_cast<double>(stream.total.out_bytes)));
    failed_.metric.push_back(counted(labels, static_cast<double>(stream.total.failed_records)));
    throttled_.metric.push_back(counted(labels, static_cast<double>(stream.total.throttled_records)));
    if (stream.oldest_age_s.has_value()) oldest_.metric.push_back(gauged(labels, *stream.oldest_age_s));
    if (stream.newest_age_s.has_value()) newest_.metric.push_back(gauged(labels, *stream.newest_age_s));
  }
  void move_to(MetricFamilies& families) {
    for (MetricFamily* family :
         {&in_records_, &in_bytes_, &out_records_, &out_bytes_, &failed_, &throttled_, &oldest_, &newest_})
      families.add(std::move(*family));
  }

 private:
  static std::string help(const std::string& what) {
    return fmt::format("{}; the {} busiest streams by name, all others together as \"{}\"", what,
                       StreamTotals::kShownMax, kRest);
  }

  MetricFamily in_records_{"millrace_stream_in_records_total", help("Records put"), MetricType::Counter, {}};
  MetricFamily in_bytes_{
      "millrace_stream_in_bytes_total", help("Bytes put, of keys and data"), MetricType::Counter, {}};
  MetricFamily out_records_{
      "millrace_stream_out_records_total", help("Records read, by all readers"), MetricType::Counter, {}};
  MetricFamily out_bytes_{
      "millrace_stream_out_bytes_total", help("Bytes read, by all readers"), MetricType::Counter, {}};
  MetricFamily failed_{"millrace_stream_failed_records_total",
                       help("Records that could not be put, by a fault of the server or a key"),
                       MetricType::Counter,
                       {}};
  MetricFamily throttled_{"millrace_stream_throttled_records_total",
                          help("Records refused by a limit or a quota"),
                          MetricType::Counter,
                          {}};
  MetricFamily oldest_{"millrace_stream_oldest_record_age_seconds",
                       help("Age of the oldest record kept"),
                       MetricType::Gauge,
                       {}};
  MetricFamily newest_{
      "millrace_stream_newest_record_age_seconds", help("Age of the newest record"), MetricType::Gauge, {}};
};

std::string reader_help(const std::string& what) {
  return fmt::format(
      "{}; the {} readers that lag most by name, all others together as \"{}\"; kind: application (KCL), "
      "consumer (enhanced fan-out), access_key or session (GetRecords)",
      what, StreamFigures::kReadersMax, kRest);
}

void add_readers(MetricFamilies& families, const StreamFigures& figures) {
  MetricFamily records{
      "millrace_reader_lag_records", reader_help("Records not read yet"), MetricType::Gauge, {}};
  MetricFamily seconds{"millrace_reader_lag_seconds",
                       reader_help("Age of the oldest record not read yet, 0: none"),
                       MetricType::Gauge,
                       {}};
  const auto add = [&](const StreamFigures::Reader& reader, const MetricLabels& labels) {
    records.metric.push_back(gauged(labels, static_cast<double>(reader.lag_records)));
    seconds.metric.push_back(gauged(labels, reader.lag_s));
  };
  for (const StreamFigures::Reader& reader : figures.readers)
    add(reader, {{"stream", reader.stream},
                 {"kind", reader.kind},
                 {"reader", reader.name.empty() ? "(unsigned)" : reader.name}});
  if (figures.more.has_value()) add(*figures.more, {{"stream", kRest}, {"kind", kRest}, {"reader", kRest}});
  families.add(std::move(records));
  families.add(std::move(seconds));
  families.gauge("millrace_lease_tables_unmatched", "KCL lease tables whose stream cannot be told",
                 figures.unmatched_tables);
}

}  // namespace

void add_streams(MetricFamilies& families, const StreamFigures& figures) {
  StreamFamilies streams;
  for (const StreamFigures::Stream& stream : figures.streams) streams.add(stream, stream.name);
  if (figures.rest.has_value()) streams.add(*figures.rest, kRest);
  streams.move_to(families);
  add_readers(families, figures);
}

}  // namespace millrace::app
