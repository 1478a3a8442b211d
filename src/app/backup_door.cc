#include "app/backup_door.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>
#include <variant>

#include "api/access.h"
#include "api/fault.h"
#include "base/base64.h"

namespace millrace::app {
namespace {

using enum ErrorKind;
using Json = nlohmann::ordered_json;

constexpr std::array<std::string_view, 1> kServices = {"millrace"};
constexpr std::array<std::string_view, 4> kOperations = {"/admin/LocateData", "/admin/BeginBackup",
                                                         "/admin/KeepBackup", "/admin/EndBackup"};
constexpr std::size_t kBodyBytesMax = 4'096;
// Of backups whose command ended without a word; it asks for more several times in that time.
constexpr std::int64_t kHoldNs = 300 * kNsPerS;
constexpr std::size_t kHeldMax = 16;

std::string refusal(std::string_view text) {
  return Json({{"error", text}}).dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace

bool BackupDoor::takes(const net::Request& request) {
  return std::find(kOperations.begin(), kOperations.end(), request.target) != kOperations.end();
}

void BackupDoor::handle(std::unique_ptr<net::Request> request, net::Responder responder) {
  spawn(run(*this, std::move(request), std::move(responder)));
}

// The refusal's text; kInvalid: of the request, kNotFound: it has another method, kConflict: not allowed.
Result<std::string> BackupDoor::admit(const net::Request& request) const {
  const std::int64_t now_ms = ground_.clock.wall_ms();
  const auto checked = api::verify(request, ground_.verifier, ground_.authorizer, kServices, now_ms);
  if (const auto* failure = std::get_if<identity::AuthFailure>(&checked); failure != nullptr)
    return Error{kConflict, fmt::format("{}: {}", failure->type, failure->message)};
  const auto circumstances = api::circumstances_of(request, now_ms);
  const identity::AccessRequest access{.action = "millrace:Backup", .resource = "*"};
  if (const auto denial =
          ground_.authorizer.check(*std::get_if<identity::Caller>(&checked), circumstances, access))
    return Error{kConflict, denial->message};
  // No form of a web page can send this type.
  if (request.method != "POST" || !request.header("content-type").starts_with("application/json"))
    return Error{kInvalid, "POST with Content-Type application/json is needed"};
  if (request.body.size() > kBodyBytesMax)
    return Error{kInvalid, fmt::format("the body has more than {} bytes", kBodyBytesMax)};
  const std::string_view text = request.body.text();
  const Json body = Json::parse(text.begin(), text.end(), nullptr, false);
  if (!body.is_object()) return Error{kInvalid, "the body must be a JSON object"};
  const auto id = body.find("Backup");
  return id != body.end() && id->is_string() ? id->get<std::string>() : std::string();
}

Task<void> BackupDoor::run(BackupDoor& door, std::unique_ptr<net::Request> request,
                           net::Responder responder) {
  const auto id = door.admit(*request);
  Answer answer{200, "{}"};
  if (!id.ok()) {
    answer = {id.error().kind == kConflict ? 403 : 400, refusal(id.error().text)};
  } else if (request->target == kOperations[0]) {
    answer.json = Json({{"Data", door.ground_.data}, {"Keyring", door.ground_.keyring}})
                      .dump(-1, ' ', false, Json::error_handler_t::replace);
  } else {
    co_await switch_to(door.ground_.home);
    if (request->target == kOperations[1])
      answer = co_await door.begin();
    else if (request->target == kOperations[2])
      answer = door.keep(*id);
    else
      door.held_.erase(*id);
    co_await switch_to(*request->loop);
  }
  net::Response response;
  response.status = answer.status;
  response.headers.emplace_back("Content-Type", "application/json");
  response.headers.emplace_back("Cache-Control", "no-store");
  response.body = Bytes(answer.json);
  std::move(responder).respond(std::move(response));
}

Task<BackupDoor::Answer> BackupDoor::begin() {
  if (held_.size() >= kHeldMax)
    co_return Answer{409, refusal(fmt::format("{} backups are under way", held_.size()))};
  Task<Result<broker::BackupPoint>> taking = ground_.broker.backup_point();
  auto point = co_await std::move(taking);
  if (!point.ok()) co_return Answer{503, refusal(api::text_for_client(point.error()))};
  const std::string id = fmt::format("{:016x}", ground_.random.next_u64());
  held_[id] = {std::move(point->log.hold), ground_.clock.monotonic_ns() + kHoldNs};
  let_go_later(id);
  co_return Answer{200, Json({{"Backup", id},
                              {"Entry", point->entry},
                              {"Catalog", base64_text(as_bytes(point->catalog))},
                              {"Manifest", base64_text(point->log.manifest.view())}})
                            .dump()};
}

BackupDoor::Answer BackupDoor::keep(const std::string& id) {
  const auto held = held_.find(id);
  if (held == held_.end())
    return {404,
            refusal("that backup is not under way: it paused for too long, or the server was started anew")};
  held->second.until_ns = ground_.clock.monotonic_ns() + kHoldNs;
  return {200, "{}"};
}

void BackupDoor::let_go_later(const std::string& id) {
  ground_.home.post_after(kHoldNs, [this, id] {
    const auto held = held_.find(id);
    if (held == held_.end()) return;
    if (held->second.until_ns <= ground_.clock.monotonic_ns())
      held_.erase(held);
    else
      let_go_later(id);
  });
}

}  // namespace millrace::app
