#include "sts/front_door.h"

#include <fmt/format.h>

#include <array>
#include <utility>

#include "api/access.h"
#include "api/event_log.h"
#include "api/random_pool.h"
#include "sts/operations.h"
#include "sts/query.h"

namespace millrace::sts {
namespace {

constexpr std::array<std::string_view, 1> kServices = {"sts"};
constexpr std::size_t kBodyBytesMax = 64 * 1'024;

// What the JSON protocol calls it, in the query protocol's words.
QueryError from_failure(const identity::AuthFailure& failure) {
  if (failure.type == "MissingAuthenticationTokenException")
    return {"MissingAuthenticationToken", "Request is missing Authentication Token", 403};
  if (failure.type == "UnrecognizedClientException")
    return {"InvalidClientTokenId", "The security token included in the request is invalid.", 403};
  if (failure.type == "ExpiredTokenException")
    return {"ExpiredToken", "The security token included in the request is expired", 403};
  if (failure.type == "IncompleteSignatureException") return {"IncompleteSignature", failure.message, 400};
  return {"SignatureDoesNotMatch", failure.message, 403};
}

}  // namespace

void FrontDoor::handle(std::unique_ptr<net::Request> request, net::Responder responder) {
  const std::string request_id = api::RandomPool(random_).uuid();
  const auto refuse = [&](const QueryError& error) {
    api::tell(api::Refused{*request, nullptr, "", error.code, error.message, error.http_status});
    std::move(responder).respond(xml_answer(error, request_id));
  };
  if (request->method != "POST" && request->method != "GET")
    return refuse({"MethodNotAllowed", "The query protocol takes POST and GET", 405});
  if (request->body.size() > kBodyBytesMax)
    return refuse(
        {"RequestEntityTooLarge", fmt::format("The body has more than {} bytes", kBodyBytesMax), 413});
  const std::int64_t now_ms = clock_.wall_ms();
  const auto circumstances = api::circumstances_of(*request, now_ms);
  const auto checked = api::verify(*request, verifier_, authorizer_, kServices, now_ms);
  if (const auto* failure = std::get_if<identity::AuthFailure>(&checked); failure != nullptr)
    return refuse(from_failure(*failure));
  const Parameters parameters(*request);
  const std::string* action = parameters.find("Action");
  if (action == nullptr)
    return refuse({"MissingAction", "The request must contain the parameter Action", 400});
  const std::string* version = parameters.find("Version");
  const Operation* operation = find_operation(*action);
  if (operation == nullptr)
    return refuse({"InvalidAction", fmt::format("Could not find operation {} for version {}", *action,
                                                version == nullptr ? "NO_VERSION_SPECIFIED" : *version)});
  if (std::string wrong = parameters.check(operation->parameters); !wrong.empty())
    return refuse({"ValidationError", std::move(wrong)});
  const std::shared_ptr<const identity::Directory> directory = directory_.here();
  Outcome outcome = operation->run({parameters, *std::get_if<identity::Caller>(&checked), circumstances,
                                    *directory, sessions_, authorizer_, random_});
  if (const auto* error = std::get_if<QueryError>(&outcome); error != nullptr) return refuse(*error);
  std::move(responder).respond(xml_answer(operation->name, *std::get_if<std::string>(&outcome), request_id));
}

}  // namespace millrace::sts
