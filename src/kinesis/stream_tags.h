// kinesis/stream_tags.h: the rules for a stream's tags, alike for all operations that change them.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "broker/catalog.h"
#include "kinesis/protocol.h"
#include "kinesis/stream_ref.h"

namespace millrace::kinesis {

using Tags = std::map<std::string, std::string>;

inline constexpr Rules kTagMapRules = {
    .min = 1, .max = 200, .keys = LengthRange{1, 128}, .members = LengthRange{0, 256}};
inline constexpr Rules kTagKeyListRules = {.min = 1, .max = 50, .members = LengthRange{1, 128}};

// `before` are the stream's tags until now. errors   InvalidArgumentException
Outcome check_new_tags(const Tags& tags, const Tags& before, const StreamPlace& place);
Outcome check_tag_keys(const std::vector<std::string>& keys, const StreamPlace& place);

// Whether the tags of the stream, or of its consumer where there is one, can be changed now.
// errors   ResourceInUseException: it is not there yet, or on its way out
Outcome check_taggable(const StreamPlace& place, const broker::Stream& stream,
                       const broker::Consumer* consumer = nullptr);

}  // namespace millrace::kinesis
