// What control logs and their snapshots hold. Byte 0: 0 the catalog's, 1 the identities', 2 the tables'. Then
// lines: a snapshot, or an empty line for none, and the entries after it.
//
// A line is refused with a reason that can be shown, or leads to a state that is written and read again as
// the same.
#include <string>
#include <string_view>

#include "base/assert.h"
#include "broker/catalog_change.h"
#include "fuzz/can_be_shown.h"
#include "fuzz/take_line.h"
#include "identity/identities.h"
#include "leases/dynamodb/change_codec.h"
#include "leases/tables_text.h"

namespace millrace {
namespace {

template <typename T>
bool is_refused(const Result<T>& result) {
  if (result.ok()) return false;
  MR_ASSERT(!result.error().text.empty() && fuzz::can_be_shown(result.error().text));
  return true;
}

// Entries on a snapshot, each of one change.
void check_changes(std::string_view text, auto state, auto&& read_state, auto&& read_change) {
  const auto check_state = [&] {
    const std::string written = encode(state);
    const auto again = read_state(written);
    MR_ASSERT(again.ok() && encode(*again) == written);
  };
  if (const std::string_view snapshot = fuzz::take_line(text); !snapshot.empty()) {
    auto read = read_state(snapshot);
    if (is_refused(read)) return;
    state = std::move(read).value();
    check_state();
  }
  while (!text.empty()) {
    const auto change = read_change(fuzz::take_line(text));
    if (is_refused(change)) return;
    const auto again = read_change(encode(*change));
    MR_ASSERT(again.ok() && encode(*again) == encode(*change));
    auto changed = apply_change(state, *change);
    if (is_refused(changed)) continue;
    state = std::move(changed).value();
    check_state();
  }
}

void check_tables(std::string_view lines) {
  using namespace leases::dynamodb;
  Tables tables;
  if (is_refused(replay(lines, tables))) return;
  Tables again;
  MR_ASSERT(replay(lines_of(tables), again).ok() && lines_of(again) == lines_of(tables));
}

void check(std::string_view input) {
  if (input.empty()) return;
  const auto which = static_cast<std::uint8_t>(input[0]) % 3;
  input.remove_prefix(1);
  if (which == 0)
    return check_changes(input, broker::Catalog(), broker::decode_catalog, broker::decode_change);
  if (which == 1)
    return check_changes(input, identity::Identities(), identity::decode_identities,
                         identity::decode_identity_change);
  check_tables(input);
}

}  // namespace
}  // namespace millrace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  millrace::check({reinterpret_cast<const char*>(data), size});
  return 0;
}
