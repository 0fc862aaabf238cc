// Encryption without a header that says so, by the look of the bytes.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstring>

#include "filesystem/crypt.hpp"
#include "filesystem/crypt_bytes.hpp"

namespace touchstone {
namespace {

using namespace std::string_view_literals;

constexpr std::size_t kSample = 64 * 1024;
constexpr std::uint64_t kSamples = 16;
// Pearson's chi-square over the 256 byte values: of random bytes it lies at 255 with a deviation of 22.6. The
// bounds leave out one random volume in some ten thousand; compressed data lies beyond them in most samples.
constexpr double kLeast = 165, kMost = 370;

// Formats whose content looks random, too, and says what it is at its start.
constexpr std::array kCompressed = {
    "PK\x03\x04"sv,
    "\x1f\x8b\x08"sv,
    "BZh"sv,
    "\xfd"
    "7zXZ\x00"sv,
    "7z\xbc\xaf\x27\x1c"sv,
    "\x28\xb5\x2f\xfd"sv,
    "Rar!\x1a\x07"sv,
    "\xff\xd8\xff"sv,
    "\x5d\x00\x00"sv,
    "\x04\x22\x4d\x18"sv,
    "LZIP"sv,
    "\x89PNG"sv,
    "ANDROID BACKUP"sv,
    "\x1f\x9d"sv,
    "MSCF"sv,
    "%PDF"sv,
};

using Counts = std::array<std::uint64_t, 256>;

double chi_square(const Counts& counts, std::uint64_t total) {
  const double expected = static_cast<double>(total) / 256;
  double sum = 0;
  for (const std::uint64_t count : counts) {
    const double difference = static_cast<double>(count) - expected;
    sum += difference * difference / expected;
  }
  return sum;
}

bool looks_random(double chi) {
  return chi > kLeast && chi < kMost;
}

/// Adds a sample to `counts`; false if it does not look random.
bool take_sample(ByteSource& volume, std::uint64_t at, Counts& counts, std::uint64_t& total) {
  const auto bytes = crypt::read_exactly(volume, at, kSample);
  if (bytes.empty()) return false;
  Counts own = {};
  for (const std::byte each : bytes) ++own[std::to_integer<std::size_t>(each)];
  if (!looks_random(chi_square(own, kSample))) return false;
  for (std::size_t i = 0; i < own.size(); ++i) counts[i] += own[i];
  total += kSample;
  return true;
}

}  // namespace

std::optional<VolumeSignature> suspect_encryption(ByteSource& volume) {
  const std::uint64_t size = volume.size();
  if (size < kSample || size % 512 != 0) return std::nullopt;
  const auto head = crypt::read_exactly(volume, 0, 32);
  for (const std::string_view magic : kCompressed) {
    if (head.size() >= magic.size() && std::memcmp(head.data(), magic.data(), magic.size()) == 0)
      return std::nullopt;
  }
  Counts counts = {};
  std::uint64_t total = 0;
  const std::uint64_t samples = std::min(kSamples, size / kSample);
  for (std::uint64_t i = 0; i < samples; ++i) {
    const std::uint64_t at = samples == 1 ? 0 : (size - kSample) / (samples - 1) * i / 512 * 512;
    if (!take_sample(volume, at, counts, total)) return std::nullopt;
  }
  if (!looks_random(chi_square(counts, total))) return std::nullopt;
  VolumeSignature found;
  found.state = VolumeState::encrypted;
  found.reason = fmt::format(
      "possibly encrypted (VeraCrypt or similar): no structure, high entropy in {} samples of 64 KiB; a "
      "volume "
      "that was wiped with random bytes looks the same",
      samples);
  return found;
}

}  // namespace touchstone
