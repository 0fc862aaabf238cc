// Deflate64 of zips that 7-Zip makes: what it put in comes out, with matches and distances that Deflate has
// not.
#include <gmock/gmock.h>

#include "evidence/inflate64_decoder.hpp"
#include "unit/trees/tree.hpp"

namespace touchstone {
namespace {

using test::Tree;
using ::testing::HasSubstr;

std::string noise(std::size_t size) {
  std::string bytes;
  for (std::uint32_t state = 12'345; bytes.size() < size;) {
    state = state * 1'664'525 + 1'013'904'223;
    bytes += static_cast<char>(state >> 24);
  }
  return bytes;
}

class Deflate64 : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!test::has_tool("7z")) GTEST_SKIP() << "7z is not installed";
    std::filesystem::create_directory(scratch_.path("in"));
    // Beyond 32 KiB: the same 50,000 bytes again and again. One byte for long: matches of up to 65,538. What
    // cannot be packed is stored.
    const std::string block = noise(50'000);
    std::string far, text;
    for (int i = 0; i < 12; ++i) far += block;
    for (int i = 0; i < 250'000; ++i) text.append(std::to_string(i * 7919)).append(i % 13 == 0 ? "\n" : " ");
    scratch_.write("in/far.bin", far);
    scratch_.write("in/long.bin", std::string(3'000'000, 'a'));
    scratch_.write("in/noise.bin", noise(200'000));
    scratch_.write("in/text.txt", text);
    scratch_.write("in/short.txt", "some text, some text, some text");
    ASSERT_TRUE(test::run("cd " + scratch_.path("in") + " && 7z a -tzip -mm=Deflate64 -mx=9 " +
                          scratch_.path("made.zip") + " . < /dev/null"));
    test::run("7z l -slt " + scratch_.path("made.zip") + " > " + scratch_.path("listed"));
    ASSERT_THAT(scratch_.read("listed"), HasSubstr("Method = Deflate64"));
  }
  test::Scratch scratch_;
};

TEST_F(Deflate64, GivesWhat7ZipPutIn) {
  Tree tree(scratch_.path("made.zip"));
  for (const char* name : {"far.bin", "long.bin", "noise.bin", "text.txt", "short.txt"}) {
    SCOPED_TRACE(name);
    auto source = tree.open(std::string("/") + name);
    const std::string expected = scratch_.read(std::string("in/") + name);
    std::uint64_t size = 0;
    const auto original = open_file_source(scratch_.path(std::string("in/") + name));
    ASSERT_TRUE(original);
    EXPECT_EQ(test::sha256_of(*source, &size), test::sha256_of(**original));
    EXPECT_EQ(size, expected.size());
    EXPECT_TRUE(source->gaps().empty());
  }
}

TEST_F(Deflate64, CanBeReadAtAnyPlace) {
  Tree tree(scratch_.path("made.zip"));
  for (const char* name : {"far.bin", "text.txt"}) {
    auto source = tree.open(std::string("/") + name);
    const std::string expected = scratch_.read(std::string("in/") + name);
    std::uint64_t at = expected.size() - 50;
    for (int i = 0; i < 40; ++i, at = (at * 7 + 1'234'567) % expected.size()) {
      std::string piece(100, '?');
      const auto got = source->read_at(at, std::as_writable_bytes(std::span(piece)));
      ASSERT_TRUE(got);
      EXPECT_EQ(piece.substr(0, *got), expected.substr(at, 100)) << name << " " << at;
    }
  }
}

TEST_F(Deflate64, SaysThatAMemberIsDamaged) {
  std::string bytes = scratch_.read("made.zip");
  const std::size_t name = bytes.find("text.txt");
  ASSERT_NE(name, std::string::npos);
  for (std::size_t i = 0; i < 64; ++i) bytes[name + 5'000 + i] = static_cast<char>(i * 37);
  scratch_.write("damaged.zip", bytes);
  Tree tree(scratch_.path("damaged.zip"));
  EXPECT_THAT(tree.contents().at("/text.txt"), HasSubstr("gap"));
}

TEST(Inflate64Decoder, EndsOnAnyBytes) {
  for (std::size_t size : {0U, 1U, 100U, 10'000U}) {
    const std::string bytes = noise(size);
    const auto all = std::as_bytes(std::span(bytes));
    Inflate64Decoder decoder(make_memory_source({all.begin(), all.end()}));
    std::vector<std::byte> out(65'536);
    std::uint64_t read = 0;
    for (auto got = decoder.next(out); got && *got > 0 && read < 10'000'000; got = decoder.next(out))
      read += *got;
    EXPECT_EQ(decoder.position(), read);
  }
}

}  // namespace
}  // namespace touchstone
