// app/secret_file.h: small secrets that the server makes for itself and keeps in the data folder.
#pragma once

#include <cstddef>
#include <string_view>

#include "base/bytes.h"
#include "base/random.h"
#include "base/result.h"
#include "store/disk.h"

namespace millrace::app {

// The secret of `keys/NAME`, which is made durably out of `random` when it is not there yet. Only the owner
// may read it: the process has the umask of serve(). Blocks. errors   kCorrupt: the file does not have
// `bytes` bytes.  Otherwise the disk's.
Result<Bytes> load_or_make_secret(store::Disk& disk, std::string_view name, std::size_t bytes,
                                  Random& random);

}  // namespace millrace::app
