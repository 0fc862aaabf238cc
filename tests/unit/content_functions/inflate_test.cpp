// inflated(): the packed bytes are those of Python's gzip and zlib modules.
#include <zlib.h>

#include "connection.hpp"

namespace touchstone::test {
namespace {

constexpr auto kText = "'Meet at the flat at nine – bring the key'";
constexpr auto kGzip =
    "1f8b0800000000000203f34d4d2d51482c5128c9485548cb4904b3f332f352151e354c56482acacc4b074b65a7560200681aa740"
    "2a000000";
constexpr auto kZlib =
    "789cf34d4d2d51482c5128c9485548cb4904b3f332f352151e354c56482acacc4b074b65a756020044e20f79";

std::string blob(std::string hex) {
  return "x'" + std::move(hex) + "'";
}

TEST(Inflated, GivesWhatWasPacked) {
  Connection db;
  EXPECT_EQ(db.value("hex_text(inflated(" + blob(kGzip) + "))"), kText);
  EXPECT_EQ(db.value("hex_text(inflated(" + blob(kZlib) + "))"), kText);
  EXPECT_EQ(db.value("inflated(x'789c030000000001')"), "X''") << "of nothing";
  EXPECT_EQ(db.value("hex_text(inflated(" + blob(std::string(kGzip) + "ffff") + "))"), kText)
      << "bytes behind the end";
}

TEST(Inflated, GivesNothingOfDamage) {
  Connection db;
  for (const char* hex : {"", "1f8b", "789c", "00", "4d656574"})
    EXPECT_EQ(db.value("inflated(" + blob(hex) + ")"), "NULL") << hex;
  const std::string gzip = kGzip, zlib = kZlib;
  EXPECT_EQ(db.value("inflated(" + blob(gzip.substr(0, gzip.size() - 20)) + ")"), "NULL") << "cut off";
  std::string damaged = gzip;
  damaged[damaged.size() - 10] = damaged[damaged.size() - 10] == '0' ? '1' : '0';  // in its CRC
  EXPECT_EQ(db.value("inflated(" + blob(damaged) + ")"), "NULL");
  EXPECT_EQ(db.value("inflated(" + blob(zlib.substr(0, zlib.size() - 1) + "0") + ")"), "NULL");
  EXPECT_EQ(db.value("inflated(NULL)"), "NULL");
  EXPECT_EQ(db.value("inflated('text')"), "NULL");
}

TEST(Inflated, GivesNothingOfABomb) {
  Connection db;
  const auto packed = [](std::size_t size) {
    const std::string zeros(size, '\0');
    uLongf length = compressBound(static_cast<uLong>(size));
    std::string out(length, '\0');
    EXPECT_EQ(compress2(reinterpret_cast<Bytef*>(out.data()), &length,
                        reinterpret_cast<const Bytef*>(zeros.data()), static_cast<uLong>(size), 9),
              Z_OK);
    out.resize(length);
    return out;
  };
  constexpr std::size_t kLimit = 16U << 20U;
  EXPECT_EQ(db.value("length(inflated(?1))", packed(kLimit)), std::to_string(kLimit));
  EXPECT_EQ(db.value("inflated(?1)", packed(kLimit + 1)), "NULL");
}

}  // namespace
}  // namespace touchstone::test
