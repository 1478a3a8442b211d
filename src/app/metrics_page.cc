#include "app/metrics_page.h"

#include <utility>

#include "app/metrics.h"
#include "base/clock.h"
#include "store/posix_disk.h"

namespace millrace::app {

MetricsPage::MetricsPage(const broker::Broker& broker, const kinesis::FrontDoor& front_door,
                         const Published<identity::QuotaTable>& quotas, std::string node, std::string zone)
    : broker_(broker),
      front_door_(front_door),
      quotas_(quotas),
      node_(std::move(node)),
      zone_(std::move(zone)),
      started_s_(static_cast<double>(system_clock().wall_ms()) / 1e3),
      worker_(store::start_thread_worker("metrics", 0)) {}

MetricsPage::~MetricsPage() = default;

void MetricsPage::handle(std::unique_ptr<net::Request> request, net::Responder responder) {
  Loop& loop = *request->loop;
  worker_->run([this, &loop, catalog = broker_.catalog(), responder = std::move(responder)]() mutable {
    net::Response response;
    response.headers.emplace_back("Content-Type", "text/plain; version=0.0.4; charset=utf-8");
    response.body = Bytes(text(*catalog));
    loop.post([responder = std::move(responder), response = std::move(response)]() mutable {
      std::move(responder).respond(std::move(response));
    });
  });
}

std::string MetricsPage::text(const broker::Catalog& catalog) const {
  MetricsInput input;
  input.node = node_;
  input.zone = zone_;
  input.started_s = started_s_;
  input.process = read_process_stats();
  if (const net::Server* server = server_.load(std::memory_order_acquire)) input.net = server->stats();
  input.log = broker_.log().stats();
  input.kinesis = front_door_.stats();
  input.quotas = quotas_.here()->all();
  input.subscriptions = front_door_.open_subscriptions();
  input.streams = catalog.streams.size();
  input.open_shards = catalog.open_shard_count;
  return metrics_text(input);
}

}  // namespace millrace::app
