// kinesis/put_checks.h: what a put must keep to that depends on its stream: keys left out, sizes.
#pragma once

#include <memory>
#include <span>
#include <string>

#include "broker/broker.h"
#include "kinesis/call.h"
#include "kinesis/protocol.h"
#include "kinesis/stream_ref.h"

namespace millrace::kinesis {

// Whether entries that were read where they lie may go to their stream so; if not, the description says why.
// keyless    one of them has no partition key
bool may_put(const Call& call, const StreamPlace& place, std::span<const broker::PutEntry> entries,
             bool keyless);

// Records that are larger than their stream takes. list   "records.", before the number; empty: one record
Outcome check_record_sizes(const Call& call, const broker::Stream& stream,
                           std::span<const broker::PutEntry> entries, std::string_view list);

// The stream of a request whose records name no partition keys, if it needs none.
bool distributes_itself(const Call& call, const StreamRef& ref);

// As decode() by `fields`. A request that fails there, and is right by `keyless`, in which partition keys may
// be absent, passes where its stream distributes records itself.
template <typename Request>
Outcome decode_put(const Call& call, std::span<const Field> fields, std::span<const Field> keyless,
                   Request& request) {
  const ByteView body = call.request.body.view();
  Outcome wrong = api::decode(call.encoding, body, fields, call.options.max_record_bytes, &request);
  if (!wrong.has_value()) return wrong;
  Request again;
  if (api::decode(call.encoding, body, keyless, call.options.max_record_bytes, &again).has_value() ||
      !distributes_itself(call, again))
    return wrong;
  request = std::move(again);
  return std::nullopt;
}

// `described` as a field that must be there, though its member is optional.
constexpr Field required(Field described) {
  described.required = true;
  return described;
}

}  // namespace millrace::kinesis
