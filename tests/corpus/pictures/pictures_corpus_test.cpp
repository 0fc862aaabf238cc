// Pictures that nobody made for this project, against what exiftool says of them: MANIFEST.tsv of the corpus
// states it for each file, and the photographs of Debian's package forensics-samples-files are quoted here.
#include <gtest/gtest.h>

#include <chrono>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <optional>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "../plugins/explicit/model.hpp"
#include "content/picture.hpp"
#include "content/picture_header.hpp"
#include "support/file_contents.hpp"
#include "support/plugin_host.hpp"

namespace touchstone::test {
namespace {

const std::string kCorpus = TOUCHSTONE_CORPUS_DIR;
const std::string kSamples = "/usr/share/forensics-samples/original-files/";

std::string contents(const std::string& path) {
  return touchstone::test::contents_of(path);
}
std::span<const std::uint8_t> bytes_of(const std::string& text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}
const char* media_type(PictureFormat format) {
  switch (format) {
    case PictureFormat::jpeg:
      return "image/jpeg";
    case PictureFormat::png:
      return "image/png";
    case PictureFormat::gif:
      return "image/gif";
    case PictureFormat::webp:
      return "image/webp";
    case PictureFormat::bmp:
      return "image/bmp";
    case PictureFormat::tiff:
      return "image/tiff";
    case PictureFormat::heif:
      return "image/heic";
    case PictureFormat::unknown:
      break;
  }
  return "application/octet-stream";
}

Result<Picture> decode(const std::string& bytes, const char* type) {
  std::vector<std::byte> copy(bytes.size());
  if (!bytes.empty()) std::memcpy(copy.data(), bytes.data(), bytes.size());
  const auto source = make_memory_source(std::move(copy));
  return decode_picture(*source, type, 0, nullptr);
}

/// What exiftool said of a file, as far as it said it.
struct Facts {
  std::string path, all;
  /// What stands between `key` and the next comma or bar; empty without the key.
  std::string value(const std::string& key) const {
    const auto said = all.find("measured exiftool:");
    const auto at = said == std::string::npos ? said : all.find(key, said);
    if (at == std::string::npos) return {};
    const auto text = all.substr(at + key.size());
    const auto cut = text.substr(0, text.find_first_of(",|"));
    return cut.substr(0, cut.find_last_not_of(' ') + 1);
  }
  std::optional<std::pair<std::int64_t, std::int64_t>> size() const {
    long long width = 0, height = 0;
    if (std::sscanf(value("measured exiftool: ").c_str(), "%lldx%lld", &width, &height) != 2)
      return std::nullopt;
    return std::pair<std::int64_t, std::int64_t>{width, height};
  }
  std::optional<std::pair<double, double>> place() const {
    double latitude = 0, longitude = 0;
    const auto said = all.find("measured exiftool:");
    const auto at = said == std::string::npos ? said : all.find(" GPS ", said);
    if (at == std::string::npos || std::sscanf(all.c_str() + at, " GPS %lf,%lf", &latitude, &longitude) != 2)
      return std::nullopt;
    return std::pair{latitude, longitude};
  }
};

std::vector<Facts> manifest() {
  std::vector<Facts> facts;
  std::ifstream file(kCorpus + "/MANIFEST.tsv");
  for (std::string line; std::getline(file, line);) {
    std::vector<std::string> cells;
    std::stringstream row(line);
    for (std::string cell; std::getline(row, cell, '\t');) cells.push_back(cell);
    if (cells.size() >= 7) facts.push_back({cells[0], cells[6]});
  }
  return facts;
}

/// "2024:05:03 23:15:42" as seconds, by the C++ library.
std::int64_t seconds_of(const std::string& text) {
  int y = 0, h = 0, min = 0, s = 0;
  unsigned m = 0, d = 0;
  EXPECT_EQ(std::sscanf(text.c_str(), "%d:%u:%u %d:%d:%d", &y, &m, &d, &h, &min, &s), 6) << text;
  const std::chrono::sys_days day{std::chrono::year(y) / std::chrono::month(m) / std::chrono::day(d)};
  return std::chrono::duration_cast<std::chrono::seconds>(day.time_since_epoch()).count() + h * 3600 +
         min * 60 + s;
}

template <typename T>
std::optional<T> field(const Record& record, const char* name) {
  const auto* value = record.find(name);
  return value ? std::optional(std::get<T>(*value)) : std::nullopt;
}

class PictureCorpus : public testing::Test {
 protected:
  void SetUp() override {
    if (kCorpus.empty() || !std::filesystem::exists(kCorpus + "/MANIFEST.tsv")) GTEST_SKIP() << "no corpus";
    host = PluginHost::load("pictures");
    ASSERT_TRUE(host);
  }
  Outcome examine(const std::string& bytes, const char* type) const {
    TestItem item;
    item.bytes = bytes;
    item.media_type = type;
    return host->examine(item);
  }
  std::unique_ptr<PluginHost> host;
};

void expect_size(const Facts& facts, const Record& record) {
  const auto size = facts.size();
  if (!size) return;
  EXPECT_EQ(field<std::int64_t>(record, "width"), size->first) << facts.path;
  EXPECT_EQ(field<std::int64_t>(record, "height"), size->second) << facts.path;
}

void expect_time(const Facts& facts, const Record& record) {
  const auto said = facts.value("DateTimeOriginal=").substr(0, 19);
  if (said.size() != 19) return;
  if (const auto utc = field<std::int64_t>(record, "taken")) {
    // The manifest does not quote the zone: what is left is that the two differ by one that exists.
    const auto difference = std::abs(seconds_of(said) - *utc / 1'000'000);
    EXPECT_EQ(difference % 900, 0) << facts.path;
    EXPECT_LE(difference, 14 * 3600) << facts.path;
    return;
  }
  const auto local = field<std::int64_t>(record, "taken_local");
  ASSERT_TRUE(local) << facts.path;
  EXPECT_EQ(*local / 1'000'000, seconds_of(said)) << facts.path;
}

void expect_camera_and_place(const Facts& facts, const Record& record) {
  EXPECT_NE(field<std::string>(record, "camera").value_or("").find(facts.value("Model=")), std::string::npos)
      << facts.path;
  const auto place = facts.place();
  if (!place) return;
  EXPECT_NEAR(field<double>(record, "latitude").value_or(NAN), place->first, 1e-6) << facts.path;
  EXPECT_NEAR(field<double>(record, "longitude").value_or(NAN), place->second, 1e-6) << facts.path;
}

/// Where exiftool reads, or guesses, more than this does: a maker's own block, and XMP coordinates without
/// the letter that says north or south.
bool reads_more(const Facts& facts) {
  return facts.path.ends_with("/CasioQVCI.jpg") || facts.path.ends_with("/testJPEG_commented.jpg");
}

TEST_F(PictureCorpus, SaysWhatExiftoolSays) {
  int checked = 0;
  for (const auto& facts : manifest()) {
    const auto bytes = contents(kCorpus + "/" + facts.path);
    const auto format = detect_picture_format(bytes_of(bytes));
    if (format == PictureFormat::unknown) continue;
    const auto outcome = examine(bytes, media_type(format));
    EXPECT_EQ(outcome.status, TS_OK) << facts.path << outcome.reason;
    ASSERT_EQ(outcome.records.size(), 1U) << facts.path;
    if (!outcome.problems.empty()) continue;  // damaged, and said so: the tools may differ
    expect_size(facts, outcome.records[0]);
    if (reads_more(facts)) continue;
    expect_time(facts, outcome.records[0]);
    expect_camera_and_place(facts, outcome.records[0]);
    ++checked;
  }
  EXPECT_GE(checked, 120);
}

TEST_F(PictureCorpus, DecodesToTheSizeThatExiftoolStates) {
  int decoded = 0;
  for (const auto& facts : manifest()) {
    const auto bytes = contents(kCorpus + "/" + facts.path);
    const auto format = detect_picture_format(bytes_of(bytes));
    if (format == PictureFormat::unknown) continue;
    const auto picture = decode(bytes, media_type(format));
    if (!picture) {
      EXPECT_FALSE(picture.error().message.empty());
      continue;
    }
    ++decoded;
    EXPECT_TRUE(make_preview(*picture)) << facts.path;
    const auto size = facts.size();
    if (!size) continue;
    const auto orientation = facts.value("Orientation=");
    const bool turned = !orientation.empty() && std::stoi(orientation) >= 5;
    EXPECT_EQ(std::int64_t{picture->width}, turned ? size->second : size->first) << facts.path;
    EXPECT_EQ(std::int64_t{picture->height}, turned ? size->first : size->second) << facts.path;
  }
  EXPECT_GE(decoded, 100);
}

TEST_F(PictureCorpus, KeepsOrdinaryPhotographsBelowTheThreshold) {
  const char* folder = std::getenv("TOUCHSTONE_MODELS");
  const auto path = (folder ? std::string(folder) : std::string(TOUCHSTONE_SOURCE_DIR "/build/models")) +
                    "/nsfw_mobilenet_v2.onnx";
  if (!std::filesystem::exists(path)) GTEST_SKIP() << "no model at " << path;
  NsfwModel model(path, TOUCHSTONE_NSFW_SHA256);
  int seen = 0;
  for (const auto& facts : manifest()) {
    if (facts.all.find("must not be classed as nudity") == std::string::npos) continue;
    const auto bytes = contents(kCorpus + "/" + facts.path);
    const auto picture = decode(bytes, media_type(detect_picture_format(bytes_of(bytes))));
    if (!picture) continue;
    const auto p =
        model.classify({sizeof(ts_picture), picture->width, picture->height, 0, 0, picture->pixels.data()});
    EXPECT_LT(p.porn + p.hentai + 0.5F * p.sexy, 0.3F) << facts.path;
    ++seen;
  }
  EXPECT_GE(seen, 3);
}

/// exiftool's answer for one file: a cell for each tag, "-" where there is none.
std::vector<std::string> ask_exiftool(const std::string& path) {
  const auto command =
      "exiftool -n -T -ImageWidth -ImageHeight -DateTimeOriginal -SubSecTimeOriginal -Model -GPSLatitude "
      "-GPSLongitude '" +
      path + "' 2>/dev/null";
  std::string answer;
  const std::unique_ptr<FILE, int (*)(FILE*)> pipe(popen(command.c_str(), "r"), pclose);
  char block[512];
  while (pipe && std::fgets(block, sizeof(block), pipe.get())) answer += block;
  std::vector<std::string> cells;
  std::stringstream row(answer.substr(0, answer.find('\n')));
  for (std::string cell; std::getline(row, cell, '\t');) cells.push_back(cell);
  return cells;
}

void expect_as_exiftool(const std::string& path, const Record& record) {
  const auto said = ask_exiftool(path);
  ASSERT_EQ(said.size(), 7U) << path;
  EXPECT_EQ(field<std::int64_t>(record, "width"), std::stoll(said[0])) << path;
  EXPECT_EQ(field<std::int64_t>(record, "height"), std::stoll(said[1])) << path;
  const auto local = field<std::int64_t>(record, "taken_local");
  EXPECT_EQ(local.has_value(), said[2] != "-") << path;
  if (local) {
    const auto fraction = said[3] == "-" ? 0.0 : std::stod("0." + said[3]);
    EXPECT_EQ(*local, seconds_of(said[2]) * 1'000'000 + std::llround(fraction * 1e6)) << path;
  }
  const auto camera = field<std::string>(record, "camera");
  EXPECT_EQ(camera.has_value(), said[4] != "-") << path;
  if (camera) {
    EXPECT_NE(camera->find(said[4]), std::string::npos) << path;
  }
  const auto latitude = field<double>(record, "latitude"), longitude = field<double>(record, "longitude");
  EXPECT_EQ(latitude.has_value(), said[5] != "-") << path;
  if (latitude && longitude) {
    EXPECT_NEAR(*latitude, std::stod(said[5]), 1e-9) << path;
    EXPECT_NEAR(*longitude, std::stod(said[6]), 1e-9) << path;
  }
}

TEST(PictureSamples, AgreeWithExiftool) {
  if (!std::filesystem::exists(kSamples)) GTEST_SKIP() << "package forensics-samples-files is not installed";
  if (ask_exiftool(kSamples + "pic1/debian.png").empty()) GTEST_SKIP() << "exiftool is not installed";
  const auto host = PluginHost::load("pictures");
  ASSERT_TRUE(host);
  int photographs = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(kSamples)) {
    TestItem item;
    if (!entry.is_regular_file()) continue;
    item.bytes = contents(entry.path());
    const auto format = detect_picture_format(bytes_of(item.bytes));
    if (format == PictureFormat::unknown) continue;
    item.media_type = media_type(format);
    const auto outcome = host->examine(item);
    ASSERT_EQ(outcome.records.size(), 1U) << entry.path();
    expect_as_exiftool(entry.path(), outcome.records[0]);
    photographs += outcome.records[0].find("latitude") != nullptr ? 1 : 0;
  }
  EXPECT_GE(photographs, 4);
}

}  // namespace
}  // namespace touchstone::test
