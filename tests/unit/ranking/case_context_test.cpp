#include "ranking/case_context.hpp"

#include <gtest/gtest.h>

namespace touchstone::ranking {
namespace {

CaseFile london() {
  auto file = parse_case_file(
      "schema = \"touchstone.case/1\"\nreference = \"X\"\n[[window]]\ntitle = \"night\"\nfrom = "
      "2024-05-03T21:00:00\n"
      "to = 2024-05-04T06:00:00\n[[place]]\ntitle = \"flat\"\nlatitude = 50.905\nlongitude = "
      "-1.404\nradius_m = 150\n",
      "case.toml");
  EXPECT_TRUE(file) << file.error().message;
  return file.take();
}
constexpr TimeUs kSecond = 1'000'000;
constexpr TimeUs kFrom = 1714766400 * kSecond;  // 2024-05-03 21:00 in London

TEST(CaseContext, DistanceIsThatOfTheGreatCircle) {
  // Vincenty (WGS 84) gives 343.9 km from Big Ben to the Eiffel Tower less half a percent for the sphere.
  EXPECT_NEAR(distance_m(51.5007, -0.1246, 48.8584, 2.2945), 340'900, 2'500);
  EXPECT_NEAR(distance_m(0, 0, 0, 1), 111'195, 1);  // one degree of the equator on a sphere of 6371.0088 km
  EXPECT_EQ(distance_m(50, -1, 50, -1), 0);
}

TEST(CaseContext, AssumedTimesWidenTheWindow) {
  const CaseFile file = london();
  const CaseContext context(&file);
  EXPECT_EQ(context.window(kFrom, false).distance, 0);
  EXPECT_EQ(context.window(kFrom - kSecond, false).distance, kSecond);
  EXPECT_EQ(context.window(kFrom - 3600 * kSecond, true).distance, 0);
  EXPECT_EQ(context.window(kFrom - 3601 * kSecond, true).distance, kSecond);
  EXPECT_EQ(CaseContext(nullptr).window(kFrom, false).window, nullptr);
}

TEST(CaseContext, UncertaintyReachesIntoThePlace) {
  const CaseFile file = london();
  const CaseContext context(&file);
  const double north_200m = 50.905 + 200 / 111'195.0;
  EXPECT_FALSE(context.place(north_200m, -1.404, 0).inside);
  EXPECT_TRUE(context.place(north_200m, -1.404, 60).inside);
  EXPECT_NEAR(context.place(north_200m, -1.404, 0).distance_m, 200, 1);
}

TEST(CaseContext, TimesAreWrittenInTheCasesZone) {
  const CaseFile file = london();
  EXPECT_EQ(CaseContext(&file).time_text(kFrom, false), "3 May 2024, 21:00:00 BST");
  EXPECT_EQ(CaseContext(&file).time_text(1'704'067'200 * kSecond, true),
            "1 Jan 2024, 00:00:00 GMT (zone assumed)");
  EXPECT_EQ(CaseContext(nullptr).time_text(kFrom, true), "3 May 2024, 20:00:00 UTC (zone assumed)");
  EXPECT_EQ(CaseContext(nullptr).time_text(-1, false), "31 Dec 1969, 23:59:59 UTC");
  CaseFile elsewhere = london();
  elsewhere.time_zone = "Asia/Kolkata";
  EXPECT_EQ(CaseContext(&elsewhere).time_text(kFrom, false), "4 May 2024, 01:30:00 UTC+05:30");
  elsewhere.time_zone = "America/New_York";
  EXPECT_EQ(CaseContext(&elsewhere).time_text(kFrom, false), "3 May 2024, 16:00:00 UTC-04:00");
}

}  // namespace
}  // namespace touchstone::ranking
