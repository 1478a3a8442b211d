#include "app/metrics_page.h"

#include <algorithm>
#include <utility>

#include "app/metrics.h"
#include "base/clock.h"
#include "base/task.h"
#include "store/posix_disk.h"

namespace millrace::app {
namespace {

// A page is begun so long after the one before it, or after as many times what that one took.
constexpr std::int64_t kPauseNs = 20'000'000;
constexpr std::int64_t kPauseFactor = 4;

}  // namespace

MetricsPage::MetricsPage(const Ground& ground, MetricsPageOptions options)
    : ground_(ground),
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
  begun_ns_ = system_clock().monotonic_ns();
  // The page may go while the loops look at their shards.
  spawn(ground_.watch.figures(), [handle = handle_](std::shared_ptr<const StreamFigures> streams) {
    const std::lock_guard lock(handle->mutex);
    if (MetricsPage* const page = handle->page; page != nullptr)
      page->worker_->run([page, streams = std::move(streams)] { page->make(*streams); });
  });
}

void MetricsPage::make(const StreamFigures& streams) {
  std::vector<Waiting> served;
  {
    const std::lock_guard lock(mutex_);
    served.swap(waiting_);
  }
  const auto page = std::make_shared<const Bytes>(text(streams));
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
    next_ns_ = now_ns + std::max(kPauseNs, kPauseFactor * (now_ns - begun_ns_));
    making_ = !waiting_.empty();
    if (making_) next = waiting_.front().loop;
  }
  if (next != nullptr) make_next(*next);
}

std::string MetricsPage::text(const StreamFigures& streams) {
  MetricsInput input{.streams = streams};
  input.node = options_.node;
  input.zone = options_.zone;
  input.started_s = started_s_;
  input.process = read_process_stats();
  if (const net::Server* server = server_.load(std::memory_order_acquire)) input.net = server->stats();
  input.connections_max = options_.connections_max;
  input.log = ground_.broker.log().stats();
  input.kinesis = ground_.front_door.stats();
  input.quotas = ground_.quotas.here()->all();
  input.names_owners = options_.names_owners;
  input.memory = ground_.memory.all();
  input.subscriptions = ground_.front_door.open_subscriptions();
  input.conditions = ground_.conditions.seen();
  if (const auto free_bytes = ground_.disk.free_bytes(); free_bytes.ok()) {
    input.disk_free_bytes = *free_bytes;
    room_.note(*free_bytes, system_clock().monotonic_ns());
    input.disk_full_in_s = room_.full_in_s();
  }
  return metrics_text(input);
}

}  // namespace millrace::app
