#include "filesystem/trees/itunes_plist.hpp"

#include <gtest/gtest.h>

#include "unit/backups/made_backups.hpp"

namespace touchstone {
namespace {

std::vector<std::byte> bytes(std::string_view text) {
  const auto span = std::as_bytes(std::span(text));
  return {span.begin(), span.end()};
}

TEST(ItunesPlist, ReadsBinaryListsOfAnotherWriter) {
  const auto list = Plist::parse(test::file_bytes(test::made_backups() / "itunes" / "Manifest.plist"));
  ASSERT_TRUE(list);
  const auto root = list->root();
  EXPECT_EQ(root["IsEncrypted"].boolean(), false);
  EXPECT_EQ(root["Version"].text(), "10.0");
  EXPECT_EQ(root["Lockdown"]["DeviceName"].text(), "Example\u2019s phone");
  EXPECT_EQ(root["Lockdown"].size(), 6U);
  EXPECT_GT(root["BackupKeyBag"].data()->size(), 300U);
  EXPECT_FALSE(root["Lockdown"]["NotThere"]);
  EXPECT_FALSE(root["Version"]["NoDictionary"]);
  EXPECT_FALSE(root["Version"].integer());
}

TEST(ItunesPlist, ReadsXmlLists) {
  const auto list = Plist::parse(test::file_bytes(test::made_backups() / "itunes" / "Info.plist"));
  ASSERT_TRUE(list);
  EXPECT_EQ(list->root()["Phone Number"].text(), "+44 7700 900123");
  EXPECT_EQ(list->root()["Device Name"].text(), "Example\u2019s phone");
  // 2024-05-04T09:30:00Z
  EXPECT_EQ(list->root()["Last Backup Date"].date(), 1714815000'000000);
}

TEST(ItunesPlist, WhatIsNoneIsSaid) {
  EXPECT_FALSE(Plist::parse({}));
  EXPECT_FALSE(Plist::parse(bytes("bplist00")));
  EXPECT_FALSE(Plist::parse(bytes("GIF89a and so on, for more than thirty-two bytes of it")));
  EXPECT_FALSE(Plist::parse(bytes("bplist00" + std::string(40, '\xff'))));
}

TEST(ItunesPlist, ListsThatReferToThemselvesCostNothing) {
  // 40 arrays, each of the next one twice, would be 2^40 objects if they were built; the last is the first.
  std::string list = "bplist00", table;
  constexpr int kArrays = 40;
  for (int i = 0; i < kArrays; ++i) {
    table += static_cast<char>(list.size());
    const char next = static_cast<char>((i + 1) % kArrays);
    list += {static_cast<char>(0xa2), next, next};
  }
  const std::size_t offset = list.size();
  list += table + std::string(6, '\0') + "\x01\x01";
  const auto number = [&](std::uint64_t value) {
    for (int shift = 56; shift >= 0; shift -= 8)
      list += static_cast<char>(value >> static_cast<unsigned>(shift));
  };
  number(kArrays), number(0), number(offset);
  const auto parsed = Plist::parse(bytes(list));
  ASSERT_TRUE(parsed);
  EXPECT_EQ(parsed->root().size(), 2U);
  EXPECT_EQ(parsed->root().at(0).at(1).at(0).size(), 2U);
}

TEST(ItunesPlist, EveryCutOfAListIsRefusedOrAnswersNothing) {
  const auto whole = test::file_bytes(test::made_backups() / "itunes" / "Status.plist");
  ASSERT_GT(whole.size(), 60U);
  for (std::size_t size = 0; size < whole.size(); ++size) {
    const auto list = Plist::parse({whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size)});
    if (list) (void)list->root()["SnapshotState"].text();
  }
}

}  // namespace
}  // namespace touchstone
