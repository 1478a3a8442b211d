// store/object_name.h: which names an object may have.
#pragma once

#include <string_view>

#include "base/result.h"

namespace millrace::store {

// Marks a put under way: NAME.tmp-NUMBER. No object's name holds it.
inline constexpr std::string_view kUnfinishedMark = ".tmp-";

inline constexpr std::size_t kObjectNameBytesMax = 512;
inline constexpr std::size_t kObjectNamePartBytesMax =
    200;  // leaves room for the mark in a file's name of 255

// errors   kInvalid: says what is wrong with `name`
Result<void> check_object_name(std::string_view name);

}  // namespace millrace::store
