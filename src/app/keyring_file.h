// app/keyring_file.h: the keyring, in the data folder or where --keyring says.
#pragma once

#include <string>

#include "base/result.h"
#include "keys/keyring.h"

namespace millrace::app {

// keyring   as --keyring: empty: "keyring" in `data`
std::string keyring_path(const std::string& keyring, const std::string& data);

// may_make   where there is none, one is made
// errors     kCorrupt: missing, or not a keyring.  As store::read_private_file
Result<keys::Keyring> load_keyring(const std::string& path, bool may_make);

}  // namespace millrace::app
