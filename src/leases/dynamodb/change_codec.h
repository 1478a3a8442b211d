// leases/dynamodb/change_codec.h: changes as the ledger keeps them: docs/format.md, "Tables".
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "leases/dynamodb/tables.h"

namespace millrace::leases::dynamodb {

// One line of JSON for each. Any thread.
std::string encode(const std::vector<Change>& changes);
// The changes that put these items.
std::string encode_items(const std::string& table, const std::vector<Item>& items);

// Makes the changes that `lines` holds.
// errors   kCorrupt: names the line
Result<void> replay(std::string_view lines, Tables& tables);

}  // namespace millrace::leases::dynamodb
