#include "iam/admin.h"

#include <fmt/format.h>

#include <array>
#include <utility>

#include "api/access.h"
#include "iam/admin_operations.h"

namespace millrace::iam {

namespace {

using enum ErrorKind;
using Json = AdminJson;

constexpr std::array<std::string_view, 1> kServices = {"millrace"};
constexpr std::size_t kBodyBytesMax = 64 * 1'024;

// Quotas are of streams, too.
bool is_of_users(const AdminOperation& operation) { return operation.action.starts_with("iam:"); }

int status_of(ErrorKind kind) {
  switch (kind) {
    case kInvalid:
      return 400;
    case kNotFound:
      return 404;
    case kConflict:
    case kLimit:
      return 409;
    case kThrottled:
    case kUnavailable:
      return 503;
    case kUnknown:
    case kFenced:
    case kCorrupt:
    case kKeyNotFound:  // of no call that is made here, as the next ones
    case kKeyDisabled:
    case kKeyInvalidState:
    case kKeyDenied:
    case kKeyOptIn:
    case kKeyThrottled:
      return 500;
  }
  MR_ASSERT(false);
  __builtin_unreachable();
}

net::Response response_of(int status, const Json& json) {
  net::Response response;
  response.status = status;
  response.headers.emplace_back("Content-Type", "application/json");
  response.headers.emplace_back("Cache-Control", "no-store");
  response.body = Bytes(json.dump(-1, ' ', false, Json::error_handler_t::replace));
  return response;
}
net::Response refusal(int status, std::string_view text) { return response_of(status, {{"error", text}}); }

}  // namespace

// One request, until its answer.
class AdminCourse {
 public:
  AdminCourse(Admin& admin, std::unique_ptr<net::Request> request, net::Responder responder)
      : admin_(admin), request_(std::move(request)), responder_(std::move(responder)) {}
  AdminCourse(AdminCourse&&) = default;

  static Task<void> run(AdminCourse course) {
    const std::int64_t now_ms = course.admin_.clock_.wall_ms();
    const auto* operation = course.admit(now_ms);
    if (operation == nullptr) co_return;
    AdminWish wish{course.admin_.keeper_, course.admin_.random_, now_ms, course.body_};
    AdminPlanned planned = operation->plan(wish);
    if (!wish.wrong.empty()) planned = Error{kInvalid, wish.wrong};
    if (planned.ok() && planned->change.has_value()) {
      auto changed =
          co_await course.admin_.keeper_.change(std::move(*planned->change), *course.request_->loop);
      if (!changed.ok()) planned = changed.error();
    }
    course.answer(planned.ok() ? response_of(200, planned->answer)
                               : refusal(status_of(planned.error().kind), planned.error().text));
  }

 private:
  // nullptr: it was answered.
  const AdminOperation* admit(std::int64_t now_ms) {
    const auto circumstances = api::circumstances_of(*request_, now_ms);
    const auto checked = api::verify(*request_, admin_.verifier_, admin_.authorizer_, kServices, now_ms);
    if (const auto* failure = std::get_if<identity::AuthFailure>(&checked); failure != nullptr)
      return answer(refusal(403, fmt::format("{}: {}", failure->type, failure->message)));
    const identity::Caller& caller = *std::get_if<identity::Caller>(&checked);
    constexpr std::string_view kPrefix = "/admin/";
    const std::string_view path = request_->target;
    const std::string_view name = path.substr(std::min(kPrefix.size(), path.size()));
    const AdminOperation* found = nullptr;
    for (const AdminOperation& each : admin_operations())
      if (each.name == name) found = &each;
    if (found == nullptr || request_->method != "POST")
      return answer(refusal(404, fmt::format("there is no operation {} {}", request_->method, path)));
    if (caller.principal->kind == identity::Principal::Kind::kUnchecked && is_of_users(*found))
      return answer(refusal(403,
                            "this server checks no signatures, so it needs no users: start it with "
                            "MILLRACE_ROOT_ACCESS_KEY and MILLRACE_ROOT_SECRET_KEY"));
    if (request_->body.size() > kBodyBytesMax)
      return answer(refusal(400, fmt::format("the body has more than {} bytes", kBodyBytesMax)));
    const std::string_view text = request_->body.text();
    body_ = Json::parse(text.begin(), text.end(), nullptr, false);
    if (!body_.is_object()) return answer(refusal(400, "the body must be a JSON object"));
    const Wanted wanted = wanted_by(*found);
    const std::string resource = resource_of(wanted);
    const identity::AccessRequest request{.action = wanted.action, .resource = resource};
    if (const auto denial = admin_.authorizer_.check(caller, circumstances, request); denial.has_value())
      return answer(refusal(403, denial->message));
    return found;
  }

  struct Wanted {
    std::string_view action;
    const char* kind;
    const char* field;
  };
  Wanted wanted_by(const AdminOperation& operation) const {
    if (!operation.role_action.empty() && body_.contains("Role"))
      return {operation.role_action, "role", "Role"};
    if (!operation.user_action.empty() && body_.contains("User"))
      return {operation.user_action, "user", "User"};
    return {operation.action, operation.kind, operation.field};
  }

  std::string resource_of(const Wanted& wanted) const {
    if (wanted.kind == nullptr) return "*";
    const auto name = body_.find(wanted.field);
    if (name == body_.end() || !name->is_string()) return "*";
    return identity::iam_arn(admin_.account_, wanted.kind, name->get<std::string>());
  }

  const AdminOperation* answer(net::Response response) {
    std::move(responder_).respond(std::move(response));
    return nullptr;
  }

  Admin& admin_;
  std::unique_ptr<net::Request> request_;
  net::Responder responder_;
  Json body_;
};

void Admin::handle(std::unique_ptr<net::Request> request, net::Responder responder) {
  AdminCourse course(*this, std::move(request), std::move(responder));
  spawn(AdminCourse::run(std::move(course)));
}

}  // namespace millrace::iam
