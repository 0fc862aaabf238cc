#include "evidence/tree_format.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <string_view>

#include "evidence/filter_decoder.hpp"
#include "evidence/inflate_decoder.hpp"
#include "evidence/integers.hpp"

namespace touchstone {
namespace {

using namespace std::string_view_literals;

struct Compression {
  std::string_view magic;
  const char* format;
};
constexpr std::array kCompressions = {
    Compression{"\x1f\x8b\x08"sv, "tar.gz"}, Compression{"BZh"sv, "tar.bz2"},
    Compression{"\xfd\x37zXZ\x00"sv, "tar.xz"}, Compression{"\x28\xb5\x2f\xfd"sv, "tar.zst"}};

bool starts(std::span<const std::byte> bytes, std::string_view magic) {
  return bytes.size() >= magic.size() && std::memcmp(bytes.data(), magic.data(), magic.size()) == 0;
}

/// The end-of-directory record in the last 66 KiB with the directory's signature right where it says.
bool has_zip_directory(ByteSource& file) {
  constexpr std::size_t kRecord = 22, kLongest = kRecord + 65535;
  const std::uint64_t from = file.size() > kLongest ? file.size() - kLongest : 0;
  std::vector<std::byte> tail(static_cast<std::size_t>(file.size() - from));
  const auto got = file.read_at(from, tail);
  if (!got || *got != tail.size() || tail.size() < kRecord) return false;
  const std::span<const std::byte> all(tail);
  for (std::size_t at = tail.size() - kRecord + 1; at-- > 0;) {
    if (!starts(all.subspan(at), "PK\x05\x06")) continue;
    const std::uint64_t directory = little(all, at + 12, 4);
    if (at + kRecord + little(all, at + 20, 2) != tail.size() || directory == 0) continue;
    std::array<std::byte, 4> signature{};
    if (directory > from + at || directory == UINT32_MAX) continue;
    const auto there = file.read_at(from + at - directory, signature);
    if (there && *there == 4 && starts(signature, "PK\x01\x02")) return true;
  }
  return false;
}

}  // namespace

bool is_tar_header(std::span<const std::byte> block) {
  constexpr std::size_t kFrom = 148, kTo = 156;
  if (block.size() < kTarBlock) return false;
  std::int64_t plain = 0, with_sign = 0;
  for (std::size_t i = 0; i < kTarBlock; ++i) {
    const auto byte =
        i >= kFrom && i < kTo ? static_cast<unsigned char>(' ') : std::to_integer<unsigned char>(block[i]);
    plain += byte;
    with_sign += static_cast<signed char>(byte);
  }
  std::int64_t stored = 0;
  bool digits = false;
  for (std::size_t i = kFrom; i < kTo; ++i) {
    const auto c = std::to_integer<unsigned char>(block[i]);
    if (c >= '0' && c <= '7') {
      stored = stored * 8 + (c - '0');
      digits = true;
    } else if (digits || c != ' ') {
      break;
    }
  }
  return digits && (stored == plain || stored == with_sign);
}

std::unique_ptr<ByteSource> make_tar_stream(ByteSource& file, const std::string& format) {
  auto all = make_window(file, 0, file.size());
  if (format == "tar.gz") {
    return std::make_unique<DecodedSource>(
        std::make_unique<InflateDecoder>(std::move(all), InflateDecoder::Wrapper::gzip,
                                         InflateDecoder::kArchiveBudget),
        std::nullopt);
  }
  std::optional<StreamFilter> filter;
  if (format == "tar.bz2") filter = StreamFilter::bzip2;
  if (format == "tar.xz") filter = StreamFilter::xz;
  if (format == "tar.zst") filter = StreamFilter::zstd;
  if (!filter) return nullptr;
  return std::make_unique<DecodedSource>(make_filter_decoder(std::move(all), *filter), std::nullopt);
}

std::string tree_format(ByteSource& file) {
  std::array<std::byte, kTarBlock> head{};
  const auto got = file.read_at(0, head);
  if (!got) return "";
  const auto bytes = std::span<const std::byte>(head).first(*got);
  for (const std::string_view magic : {"PK\x03\x04"sv, "PK\x05\x06"sv, "PK\x07\x08"sv, "PK00PK\x03\x04"sv}) {
    if (starts(bytes, magic)) return "zip";
  }
  if (is_tar_header(bytes) || (bytes.size() == kTarBlock && starts(bytes.subspan(257), "ustar")))
    return "tar";
  for (const Compression& each : kCompressions) {
    if (!starts(bytes, each.magic)) continue;
    const auto stream = make_tar_stream(file, each.format);
    std::array<std::byte, kTarBlock> block{};
    const auto decoded = stream->read_at(0, block);
    return decoded && *decoded == block.size() && is_tar_header(block) ? each.format : "";
  }
  // A boot sector is the start of a disk, whatever lies at its end.
  const bool boots =
      bytes.size() == kTarBlock && bytes[510] == std::byte{0x55} && bytes[511] == std::byte{0xAA};
  return !boots && has_zip_directory(file) ? "zip" : "";
}

}  // namespace touchstone
