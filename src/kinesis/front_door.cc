#include "kinesis/front_door.h"

#include <utility>

#include "api/access.h"
#include "api/event_log.h"
#include "base/task.h"
#include "kinesis/call.h"
#include "kinesis/fan_out/event_writer.h"
#include "kinesis/fan_out/fan_out.h"
#include "kinesis/operation.h"
#include "kinesis/protocol.h"

namespace millrace::kinesis {
namespace {

constexpr std::string_view kService = "Kinesis_20131202";
constexpr std::array<std::string_view, 1> kSignedServices = {"kinesis"};

struct Target {
  std::string_view service;
  std::string_view operation;
  std::optional<std::size_t> known;  // position in all_operations()
};

Target parse_target(std::string_view header) {
  Target target;
  const std::size_t dot = header.find('.');
  target.service = header.substr(0, dot);
  if (dot == std::string_view::npos) return target;
  const std::string_view rest = header.substr(dot + 1);
  target.operation = rest.substr(0, rest.find('.'));
  if (target.service == kService) target.known = find_operation(target.operation);
  return target;
}

// Whether a body is looked at that nobody has signed: a larger one counts as well formed, so that strangers
// cannot have it parsed.
constexpr std::size_t kUnsignedBodyParsedMax = 4 * 1'024;

// An object, or what the service takes for one until it looks inside.
bool is_well_formed(Encoding encoding, const net::Request& request) {
  const Bytes& body = request.body;
  if (request.body_withheld || body.size() > kUnsignedBodyParsedMax) return true;
  const auto document = read_document(encoding, body.view(), {});
  return document.has_value() &&
         (document->kind == Value::Kind::kMap || document->kind == Value::Kind::kList);
}

}  // namespace

// One request from its head to its answer. The order of the checks is the service's, as recorded by
// kinesalite.
class RequestCourse {
 public:
  RequestCourse(FrontDoor& door, std::unique_ptr<net::Request> request, net::Responder responder)
      : door_(door),
        request_(std::move(request)),
        responder_(std::move(responder)),
        loop_(door.state_of(*request_->loop)),
        heads_(heads_of(*request_)),
        target_(parse_target(heads_.target)),
        begun_ns_(door.clock_.monotonic_ns()) {}
  RequestCourse(RequestCourse&&) = default;

  // Answers what can be answered without an operation. True: there is one to be run.
  bool admit() {
    if (request_->method != "POST") return deny();
    if (heads_.content_type == content_type(Encoding::kJson)) encoding_ = Encoding::kJson;
    if (request_->body.size() > door_.options_.request_bytes_max)
      return refuse({"RequestEntityTooLargeException", "The request body is too large.", 413});
    if (request_->body.empty() && !request_->body_withheld) {
      return refuse(target_.known.has_value() ? serialization("") : ApiError{"UnknownOperationException"});
    }
    if (heads_.content_type == "application/json") return refuse_deprecated();
    if (heads_.content_type != content_type(encoding_)) {
      if (target_.service.empty() || target_.operation.empty()) return deny();
      return answer(xml_error("UnknownOperationException", 404, loop_.random), "UnknownOperationException");
    }
    if (!target_.known.has_value()) return refuse_if_formed({"UnknownOperationException"});
    auto checked =
        api::verify(*request_, door_.verifier_, door_.authorizer_, kSignedServices, door_.clock_.wall_ms());
    if (auto* failure = std::get_if<identity::AuthFailure>(&checked); failure != nullptr)
      return refuse_if_formed(api::not_verified(std::move(*failure)));
    caller_ = std::move(*std::get_if<identity::Caller>(&checked));
    return true;
  }

  // After admit() said true. The course is moved into the coroutine, which ends with its answer.
  static Task<void> run(RequestCourse course) {
    const std::size_t position = *course.target_.known;
    Call call{.broker = course.door_.broker_,
              .clock = course.door_.clock_,
              .options = course.door_.options_,
              .loop = course.loop_,
              .fan_out = *course.door_.fan_out_,
              .request = *course.request_,
              .encoding = course.encoding_,
              .reply = Writer(course.encoding_),
              .verifier = course.door_.verifier_,
              .authorizer = course.door_.authorizer_,
              .caller = course.caller_,
              .action = action_of(position),
              .begun_ns = course.begun_ns_,
              .rates = course.door_.broker_.options().aws_limits ? &course.door_.rates_ : nullptr};
    Task<Outcome> running = all_operations()[position]->run(call);
    Outcome outcome = co_await std::move(running);
    MR_ASSERT(outcome.has_value() || call.allowed);  // else an operation answers whom nobody allowed it
    if (outcome.has_value()) {
      course.refuse(*outcome);
      co_return;
    }
    if (!call.resource.empty())
      api::tell(
          api::Changed{*course.request_, course.caller_, all_operations()[position]->name, call.resource});
    net::Response response = new_answer(course.loop_.random);
    if (call.begin_stream) {
      course.stream(std::move(response), std::move(call.begin_stream));
      co_return;
    }
    set_body(response, course.encoding_, std::move(call.reply.bytes()));
    course.answer(std::move(response), "");
  }

 private:
  // These answer, and say false: there is no more to do.
  bool answer(net::Response response, std::string_view error_type, std::string_view message = {}) {
    count(error_type);
    if (!error_type.empty())
      api::tell(api::Refused{*request_, caller_.principal != nullptr ? &caller_ : nullptr, target_.operation,
                             error_type, message, response.status});
    std::move(responder_).respond(std::move(response));
    return false;
  }

  void stream(net::Response head, Function<void(std::shared_ptr<net::BodyStream>)> begin) {
    count("");
    head.headers.emplace_back("Content-Type", std::string(kEventStreamType));
    begin(std::move(responder_).start_stream(std::move(head)));
  }

  bool deny() {
    constexpr std::string_view kType = "AccessDeniedException";
    return answer(
        xml_error(kType, "Unable to determine service/operation name to be authorized", loop_.random), kType);
  }

  bool refuse(const ApiError& error) {
    Writer writer(encoding_);
    write_error(error, writer);
    net::Response response = new_answer(loop_.random);
    response.status = error.http_status;
    set_body(response, encoding_, std::move(writer.bytes()));
    return answer(std::move(response), error.type, error.message);
  }

  bool refuse_if_formed(const ApiError& error) {
    return refuse(is_well_formed(encoding_, *request_) ? error : serialization(""));
  }

  bool refuse_deprecated() {
    const bool formed = is_well_formed(Encoding::kJson, *request_);
    const std::string_view type = formed ? "UnknownOperationException" : "SerializationException";
    return answer(deprecated_error(type, formed ? 404 : 400, loop_.random), type);
  }

  void count(std::string_view error_type) {
    const std::int64_t took_us = (door_.clock_.monotonic_ns() - begun_ns_) / 1'000;
    loop_.counters.count(target_.known.value_or(all_operations().size()), error_type, took_us);
  }

  FrontDoor& door_;
  std::unique_ptr<net::Request> request_;
  net::Responder responder_;
  LoopState& loop_;
  HttpHeads heads_;
  Target target_;
  std::int64_t begun_ns_;
  identity::Caller caller_;              // once admitted
  Encoding encoding_ = Encoding::kCbor;  // what the service answers in where it cannot tell
};

FrontDoor::FrontDoor(broker::Broker& broker, const identity::Verifier& verifier,
                     const identity::Authorizer& authorizer, const Clock& clock, Random& random,
                     FrontDoorOptions options)
    : broker_(broker),
      verifier_(verifier),
      authorizer_(authorizer),
      clock_(clock),
      random_(random),
      options_(options),
      rates_(clock),
      fan_out_(std::make_unique<FanOut>(broker, clock, options.quotas)) {}

FrontDoor::~FrontDoor() {
  for (std::atomic<LoopState*>& state : loops_) delete state.load(std::memory_order_acquire);
}

LoopState& FrontDoor::state_of(Loop& loop) {
  MR_ASSERT(loop.index() < kLoopsMax);
  std::atomic<LoopState*>& slot = loops_[loop.index()];
  LoopState* state = slot.load(std::memory_order_relaxed);  // only this loop writes it
  if (state == nullptr) {
    state = std::make_unique<LoopState>(loop, random_, options_.token_key).release();
    slot.store(state, std::memory_order_release);
  }
  return *state;
}

Task<MeterTake> FrontDoor::take_meters(Loop& home) {
  MeterTake taken;
  for (const std::atomic<LoopState*>& slot : loops_) {
    LoopState* state = slot.load(std::memory_order_acquire);
    if (state == nullptr) continue;
    co_await switch_to(state->loop);
    state->meter.take(taken);
  }
  co_await switch_to(home);
  co_return taken;
}

void FrontDoor::leave() { fan_out_->leave(); }

std::uint64_t FrontDoor::open_subscriptions() const { return fan_out_->open(); }

void FrontDoor::handle(std::unique_ptr<net::Request> request, net::Responder responder) {
  RequestCourse course(*this, std::move(request), std::move(responder));
  if (course.admit()) spawn(RequestCourse::run(std::move(course)));
}

std::vector<OperationStats> FrontDoor::stats() const {
  std::vector<OperationStats> sum;
  for (const Operation* operation : all_operations()) sum.push_back({.name = operation->name});
  sum.push_back({.name = "Unknown"});
  for (const std::atomic<LoopState*>& slot : loops_) {
    if (const LoopState* state = slot.load(std::memory_order_acquire); state != nullptr)
      state->counters.add_to(sum);
  }
  return sum;
}

}  // namespace millrace::kinesis
