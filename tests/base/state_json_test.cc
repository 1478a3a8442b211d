#include "base/state_json.h"

#include <gtest/gtest.h>

namespace millrace {
namespace {

template <typename T>
bool is_refused(const char* text) {
  try {
    StateJson::parse(text).get<T>();
    return false;
  } catch (const StateJson::exception&) {
    return true;
  }
}

TEST(StateJson, NumbersAreReadWholeOrNotAtAll) {
  EXPECT_EQ(StateJson::parse("18446744073709551615").get<std::uint64_t>(), 18446744073709551615u);
  EXPECT_EQ(StateJson::parse("-9007199254740991").get<std::int64_t>(), -9007199254740991);
  EXPECT_EQ(StateJson::parse("[1,4294967295]").get<std::vector<std::uint32_t>>(),
            (std::vector<std::uint32_t>{1, 4294967295}));
  EXPECT_TRUE(is_refused<std::int64_t>("-9007199254740992"));
  EXPECT_TRUE(is_refused<std::int64_t>("9007199254740992"));
  EXPECT_TRUE(is_refused<std::int64_t>("9223372036854775808"));
  EXPECT_TRUE(is_refused<std::int64_t>("9e83"));
  EXPECT_TRUE(is_refused<std::int64_t>("1.0"));
  EXPECT_TRUE(is_refused<std::int64_t>("true"));
  EXPECT_TRUE(is_refused<std::int64_t>("\"1\""));
  EXPECT_TRUE(is_refused<std::uint64_t>("-1"));
  EXPECT_TRUE(is_refused<std::uint32_t>("4294967296"));
  EXPECT_TRUE(is_refused<std::vector<std::uint32_t>>("[1,4294967296]"));
  EXPECT_TRUE(is_refused<bool>("1"));
}

TEST(StateJson, AMemberThatIsThereIsReadStrictlyEvenWhereItMayBeMissing) {
  const StateJson object = StateJson::parse(R"({"small":7,"great":1e30})");
  EXPECT_EQ(object.value("small", std::int64_t{0}), 7);
  EXPECT_EQ(object.value("none", std::int64_t{5}), 5);
  EXPECT_THROW(object.value("great", std::int64_t{0}), StateJson::exception);
}

}  // namespace
}  // namespace millrace
