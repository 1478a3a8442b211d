// leases/dynamodb/reserved_words.h: words that no attribute is called by in an expression, except through
// "#name". source: DynamoDB developer guide, "Reserved words in DynamoDB"
#pragma once

#include <string_view>

namespace millrace::leases::dynamodb {

bool is_reserved_word(std::string_view word);  // in any case

}  // namespace millrace::leases::dynamodb
