// app/metrics_page.h: the answer to GET /metrics.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "app/disk_room.h"
#include "app/memory.h"
#include "app/stream_watch.h"
#include "base/conditions.h"
#include "base/loop.h"
#include "base/published.h"
#include "broker/broker.h"
#include "identity/quota_meter.h"
#include "kinesis/front_door.h"
#include "net/http.h"
#include "net/server.h"

namespace millrace::app {

struct MetricsPageOptions {
  std::string node;
  std::string zone;
  std::uint64_t connections_max = 0;
  bool names_owners = false;  // of quotas: users, roles and streams. False: only their sums are shown.
};

class MetricsPage {
 public:
  // Borrowed; outlives the page, and the watch also the loops' last callback.
  struct Ground {
    const broker::Broker& broker;
    const kinesis::FrontDoor& front_door;
    StreamWatch& watch;
    const Published<identity::QuotaTable>& quotas;
    const Conditions& conditions;
    const Memory& memory;
    store::Disk& disk;
  };
  MetricsPage(const Ground& ground, MetricsPageOptions options);
  // Waits for the page that is being made. No request may come any more.
  ~MetricsPage();

  // Once the server is there: its figures are part of the page from now on. Borrowed; outlives the page's
  // last answer.
  void serves(const net::Server& server) { server_.store(&server, std::memory_order_release); }

  // Answers with the next page that is made. One is made at a time, for all who wait, on a thread of its own
  // and with pauses, so that any number of requests costs no more than a part of one core.
  // thread   the connection's loop; many loops at once
  void handle(std::unique_ptr<net::Request> request, net::Responder responder);

 private:
  struct Waiting {
    Loop* loop;
    net::Responder responder;
  };
  // What a timer holds on to: the page may go before it.
  struct Handle {
    std::mutex mutex;
    MetricsPage* page;  // guarded; null once it has gone
  };

  void make_next(Loop& loop);               // after the pause; any thread
  void begin();                             // on a loop: what only loops can see is looked up there
  void make(const StreamFigures& streams);  // on the worker
  std::string text(const StreamFigures& streams);

  const Ground ground_;
  const MetricsPageOptions options_;
  const double started_s_;
  std::atomic<const net::Server*> server_{nullptr};
  std::mutex mutex_;
  std::vector<Waiting> waiting_;  // guarded
  bool making_ = false;           // guarded: a page is being made, or is about to be
  std::int64_t next_ns_ = 0;      // guarded: no page is begun before
  std::int64_t begun_ns_ = 0;     // of the page that is being made
  DiskRoom room_;                 // the worker's
  const std::shared_ptr<Handle> handle_;
  std::unique_ptr<Worker> worker_;  // last: it goes first
};

}  // namespace millrace::app
