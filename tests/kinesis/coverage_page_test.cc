// The tables of docs/kinesis-api.md: of what the descriptions say, and of what tests have called.
// MILLRACE_WRITE_PAGES=1 writes it.

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <sstream>
#include <vector>

#include "kinesis/not_walked.h"
#include "kinesis/operation.h"

namespace millrace::kinesis {
namespace {

// Begin and end of a table that a test writes.
struct Marks {
  std::string_view begin;
  std::string_view end;
};
constexpr Marks kOperations{"<!-- operations: begin -->\n", "<!-- operations: end -->\n"};
constexpr Marks kCoverage{"<!-- coverage: begin -->\n", "<!-- coverage: end -->\n"};

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

std::filesystem::path page_path() {
  return std::filesystem::path(__FILE__).parent_path() / "../../docs/kinesis-api.md";
}

// Holds the table between `marks` to make(what stands there now); writes it where it is asked to.
void check_table(const Marks& marks, const std::function<std::string(const std::string&)>& make) {
  std::stringstream read;
  read << std::ifstream(page_path()).rdbuf();
  const std::string page = read.str();
  const std::size_t begin = page.find(marks.begin);
  const std::size_t end = page.find(marks.end);
  ASSERT_NE(begin, std::string::npos);
  ASSERT_NE(end, std::string::npos);
  const std::size_t inside = begin + marks.begin.size();
  const std::string now = page.substr(inside, end - inside);
  const std::string table = make(now);
  if (std::getenv("MILLRACE_WRITE_PAGES") != nullptr) {
    std::ofstream(page_path()) << page.substr(0, inside) << table << page.substr(end);
    return;
  }
  EXPECT_EQ(now, table) << "run this test with MILLRACE_WRITE_PAGES=1";
}

TEST(KinesisPage, HasTheOperationsAsTheyAreDescribed) {
  check_table(kOperations, [](const std::string&) { return table(); });
}

std::vector<std::string> cells_of(const std::string& row) {
  std::vector<std::string> cells;
  std::istringstream parts(row);
  for (std::string cell; std::getline(parts, cell, '|');) {
    const std::size_t first = cell.find_first_not_of(' ');
    const std::size_t last = cell.find_last_not_of(' ');
    cells.push_back(first == std::string::npos ? "" : cell.substr(first, last - first + 1));
  }
  if (!cells.empty()) cells.erase(cells.begin());  // before the first bar
  return cells;
}

// The columns of JSON and CBOR are every_operation_test's. Those of clients are held by their own runs
// (tests/black_box/coverage_page.py) and kept here as they are.
TEST(KinesisPage, ShowsWhatWasCalledInWhichEncoding) {
  check_table(kCoverage, [](const std::string& now) {
    std::istringstream lines(now);
    std::string head;
    std::string rule;
    std::getline(lines, head);
    std::getline(lines, rule);
    const std::size_t columns = cells_of(head).size();
    EXPECT_GE(columns, 4u);
    std::map<std::string, std::vector<std::string>> rows;
    for (std::string line; std::getline(lines, line);) {
      const auto cells = cells_of(line);
      if (!cells.empty()) rows[cells[0]] = cells;
    }
    std::string text = head + "\n" + rule + "\n";
    for (const Operation* operation : all_operations()) {
      const std::string name(operation->name);
      const auto reason = kNotWalked.find(name);
      const bool later = reason != kNotWalked.end() && reason->second == kLater;
      text += "| " + name;
      const auto& before = rows[name];
      for (std::size_t column = 1; column < columns; ++column) {
        const bool encoding = column <= 2;
        const std::string kept =
            column < before.size() && before[column] != "later" ? before[column] : "untested";
        text += " | " + (later ? std::string(kLater) : encoding ? "yes" : kept);
      }
      text += " |\n";
    }
    return text;
  });
}

}  // namespace
}  // namespace millrace::kinesis
