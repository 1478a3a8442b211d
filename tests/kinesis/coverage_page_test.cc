// The table of docs/kinesis-api.md is made of the descriptions, so it cannot be out of date.
// MILLRACE_WRITE_PAGES=1 writes it.

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "kinesis/operation.h"

namespace millrace::kinesis {
namespace {

constexpr std::string_view kBegin = "<!-- operations: begin -->\n";
constexpr std::string_view kEnd = "<!-- operations: end -->\n";

std::string bounds(const Field& field) {
  const Rules& rules = field.rules;
  std::string text;
  const std::string max = rules.max == kMaxBlobBytes ? "max-record-bytes" : fmt::format("{}", rules.max);
  if (rules.min != kUnbounded && rules.max != kUnbounded) {
    text = fmt::format(" {} to {}", rules.min, max);
  } else if (rules.min != kUnbounded) {
    text = fmt::format(" from {}", rules.min);
  } else if (rules.max != kUnbounded) {
    text = fmt::format(" up to {}", max);
  }
  for (std::size_t i = 0; i < rules.allowed_count; ++i)
    text += fmt::format("{} {}", i > 0 ? "," : "", rules.allowed[i]);
  return text;
}

std::string fields_text(std::span<const Field> fields) {
  std::string text;
  for (const Field& field : fields) {
    if (!text.empty()) text += "; ";
    text += fmt::format("{}{}{}", field.required ? "**" : "", field.name, field.required ? "**" : "");
    text += bounds(field);
    if (field.type == FieldType::kStructure || field.type == FieldType::kStructureList)
      text += " (" + fields_text(field.children()) + ")";
  }
  return text;
}

std::string table() {
  std::string text = "| operation | members of a request |\n| --- | --- |\n";
  for (const Operation* operation : all_operations())
    text += fmt::format("| {} | {} |\n", operation->name, fields_text(operation->fields));
  return text;
}

TEST(KinesisPage, HasTheOperationsAsTheyAreDescribed) {
  const auto path = std::filesystem::path(__FILE__).parent_path() / "../../docs/kinesis-api.md";
  std::stringstream read;
  read << std::ifstream(path).rdbuf();
  const std::string page = read.str();
  const std::size_t begin = page.find(kBegin);
  const std::size_t end = page.find(kEnd);
  ASSERT_NE(begin, std::string::npos);
  ASSERT_NE(end, std::string::npos);
  const std::size_t inside = begin + kBegin.size();
  if (std::getenv("MILLRACE_WRITE_PAGES") != nullptr) {
    std::ofstream(path) << page.substr(0, inside) << table() << page.substr(end);
    return;
  }
  EXPECT_EQ(page.substr(inside, end - inside), table()) << "run this test with MILLRACE_WRITE_PAGES=1";
}

}  // namespace
}  // namespace millrace::kinesis
