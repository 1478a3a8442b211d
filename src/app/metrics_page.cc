#include "app/metrics_page.h"

#include <algorithm>
#include <utility>

#include "app/metrics.h"
#include "base/clock.h"
#include "store/posix_disk.h"

namespace millrace::app {
namespace {

// A page is begun so long after the one before it, or after as many times what that one took.
constexpr std::int64_t kPauseNs = 20'000'000;
constexpr std::int64_t kPauseFactor = 4;

}  // namespace

MetricsPage::MetricsPage(const broker::Broker& broker, const kinesis::FrontDoor& front_door,
                         const Published<identity::QuotaTable>& quotas, const Conditions& conditions,
                         const Memory& memory, MetricsPageOptions options)
    : broker_(broker),
      front_door_(front_door),
      quotas_(quotas),
      conditions_(conditions),
      memory_(memory),
      options_(std::move(options)),
      started_s_(static_cast<double>(system_clock().wall_ms()) / 1e3),
      handle_(std::make_shared<Handle>()),
      worker_(store::start_thread_worker("metrics", 0)) {
  handle_->page = this;
}

MetricsPage::~MetricsPage() {
  const std::lock_guard lock(handle_->mutex);
  handle_->page = nullptr;
}

void MetricsPage::handle(std::unique_ptr<net::Request> request, net::Responder responder) {
  Loop& loop = *request->loop;
  {
    const std::lock_guard lock(mutex_);
    waiting_.push_back({&loop, std::move(responder)});
    if (std::exchange(making_, true)) return;
  }
  make_next(loop);
}

void MetricsPage::make_next(Loop& loop) {
  std::int64_t pause_ns = 0;
  {
    const std::lock_guard lock(mutex_);
    pause_ns = std::max<std::int64_t>(next_ns_ - system_clock().monotonic_ns(), 0);
  }
  if (pause_ns == 0 && loop.is_current()) return begin();
  loop.post_after(pause_ns, [handle = handle_] {
    const std::lock_guard lock(handle->mutex);
    if (handle->page != nullptr) handle->page->begin();
  });
}

void MetricsPage::begin() {
  worker_->run([this, catalog = broker_.catalog()] { make(*catalog); });
}

void MetricsPage::make(const broker::Catalog& catalog) {
  std::vector<Waiting> served;
  {
    const std::lock_guard lock(mutex_);
    served.swap(waiting_);
  }
  const std::int64_t begun_ns = system_clock().monotonic_ns();
  const auto page = std::make_shared<const Bytes>(text(catalog));
  for (Waiting& each : served) {
    each.loop->post([page, responder = std::move(each.responder)]() mutable {
      net::Response response;
      response.headers.emplace_back("Content-Type", "text/plain; version=0.0.4; charset=utf-8");
      if (responder.is_wanted()) response.body.append(page->view());
      std::move(responder).respond(std::move(response));
    });
  }
  Loop* next = nullptr;
  {
    const std::lock_guard lock(mutex_);
    const std::int64_t now_ns = system_clock().monotonic_ns();
    next_ns_ = now_ns + std::max(kPauseNs, kPauseFactor * (now_ns - begun_ns));
    making_ = !waiting_.empty();
    if (making_) next = waiting_.front().loop;
  }
  if (next != nullptr) make_next(*next);
}

std::string MetricsPage::text(const broker::Catalog& catalog) const {
  MetricsInput input;
  input.node = options_.node;
  input.zone = options_.zone;
  input.started_s = started_s_;
  input.process = read_process_stats();
  if (const net::Server* server = server_.load(std::memory_order_acquire)) input.net = server->stats();
  input.log = broker_.log().stats();
  input.kinesis = front_door_.stats();
  input.quotas = quotas_.here()->all();
  input.names_owners = options_.names_owners;
  input.memory = memory_.all();
  input.subscriptions = front_door_.open_subscriptions();
  input.conditions = conditions_.seen();
  input.streams = catalog.streams.size();
  input.open_shards = catalog.open_shard_count;
  return metrics_text(input);
}

}  // namespace millrace::app
