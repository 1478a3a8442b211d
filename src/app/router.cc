#include "app/router.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <utility>
#include <vector>

#include "api/http_answer.h"
#include "api/random_pool.h"
#include "leases/cloudwatch/front_door.h"
#include "leases/dynamodb/front_door.h"
#include "net/response_head.h"

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
constexpr std::size_t kStsFormBytesMax = 64 * 1'024;  // as much as its front door takes

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
          request.body.text().substr(0, kStsFormBytesMax).find(kStsVersion) != std::string_view::npos);
}

}  // namespace

void Router::answer_preflight(const net::Request& request, net::Responder responder) {
  const api::HttpHeads heads = api::heads_of(request);
  if (!gate_.allows_origin(heads.origin)) {
    std::move(responder).respond(
        net::error_response(403, "AccessDeniedException",
                            "Web pages of this origin may not use this server: see --allow-origin."));
    return;
  }
  api::RandomPool random(random_);
  net::Response response = api::preflight_answer(heads, random);
  if (!request.header("access-control-request-private-network").empty())
    response.headers.emplace_back("Access-Control-Allow-Private-Network", "true");
  std::move(responder).respond(std::move(response));
}

void Router::handle(std::unique_ptr<net::Request> request, net::Responder responder) {
  if (request->method == "OPTIONS" && !request->header("origin").empty())
    return answer_preflight(*request, std::move(responder));
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
    std::move(responder).respond(readiness());
  } else if (path == "/metrics") {
    routes_.metrics(std::move(request), std::move(responder));
  } else {
    std::move(responder).respond(json_line(404, R"({"error":"this release has no console yet"})"));
  }
}

net::Response Router::readiness() const {
  if (leaving_.load(std::memory_order_relaxed)) return json_line(503, R"({"status":"draining"})");
  const std::vector<Condition> holding = routes_.conditions.holding();
  if (holding.empty()) return json_line(200, R"({"status":"ready"})");
  nlohmann::json body{{"status", "not ready"}, {"reasons", nlohmann::json::array()}};
  for (const Condition& condition : holding)
    body["reasons"].push_back({{"condition", condition.name}, {"reason", condition.reason}});
  return json_line(503, body.dump());
}

}  // namespace millrace::app
