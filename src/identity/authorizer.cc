#include "identity/authorizer.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <functional>
#include <set>
#include <utility>

#include "base/byte_cache.h"
#include "base/per_thread.h"
#include "identity/audit.h"
#include "identity/bound_policy.h"
#include "identity/evaluate.h"
#include "identity/policy.h"
#include "identity/request_context.h"

namespace millrace::identity {
namespace {

// A caller, an action, a resource, its policies and what they weigh. Held: the texts are kept alive, so that
// no other one can come to lie where one lay.
struct QuestionView {
  std::uint64_t principal;
  std::string_view action;
  std::string_view resource;
  const PolicyTexts& policies;
  AccessRequest::Weight weight;
};
struct Question {
  std::uint64_t principal;
  std::string action;
  std::string resource;
  PolicyTexts policies;
  AccessRequest::Weight weight;

  QuestionView view() const { return {principal, action, resource, policies, weight}; }
};

struct QuestionHash {
  using is_transparent = void;
  std::size_t operator()(const QuestionView& question) const {
    const std::hash<std::string_view> hash;
    return hash(question.resource) ^ (hash(question.action) * 31) ^
           (question.principal * 0x9e37'79b9'7f4a'7c15u) ^
           std::hash<const void*>()(question.policies.own.get()) ^
           (std::hash<const void*>()(question.policies.enclosing.get()) * 31);
  }
  std::size_t operator()(const Question& question) const { return (*this)(question.view()); }
};
struct QuestionEqual {
  using is_transparent = void;
  static QuestionView view(const QuestionView& question) { return question; }
  static QuestionView view(const Question& question) { return question.view(); }
  template <typename A, typename B>
  bool operator()(const A& left, const B& right) const {
    const QuestionView a = view(left), b = view(right);
    return a.principal == b.principal && a.policies == b.policies && a.weight == b.weight &&
           a.resource == b.resource && a.action == b.action;
  }
};

// Beside what it is in itself: the texts that it keeps alive may be nobody else's any more.
std::size_t held_bytes(const Question& question) {
  std::size_t bytes = question.action.capacity() + question.resource.capacity();
  for (const auto& text : {question.policies.own, question.policies.enclosing})
    if (text != nullptr) bytes += text->capacity();
  return bytes;
}

std::shared_ptr<const Policy> everything() {
  static const auto policy =
      parse_policy(R"({"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}})",
                   PolicyKind::kIdentity, kIdentityPolicyBytesMax);
  return *policy;
}

std::string denial_text(const Principal& principal, const AccessRequest& request, Reason reason) {
  std::string head = fmt::format("User: {} is not authorized to perform: {} on resource: {}", principal.arn,
                                 request.action, request.shown.empty() ? request.resource : request.shown);
  const auto no = [&](std::string_view what) {
    if (!request.shown.empty()) return head;  // the resource has a policy only where it exists
    return fmt::format("{} because no {} policy allows the {} action", head, what, request.action);
  };
  switch (reason) {
    case Reason::kIdentityDenies:
      return head + " with an explicit deny in an identity-based policy";
    case Reason::kResourceDenies:
      return head + " with an explicit deny in a resource-based policy";
    case Reason::kSessionDenies:
      return head + " with an explicit deny in a session policy";
    case Reason::kNoIdentityAllows:
      return no("identity-based");
    case Reason::kNoResourceAllows:
      return no("resource-based");
    case Reason::kNoSessionAllows:
      return no("session");
    case Reason::kRoot:
    case Reason::kIdentityAllows:
    case Reason::kResourceAllows:
      break;
  }
  MR_ASSERT(false);
  __builtin_unreachable();
}

struct ThisThread {
  explicit ThisThread(const AuthorizerMemory& memory)
      : remembered(memory.decisions), compiled(memory.policies), sums(memory.audit) {}

  ByteCache<Question, Verdict, QuestionHash, QuestionEqual> remembered;
  // By the text that each was compiled from, which is kept alive. nullptr: it is no policy
  struct Compiled {
    std::shared_ptr<const std::string> text;
    std::shared_ptr<const Policy> policy;
  };
  ByteCache<const std::string*, Compiled> compiled;
  AuditSums sums;
  // Keys of requests that were refused, of this minute: who makes up a key for each request must not have a
  // line for each.
  std::set<std::string, std::less<>> refused_keys;
  std::int64_t refused_since_ms = 0;

  bool may_name(std::string_view refused_key, std::int64_t now_ms) {
    constexpr std::size_t kRefusedKeysMax = 32;
    if (now_ms - refused_since_ms >= AuditSums::kWindowMs || now_ms < refused_since_ms) {
      refused_keys.clear();
      refused_since_ms = now_ms;
    }
    if (refused_keys.contains(refused_key)) return true;
    if (refused_keys.size() == kRefusedKeysMax) return false;
    refused_keys.emplace(refused_key);
    return true;
  }

  // Of nothing, nullptr. nullopt: it is no policy, and a resource with such a one is nobody's.
  std::optional<std::shared_ptr<const Policy>> compile(const std::shared_ptr<const std::string>& text) {
    if (text == nullptr) return nullptr;
    const auto known = [](const std::shared_ptr<const Policy>& policy) {
      return policy != nullptr ? std::optional(policy) : std::nullopt;
    };
    if (const Compiled* found = compiled.find(text.get()); found != nullptr) return known(found->policy);
    // A trust policy has no Resource, and was checked as such when it was stored.
    auto parsed = parse_stored_policy(*text, PolicyKind::kResource, kKeyPolicyBytesMax);
    if (!parsed.ok()) parsed = parse_stored_policy(*text, PolicyKind::kTrust, kKeyPolicyBytesMax);
    auto policy = parsed.ok() ? *parsed : nullptr;
    const std::size_t bytes = text->capacity() + (policy != nullptr ? policy->memory_bytes() : 0);
    return known(compiled.put(text.get(), Compiled{text, std::move(policy)}, bytes).policy);
  }
};

}  // namespace

struct Authorizer::State {
  std::string region;
  AuditSink* sink;
  AuthorizerMemory memory;
  bool takes_unknown_keys;
  const Published<Directory>* directory = nullptr;
  PerThread<ThisThread> threads;

  ThisThread& here() const { return threads.here(memory); }

  Verdict decide(ThisThread& here, const Principal& principal, const Circumstances& circumstances,
                 const AccessRequest& request) const {
    const QuestionView question{principal.serial, request.action, request.resource, request.policies,
                                request.weight};
    if (const Verdict* known = here.remembered.find(question); known != nullptr) return *known;
    const auto own = here.compile(request.policies.own);
    const auto enclosing = here.compile(request.policies.enclosing);
    if (!own.has_value() || !enclosing.has_value()) return {Reason::kResourceDenies, "unreadable", true};
    Verdict verdict = evaluate(RequestContext(principal, circumstances, request, region),
                               {.own = own->get(), .enclosing = enclosing->get()});
    if (verdict.varies) return verdict;
    Question asked{principal.serial, std::string(request.action), std::string(request.resource),
                   request.policies, request.weight};
    const std::size_t bytes = held_bytes(asked) + verdict.policy.capacity();
    here.remembered.put(std::move(asked), verdict, bytes);
    return verdict;
  }
};

Authorizer::Authorizer(std::string region, AuditSink* sink, AuthorizerMemory memory, bool takes_unknown_keys)
    : state_(std::make_unique<State>()) {
  state_->region = std::move(region);
  state_->sink = sink;
  state_->memory = std::move(memory);
  state_->takes_unknown_keys = takes_unknown_keys;
}
Authorizer::~Authorizer() = default;

std::optional<Denial> Authorizer::check(const Caller& caller, const Circumstances& circumstances,
                                        const AccessRequest& request) const {
  const Principal& principal = *caller.principal;
  if (principal.kind == Principal::Kind::kUnchecked) return std::nullopt;
  if (principal.kind == Principal::Kind::kRoot && state_->sink == nullptr) return std::nullopt;
  ThisThread& here = state_->here();
  const Verdict verdict = principal.may_do_everything()
                              ? Verdict{Reason::kRoot, ""}
                              : state_->decide(here, principal, circumstances, request);
  if (state_->sink != nullptr)
    here.sums.add({principal.arn, principal.access_key, request.action, request.resource, verdict.reason,
                   verdict.policy, circumstances.peer},
                  circumstances.now_ms, request.frequent, *state_->sink);
  if (is_allowed(verdict.reason)) return std::nullopt;
  return Denial{denial_text(principal, request, verdict.reason)};
}

bool Authorizer::may(const Caller& caller, const Circumstances& circumstances,
                     const AccessRequest& request) const {
  const Principal& principal = *caller.principal;
  return principal.may_do_everything() ||
         is_allowed(state_->decide(state_->here(), principal, circumstances, request).reason);
}

void Authorizer::names_from(const Published<Directory>& directory) { state_->directory = &directory; }

Result<std::string> Authorizer::bind(std::string document, const Policy& policy) const {
  if (state_->directory == nullptr) return document;
  return bind_principals(std::move(document), policy, *state_->directory->here());
}

Result<void> Authorizer::check_keys(const Policy& policy) const {
  if (state_->takes_unknown_keys) return {};
  const auto unknown = policy.unknown_keys();
  if (unknown.empty()) return {};
  return Error{
      ErrorKind::kInvalid,
      fmt::format("Policy has condition keys that this server does not know: {}", fmt::join(unknown, ", "))};
}

bool Authorizer::would_allow(const Caller& caller, const Circumstances& circumstances,
                             const AccessRequest& request, const Policy& proposed) const {
  Principal held = *caller.principal;
  if (held.kind == Principal::Kind::kUnchecked) return true;
  if (held.kind == Principal::Kind::kRoot) {
    held.kind = Principal::Kind::kUser;
    held.policies = {{"root", everything()}};
  }
  return is_allowed(
      evaluate(RequestContext(held, circumstances, request, state_->region), {.own = &proposed}).reason);
}

void Authorizer::refused(const AuthFailure& failure, std::string_view access_key,
                         const Circumstances& circumstances) const {
  if (state_->sink == nullptr) return;
  if (!state_->here().may_name(access_key, circumstances.now_ms)) access_key = {};
  state_->here().sums.add({"", access_key, "", "", std::nullopt, failure.type, circumstances.peer},
                          circumstances.now_ms, false, *state_->sink);
}

void Authorizer::report(std::int64_t now_ms, bool all) const {
  if (state_->sink != nullptr) state_->here().sums.report(now_ms, all, *state_->sink);
}

}  // namespace millrace::identity
