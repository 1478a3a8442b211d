#include "kms/front_door.h"

#include <utility>
#include <variant>

#include "api/access.h"
#include "api/document.h"
#include "api/event_log.h"
#include "api/http_answer.h"
#include "api/random_pool.h"
#include "base/task.h"
#include "kms/operation.h"

namespace millrace::kms {
namespace {

constexpr std::string_view kTargetBegin = "TrentService.";
constexpr std::array<std::string_view, 1> kSignedServices = {"kms"};
constexpr std::size_t kBodyBytesMax = 256u << 10;  // far above the largest request that passes

}  // namespace

// One request from its head to its answer.
class RequestCourse {
 public:
  RequestCourse(FrontDoor& door, std::unique_ptr<net::Request> request, net::Responder responder)
      : door_(door),
        request_(std::move(request)),
        responder_(std::move(responder)),
        random_(door.pool_of(*request_->loop)),
        heads_(api::heads_of(*request_)) {}
  RequestCourse(RequestCourse&&) = default;

  // Answers what can be answered without an operation. True: there is one to be run.
  bool admit() {
    if (request_->method != "POST" || heads_.content_type != api::content_type(api::Encoding::kJson))
      return refuse({"UnknownOperationException", "", 404});
    if (request_->body.size() > kBodyBytesMax)
      return refuse({"RequestEntityTooLargeException", "The request body is too large.", 413});
    operation_ = find_operation(heads_.target.substr(kTargetBegin.size()));
    if (operation_ == nullptr) return refuse({"UnknownOperationException"});
    auto checked =
        api::verify(*request_, door_.verifier_, door_.authorizer_, kSignedServices, door_.clock_.wall_ms());
    if (auto* failure = std::get_if<identity::AuthFailure>(&checked); failure != nullptr)
      return refuse(api::not_verified(std::move(*failure)));
    caller_ = std::move(*std::get_if<identity::Caller>(&checked));
    return true;
  }

  // After admit() said true. The course is moved into the coroutine, which ends with its answer.
  static Task<void> run(RequestCourse course) {
    Loop& home = *course.request_->loop;
    Call call{.service = course.door_.service_,
              .clock = course.door_.clock_,
              .random = course.door_.random_,
              .request = *course.request_,
              .authorizer = course.door_.authorizer_,
              .caller = course.caller_,
              .action = action_of(*course.operation_)};
    Task<Outcome> running = course.operation_->run(call);
    Outcome outcome = co_await std::move(running);
    co_await switch_to(home);
    MR_ASSERT(outcome.has_value() || call.allowed);  // else an operation answers whom nobody allowed it
    if (outcome.has_value()) {
      course.refuse(*outcome);
      co_return;
    }
    api::tell(api::Changed{*course.request_, course.caller_, course.operation_->name, call.resource});
    net::Response response = api::new_answer(course.random_);
    api::set_body(response, api::Encoding::kJson, std::move(call.reply.bytes()));
    course.answer(std::move(response));
  }

 private:
  // These answer, and say false: there is no more to do.
  bool answer(net::Response response) {
    std::move(responder_).respond(std::move(response));
    return false;
  }
  bool refuse(const ApiError& error) {
    Writer writer(api::Encoding::kJson);
    api::write_error(error, writer);
    net::Response response = api::new_answer(random_);
    response.status = error.http_status;
    api::tell(api::Refused{*request_, caller_.principal != nullptr ? &caller_ : nullptr,
                           operation_ != nullptr ? operation_->name : std::string_view{}, error.type,
                           error.message, error.http_status});
    api::set_body(response, api::Encoding::kJson, std::move(writer.bytes()));
    return answer(std::move(response));
  }

  FrontDoor& door_;
  std::unique_ptr<net::Request> request_;
  net::Responder responder_;
  api::RandomPool& random_;
  api::HttpHeads heads_;
  const Operation* operation_ = nullptr;
  identity::Caller caller_;
};

FrontDoor::FrontDoor(keys::KeyService& service, const identity::Verifier& verifier,
                     const identity::Authorizer& authorizer, const Clock& clock, Random& random)
    : service_(service), verifier_(verifier), authorizer_(authorizer), clock_(clock), random_(random) {}

FrontDoor::~FrontDoor() {
  for (std::atomic<api::RandomPool*>& pool : pools_) delete pool.load(std::memory_order_acquire);
}

bool FrontDoor::takes(const net::Request& request) {
  return api::heads_of(request).target.starts_with(kTargetBegin);
}

api::RandomPool& FrontDoor::pool_of(const Loop& loop) {
  MR_ASSERT(loop.index() < kLoopsMax);
  std::atomic<api::RandomPool*>& slot = pools_[loop.index()];
  api::RandomPool* pool = slot.load(std::memory_order_relaxed);  // only this loop writes it
  if (pool == nullptr) {
    pool = std::make_unique<api::RandomPool>(random_).release();
    slot.store(pool, std::memory_order_release);
  }
  return *pool;
}

void FrontDoor::handle(std::unique_ptr<net::Request> request, net::Responder responder) {
  RequestCourse course(*this, std::move(request), std::move(responder));
  if (course.admit()) spawn(RequestCourse::run(std::move(course)));
}

}  // namespace millrace::kms
