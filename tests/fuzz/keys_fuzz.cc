// What comes from outside into keys/: blobs that clients give, and files that may be damaged. The first byte
// chooses.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "base/random.h"
#include "keys/ciphertext_blob.h"
#include "keys/key_state.h"
#include "keys/keyring.h"
#include "keys/record_key.h"
#include "log/run_codec.h"

namespace {

using namespace millrace;

void require(bool holds) {
  if (!holds) std::abort();
}

// Nobody has the key: nothing decrypts.
void blob(ByteView bytes) {
  const keys::Secret secret;
  if (keys::head_of_blob(bytes)) require(!keys::decrypt_blob(bytes, secret, {{"name", "value"}}).has_value());
}

// As a reader meets it: whole runs, by their headers, that name this key.
void runs(ByteView bytes) {
  static keys::RecordKey key(1, keys::Secret(), system_random());
  if (!log::check_runs(bytes).ok()) return;
  for (std::size_t at = 0; at < bytes.size();) {
    const log::RunHeader run = log::load_run_header(bytes.data() + at);
    const ByteView whole = bytes.subspan(at, log::kRunHeaderBytes + run.bytes);
    Bytes plain;
    if (run.encrypted && log::load_cipher_head(whole.data() + log::kRunHeaderBytes).key == 1)
      require(!key.decrypt(whole, plain).ok() && plain.empty());
    at += whole.size();
  }
}

// What was read is written and read again as the same.
void state(std::string_view text) {
  if (const auto change = keys::decode_key_change(text); change.ok()) {
    const auto again = keys::decode_key_change(keys::encode(*change));
    require(again.ok() && keys::encode(*again) == keys::encode(*change));
  }
  if (const auto whole = keys::decode_key_state(text); whole.ok()) {
    const auto again = keys::decode_key_state(keys::encode(*whole));
    require(again.ok() && keys::encode(*again) == keys::encode(*whole));
  }
}

void keyring(std::string_view text) {
  const auto parsed = keys::Keyring::parse(text);
  if (!parsed.ok()) return require(!parsed.error().text.empty());
  const keys::Secret secret;
  const Bytes wrapped = parsed->wrap(secret, "id 0", system_random());
  require(parsed->unwrap(wrapped.view(), "id 0").ok());
  require(!parsed->unwrap(wrapped.view(), "id 1").ok());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const ByteView rest(data + 1, size - 1);
  switch (data[0] % 4) {
    case 0:
      blob(rest);
      break;
    case 1:
      runs(rest);
      break;
    case 2:
      state(as_text(rest));
      break;
    default:
      keyring(as_text(rest));
  }
  return 0;
}
