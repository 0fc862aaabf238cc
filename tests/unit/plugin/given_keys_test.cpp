// Keys are given once, and what remembers them stays small.
#include "plugin/given_keys.hpp"

#include <gtest/gtest.h>

#include <random>
#include <set>
#include <unordered_set>

namespace touchstone {
namespace {

std::string key_of(const std::string& table, const std::string& row) {
  return "message|R:p0/x.db;5|app|" + table + "|" + row;
}

TEST(GivenKeys, NumbersTheSecondOfEqualKeys) {
  GivenKeys keys;
  for (const std::string row : {"7", "seven", "007", "", "99999999999999999999", "-7"}) {
    const std::string key = key_of("sms", row);
    EXPECT_EQ(keys.unique(key, row), key);
    EXPECT_EQ(keys.unique(key, row), key + "#2");
    EXPECT_EQ(keys.unique(key, row), key + "#3");
  }
}

TEST(GivenKeys, TellsTablesAndRowsApart) {
  GivenKeys keys;
  std::set<std::string> given;
  for (const std::string table : {"sms", "sms1", "pdu"})
    for (int row = 0; row < 200; ++row)
      EXPECT_TRUE(given.insert(keys.unique(key_of(table, std::to_string(row)), std::to_string(row))).second);
  EXPECT_EQ(given.size(), 600U);
  EXPECT_TRUE(given.contains(key_of("sms", "15"))) << "a row of sms1 was taken for one of sms";
}

TEST(GivenKeys, NeverGivesTheNameOfARowThatLooksNumbered) {
  GivenKeys keys;
  EXPECT_EQ(keys.unique(key_of("t", "5#2"), "5#2"), key_of("t", "5#2"));
  EXPECT_EQ(keys.unique(key_of("t", "5"), "5"), key_of("t", "5"));
  EXPECT_EQ(keys.unique(key_of("t", "5"), "5"), key_of("t", "5#3"));
  EXPECT_EQ(keys.unique(key_of("t", "5#3"), "5#3"), key_of("t", "5#3#2"));
}

TEST(GivenKeys, ManyEqualKeysTakeNoLongerThanManyDifferentOnes) {
  GivenKeys keys;
  std::string last;
  for (int i = 0; i < 200'000; ++i) last = keys.unique(key_of("t", "0"), "0");
  EXPECT_EQ(last, key_of("t", "0#200000"));
}

TEST(HashSet64, HoldsWhatASetHolds) {
  HashSet64 set;
  std::unordered_set<std::uint64_t> other;
  std::mt19937_64 random(7);  // NOLINT: the same numbers each time
  for (int i = 0; i < 100'000; ++i) {
    const std::uint64_t hash = random() % 60'000;  // small numbers: many repeats, long runs of slots
    EXPECT_EQ(set.insert(hash), other.insert(hash).second);
  }
  EXPECT_TRUE(other.contains(0));
  for (std::uint64_t hash = 0; hash < 61'000; ++hash) EXPECT_EQ(set.contains(hash), other.contains(hash));
}

}  // namespace
}  // namespace touchstone
