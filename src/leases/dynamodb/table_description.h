// leases/dynamodb/table_description.h: a table as DescribeTable shows it.
#pragma once

#include <string>
#include <string_view>

#include "api/writer.h"
#include "leases/dynamodb/table.h"

namespace millrace::leases::dynamodb {

std::string table_arn(std::string_view region, std::string_view account, std::string_view table);
// "AttributeDefinitions": … as an object
void write_description(const Table& table, const std::string& arn, api::Writer& writer);

}  // namespace millrace::leases::dynamodb
