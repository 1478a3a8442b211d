#include "leases/dynamodb/front_door.h"

#include <fmt/format.h>

#include <array>
#include <boost/crc.hpp>
#include <utility>

#include "api/access.h"
#include "api/event_log.h"
#include "api/writer.h"
#include "leases/dynamodb/item_access.h"
#include "leases/dynamodb/operations.h"
#include "leases/json.h"

namespace millrace::leases::dynamodb {
namespace {

constexpr std::array<std::string_view, 1> kSignedServices = {"dynamodb"};
constexpr std::string_view kContentType = "application/x-amz-json-1.0";

// 52 characters, as the service's are.
std::string request_id(api::RandomPool& random) {
  constexpr std::string_view kLetters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345";
  constexpr std::size_t kLength = 52;
  std::string id;
  for (const std::uint8_t byte : random.take(kLength)) id += kLetters[byte % kLetters.size()];
  return id;
}

net::Response new_answer(int status, Bytes body, api::RandomPool& random) {
  boost::crc_32_type crc;
  crc.process_bytes(body.data(), body.size());
  net::Response response;
  response.status = status;
  response.headers.emplace_back("x-amzn-RequestId", request_id(random));
  response.headers.emplace_back("x-amz-crc32", fmt::format("{}", crc.checksum()));
  response.headers.emplace_back("Content-Type", std::string(kContentType));
  response.body = std::move(body);
  return response;
}

net::Response refused(const Refusal& refusal, api::RandomPool& random) {
  api::Writer writer(api::Encoding::kJson);
  writer.begin_object();
  writer.member("__type", refusal.type);
  writer.member(refusal.message_key, refusal.message);
  if (!refusal.more.empty()) writer.bytes().append("," + refusal.more);
  writer.end_object();
  return new_answer(refusal.http_status, std::move(writer.bytes()), random);
}

Refusal of_protocol(std::string_view type, std::string message) {
  return {fmt::format("com.amazon.coral.service#{}", type), std::move(message)};
}

Outcome read_body(const net::Request& request, JsonDocument* document) {
  *document = parse_json(request.body.view());
  switch (document->fault) {
    case JsonFault::kNone:
      break;
    case JsonFault::kNotJson:
      return serialization("");
    case JsonFault::kTooDeep:
      return validation(
          "Nesting Levels have exceeded supported limits: Attributes in the item have nested levels beyond "
          "supported "
          "limit");
    case JsonFault::kTooManyValues:
      return validation(fmt::format("A request holds at most {} values", kJsonValuesMax));
  }
  if (document->root.kind != Json::Kind::kMap) return serialization("Start of structure or map not found");
  return std::nullopt;
}

}  // namespace

FrontDoor::FrontDoor(std::shared_ptr<TableStore> store, const identity::Verifier& verifier,
                     const identity::Authorizer& authorizer, const Clock& clock, Random& random,
                     FrontDoorOptions options)
    : store_(std::move(store)),
      verifier_(verifier),
      authorizer_(authorizer),
      clock_(clock),
      random_(random),
      options_(std::move(options)),
      arn_prefix_(fmt::format("arn:aws:dynamodb:{}:{}:", options_.region, options_.account_id)) {}

Outcome FrontDoor::admit(const net::Request& request, std::string_view target, api::RandomPool& random,
                         identity::Caller* caller, std::unique_ptr<Command>* command, HeldMemory* held) {
  const std::int64_t now_ms = clock_.wall_ms();
  auto checked = api::verify(request, verifier_, authorizer_, kSignedServices, now_ms);
  if (const auto* failure = std::get_if<identity::AuthFailure>(&checked); failure != nullptr) {
    Refusal refusal = of_protocol(failure->type, failure->message);
    refusal.http_status = failure->http_status;
    return refusal;
  }
  *caller = std::move(*std::get_if<identity::Caller>(&checked));
  const std::string_view name = target.substr(target.find('.') + 1);
  const Operation* operation = find_operation(name);
  if (operation == nullptr)
    return of_protocol("UnknownOperationException",
                       fmt::format("This server has what KCL and KPL need of DynamoDB: {} is not part of it",
                                   name.substr(0, 64)));
  JsonDocument document;
  LEASES_TRY(read_body(request, &document));
  if (!held->try_take(options_.requests, read_bytes(document, request.body.size())))
    return of_protocol("ThrottlingException", "The requests under way leave no room for this one: try again");
  const Scope scope{.account = options_.account_id,
                    .region = options_.region,
                    .clock = clock_,
                    .uuid = random.uuid(),
                    .endpoint = std::string(request.header("host"))};
  return operation->read(document.root, scope, command);
}

Task<void> FrontDoor::answer(std::unique_ptr<net::Request> request, net::Responder responder) {
  Loop& home = *request->loop;
  api::RandomPool& random =
      random_pools_.of(home, [this] { return std::make_unique<api::RandomPool>(random_); });
  identity::Caller caller;
  std::unique_ptr<Command> command;
  HeldMemory held;
  Outcome outcome = admit(*request, request->header("x-amz-target"), random, &caller, &command, &held);
  Bytes reply;
  if (!outcome.has_value()) {
    request->body = {};  // all of it that counts is in the command
    command->guard = [this, &command, &caller, &request](const Tables& tables) -> Outcome {
      const auto circumstances = api::circumstances_of(*request, clock_.wall_ms());
      const auto denial = denial_of(*command, {authorizer_, caller, circumstances, arn_prefix_}, tables);
      if (!denial.has_value()) return std::nullopt;
      Refusal refusal = of_protocol("AccessDeniedException", denial->message);
      refusal.message_key = "Message";
      return refusal;
    };
    co_await switch_to(store_->loop());
    auto running = store_->run(*command, reply);
    outcome = co_await std::move(running);
    command.reset();
    co_await switch_to(home);
  }
  if (outcome.has_value()) {
    const std::string_view target = request->header("x-amz-target");
    api::tell(api::Refused{*request, caller.principal != nullptr ? &caller : nullptr,
                           target.substr(target.find('.') + 1), outcome->type, outcome->message,
                           outcome->http_status});
  }
  std::move(responder).respond(outcome.has_value() ? refused(*outcome, random)
                                                   : new_answer(200, std::move(reply), random));
}

void FrontDoor::handle(std::unique_ptr<net::Request> request, net::Responder responder) {
  if (request->body.size() > options_.request_bytes_max) {
    net::Response response;
    response.status = 413;
    std::move(responder).respond(std::move(response));
    return;
  }
  spawn(answer(std::move(request), std::move(responder)));
}

}  // namespace millrace::leases::dynamodb
