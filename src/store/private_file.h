// store/private_file.h: a small file, anywhere, that its owner alone may read. Calls block.
#pragma once

#include <cstddef>
#include <string>

#include "base/bytes.h"
#include "base/result.h"

namespace millrace::store {

// errors   kNotFound.  kInvalid: others may read or write it, or it has more than `bytes_max` bytes; text
// says which.
//          kUnavailable: the disk said no
Result<Bytes> read_private_file(const std::string& path, std::size_t bytes_max);
// Makes it with mode 0600, durably: whole, or not there.
// errors   kConflict: it is there.  Others: it is not there, or, with kUnknown, may be
Result<void> make_private_file(const std::string& path, ByteView content);

}  // namespace millrace::store
