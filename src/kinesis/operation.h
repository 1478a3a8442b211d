// kinesis/operation.h: an operation of the API: its name, its fields and what it does. One in each file of
// ops/, named in operations.def.
#pragma once

#include <concepts>
#include <span>
#include <string_view>
#include <utility>

#include "base/task.h"
#include "kinesis/access.h"
#include "kinesis/call.h"
#include "kinesis/protocol.h"
#include "kinesis/rate_check.h"

namespace millrace::kinesis {

struct Operation {
  std::string_view name;
  std::span<const Field> fields;
  // Answers into call.reply, or with an error. `call` is borrowed until it ends.
  Task<Outcome> (*run)(Call& call);
};

namespace operation_internal {

template <typename Request>
concept SaysWhatItWants = requires(Request request, Call call) {
  { request.access(call) } -> std::same_as<Wanted>;
};

template <SaysWhatItWants Request, const auto& kFields, Task<Outcome> (*kRun)(Call&, Request)>
Task<Outcome> decode_and_run(Call& call) {
  Request request;
  Outcome wrong =
      decode(call.encoding, call.request.body.view(), kFields, call.options.max_record_bytes, &request);
  if (wrong.has_value()) co_return wrong;
  if (Outcome denied = authorize(call, request.access(call)); denied.has_value()) co_return denied;
  if (Outcome often = check_rate(call, stream_named(request)); often.has_value()) co_return often;
  Task<Outcome> running = kRun(call, std::move(request));
  Outcome outcome = co_await std::move(running);
  co_return outcome;
}

}  // namespace operation_internal

// In ops/merge_shards.cc: kMergeShards is operation<Request, kFields, run>("MergeShards").
template <operation_internal::SaysWhatItWants Request, const auto& kFields,
          Task<Outcome> (*kRun)(Call&, Request)>
constexpr Operation operation(std::string_view name) {
  return {name, kFields, operation_internal::decode_and_run<Request, kFields, kRun>};
}

// All operations, in the order of operations.def.
std::span<const Operation* const> all_operations();
// "kinesis:PutRecord" of the operation at that position: one text for the life of the process.
std::string_view action_of(std::size_t position);
// Position in all_operations(), or none.
std::optional<std::size_t> find_operation(std::string_view name);

}  // namespace millrace::kinesis
