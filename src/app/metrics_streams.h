// app/metrics_streams.h: the part of /metrics that is of streams and of who reads them.
#pragma once

#include "app/metric_families.h"
#include "app/stream_watch.h"

namespace millrace::app {

void add_streams(MetricFamilies& families, const StreamFigures& figures);

}  // namespace millrace::app
