// kinesis/protocol.h: AWS's protocol (api/), in the names that this folder's operations speak in.
#pragma once

#include "api/api_error.h"
#include "api/decode.h"
#include "api/document.h"
#include "api/encoding.h"
#include "api/field.h"
#include "api/http_answer.h"
#include "api/random_pool.h"
#include "api/value.h"
#include "api/writer.h"
#include "kinesis/pattern.h"

namespace millrace::kinesis {

using api::ApiError;
using api::Outcome;

using api::from_house;
using api::in_use;
using api::internal_failure;
using api::invalid_argument;
using api::limit_exceeded;
using api::not_found;
using api::serialization;
using api::validation;
using api::write_error;

using api::Blob;
using api::field;
using api::Field;
using api::FieldType;
using api::kMaxBlobBytes;
using api::kUnbounded;
using api::LengthRange;
using api::Pattern;
using api::Rules;
using api::Timestamp;
using api::utf16_length;
using api::Value;

using api::append_escaped;
using api::Encoding;
using api::heads_of;
using api::HttpHeads;
using api::RandomPool;
using api::Writer;

}  // namespace millrace::kinesis
