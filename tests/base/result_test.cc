#include "base/result.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>

namespace millrace {
namespace {

Result<int> half(int number) {
  if (number % 2 != 0) return Error{ErrorKind::kInvalid, "odd"};
  return number / 2;
}
Result<void> check_positive(int number) {
  if (number <= 0) return Error{ErrorKind::kLimit, "not positive"};
  return {};
}
Result<std::string> quarter_text(int number) {
  MR_TRY(check_positive(number));
  MR_ASSIGN(const int once, half(number));
  MR_ASSIGN(const int twice, half(once));
  return std::to_string(twice);
}

TEST(Result, HoldsAValueOrAnError) {
  EXPECT_TRUE(half(4).ok());
  EXPECT_EQ(half(4).value(), 2);
  EXPECT_FALSE(half(3).ok());
  EXPECT_EQ(half(3).error().kind, ErrorKind::kInvalid);
  EXPECT_EQ(half(3).error().text, "odd");
  EXPECT_TRUE(static_cast<bool>(half(4)));
}

TEST(Result, MacrosReturnTheFirstErrorAndElseGoOn) {
  EXPECT_EQ(quarter_text(12).value(), "3");
  EXPECT_EQ(quarter_text(-4).error().kind, ErrorKind::kLimit);
  EXPECT_EQ(quarter_text(3).error().text, "odd");
  EXPECT_EQ(quarter_text(6).error().text, "odd");
}

TEST(Result, TakingTheWrongSideStopsTheProcess) {
  EXPECT_DEATH(static_cast<void>(half(3).value()), "ok\\(\\)");
  EXPECT_DEATH(static_cast<void>(half(4).error()), "!ok\\(\\)");
  EXPECT_DEATH(static_cast<void>(check_positive(1).error()), "!ok\\(\\)");
}

TEST(Result, CarriesWhatCanOnlyBeMoved) {
  Result<std::unique_ptr<int>> result = std::make_unique<int>(7);
  EXPECT_EQ(**result, 7);
  const std::unique_ptr<int> taken = std::move(result).value();
  EXPECT_EQ(*taken, 7);
}

TEST(Result, OfAnErrorAsValueKeepsTheTwoApart) {
  const Result<std::string> text = std::string("fine");
  EXPECT_EQ(text->size(), 4u);
  EXPECT_EQ(*text, "fine");
}

}  // namespace
}  // namespace millrace
