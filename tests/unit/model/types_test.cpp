// The names that stand in the case database and in exports: written out here, so that a changed one is
// noticed.
#include "model/types.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace touchstone {
namespace {

/// `names` in the order of the enumerators; a value beyond them has no name.
template <typename Enum>
void expect_names(const std::vector<std::string>& names) {
  for (std::size_t i = 0; i < names.size(); ++i) EXPECT_EQ(to_text(static_cast<Enum>(i)), names[i]);
}

template <typename Enum, typename Parse>
void expect_names(const std::vector<std::string>& names, Parse parse) {
  expect_names<Enum>(names);
  for (std::size_t i = 0; i < names.size(); ++i) {
    const auto value = parse(names[i]);
    ASSERT_TRUE(value) << names[i];
    EXPECT_EQ(*value, static_cast<Enum>(i));
  }
  for (const char* text : {"", "FILE", "Suspect", " utc", "utc ", "no such"})
    EXPECT_FALSE(parse(text)) << text;
}

TEST(EnumNames, ReadBackAsWhatTheyWereWrittenFrom) {
  expect_names<TimeBasis>({"utc", "offset", "assumed"}, parse_time_basis);
  expect_names<Role>({"suspect", "complainant", "witness", "unknown"}, parse_role);
  expect_names<ItemKind>({"file", "directory", "link", "stream", "attachment", "member", "carved", "slack",
                          "unallocated", "virtual"},
                         parse_item_kind);
  expect_names<ItemState>(
      {"pending", "examined", "partly_examined", "timed_out", "failed", "encrypted", "unsupported"},
      parse_item_state);
  expect_names<ProblemKind>({"crash", "timeout", "memory", "limit", "corrupt", "encrypted", "unsupported",
                             "unknown_schema", "integrity", "unreadable", "sandbox", "model_missing"},
                            parse_problem_kind);
  expect_names<VolumeState>({"read", "partly_read", "encrypted", "unsupported", "corrupt", "unallocated"});
}

TEST(Record, FindsTheFirstFieldOfAName) {
  Record record;
  record.fields = {{"body", std::string("a")}, {"sent", std::int64_t{5}}, {"body", std::string("b")}};
  ASSERT_NE(record.find("body"), nullptr);
  EXPECT_EQ(std::get<std::string>(*record.find("body")), "a");
  EXPECT_EQ(record.find("Body"), nullptr);
}

}  // namespace
}  // namespace touchstone
