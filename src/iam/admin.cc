#include "iam/admin.h"

#include <fmt/format.h>

#include <array>
#include <utility>

#include "api/access.h"
#include "api/event_log.h"
#include "api/fault.h"
#include "iam/admin_operations.h"
#include "identity/bound_policy.h"

namespace millrace::iam {

namespace {

using enum ErrorKind;
using Json = AdminJson;

constexpr std::array<std::string_view, 1> kServices = {"millrace"};
constexpr std::string_view kPrefix = "/admin/";
constexpr std::size_t kBodyBytesMax = 64 * 1'024;

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

// An ask, in the authorizer's terms.
struct Question {
  Question(const std::string& account, const AdminAsk& ask) : action(ask.action), resource("*") {
    if (!ask.subject.empty()) resource = fmt::format("arn:aws:iam::{}:{}", account, ask.subject);
    if (!ask.policy.empty())
      more.push_back({"iam:PolicyARN", {identity::iam_arn(account, "policy", ask.policy)}});
  }
  // Borrows from this.
  identity::AccessRequest request() const { return {.action = action, .resource = resource, .more = more}; }

  std::string_view action;
  std::string resource;
  std::vector<identity::ConditionValue> more;
};

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
    const auto may = [&course, now_ms](const AdminAsk& ask) {
      const Question question(course.admin_.account_, ask);
      return course.admin_.authorizer_.may(course.caller_, api::circumstances_of(*course.request_, now_ms),
                                           question.request());
    };
    AdminWish wish{course.admin_.keeper_,     course.admin_.random_, now_ms,
                   course.admin_.started_ms_, course.body_,          may};
    if (const auto denial = course.denial_of(operation->asks(wish), now_ms); denial.has_value()) {
      course.refuse(403, denial->message);
      co_return;
    }
    AdminPlanned planned = operation->plan(wish);
    if (planned.ok()) wish.refuse_unread();
    if (!wish.wrong.empty()) planned = Error{kInvalid, wish.wrong};
    if (planned.ok() && planned->change.has_value()) {
      if (const auto known = course.check_keys(*planned->change); !known.ok()) planned = known.error();
    }
    if (planned.ok() && planned->change.has_value()) {
      auto changed =
          co_await course.admin_.keeper_.change(std::move(*planned->change), *course.request_->loop);
      if (!changed.ok()) planned = changed.error();
    }
    if (!planned.ok()) {
      course.refuse(status_of(planned.error().kind), api::text_for_client(planned.error()));
      co_return;
    }
    const std::string subject = course.subject(planned->answer);
    api::tell(api::Changed{*course.request_, course.caller_, operation->name, subject});
    course.answer(response_of(200, planned->answer));
  }

 private:
  // nullptr: it was answered.
  const AdminOperation* admit(std::int64_t now_ms) {
    // A web page's form cannot send this type, and a script asks first whether it may.
    constexpr std::string_view kType = "application/json";
    const std::string_view type = request_->header("content-type");
    if (type.substr(0, type.find(';')) != kType)
      return refuse(415, "the Content-Type must be application/json");
    if (request_->body.size() > kBodyBytesMax)
      return refuse(400, fmt::format("the body has more than {} bytes", kBodyBytesMax));
    auto checked = api::verify(*request_, admin_.verifier_, admin_.authorizer_, kServices, now_ms);
    if (const auto* failure = std::get_if<identity::AuthFailure>(&checked); failure != nullptr)
      return refuse(403, fmt::format("{}: {}", failure->type, failure->message));
    caller_ = std::move(*std::get_if<identity::Caller>(&checked));
    const std::string_view path = request_->target;
    const std::string_view name = path.substr(std::min(kPrefix.size(), path.size()));
    const AdminOperation* found = nullptr;
    for (const AdminOperation& each : admin_operations())
      if (each.name == name) found = &each;
    if (found == nullptr || request_->method != "POST")
      return refuse(404, fmt::format("there is no operation {} {}", request_->method, path));
    if (caller_.principal->kind == identity::Principal::Kind::kUnchecked && found->of_users)
      return refuse(403,
                    "this server checks no signatures, so it needs no users: start it with "
                    "MILLRACE_ROOT_ACCESS_KEY and MILLRACE_ROOT_SECRET_KEY");
    // source: STS API reference, GetSessionToken: no operation of IAM without MFA, which there is none of
    // here
    const identity::Principal& principal = *caller_.principal;
    if (found->of_users && principal.temporary && principal.kind != identity::Principal::Kind::kSession)
      return refuse(403,
                    "credentials of GetSessionToken may not ask about or change users, keys, roles and "
                    "policies: sign with the access key itself, or assume a role");
    const std::string_view text = request_->body.text();
    body_ = Json::parse(text.begin(), text.end(), nullptr, false);
    if (!body_.is_object()) return refuse(400, "the body must be a JSON object");
    return found;
  }

  std::optional<identity::Denial> denial_of(const AdminAsks& asks, std::int64_t now_ms) const {
    MR_ASSERT(!asks.empty());  // else it is done for whoever asks
    for (const AdminAsk& ask : asks) {
      const Question question(admin_.account_, ask);
      auto denial =
          admin_.authorizer_.check(caller_, api::circumstances_of(*request_, now_ms), question.request());
      if (denial.has_value()) return denial;
    }
    return std::nullopt;
  }

  // Of a policy that the request brings; one that does not parse is told of when it is put.
  Result<void> check_keys(const identity::IdentityChange& change) const {
    using identity::PolicyKind;
    std::optional<std::pair<std::string_view, PolicyKind>> text;
    if (const auto* put = std::get_if<identity::PolicyPut>(&change); put != nullptr)
      text.emplace(put->document, PolicyKind::kIdentity);
    if (const auto* put = std::get_if<identity::InlinePut>(&change); put != nullptr)
      text.emplace(put->document, PolicyKind::kIdentity);
    // A role may go on with the trust policy that it has.
    if (const auto* put = std::get_if<identity::RolePut>(&change); put != nullptr && body_.contains("Trust"))
      text.emplace(put->trust, PolicyKind::kTrust);
    if (!text.has_value()) return {};
    const auto policy = identity::parse_policy(identity::document_of(text->first), text->second,
                                               identity::kIdentityPolicyBytesMax);
    return policy.ok() ? admin_.authorizer_.check_keys(**policy) : Result<void>{};
  }

  // What the operation is about, for the log: "AKIA…", or "user/anna".
  std::string subject(const Json& answer) const {
    for (const char* const name : {"AccessKeyId", "User", "Role", "Policy", "Owner"})
      for (const Json* const json : {&body_, &answer})
        if (const auto found = json->find(name); found != json->end() && found->is_string())
          return found->get<std::string>();
    return {};
  }

  void answer(net::Response response) { std::move(responder_).respond(std::move(response)); }
  const AdminOperation* refuse(int status, std::string_view text) {
    const std::string_view path = request_->target;
    api::tell(api::Refused{*request_, caller_.principal != nullptr ? &caller_ : nullptr,
                           path.substr(std::min(kPrefix.size(), path.size())), "", text, status});
    answer(response_of(status, {{"error", text}}));
    return nullptr;
  }

  Admin& admin_;
  std::unique_ptr<net::Request> request_;
  net::Responder responder_;
  identity::Caller caller_;  // once admitted
  Json body_;
};

void Admin::handle(std::unique_ptr<net::Request> request, net::Responder responder) {
  AdminCourse course(*this, std::move(request), std::move(responder));
  spawn(AdminCourse::run(std::move(course)));
}

}  // namespace millrace::iam
