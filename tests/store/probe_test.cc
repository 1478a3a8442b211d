#include "base/probe.h"

#include <gtest/gtest.h>

namespace millrace {
namespace {

#ifndef NDEBUG
void pass(bool rare) {
  REACHED("probe test: any");
  if (rare) REACHED("probe test: rare");
}

TEST(Probe, CountsHowOftenAPlaceWasReached) {
  pass(false);
  pass(false);
  EXPECT_EQ(Probe::hits("probe test: any"), 2u);
  EXPECT_EQ(Probe::hits("probe test: rare"), 0u);
  pass(true);
  EXPECT_EQ(Probe::hits("probe test: rare"), 1u);
  EXPECT_EQ(Probe::hits("probe test: no such place"), 0u);
}
#endif

}  // namespace
}  // namespace millrace
