// Archives that others made, as exhibits: what their sources state, and what Python reads of the same.
#include <fstream>
#include <set>

#include "unit/trees/tree.hpp"

namespace touchstone {
namespace {

using test::Tree;
using ::testing::HasSubstr;

const std::string kCorpus = TOUCHSTONE_CORPUS_DIR;

#define NEED_CORPUS() \
  if (kCorpus.empty() || !std::filesystem::exists(kCorpus)) GTEST_SKIP() << "the corpus is not here"

/// A file of libarchive's own tests, decoded.
std::string libarchive(const test::Scratch& scratch, const std::string& name) {
  const std::string from = kCorpus + "/libarchive+libarchive/libarchive/test/" + name + ".uu";
  EXPECT_TRUE(test::run(
      "python3 -c \"import binascii, sys\nwith open(sys.argv[2], 'wb') as out:\n for l in open(sys.argv[1], "
      "'rb'):\n  if not l.startswith((b'begin', b'end')): out.write(binascii.a2b_uu(l))\" " +
      from + " " + scratch.path(name)));
  return scratch.path(name);
}

TEST(CorpusTrees, EncryptedMembersAreReportedAndOpenWithTheirPassword) {
  NEED_CORPUS();
  const test::Scratch scratch;
  for (const auto& [name, method] :
       {std::pair("encryption_data", "PKWARE strong"), std::pair("encryption_header", "PKWARE"),
        std::pair("traditional_encryption_data", "ZipCrypto"), std::pair("winzip_aes128", "AES-128"),
        std::pair("winzip_aes256", "AES-256"), std::pair("winzip_aes256_stored", "AES-256")}) {
    const std::string path = libarchive(scratch, std::string("test_read_format_zip_") + name + ".zip");
    Tree tree(path);
    for (const auto& [file, content] : tree.contents())
      EXPECT_THAT(content, HasSubstr(method)) << name << file;
  }
  // The password is that of libarchive's test_read_format_zip_winzip_aes.c and
  // …_traditional_encryption_data.c.
  for (const char* name : {"winzip_aes128", "winzip_aes256", "winzip_aes256_stored"}) {
    Tree tree(scratch.path(std::string("test_read_format_zip_") + name + ".zip"), {{"password"}});
    EXPECT_THAT(tree.contents().at("/README"), ::testing::StartsWith("6818 ")) << name;
    EXPECT_THAT(tree.contents().at("/README"), ::testing::Not(HasSubstr("gap"))) << name;
  }
}

TEST(CorpusTrees, DfvfsFilesHaveTheirStatedSizes) {
  NEED_CORPUS();
  const std::string folder = kCorpus + "/log2timeline+dfvfs/test_data/";
  for (const char* name : {"syslog.tgz", "tar/syslog.tar", "zip/syslog.zip"}) {
    Tree tree(folder + name);
    EXPECT_EQ(tree.at("/syslog").size, 1247U) << name;
    EXPECT_EQ(tree.content("/syslog").size(), 1247U) << name;
  }
  for (const char* name : {"tar/absolute_paths.tar", "zip/absolute_paths.zip", "tar/with_directory.tar"}) {
    Tree tree(folder + name);
    std::size_t files = 0;
    for (const Entry& entry : tree.walked().entries) files += entry.has_content ? 1 : 0;
    EXPECT_GT(files, 0U) << name;
    EXPECT_EQ(tree.problems(), "") << name;
  }
}

TEST(CorpusTrees, DamageIsToldAndNothingCrashes) {
  NEED_CORPUS();
  const test::Scratch scratch;
  for (const char* name :
       {"test_read_format_tar_invalid_pax_size.tar", "test_read_format_zip_malformed1.zip"}) {
    Tree tree(libarchive(scratch, name));
    tree.contents();
    EXPECT_NE(tree.problems(), "") << name;
  }
}

/// Every archive of real phone files: the same digests as Python's zipfile gives.
TEST(CorpusTrees, PhoneExtractionsAreAsPythonReadsThem) {
  NEED_CORPUS();
  const test::Scratch scratch;
  const std::string root = kCorpus + "/abrignoni+iLEAPP";
  std::size_t archives = 0;
  for (const auto& file : std::filesystem::recursive_directory_iterator(root)) {
    if (file.path().extension() != ".zip") continue;
    ASSERT_TRUE(test::run(
        "python3 -c \"import hashlib, sys, zipfile\nz = zipfile.ZipFile(sys.argv[1])\nfor i in "
        "z.infolist():\n if not i.is_dir(): print(i.file_size, hashlib.sha256(z.read(i)).hexdigest(), "
        "file=open(sys.argv[2], 'a'))\" '" +
        file.path().string() + "' " + scratch.path(std::to_string(archives))));
    std::multiset<std::string> expected, found;
    std::ifstream in(scratch.path(std::to_string(archives)));
    for (std::string line; std::getline(in, line);) expected.insert(line);
    Tree tree(file.path().string());
    for (const auto& [path, content] : tree.contents()) found.insert(content);
    EXPECT_EQ(found, expected) << file.path();
    ++archives;
  }
  EXPECT_GT(archives, 40U);
}

}  // namespace
}  // namespace touchstone
