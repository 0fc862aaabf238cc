#include <sys/stat.h>
#include <unistd.h>

#include "unit/trees/tree.hpp"

namespace touchstone {
namespace {

using test::MadeTrees;
using test::Tree;
using ::testing::HasSubstr;

TEST(FolderTree, GivesTheFilesOfTheFolder) {
  Tree tree(MadeTrees::get().path("files"));
  EXPECT_EQ(tree.format(), "folder");
  EXPECT_EQ(tree.contents(), MadeTrees::get().expected());
  EXPECT_EQ(tree.at("/a.txt").times.modified, 1'700'000'000'000'000);
  EXPECT_EQ(tree.at("/sub").kind, ItemKind::directory);
}

TEST(FolderTree, NeverLeavesTheFolder) {
  const test::Scratch scratch;
  const std::string inside = scratch.path("exhibit");
  ASSERT_TRUE(test::run(
      "cd " + scratch.path("") +
      " && mkdir -p exhibit/real secret && echo s > secret/file && echo i > "
      "exhibit/real/file && ln -s ../secret exhibit/away && ln -s ../secret/file exhibit/link && ln -s "
      "real exhibit/near && mkfifo exhibit/pipe"));
  Tree tree(inside);
  EXPECT_EQ(tree.content("/real/file"), "i\n");
  EXPECT_EQ(tree.at("/link").kind, ItemKind::link);
  EXPECT_THAT(tree.at("/link").detail, HasSubstr(R"("link_target":"../secret/file")"));
  EXPECT_FALSE(tree.at("/away").descend);
  EXPECT_FALSE(tree.at("/pipe").has_content);
  EXPECT_THAT(tree.at("/pipe").detail, HasSubstr(R"("type":"fifo")"));
  for (const char* address :
       {"/link", "/away/file", "/near/file", "/../secret/file", "/real/../../secret/file", "/pipe", "/real",
        "", "/", "/no", "/real/file%00", "/real/."}) {
    EXPECT_FALSE(tree.files().open(address)) << address;
  }
  std::vector<Problem> problems;
  for (const char* path : {"/away", "/..", "/near"}) {
    EXPECT_FALSE(tree.files().list(
        {path, "", {}}, [](Entry&&) { return true; }, problems))
        << path;
  }
}

TEST(FolderTree, KeepsNamesOfAnyBytesAndLeavesAccessTimesAlone) {
  const test::Scratch scratch;
  const std::string name = "bad\xff%;name\n";
  scratch.write(name, "odd");
  ASSERT_TRUE(test::run("touch -a -d 2001-01-01 " + scratch.path("") + "/bad*"));
  Tree tree(scratch.path(""));
  EXPECT_EQ(tree.content("/bad%FF%25%3Bname%0A"), "odd");
  struct stat status {};
  ASSERT_EQ(::stat(scratch.path(name).c_str(), &status), 0);
  EXPECT_EQ(status.st_atim.tv_sec, 978307200);
}

TEST(FolderTree, TellsHardLinksAndHoles) {
  const test::Scratch scratch;
  scratch.write("one", "1");
  ASSERT_EQ(::link(scratch.path("one").c_str(), scratch.path("two").c_str()), 0);
  ASSERT_TRUE(test::run("truncate -s 10M " + scratch.path("holes")));
  Tree tree(scratch.path(""));
  EXPECT_THAT(tree.at("/one").detail, HasSubstr(R"("links":2)"));
  EXPECT_EQ(tree.at("/holes").size, 10U << 20);
}

}  // namespace
}  // namespace touchstone
