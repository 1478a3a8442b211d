#include "leases/cloudwatch/front_door.h"

#include <fmt/format.h>

#include <array>
#include <utility>

#include "api/access.h"
#include "api/event_log.h"
#include "leases/cloudwatch/form.h"
#include "leases/cloudwatch/operations.h"
#include "leases/gzip.h"

namespace millrace::leases::cloudwatch {
namespace {

constexpr std::string_view kTarget = "GraniteServiceVersion20100801.";
constexpr std::string_view kPath = "/service/GraniteServiceVersion20100801/operation/";
constexpr std::string_view kForm = "application/x-www-form-urlencoded";
constexpr std::array<std::string_view, 1> kSignedServices = {"monitoring"};
constexpr std::size_t kBodyBytesMax = 1'024 * 1'024;  // also when inflated, as the service has it

std::string_view path_of(const net::Request& request) {
  return request.target.substr(0, request.target.find('?'));
}

Failure not_well_formed(std::string message) {
  return {"MalformedInput", "SerializationException", std::move(message)};
}

}  // namespace

struct FrontDoor::Call {
  Protocol protocol = Protocol::kQuery;
  std::string name;
  const Operation* operation = nullptr;
  Json request;
  HeldMemory held;
};

FrontDoor::FrontDoor(Loop& home, const identity::Verifier& verifier, const identity::Authorizer& authorizer,
                     const Clock& clock, Random& random, std::shared_ptr<MemoryShare> metrics,
                     std::shared_ptr<MemoryShare> requests)
    : home_(home),
      verifier_(verifier),
      authorizer_(authorizer),
      clock_(clock),
      random_(random),
      requests_(std::move(requests)),
      board_(std::move(metrics)) {}

bool FrontDoor::is_for(const net::Request& request) {
  if (request.header("x-amz-target").starts_with(kTarget) || path_of(request).starts_with(kPath)) return true;
  return request.header("content-type").starts_with(kForm) &&
         request.header("authorization").find("/monitoring/aws4_request") != std::string_view::npos;
}

std::optional<Failure> FrontDoor::admit(const net::Request& request, Call* call) {
  const std::string_view target = request.header("x-amz-target");
  const std::string_view path = path_of(request);
  if (path.starts_with(kPath)) {
    call->protocol = Protocol::kCbor;
    call->name = path.substr(kPath.size());
  } else if (target.starts_with(kTarget)) {
    call->protocol = Protocol::kJson;
    call->name = target.substr(kTarget.size());
  }
  if (request.body.size() > kBodyBytesMax)
    return Failure{"RequestEntityTooLarge", "RequestEntityTooLargeException",
                   "A request has at most 1048576 bytes", 413};
  const std::int64_t now_ms = clock_.wall_ms();
  const auto circumstances = api::circumstances_of(request, now_ms);
  const auto checked = api::verify(request, verifier_, authorizer_, kSignedServices, now_ms);
  if (const auto* refused = std::get_if<identity::AuthFailure>(&checked); refused != nullptr) {
    constexpr std::string_view kSuffix = "Exception";
    std::string code = refused->type;
    if (code.ends_with(kSuffix)) code.resize(code.size() - kSuffix.size());
    return Failure{code, refused->type, refused->message, 403};
  }
  std::optional<Bytes> inflated;
  ByteView body = request.body.view();
  if (request.header("content-encoding") == "gzip") {
    inflated = gunzip(body, kBodyBytesMax);
    if (!inflated.has_value())
      return not_well_formed("The body is not gzip, or more than 1048576 bytes when inflated");
    body = inflated->view();
  }
  if (call->protocol == Protocol::kQuery) {
    auto form = parse_form(as_text(body));
    if (!form.has_value()) return not_well_formed("The body is not a form of AWS's query protocol");
    call->request = std::move(*form);
    const Json* action = call->request.find("Action");
    if (action == nullptr) return Failure{"MissingAction", "MissingAction", "The request has no Action"};
    call->name = action->text;
  } else {
    JsonDocument document;
    if (call->protocol == Protocol::kJson) document = parse_json(body);
    if (call->protocol == Protocol::kCbor && !body.empty()) document = parse_cbor(body);
    if (document.fault != JsonFault::kNone || (document.root.kind != Json::Kind::kMap && !body.empty()))
      return not_well_formed("The body is not a structure");
    if (!call->held.try_take(requests_, read_bytes(document, body.size())))
      return Failure{"Throttling", "ThrottlingException",
                     "The requests under way leave no room for this one: try again"};
    call->request = std::move(document.root);
  }
  call->operation = find_operation(call->name);
  if (call->operation == nullptr)
    return Failure{"InvalidAction", "UnknownOperationException",
                   fmt::format("This server has what KCL and KPL need of CloudWatch: {} is not part of it",
                               call->name.substr(0, 64))};
  // source: AWS Service Authorization Reference, Amazon CloudWatch: of PutMetricData alone
  std::vector<identity::ConditionValue> more;
  const Json* name_space = call->request.find("Namespace");
  if (!call->operation->reads && name_space != nullptr && name_space->kind == Json::Kind::kText)
    more.push_back({"cloudwatch:namespace", {name_space->text}});
  const auto denial = authorizer_.check(std::get<identity::Caller>(checked), circumstances,
                                        {.action = call->operation->action, .more = more, .frequent = true});
  if (denial.has_value()) return Failure{"AccessDenied", "AccessDeniedException", denial->message, 403};
  return std::nullopt;
}

Task<void> FrontDoor::answer(std::unique_ptr<net::Request> request, net::Responder responder) {
  Loop& loop = *request->loop;
  const std::string id =
      random_pools_.of(loop, [this] { return std::make_unique<api::RandomPool>(random_); }).uuid();
  Call call;
  std::optional<Failure> failure = admit(*request, &call);
  Answer answer;
  if (!failure.has_value()) {
    co_await switch_to(home_);
    if (call.operation->reads && refresh_) {
      Task<void> refreshing = refresh_();
      co_await std::move(refreshing);
    }
    failure = call.operation->run(call.request, board_, clock_.wall_ms() / 1'000, &answer);
    co_await switch_to(loop);
  }
  net::Response response;
  response.headers.emplace_back("x-amzn-RequestId", id);
  response.headers.emplace_back("Content-Type", std::string(content_type(call.protocol)));
  if (call.protocol == Protocol::kCbor) response.headers.emplace_back("smithy-protocol", "rpc-v2-cbor");
  if (failure.has_value()) {
    response.status = failure->http_status;
    api::tell(
        api::Refused{*request, nullptr, call.name, failure->code, failure->message, failure->http_status});
    if (call.protocol != Protocol::kQuery)
      response.headers.emplace_back("x-amzn-query-error",
                                    failure->code + (failure->http_status < 500 ? ";Sender" : ";Receiver"));
    response.body = encode(call.protocol, *failure, id);
  } else {
    response.body = encode(call.protocol, call.name, answer, id);
  }
  std::move(responder).respond(std::move(response));
}

void FrontDoor::handle(std::unique_ptr<net::Request> request, net::Responder responder) {
  spawn(answer(std::move(request), std::move(responder)));
}

}  // namespace millrace::leases::cloudwatch
