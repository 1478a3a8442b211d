// The lines of JSON in docs/format.md, "Tables", are what the code writes and reads.
#include <gtest/gtest.h>

#include <sstream>

#include "leases/attribute_text.h"
#include "leases/dynamodb/change_codec.h"
#include "leases/tables_text.h"
#include "log/format_page.h"

namespace millrace::leases::dynamodb {
namespace {

TEST(FormatPage, TableChanges) {
  const std::string lines = testing::page_block("json", "table changes");
  Tables tables;
  ASSERT_TRUE(replay(lines, tables).ok());
  std::istringstream stream(lines);
  std::string table;
  std::string put;
  std::getline(stream, table);
  std::getline(stream, put);
  EXPECT_EQ(lines_of(tables), table + "\n" + put + "\n");
  EXPECT_EQ(encode({ItemDeleted{"leases", attributes_of(R"({"leaseKey":{"S":"shardId-000000000001"}})")},
                    TableDropped{"old"}}),
            lines.substr(table.size() + put.size() + 2));
}

}  // namespace
}  // namespace millrace::leases::dynamodb
