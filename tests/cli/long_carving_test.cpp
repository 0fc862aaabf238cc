// Carved files that are longer than a window of free space, or begin at the end of one.
#include <gtest/gtest.h>

#include <fstream>

#include "support/cli_runner.hpp"

namespace touchstone::testing {
namespace {

constexpr std::uint64_t kMebibyte = 1U << 20U;

std::string little(std::uint64_t value, std::size_t count) {
  std::string bytes;
  for (std::size_t i = 0; i < count; ++i) bytes += static_cast<char>(value >> (8 * i));
  return bytes;
}

/// RIFF with one channel of 8-bit silence (Microsoft's "Multimedia Programming Interface" of 1991).
std::string wave_head(std::uint64_t samples) {
  return "RIFF" + little(samples + 36, 4) + "WAVEfmt " + little(16, 4) + little(1, 2) + little(1, 2) +
         little(8000, 4) + little(8000, 4) + little(1, 2) + little(8, 2) + "data" + little(samples, 4);
}

TEST(LongCarving, AFileLongerThanAWindowComesBackWholeAndItsPlaceIsRight) {
  const FreshFolder folder;
  constexpr std::uint64_t kPlace = 3 * kMebibyte, kSamples = 70 * kMebibyte;
  const std::string path = folder.text("image");
  {
    std::ofstream image(path, std::ios::binary);
    // Nothing that is a file system: all of it is searched, 64 MiB at a time.
    image.seekp(static_cast<std::streamoff>(kPlace));
    image << wave_head(kSamples);
    image.seekp(static_cast<std::streamoff>(kPlace + 44 + kSamples - 4));
    image << "end.";
  }
  std::filesystem::resize_file(path, 74 * kMebibyte);
  const RunResult triage = run({program(), "triage", "--quiet", "--jobs", "1", "--without", "explicit",
                                "--out", folder.text("case"), "X/1=" + path});
  ASSERT_LE(triage.exit_code, 1) << triage.out << triage.error;
  const std::string length = std::to_string(kSamples + 44);
  const std::string digest =
      run({"sh", "-c",
           "tail -c +" + std::to_string(kPlace + 1) + " '" + path + "' | head -c " + length + " | sha256sum"})
          .out.substr(0, 64);
  EXPECT_EQ(query(folder.path("case"),
                  "SELECT size || ' ' || sha256 || ' ' || state || ' ' || json_extract(detail, '$.complete') "
                  "FROM item WHERE kind = 'carved' AND media_type LIKE 'audio/%'"),
            std::vector<std::string>{length + " " + digest + " examined 1"});
  // Where it lies on the volume, as it is told.
  EXPECT_EQ(query(folder.path("case"),
                  "SELECT json_extract(detail, '$.places[0][0]') || '+' || "
                  "json_extract(detail, '$.places[0][1]') FROM item WHERE kind = 'carved'"),
            std::vector<std::string>{std::to_string(kPlace) + "+" + length});
}

}  // namespace
}  // namespace touchstone::testing
