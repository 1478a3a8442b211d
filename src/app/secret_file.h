// app/secret_file.h: small secrets that the server makes for itself and keeps in the data folder.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/random.h"
#include "base/result.h"
#include "store/disk.h"
#include "store/origin.h"

namespace millrace::app {

inline constexpr std::string_view kSecretsFolder = "keys";
inline constexpr std::size_t kSecretFileBytes = 32;
inline constexpr std::string_view kIdentitiesSecret = "identities";  // seals the secret keys of users
inline constexpr std::string_view kTokensSecret = "tokens";          // seals iterators and page tokens

// The secret of `keys/NAME`, of kSecretFileBytes. Blocks.
// errors   kNotFound.  kCorrupt: the file has another length.  Otherwise the disk's
Result<Bytes> load_secret(store::Disk& disk, std::string_view name);
// The same, and it is made durably out of `random` when it is not there yet. Only the owner may read it: the
// process has the umask of serve(). Its digest is noted in `marks`.
Result<Bytes> load_or_make_secret(store::Disk& disk, std::string_view name, Random& random,
                                  store::PartMarks& marks);

// Part and mark of a secret.
std::string secret_part(std::string_view name);
store::PartMark secret_mark(ByteView secret);

}  // namespace millrace::app
