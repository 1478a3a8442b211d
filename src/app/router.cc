#include "app/router.h"

#include <utility>

namespace millrace::app {
namespace {

net::Response text_response(int status, const char* content_type, std::string_view body) {
  net::Response response;
  response.status = status;
  response.headers.emplace_back("Content-Type", content_type);
  response.headers.emplace_back("Cache-Control", "no-store");
  response.body = Bytes(body);
  return response;
}

net::Response json_response(int status, std::string_view body) {
  return text_response(status, "application/json", body);
}

}  // namespace

void Router::handle(std::unique_ptr<net::Request> request, net::Responder responder) {
  const std::string_view path = request->target.substr(0, request->target.find('?'));
  const bool own = path == "/healthz" || path == "/readyz" || path == "/metrics" || path == "/console" ||
                   path.starts_with("/console/");
  if (!own) {
    routes_.aws(std::move(request), std::move(responder));
    return;
  }
  if (request->method != "GET" && request->method != "HEAD") {
    auto response = json_response(405, R"({"error":"only GET and HEAD here"})"
                                       "\n");
    response.headers.emplace_back("Allow", "GET, HEAD");
    std::move(responder).respond(std::move(response));
  } else if (path == "/healthz") {
    std::move(responder).respond(json_response(200, R"({"status":"ok"})"
                                                    "\n"));
  } else if (path == "/readyz") {
    const bool leaving = leaving_.load(std::memory_order_relaxed);
    std::move(responder).respond(leaving ? json_response(503, R"({"status":"draining"})"
                                                              "\n")
                                         : json_response(200, R"({"status":"ready"})"
                                                              "\n"));
  } else if (path == "/metrics") {
    answer_metrics(std::move(request), std::move(responder));
  } else {
    std::move(responder).respond(json_response(404, R"({"error":"this release has no console yet"})"
                                                    "\n"));
  }
}

void Router::answer_metrics(std::unique_ptr<net::Request> request, net::Responder responder) {
  Loop& loop = *request->loop;
  routes_.scraper.run([this, &loop, responder = std::move(responder)]() mutable {
    auto response = text_response(200, "text/plain; version=0.0.4; charset=utf-8", routes_.metrics());
    loop.post([responder = std::move(responder), response = std::move(response)]() mutable {
      std::move(responder).respond(std::move(response));
    });
  });
}

}  // namespace millrace::app
