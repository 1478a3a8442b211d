// api/encoding.h: how a request's body and its answer are written.
#pragma once

#include <cstdint>
#include <string_view>

namespace millrace::api {

enum class Encoding : std::uint8_t { kJson, kCbor };

constexpr std::string_view content_type(Encoding encoding) {
  return encoding == Encoding::kJson ? "application/x-amz-json-1.1" : "application/x-amz-cbor-1.1";
}

}  // namespace millrace::api
