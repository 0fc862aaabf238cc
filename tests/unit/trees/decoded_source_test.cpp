#include <zlib.h>

#include "evidence/inflate_decoder.hpp"
#include "unit/evidence/scratch.hpp"

namespace touchstone {
namespace {

/// Text that compresses about four to one, so that the stream has many blocks.
std::string half_noise(std::size_t size) {
  std::string text = test::noise(size);
  for (char& c : text) c = static_cast<char>('a' + (static_cast<unsigned char>(c) & 3));
  return text;
}

std::vector<std::byte> gzipped(const std::string& text) {
  z_stream stream{};
  EXPECT_EQ(::deflateInit2(&stream, 1, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
  std::vector<std::byte> out(::deflateBound(&stream, text.size()));
  std::string in = text;
  stream.next_in = reinterpret_cast<Bytef*>(in.data());
  stream.avail_in = static_cast<uInt>(in.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  EXPECT_EQ(::deflate(&stream, Z_FINISH), Z_STREAM_END);
  out.resize(stream.total_out);
  ::deflateEnd(&stream);
  return out;
}

TEST(InflateDecoder, ReadsAtRandomWithinItsBudget) {
  const std::string text = half_noise(40U << 20);
  constexpr std::size_t kBudget = 200'000;
  auto decoder = std::make_unique<InflateDecoder>(make_memory_source(gzipped(text)),
                                                  InflateDecoder::Wrapper::gzip, kBudget);
  const InflateDecoder& inside = *decoder;
  DecodedSource source(std::move(decoder), std::nullopt);
  std::vector<std::byte> last(1);
  ASSERT_TRUE(source.read_at(UINT64_MAX - 1, last));
  EXPECT_EQ(source.size(), text.size());
  EXPECT_TRUE(source.damage().empty());
  EXPECT_GT(inside.points(), 5U);
  EXPECT_LE(inside.point_bytes(), kBudget);
  std::uint64_t at = 12345;
  for (int i = 0; i < 50; ++i) {
    at = (at * 2862933555777941757ULL + 3037000493ULL) % text.size();
    std::string part(static_cast<std::size_t>(std::min<std::uint64_t>(5000, text.size() - at)), '\0');
    const auto got = source.read_at(at, std::as_writable_bytes(std::span(part)));
    ASSERT_TRUE(got && *got == part.size());
    ASSERT_EQ(part, text.substr(at, part.size())) << at;
  }
  EXPECT_TRUE(source.gaps().empty());
}

TEST(InflateDecoder, GoesBackWithoutDecodingAllAgain) {
  const std::string text = half_noise(40U << 20);
  InflateDecoder decoder(make_memory_source(gzipped(text)), InflateDecoder::Wrapper::gzip,
                         InflateDecoder::kArchiveBudget);
  std::vector<std::byte> block(1U << 20);
  while (true) {
    const auto got = decoder.next(block);
    ASSERT_TRUE(got);
    if (*got == 0) break;
  }
  ASSERT_TRUE(decoder.seek(39U << 20));
  EXPECT_GT(decoder.position(), 37U << 20);
}

TEST(DecodedSource, EndsWhereADamagedStreamDoes) {
  auto bytes = gzipped(half_noise(3U << 20));
  bytes.resize(bytes.size() / 2);
  DecodedSource source(
      std::make_unique<InflateDecoder>(make_memory_source(std::move(bytes)), InflateDecoder::Wrapper::gzip,
                                       InflateDecoder::kMemberBudget),
      std::uint64_t{1} << 60);
  std::vector<std::byte> block(4U << 20);
  const auto got = source.read_at(0, block);
  ASSERT_TRUE(got);
  EXPECT_GT(*got, 1U << 20);
  EXPECT_EQ(source.size(), *got);
  ASSERT_EQ(source.gaps().size(), 1U);
  EXPECT_EQ(source.gaps()[0].offset + source.gaps()[0].length, std::uint64_t{1} << 60);
}

}  // namespace
}  // namespace touchstone
