#include "demo/behaviour.h"

#include <gtest/gtest.h>

#include <map>
#include <nlohmann/json.hpp>
#include <string>

#include "demo/day_curve.h"

namespace millrace::demo {
namespace {

TEST(BehaviourTest, TheSameSeedGivesTheSameEventsAndAnotherSeedOthers) {
  Behaviour one(1), same(1), other(2);
  bool differs = false;
  for (int i = 0; i < 1'000; ++i) {
    const std::string json(one.next().json);
    EXPECT_EQ(json, same.next().json);
    differs = differs || json != other.next().json;
  }
  EXPECT_TRUE(differs);
}

TEST(BehaviourTest, EventsAreJsonObjectsOfTheirUserAndEverySessionBeginsWithAPageView) {
  Behaviour behaviour(3);
  std::map<std::string, int> events_of_session;
  std::map<std::string, int> kinds;
  for (int i = 0; i < 100'000; ++i) {
    const BehaviourEvent event = behaviour.next();
    const auto json = nlohmann::json::parse(event.json);
    EXPECT_EQ(json["user"], event.user);
    ++kinds[json["type"]];
    if (++events_of_session[json["session"]] == 1) {
      EXPECT_EQ(json["type"], "page_view");
      EXPECT_EQ(json["referrer"], "direct");
    }
  }
  EXPECT_EQ(kinds.size(), 4u);
  EXPECT_GT(kinds["page_view"], kinds["click"]);
  EXPECT_GT(kinds["click"], kinds["search"]);
  EXPECT_GT(kinds["search"], kinds["purchase"]);
}

TEST(ZipfTest, FrequenciesFallAsThePowerSays) {
  Dice dice(5);
  const Zipf zipf(1'000, 1.1);
  std::map<std::uint64_t, double> counts;
  for (int i = 0; i < 400'000; ++i) {
    const std::uint64_t rank = zipf(dice);
    ASSERT_GE(rank, 1u);
    ASSERT_LE(rank, 1'000u);
    ++counts[rank];
  }
  EXPECT_NEAR(counts[1] / counts[2], std::pow(2, 1.1), 0.1);
  EXPECT_NEAR(counts[1] / counts[10], std::pow(10, 1.1), 0.9);
}

TEST(DayCurveTest, NoonHasTheRateAndTheEveningThePeak) {
  const DayCurve curve(50'000, 200'000, 60);
  EXPECT_NEAR(curve.at(30), 50'000, 50);
  EXPECT_NEAR(curve.at(50), 200'000, 1);
  EXPECT_NEAR(curve.at(0), 25'000, 50);
  for (double second = 0; second < 60; second += 0.1) EXPECT_LE(curve.at(second), 201'000);
}

}  // namespace
}  // namespace millrace::demo
