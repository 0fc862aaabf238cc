#include "filesystem/time_zone.hpp"

#include <gtest/gtest.h>

#include <chrono>

namespace touchstone {
namespace {

std::int64_t at(int year, unsigned month, unsigned day, int hour, int minute = 0) {
  using namespace std::chrono;
  const sys_days date(std::chrono::year(year) / month / day);
  return duration_cast<seconds>(date.time_since_epoch()).count() + hour * 3600 + minute * 60;
}

class TimeZoneTest : public ::testing::Test {
 protected:
  static TimeZone load(const std::string& name) {
    auto zone = TimeZone::load(name);
    if (!zone) throw std::runtime_error(zone.error().message);
    return *zone;
  }
};

// Summer time in the UK in 2024: from 31 March 01:00 UTC to 27 October 01:00 UTC (Summer Time Order 2002).
TEST_F(TimeZoneTest, KnowsBritishSummerTime) {
  const TimeZone london = load("Europe/London");
  EXPECT_EQ(london.to_utc(at(2024, 1, 15, 12)), at(2024, 1, 15, 12));
  EXPECT_EQ(london.to_utc(at(2024, 7, 1, 12)), at(2024, 7, 1, 11));
  EXPECT_EQ(london.to_utc(at(2024, 3, 31, 0, 59)), at(2024, 3, 31, 0, 59));
  EXPECT_EQ(london.to_utc(at(2024, 3, 31, 2)), at(2024, 3, 31, 1));
  EXPECT_EQ(london.to_utc(at(2024, 10, 27, 2)), at(2024, 10, 27, 2));
}

TEST_F(TimeZoneTest, TakesTheFirstOfTwoAndTheOldOffsetForNone) {
  const TimeZone london = load("Europe/London");
  EXPECT_EQ(london.to_utc(at(2024, 10, 27, 1, 30)), at(2024, 10, 27, 0, 30));
  EXPECT_EQ(london.to_utc(at(2024, 3, 31, 1, 30)), at(2024, 3, 31, 1, 30));
}

// 18 February 1968 to 31 October 1971 was British Standard Time, UTC+1 all year.
TEST_F(TimeZoneTest, KnowsHistory) {
  EXPECT_EQ(load("Europe/London").to_utc(at(1970, 1, 1, 12)), at(1970, 1, 1, 11));
}

TEST_F(TimeZoneTest, ReachesBeyondTheTable) {
  const TimeZone london = load("Europe/London");
  EXPECT_EQ(london.to_utc(at(2090, 1, 15, 12)), at(2090, 1, 15, 12));
  EXPECT_EQ(london.to_utc(at(2090, 7, 1, 12)), at(2090, 7, 1, 11));
  EXPECT_EQ(load("Asia/Kathmandu").to_utc(at(2090, 7, 1, 12)), at(2090, 7, 1, 6, 15));
  EXPECT_EQ(load("Australia/Sydney").to_utc(at(2090, 1, 15, 12)), at(2090, 1, 15, 1));
  EXPECT_EQ(load("America/New_York").to_utc(at(2024, 7, 1, 12)), at(2024, 7, 1, 16));
  EXPECT_EQ(load("UTC").to_utc(at(2024, 7, 1, 12)), at(2024, 7, 1, 12));
}

TEST_F(TimeZoneTest, RefusesWhatIsNoZone) {
  for (const char* name : {"", "Nowhere/City", "../../etc/passwd", "/etc/passwd", "tzdata.zi"}) {
    const auto zone = TimeZone::load(name);
    ASSERT_FALSE(zone) << name;
    EXPECT_EQ(zone.error().code, ErrorCode::invalid);
  }
}

TEST_F(TimeZoneTest, RefusesDamagedFiles) {
  std::vector<std::byte> bytes(44, std::byte{0xff});
  for (std::size_t i = 0; i < 4; ++i) bytes[i] = static_cast<std::byte>("TZif"[i]);
  EXPECT_FALSE(TimeZone::parse(bytes));
  EXPECT_FALSE(TimeZone::parse(std::span(bytes).first(20)));
  EXPECT_FALSE(TimeZone::parse({}));
}

}  // namespace
}  // namespace touchstone
