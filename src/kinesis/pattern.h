// kinesis/pattern.h: the regular expressions of the API reference that its fields must match.
#pragma once

#include "api/field.h"

namespace millrace::kinesis {

extern const api::Pattern kNamePattern;         // [a-zA-Z0-9_.-]+
extern const api::Pattern kSequencePattern;     // 0|([1-9]\d{0,128})
extern const api::Pattern kHashKeyPattern;      // 0|([1-9]\d{0,38})
extern const api::Pattern kStreamArnPattern;    // arn:aws.*:kinesis:.*:\d{12}:stream/\S+
extern const api::Pattern kResourceArnPattern;  // arn:aws.*:kinesis:.*:\d{12}:.*stream/\S+
// ^(arn):aws.*:kinesis:.*:\d{12}:.*stream\/[a-zA-Z0-9_.-]+\/consumer\/[a-zA-Z0-9_.-]+:[0-9]+
extern const api::Pattern kConsumerArnPattern;
extern const api::Pattern kStreamIdPattern;  // [a-z0-9]{20}-[a-z0-9]{3}

}  // namespace millrace::kinesis
