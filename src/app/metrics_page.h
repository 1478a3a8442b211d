// app/metrics_page.h: the answer to GET /metrics.
#pragma once

#include <atomic>
#include <memory>
#include <string>

#include "base/loop.h"
#include "base/published.h"
#include "broker/broker.h"
#include "identity/quota_meter.h"
#include "kinesis/front_door.h"
#include "net/http.h"
#include "net/server.h"

namespace millrace::app {

class MetricsPage {
 public:
  // broker, front_door, quotas   borrowed; outlive the page
  MetricsPage(const broker::Broker& broker, const kinesis::FrontDoor& front_door,
              const Published<identity::QuotaTable>& quotas, std::string node, std::string zone);
  // Waits for answers being made; their responders are gone then.
  ~MetricsPage();

  // Once the server is there: its figures are part of the page from now on. Borrowed; outlives the page's
  // last answer.
  void serves(const net::Server& server) { server_.store(&server, std::memory_order_release); }

  // On the connection's loop; many loops at once. Asks the kernel on a thread of its own: loops do not wait
  // for it.
  void handle(std::unique_ptr<net::Request> request, net::Responder responder);

 private:
  std::string text(const broker::Catalog& catalog) const;

  const broker::Broker& broker_;
  const kinesis::FrontDoor& front_door_;
  const Published<identity::QuotaTable>& quotas_;
  const std::string node_;
  const std::string zone_;
  const double started_s_;
  std::atomic<const net::Server*> server_{nullptr};
  std::unique_ptr<Worker> worker_;  // last: it goes first
};

}  // namespace millrace::app
