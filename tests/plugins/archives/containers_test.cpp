// Archives made in the test by other people's tools (7z, tar, ar, …), or by their published formats and read
// by those tools as well: what comes out is what went in.
#include <gmock/gmock.h>
#include <zlib.h>

#include <algorithm>
#include <tuple>
#include <utility>

#include "containers_fixture.hpp"
#include "support/made_compound.hpp"

namespace touchstone::test {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST_F(Containers, WhatSevenZipPacksByAnyMethodComesOutAgain) {
  if (!have("7z")) GTEST_SKIP() << "needs 7z";
  make_files();
  for (const char* method : {"LZMA", "LZMA2", "PPMd", "BZip2", "Deflate", "Copy"}) {
    SCOPED_TRACE(method);
    const std::string archive = folder_.text(std::string(method) + ".7z");
    ASSERT_EQ(
        run({"7z", "a", std::string("-m0=") + method, archive, folder_.text("in/a"), folder_.text("in/b")})
            .exit_code,
        0);
    const TestItem packed = item(read_file(archive), "application/x-7z-compressed");
    EXPECT_EQ(content(packed, "a"), first_);
    EXPECT_EQ(content(packed, "b/c"), second_);
  }
}

TEST_F(Containers, PackedTarsAreOneContainer) {
  make_files();
  for (const auto& [option, tool, type] :
       {std::tuple("--gzip", "gzip", "application/gzip"),
        std::tuple("--bzip2", "bzip2", "application/x-bzip2"), std::tuple("--xz", "xz", "application/x-xz"),
        std::tuple("--zstd", "zstd", "application/zstd"), std::tuple("--lzma", "lzma", "application/x-lzma"),
        std::tuple("--lzip", "lzip", "application/x-lzip"),
        std::tuple("--use-compress-program=lz4", "lz4", "application/x-lz4")}) {
    if (!have(tool)) continue;
    SCOPED_TRACE(tool);
    const std::string archive = folder_.text(tool);
    ASSERT_EQ(run({"tar", option, "-C", folder_.text("in"), "-cf", archive, "a", "b"}).exit_code, 0);
    const TestItem packed = item(read_file(archive), type);
    ASSERT_TRUE(host_->matches(packed));
    EXPECT_EQ(content(packed, "a"), first_);
    EXPECT_EQ(content(packed, "b/c"), second_);
  }
}

TEST_F(Containers, ArAndCpioAreRead) {
  make_files();
  if (have("ar")) {
    ASSERT_EQ(run({"ar", "rc", folder_.text("x.a"), folder_.text("in/a"), folder_.text("in/b/c")}).exit_code,
              0);
    EXPECT_EQ(content(item(read_file(folder_.path("x.a")), "application/x-archive"), "c"), second_);
  }
  if (have("cpio")) {
    ASSERT_EQ(run({"sh", "-c", "cd " + folder_.text("in") + " && find a b | cpio -o -H newc > ../x.cpio"})
                  .exit_code,
              0);
    EXPECT_EQ(content(item(read_file(folder_.path("x.cpio")), "application/x-cpio"), "b/c"), second_);
  }
}

TEST_F(Containers, XarIsRead) {
  std::string toc =
      "<?xml version=\"1.0\"?><xar><toc><file id=\"1\"><name>b</name><type>directory</type><file "
      "id=\"2\"><name>c</name>"
      "<type>file</type><data><length>" +
      std::to_string(second_.size()) + "</length><offset>0</offset><size>" + std::to_string(second_.size()) +
      "</size><encoding style=\"application/octet-stream\"/></data></file></file></toc></xar>";
  uLongf packed_size = compressBound(toc.size());
  std::string packed(packed_size, '\0'), head("xar!\0\x1C\0\1", 8);
  ASSERT_EQ(compress(reinterpret_cast<Bytef*>(packed.data()), &packed_size,
                     reinterpret_cast<const Bytef*>(toc.data()), toc.size()),
            Z_OK);
  packed.resize(packed_size);
  for (const std::uint64_t size : {std::uint64_t{packed_size}, std::uint64_t{toc.size()}}) {
    for (int shift = 56; shift >= 0; shift -= 8) head += static_cast<char>(size >> shift);
  }
  const TestItem xar = item(head + std::string(4, '\0') + packed + second_, "application/x-xar");
  ASSERT_TRUE(host_->matches(xar));
  EXPECT_EQ(content(xar, "b/c"), second_);
  if (!have("7z")) return;
  write_file(folder_.path("x.xar"), xar.bytes);
  ASSERT_EQ(run({"7z", "x", "-o" + folder_.text("out"), folder_.text("x.xar")}).exit_code, 0);
  EXPECT_EQ(read_file(folder_.path("out/b/c")), second_);
}

TEST_F(Containers, CabinetIsReadAsCabextractReadsIt) {
  const std::string bytes = second_.substr(0, 30'000);
  std::string cabinet(36 + 8 + 16 + 6 + 8, '\0');
  cabinet.replace(0, 4, "MSCF");
  put_little(cabinet, 8, cabinet.size() + bytes.size(), 4);
  put_little(cabinet, 16, 36 + 8, 4);  // its list of files
  put_little(cabinet, 24, 0x0103, 2);
  put_little(cabinet, 26, 1, 2);  // folders
  put_little(cabinet, 28, 1, 2);  // files
  put_little(cabinet, 36, 36 + 8 + 16 + 6, 4);
  put_little(cabinet, 40, 1, 2);  // blocks, not packed
  put_little(cabinet, 44, bytes.size(), 4);
  put_little(cabinet, 54, 0x58A3, 2);
  cabinet.replace(60, 5, "c.txt");
  put_little(cabinet, 66 + 4, bytes.size(), 2);
  put_little(cabinet, 66 + 6, bytes.size(), 2);
  const TestItem made = item(cabinet + bytes, "application/vnd.ms-cab-compressed");
  EXPECT_EQ(content(made, "c.txt"), bytes);
  if (!have("cabextract")) return;
  write_file(folder_.path("x.cab"), made.bytes);
  ASSERT_EQ(run({"cabextract", "-q", "-d", folder_.text("out"), folder_.text("x.cab")}).exit_code, 0);
  EXPECT_EQ(read_file(folder_.path("out/c.txt")), bytes);
}

/// A header of RAR 5 behind its checksum, which is not looked at.
std::string rar_block(const std::string& body) {
  return std::string(4, '\0') + static_cast<char>(body.size()) + body;
}

TEST_F(Containers, VolumesAndEncryptedMembersOfRarAreTold) {
  const std::string signature("Rar!\x1A\x07\x01\x00", 8);
  const std::string volume = rar_block(std::string("\x01\x00\x01", 3));
  // Extra record 1 is the encryption of the member "x".
  const std::string member = rar_block(std::string("\x02\x03\x05\x04\x00\x04\x20\x00\x00\x01x", 11) +
                                       std::string("\x04\x01\x00\x00\x00", 5)) +
                             "data";
  const Outcome listed = host_->list(item(signature + volume + member, "application/x-rar"));
  ASSERT_EQ(listed.members.size(), 1U);
  EXPECT_EQ(listed.members[0].path, "x");
  EXPECT_TRUE(listed.members[0].is_encrypted);
  ASSERT_EQ(listed.problems.size(), 2U);
  EXPECT_EQ(listed.problems[0].kind, "unsupported");
  EXPECT_THAT(listed.problems[0].message, HasSubstr("several volumes"));
  EXPECT_EQ(listed.problems[1].kind, "encrypted");
  const std::string locked = rar_block(std::string("\x04\x00\x00\x00\x00", 5));
  EXPECT_EQ(host_->list(item(signature + locked, "application/x-rar")).status, TS_ENCRYPTED);
}

TEST_F(Containers, NamesThatLeadUpwardsAreNames) {
  make_files();
  ASSERT_EQ(run({"tar", "-P", "-C", folder_.text("in/b"), "-cf", folder_.text("up.tar"), "../a"}).exit_code,
            0);
  const Outcome listed = host_->list(item(read_file(folder_.path("up.tar")), "application/x-tar"));
  ASSERT_EQ(listed.members.size(), 1U);
  EXPECT_EQ(listed.members[0].path, "../a");
}

TEST_F(Containers, SolidArchiveIsReadOnceHoweverManyGroups) {
  if (!have("7z")) GTEST_SKIP() << "needs 7z";
  fs::create_directories(folder_.path("in"));
  constexpr unsigned kFiles = 400;
  for (unsigned i = 0; i < kFiles; ++i)
    write_file(folder_.path("in/" + std::to_string(1000 + i)), numbers(i * 1000, i * 1000 + 600));
  ASSERT_EQ(run({"7z", "a", "-ms=on", "-mx=1", folder_.text("solid.7z"), folder_.text("in")}).exit_code, 0);
  TestItem solid = item(read_file(folder_.path("solid.7z")), "application/x-7z-compressed");
  const Outcome listed = host_->list(solid);
  ASSERT_EQ(listed.members.size(), kFiles + 1);
  std::uint64_t read = 0;
  const std::string bytes = solid.bytes;
  solid.size = bytes.size();
  solid.read_at = [&](std::uint64_t offset, std::uint8_t* out, std::size_t capacity) -> std::int64_t {
    if (offset >= bytes.size()) return 0;
    const auto part = std::min<std::size_t>(capacity, bytes.size() - static_cast<std::size_t>(offset));
    std::copy_n(bytes.begin() + static_cast<std::ptrdiff_t>(offset), part, out);
    read += part;
    return static_cast<std::int64_t>(part);
  };
  std::size_t found = 0;
  for (std::uint32_t first = 0; first < listed.members.size(); first += 10) {
    for (const auto& [ordinal, data] : host_->extract(solid, first, 10).data) {
      const std::string& path = listed.members[ordinal].path;
      if (listed.members[ordinal].is_directory) continue;
      const auto i = static_cast<unsigned>(std::stoul(path.substr(path.rfind('/') + 1))) - 1000;
      EXPECT_EQ(data.bytes, numbers(i * 1000, i * 1000 + 600)) << path;
      ++found;
    }
  }
  EXPECT_EQ(found, kFiles);
  EXPECT_LT(read, 3 * bytes.size()) << "41 groups";
  // Going back begins anew, and so does another archive in between.
  const Outcome again = host_->extract(solid, 5, 1);
  ASSERT_EQ(again.data.size(), 1U);
}

TEST_F(Containers, EncryptedSevenZipIsToldWithAndWithoutNames) {
  if (!have("7z")) GTEST_SKIP() << "needs 7z";
  make_files();
  const std::string data = folder_.text("data.7z"), names = folder_.text("names.7z");
  ASSERT_EQ(run({"7z", "a", "-psecret", data, folder_.text("in/a")}).exit_code, 0);
  ASSERT_EQ(run({"7z", "a", "-psecret", "-mhe=on", names, folder_.text("in/a")}).exit_code, 0);
  const Outcome listed = host_->list(item(read_file(data), "application/x-7z-compressed"));
  ASSERT_EQ(listed.members.size(), 1U);
  EXPECT_TRUE(listed.members[0].is_encrypted);
  EXPECT_THAT(listed.problems, ElementsAre(TestProblem{"encrypted", "1 members are encrypted"}));
  EXPECT_EQ(host_->list(item(read_file(names), "application/x-7z-compressed")).status, TS_ENCRYPTED);
}

TEST_F(Containers, FirstOfSeveralPartsIsNamed) {
  if (!have("7z")) GTEST_SKIP() << "needs 7z";
  make_files();
  ASSERT_EQ(run({"7z", "a", "-m0=Copy", "-v100k", folder_.text("p.7z"), folder_.text("in/a")}).exit_code, 0);
  const Outcome listed =
      host_->list(item(read_file(folder_.path("p.7z.001")), "application/x-7z-compressed"));
  EXPECT_EQ(listed.status, TS_CORRUPT);
  EXPECT_THAT(listed.reason, HasSubstr("first of several parts"));
}

TEST_F(Containers, ZipMethodsAreReadOrNamed) {
  if (!have("7z")) GTEST_SKIP() << "needs 7z";
  make_files();
  for (const char* method : {"Deflate", "BZip2", "LZMA", "PPMd", "Deflate64"}) {
    SCOPED_TRACE(method);
    const std::string archive = folder_.text(std::string(method) + ".zip");
    ASSERT_EQ(
        run({"7z", "a", "-tzip", std::string("-mm=") + method, archive, folder_.text("in/a")}).exit_code, 0);
    EXPECT_EQ(content(item(read_file(archive), "application/zip"), "a"), first_);
  }
}

}  // namespace
}  // namespace touchstone::test
