#include "app/router.h"

#include <algorithm>
#include <utility>

#include "leases/cloudwatch/front_door.h"
#include "leases/dynamodb/front_door.h"

namespace millrace::app {
namespace {

net::Response json_line(int status, std::string_view json) {
  net::Response response;
  response.status = status;
  response.headers.emplace_back("Content-Type", "application/json");
  response.headers.emplace_back("Cache-Control", "no-store");
  response.body = Bytes(json);
  response.body.push_back('\n');
  return response;
}

constexpr std::string_view kStsVersion = "Version=2011-06-15";

// The service of the credential scope: "sts" of "…Credential=AKID/20261125/us-east-1/sts/aws4_request, …".
std::string_view signed_service(const net::Request& request) {
  constexpr std::string_view kCredential = "Credential=";
  std::string_view scope = request.header("authorization");
  std::string_view slash = "/";
  if (scope.empty()) {
    scope = request.target.substr(std::min(request.target.size(), request.target.find('?')));
    slash = "%2F";
  }
  std::size_t at = scope.find(kCredential);
  if (at == std::string_view::npos) return {};
  scope.remove_prefix(at + kCredential.size());
  for (int part = 0; part < 3; ++part) {
    at = scope.find(slash);
    if (at == std::string_view::npos) return {};
    scope.remove_prefix(at + slash.size());
  }
  return scope.substr(0, scope.find(slash));
}

bool is_for_sts(const net::Request& request) {
  const std::string_view service = signed_service(request);
  if (!service.empty()) return service == "sts";
  if (!request.header("x-amz-target").empty()) return false;
  return request.target.find(kStsVersion) != std::string_view::npos ||
         (request.header("content-type").starts_with("application/x-www-form-urlencoded") &&
          request.body.text().find(kStsVersion) != std::string_view::npos);
}

}  // namespace

void Router::handle(std::unique_ptr<net::Request> request, net::Responder responder) {
  const std::string_view path = request->target.substr(0, request->target.find('?'));
  const bool own = path == "/healthz" || path == "/readyz" || path == "/metrics" || path == "/console" ||
                   path.starts_with("/console/");
  if (path.starts_with("/admin/")) {
    routes_.admin(std::move(request), std::move(responder));
    return;
  }
  if (!own && is_for_sts(*request)) {
    routes_.sts(std::move(request), std::move(responder));
    return;
  }
  if (!own && leases::dynamodb::FrontDoor::is_target(request->header("x-amz-target"))) {
    routes_.dynamodb(std::move(request), std::move(responder));
    return;
  }
  if (!own && leases::cloudwatch::FrontDoor::is_for(*request)) {
    routes_.cloudwatch(std::move(request), std::move(responder));
    return;
  }
  if (!own) {
    routes_.aws(std::move(request), std::move(responder));
    return;
  }
  if (request->method != "GET" && request->method != "HEAD") {
    auto response = json_line(405, R"({"error":"only GET and HEAD here"})");
    response.headers.emplace_back("Allow", "GET, HEAD");
    std::move(responder).respond(std::move(response));
  } else if (path == "/healthz") {
    std::move(responder).respond(json_line(200, R"({"status":"ok"})"));
  } else if (path == "/readyz") {
    const bool leaving = leaving_.load(std::memory_order_relaxed);
    std::move(responder).respond(leaving ? json_line(503, R"({"status":"draining"})")
                                         : json_line(200, R"({"status":"ready"})"));
  } else if (path == "/metrics") {
    routes_.metrics(std::move(request), std::move(responder));
  } else {
    std::move(responder).respond(json_line(404, R"({"error":"this release has no console yet"})"));
  }
}

}  // namespace millrace::app
