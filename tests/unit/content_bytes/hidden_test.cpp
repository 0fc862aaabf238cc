// Bytes that stand in a content and are not of it.
#include <gtest/gtest.h>

#include "content/content.hpp"

namespace touchstone {
namespace {

// sha256sum of "abcdefgh" and of "ab\0\0\0fgh".
constexpr const char* kWhole = "9c56cc51b374c3ba189210d5b6d4bf57790d351c96c47c02190ecf1e430635ab";

std::vector<std::byte> bytes_of(std::string_view text) {
  const auto* from = reinterpret_cast<const std::byte*>(text.data());
  return {from, from + text.size()};
}

class Hidden : public ::testing::Test {
 protected:
  void read(bool digest) {
    auto typer = MediaTyper::load();
    ASSERT_TRUE(typer);
    content_.hide({{2, 3}}, digest);
    std::string seen;
    ASSERT_TRUE(content_.read(hasher_, **typer, [&](std::uint64_t, std::span<const std::byte> part) {
      seen.append(reinterpret_cast<const char*>(part.data()), part.size());
      return true;
    }));
    EXPECT_EQ(seen, masked_) << "what is streamed";
    std::string kept(8, '?');
    ASSERT_TRUE(content_.source().read_at(0, std::as_writable_bytes(std::span(kept))));
    EXPECT_EQ(kept, masked_) << "what is read again";
  }
  const std::string masked_ = std::string("ab\0\0\0fgh", 8);
  Hasher hasher_;
  Content content_{make_memory_source(bytes_of("abcdefgh"))};
};

TEST_F(Hidden, BytesAreDigestedAndNotShown) {
  read(true);
  EXPECT_EQ(content_.digests().sha256, kWhole);
}

TEST_F(Hidden, BytesCanBeKeptOutOfTheDigests) {
  read(false);
  hasher_.update(std::as_bytes(std::span(masked_)));
  EXPECT_EQ(content_.digests(), hasher_.finish());
  EXPECT_NE(content_.digests().sha256, kWhole);
}

TEST(GivenMediaType, IsKeptByReading) {
  auto typer = MediaTyper::load();
  ASSERT_TRUE(typer);
  Hasher hasher;
  Content content(make_memory_source(bytes_of("%PDF-1.4\n")));
  content.assume_media_type("application/x-given");
  ASSERT_TRUE(content.read(hasher, **typer, {}));
  EXPECT_EQ(content.media_type(), "application/x-given");
}

}  // namespace
}  // namespace touchstone
