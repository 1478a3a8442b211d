// store/private_file.h: small files, anywhere: those that their owner alone may read, and those for
// everybody. Calls block.
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
// A file for other programs, mode 0644: whole, durable, and in place of one that is there.
// errors   as the disk's; then the one before is still there
Result<void> replace_public_file(const std::string& path, ByteView content);

}  // namespace millrace::store
