// One moment, 2024-05-03 20:00:00 UTC = 1714766400 (GNU date), in each form, by the published distances of
// the epochs from 1970: 2001 +978307200 s (Apple), 1601 -11644473600 s (Microsoft), 0001 621355968000000000
// ticks (Microsoft), 1904 -2082844800 s (Apple), Julian day 2440587.5 (SQLite).
#include "connection.hpp"

namespace touchstone::test {
namespace {

constexpr const char* kMoment = "1714766400000000";

TEST(Epochs, GiveMicrosecondsSince1970) {
  Connection db;
  for (const char* call :
       {"unix_s(1714766400)", "unix_s(1714766400.0)", "unix_s('1714766400')", "unix_ms(1714766400000)",
        "unix_us(1714766400000000)", "unix_ns(1714766400000000000)", "cocoa_s(736459200)",
        "cocoa_s(736459200.0)", "cocoa_ns(736459200000000000)", "cocoa_any(736459200)",
        "cocoa_any(736459200000000000)", "webkit_us(13359240000000000)", "filetime(133592400000000000)",
        "dotnet_ticks(638503632000000000)", "dotnet_ticks(638503632000000000 + 4611686018427387904)",
        "hfs_s(3797611200)"})
    EXPECT_EQ(db.value(call), kMoment) << call;
  // A Julian day as a double is good to some 50 µs.
  EXPECT_EQ(db.value("abs(julian_day(julianday('2024-05-03 20:00:00')) - 1714766400000000) < 100"), "1");
}

TEST(Epochs, KeepFractions) {
  Connection db;
  EXPECT_EQ(db.value("unix_s(1714766400.5)"), "1714766400500000");
  EXPECT_EQ(db.value("unix_s('1714766400.25')"), "1714766400250000");
  EXPECT_EQ(db.value("cocoa_ns(736459200123456789)"), "1714766400123456");
  EXPECT_EQ(db.value("filetime(133592400000000019)"), "1714766400000001");
}

TEST(Epochs, GiveNullForWhatIsNoTime) {
  Connection db;
  for (const char* call :
       {"unix_s(NULL)", "unix_s(0)", "unix_s('')", "unix_s('yesterday')", "unix_s(x'00')", "unix_s(1)",
        "unix_s(-1714766400)", "unix_ms(1714766400000000)", "unix_s(9223372036854775807)",
        "webkit_us(1714766400000000)", "cocoa_ns(-9223372036854775807)", "dotnet_ticks(1)",
        "filetime(9223372036854775807)", "unix_s(1e300)", "unix_s(9e999)", "cocoa_s(0.0)", "julian_day(0)",
        "unix_s(7289654400)", "unix_s(31535999)"})
    EXPECT_EQ(db.value(call), "NULL") << call;
  EXPECT_EQ(db.value("unix_s(31536000)"), "31536000000000") << "1971-01-01";
  EXPECT_EQ(db.value("unix_s(7289654399)"), "7289654399000000") << "2200-12-31 23:59:59";
}

}  // namespace
}  // namespace touchstone::test
