#include "base/conditions.h"

#include <gtest/gtest.h>

namespace millrace {
namespace {

TEST(Conditions, EachIsToldOnceWhenItBeginsAndOnceWhenItEnds) {
  std::vector<std::string> told;
  Conditions conditions([&](const Condition& condition, bool begins) {
    told.push_back((begins ? "+" : "-") + condition.name + ":" + condition.detail);
  });
  conditions.end("a");
  conditions.begin({"a", "reason", "first"});
  conditions.begin({"a", "reason", "again"});
  conditions.begin({"b", "reason", "other"});
  conditions.end("a");
  conditions.end("a");
  conditions.begin({"a", "reason", "second"});
  EXPECT_EQ(told, (std::vector<std::string>{"+a:first", "+b:other", "-a:first", "+a:second"}));
}

TEST(Conditions, ThoseThatHoldAreListedAndThoseThatHeldAreRemembered) {
  Conditions conditions;
  EXPECT_TRUE(conditions.holding().empty());
  conditions.begin({"b", "why b", ""});
  conditions.begin({"a", "why a", ""});
  conditions.end("b");
  ASSERT_EQ(conditions.holding().size(), 1u);
  EXPECT_EQ(conditions.holding().front().reason, "why a");
  EXPECT_EQ(conditions.seen(), (std::map<std::string, bool>{{"a", true}, {"b", false}}));
}

}  // namespace
}  // namespace millrace
