// Quotas as the state has them, and the meters that are made of it.

#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <vector>

#include "identity/identities.h"
#include "identity/quota_meter.h"

namespace millrace::identity {
namespace {

using enum Quantity;
constexpr std::int64_t kS = 1'000'000'000;

Quota quota(Quantity quantity, std::uint64_t a_second) {
  Quota made;
  made[quantity] = a_second;
  return made;
}
QuotaMeter meter_of(Quantity quantity, std::uint64_t a_second) {
  return QuotaMeter("user/u", quota(quantity, a_second), false, nullptr);
}
int taken(QuotaMeter& meter, Quantity quantity, std::int64_t now_ns, int most = 1'000) {
  int count = 0;
  while (count < most && meter.take(quantity, 1, now_ns)) ++count;
  return count;
}

TEST(QuotaMeters, ASecondsWorthPassesAtOnceAndThenAsItComesBack) {
  for (const std::uint64_t a_second : {1, 3, 7, 10, 999}) {
    QuotaMeter meter = meter_of(kRecordsIn, a_second);
    const auto whole = static_cast<int>(a_second);
    EXPECT_EQ(taken(meter, kRecordsIn, 5 * kS), whole);
    EXPECT_EQ(taken(meter, kRecordsIn, 5 * kS + kS / 2), whole / 2);
    EXPECT_EQ(taken(meter, kRecordsIn, 90 * kS), whole) << "no more than a second is saved up";
  }
}

TEST(QuotaMeters, SmallAmountsOfGreatFiguresCount) {
  QuotaMeter meter = meter_of(kBytesIn, name_of(kBytesIn).a_second_max);
  EXPECT_TRUE(meter.take(kBytesIn, 1u << 30, 0));
  std::uint64_t bytes = 1u << 30;
  while (meter.take(kBytesIn, 100'000, 0)) bytes += 100'000;
  EXPECT_NEAR(static_cast<double>(bytes), 1e11, 1e8);
}

TEST(QuotaMeters, AllIsTakenOrNothing) {
  QuotaMeter meter = meter_of(kBytesIn, 100);
  EXPECT_FALSE(meter.take(kBytesIn, 101, 0));
  EXPECT_TRUE(meter.take(kBytesIn, 60, 0));
  EXPECT_FALSE(meter.take(kBytesIn, 60, 0));
  meter.give_back(kBytesIn, 60);
  EXPECT_TRUE(meter.take(kBytesIn, 100, 0));
  EXPECT_TRUE(meter.take(kRecordsIn, 1'000'000, 0)) << "no such figure";
}

TEST(QuotaMeters, ARecordLargerThanASecondPassesAFullBucketIntoDebt) {
  QuotaMeter meter = meter_of(kBytesIn, 100);
  EXPECT_TRUE(meter.take_whole(kBytesIn, 350, 0));
  EXPECT_FALSE(meter.take_whole(kBytesIn, 350, 3 * kS));
  EXPECT_FALSE(meter.take(kBytesIn, 1, 2 * kS + kS / 2));
  EXPECT_TRUE(meter.take(kBytesIn, 1, 2 * kS + kS / 2 + kS / 100));
  QuotaMeter touched = meter_of(kBytesIn, 100);
  EXPECT_TRUE(touched.take(kBytesIn, 1, 0));
  EXPECT_FALSE(touched.take_whole(kBytesIn, 350, 0));
}

TEST(QuotaMeters, WhatIsReadIsADebtUntilItIsPaid) {
  QuotaMeter meter = meter_of(kBytesOut, 100);
  meter.charge(kBytesOut, 100, 0);
  EXPECT_EQ(meter.debt_ns(kBytesOut, 0), 0);
  meter.charge(kBytesOut, 250, 0);
  EXPECT_EQ(meter.debt_ns(kBytesOut, 0), 5 * kS / 2);
  EXPECT_EQ(meter.debt_ns(kBytesOut, 2 * kS), kS / 2);
  EXPECT_EQ(meter.debt_ns(kBytesOut, 3 * kS), 0);
}

TEST(QuotaMeters, ThreadsShareOneExactly) {
  QuotaMeter meter = meter_of(kRequests, 50'000);
  std::atomic<int> passed{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i)
    threads.emplace_back([&] {
      for (int k = 0; k < 50'000; ++k) passed += meter.take(kRequests, 1, kS) ? 1 : 0;
    });
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(passed, 50'000);
}

TEST(QuotaMeters, TheTextNamesWhoseTheFigureAndTheDefault) {
  EXPECT_EQ(meter_of(kRecordsIn, 10).explain(kRecordsIn),
            "Rate exceeded: the quota of user u is 10 records/s in.");
  EXPECT_EQ(QuotaMeter("role/r", quota(kBytesOut, 5), true, nullptr).explain(kBytesOut),
            "Rate exceeded: the quota of role r is 5 bytes/s out, the account's default.");
}

class QuotaChanges : public testing::Test {
 protected:
  QuotaChanges() {
    change(UserAdded{"u", "AIDA1", 7});
    change(UserAdded{"v", "AIDA2", 7});
  }
  void change(const IdentityChange& entry) {
    auto changed = apply_change(state, decode_identity_change(encode(entry)).value());
    ASSERT_TRUE(changed.ok()) << changed.error().text;
    state = std::move(*changed);
    table = QuotaTable::make(state, table.get());
  }
  std::string refused(const IdentityChange& entry) {
    const auto changed = apply_change(state, entry);
    return changed.ok() ? "" : changed.error().text;
  }
  QuotaMeter* of_user(const std::string& name) const {
    Principal principal;
    principal.kind = Principal::Kind::kUser;
    principal.name = name;
    return table->of(principal);
  }

  Identities state;
  std::shared_ptr<const QuotaTable> table;
};

TEST_F(QuotaChanges, AQuotaIsOfAUserARoleAStreamOrTheDefault) {
  EXPECT_TRUE(table->empty());
  change(QuotaPut{"user/u", quota(kRecordsIn, 10)});
  change(QuotaPut{"stream/s", quota(kBytesIn, 20)});
  EXPECT_EQ(of_user("u")->quota()[kRecordsIn], 10u);
  EXPECT_EQ(of_user("v"), nullptr);
  EXPECT_EQ(table->of_stream("s")->quota()[kBytesIn], 20u);
  EXPECT_EQ(table->of_stream("t"), nullptr);
  change(QuotaPut{"default", quota(kRequests, 3)});
  EXPECT_FALSE(of_user("u")->bounds(kRequests)) << "a quota of its own replaces the default";
  EXPECT_EQ(of_user("v")->quota()[kRequests], 3u);
  EXPECT_TRUE(of_user("v")->by_default());
  Principal root;
  root.kind = Principal::Kind::kRoot;
  root.name = "v";
  EXPECT_EQ(table->of(root), nullptr);
  change(QuotaRemoved{"default"});
  EXPECT_EQ(of_user("v"), nullptr);
}

TEST_F(QuotaChanges, WhatDoesNotFitIsRefusedByFieldAndLimit) {
  EXPECT_EQ(refused(QuotaPut{"user/u", quota(kRecordsIn, 100'000'001)}),
            "RecordsInPerSecond is 100000001: must be 1 to 100000000");
  EXPECT_EQ(refused(QuotaPut{"user/u", {}}),
            "a quota needs at least one of RecordsInPerSecond, "
            "BytesInPerSecond, BytesOutPerSecond and RequestsPerSecond");
  EXPECT_EQ(refused(QuotaPut{"user/nobody", quota(kRequests, 1)}), "there is no user nobody");
  EXPECT_EQ(refused(QuotaPut{"stream/a b", quota(kRequests, 1)}),
            "stream name \"a b\" must be 1 to 128 letters, digits and _.-");
  EXPECT_EQ(refused(QuotaPut{"stream", quota(kRequests, 1)}),
            "stream name \"\" must be 1 to 128 letters, digits and _.-");
  EXPECT_EQ(refused(QuotaPut{"group/g", quota(kRequests, 1)}), "a quota cannot be of \"group/g\"");
  EXPECT_EQ(refused(QuotaRemoved{"user/u"}), "there is no quota of user/u");
}

TEST_F(QuotaChanges, AQuotaGoesWithItsUser) {
  change(QuotaPut{"user/u", quota(kRecordsIn, 10)});
  change(UserRemoved{"u"});
  change(UserAdded{"u", "AIDA3", 7});
  EXPECT_EQ(of_user("u"), nullptr);
}

TEST_F(QuotaChanges, ASnapshotHasThem) {
  Quota all;
  all[kRecordsIn] = 1, all[kBytesIn] = 2, all[kBytesOut] = 3, all[kRequests] = 4;
  change(QuotaPut{"user/u", all});
  change(QuotaPut{"default", quota(kBytesOut, 100'000'000'000)});
  EXPECT_EQ(decode_identities(encode(state)).value().quotas, state.quotas);
  // What is on the page docs/format.md.
  const auto entry = decode_identity_change(
      R"({"type":"QuotaPut","owner":"stream/clicks","BytesInPerSecond":1048576,"RecordsInPerSecond":1000})");
  change(*entry);
  EXPECT_EQ(state.quotas.at("stream/clicks")[kBytesIn], 1'048'576u);
  EXPECT_EQ(state.quotas.at("stream/clicks")[kRecordsIn], 1'000u);
  EXPECT_TRUE(decode_identities(R"({"version":1,"users":[],"roles":[],"policies":[]})").ok())
      << "as it was before there were quotas";
}

TEST_F(QuotaChanges, AMeterGoesOnOverChangesOfOthersAndBeginsAnewWithItsOwn) {
  change(QuotaPut{"user/u", quota(kRecordsIn, 10)});
  EXPECT_EQ(taken(*of_user("u"), kRecordsIn, kS), 10);
  of_user("u")->count_exceeded(kRecordsIn);
  change(QuotaPut{"user/v", quota(kRecordsIn, 5)});
  EXPECT_EQ(taken(*of_user("u"), kRecordsIn, kS), 0);
  change(QuotaPut{"user/u", quota(kRecordsIn, 4)});
  EXPECT_EQ(taken(*of_user("u"), kRecordsIn, kS), 4);
  EXPECT_EQ(of_user("u")->exceeded(kRecordsIn), 1u) << "a counter of the metrics does not go back";
}

}  // namespace
}  // namespace millrace::identity
