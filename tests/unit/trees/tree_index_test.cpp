#include "filesystem/trees/tree_index.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace touchstone {
namespace {

using ::testing::ElementsAre;

std::vector<std::string> names(const TreeIndex& index, const char* directory) {
  std::vector<std::string> all;
  for (const auto node : index.children(index.find_directory(directory))) all.emplace_back(index.name(node));
  return all;
}

TEST(TreeIndex, BringsPathsInside) {
  EXPECT_THAT(tree_components("a/b"), ElementsAre("a", "b"));
  EXPECT_THAT(tree_components("/a//./b/"), ElementsAre("a", "b"));
  EXPECT_THAT(tree_components("../../a/../b"), ElementsAre("b"));
  EXPECT_TRUE(tree_components("/..").empty());
  for (const char* same : {"a", "a/b", "a/b/", "./a", "."}) EXPECT_FALSE(tree_path_changed(same)) << same;
  for (const char* other : {"/a", "a//b", "../a", "a/..", "a/./b", ".."})
    EXPECT_TRUE(tree_path_changed(other)) << other;
}

TEST(TreeIndex, MakesUpParentsAndFindsThem) {
  TreeIndex index;
  EXPECT_TRUE(index.add("a/b/file", false, 7));
  EXPECT_TRUE(index.add("a/", true, 8));
  EXPECT_TRUE(index.add("z", false, 9));
  index.finish();
  EXPECT_THAT(names(index, ""), ElementsAre("a", "z"));
  EXPECT_THAT(names(index, "/a/b"), ElementsAre("file"));
  EXPECT_EQ(index.place(index.find_directory("/a")), 8U);
  EXPECT_EQ(index.place(index.find_directory("/a/b")), TreeIndex::kNoPlace);
  EXPECT_EQ(index.find_directory("/a/file"), TreeIndex::kNone);
  EXPECT_EQ(index.size(), 4U);
}

TEST(TreeIndex, KeepsTwinsAndFilesThatAreDirectoriesToo) {
  TreeIndex index;
  index.add("x", false, 1);
  index.add("x/inner", false, 2);
  index.add("x", false, 3);
  index.add("x", true, 4);
  index.add("x/", true, 5);
  index.add("/", true, 6);
  index.add("..", false, 7);
  index.finish();
  EXPECT_THAT(names(index, ""), ElementsAre("(unnamed)", "x", "x", "x", "x"));
  EXPECT_THAT(names(index, "/x"), ElementsAre("inner"));
  std::vector<std::uint64_t> places;
  int entered = 0;
  for (const auto node : index.find_all("x")) {
    places.push_back(index.place(node));
    entered += index.is_entered(node) ? 1 : 0;
  }
  EXPECT_THAT(places, ElementsAre(1, 4, 3, 5));
  EXPECT_EQ(entered, 1);
}

TEST(TreeIndex, FindsEveryOfManyDirectories) {
  TreeIndex index;
  for (int i = 0; i < 5000; ++i)
    index.add("d" + std::to_string(i) + "/%;f", false, static_cast<std::uint64_t>(i));
  index.finish();
  for (int i = 0; i < 5000; ++i) {
    const auto node = index.find_directory("/d" + std::to_string(i));
    ASSERT_NE(node, TreeIndex::kNone);
    ASSERT_EQ(index.place(index.children(node)[0]), static_cast<std::uint64_t>(i));
  }
}

}  // namespace
}  // namespace touchstone
