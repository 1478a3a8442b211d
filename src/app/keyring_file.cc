#include "app/keyring_file.h"

#include <fmt/format.h>

#include <utility>

#include "base/random.h"
#include "store/private_file.h"

namespace millrace::app {

std::string keyring_path(const std::string& keyring, const std::string& data) {
  return keyring.empty() ? data + "/keyring" : keyring;
}

Result<keys::Keyring> load_keyring(const std::string& path, bool may_make) {
  constexpr std::size_t kBytesMax = 1u << 20;
  auto text = store::read_private_file(path, kBytesMax);
  if (!text.ok() && text.error().kind == ErrorKind::kNotFound) {
    if (!may_make)
      return Error{
          ErrorKind::kCorrupt,
          fmt::format("the keyring {} is missing: without it nothing that is encrypted can be read", path)};
    MR_TRY(store::make_private_file(path, as_bytes(keys::Keyring::make(system_random()))));
    text = store::read_private_file(path, kBytesMax);
  }
  if (!text.ok()) return std::move(text).error();
  auto keyring = keys::Keyring::parse(text->text());
  if (!keyring.ok()) return Error{keyring.error().kind, path + ": " + keyring.error().text};
  return keyring;
}

}  // namespace millrace::app
