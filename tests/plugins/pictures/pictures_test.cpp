#include <gtest/gtest.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "support/plugin_host.hpp"
#include "unit/content_picture/exif_builder.hpp"

namespace touchstone::test {
namespace {

using Rationals = std::vector<std::pair<std::uint32_t, std::uint32_t>>;

class Pictures : public testing::Test {
 protected:
  static void SetUpTestSuite() { host = PluginHost::load("pictures"); }
  static void TearDownTestSuite() { host.reset(); }
  void SetUp() override { ASSERT_TRUE(host); }

  static Outcome examine(const std::string& bytes, const std::string& type = "image/jpeg") {
    TestItem item;
    item.bytes = bytes;
    item.media_type = type;
    return host->examine(item);
  }
  static Outcome examine(const ExifBuilder& exif) {
    return examine(jpeg_with_exif(jpeg_header(4000, 3000), exif.build()));
  }
  static Record record(const Outcome& outcome) {
    EXPECT_EQ(outcome.status, TS_OK) << outcome.reason;
    EXPECT_EQ(outcome.records.size(), 1U);
    return outcome.records.empty() ? Record{} : outcome.records[0];
  }

  static std::unique_ptr<PluginHost> host;
};
std::unique_ptr<PluginHost> Pictures::host;

std::optional<std::int64_t> integer(const Record& record, const char* name) {
  const auto* value = record.find(name);
  return value ? std::optional(std::get<std::int64_t>(*value)) : std::nullopt;
}
std::optional<double> real(const Record& record, const char* name) {
  const auto* value = record.find(name);
  return value ? std::optional(std::get<double>(*value)) : std::nullopt;
}
std::string text(const Record& record, const char* name) {
  const auto* value = record.find(name);
  return value ? std::get<std::string>(*value) : "none";
}

ExifBuilder taken(const std::string& time) {
  ExifBuilder exif;
  exif.photo = {ExifBuilder::ascii(0x9003, time)};
  return exif;
}
ExifBuilder place(const Rationals& latitude, const char* north, const Rationals& longitude,
                  const char* east) {
  ExifBuilder exif;
  exif.gps = {ExifBuilder::ascii(1, north), ExifBuilder::rationals(2, latitude), ExifBuilder::ascii(3, east),
              ExifBuilder::rationals(4, longitude)};
  return exif;
}

TEST_F(Pictures, EmitsOneRecordWithTheSizeAsStored) {
  const auto outcome = examine(jpeg_header(4000, 3000));
  const auto found = record(outcome);
  EXPECT_EQ(found.kind, "picture");
  EXPECT_EQ(integer(found, "width"), 4000);
  EXPECT_EQ(integer(found, "height"), 3000);
  EXPECT_EQ(text(found, "source_table"), "");
  for (const char* absent : {"taken", "taken_local", "time_basis", "camera", "latitude", "longitude"})
    EXPECT_EQ(found.find(absent), nullptr) << absent;
  EXPECT_TRUE(outcome.problems.empty());
}

// 2024-05-03 23:15:42 as a reading of a clock is 1714778142 seconds (date -u -d '2024-05-03 23:15:42' +%s).
TEST_F(Pictures, GivesTheClockReadingWhereNoZoneIsStored) {
  const auto found = record(examine(taken("2024:05:03 23:15:42")));
  EXPECT_EQ(integer(found, "taken_local"), 1'714'778'142'000'000);
  EXPECT_EQ(found.find("taken"), nullptr);
  EXPECT_EQ(found.find("time_basis"), nullptr) << "the host, which knows the zone, says which";
}

TEST_F(Pictures, ConvertsToUtcWhereTheZoneIsStored) {
  auto exif = taken("2024:05:03 23:15:42");
  exif.photo.push_back(ExifBuilder::ascii(0x9011, "+01:00"));
  exif.photo.push_back(ExifBuilder::ascii(0x9291, "5"));
  const auto found = record(examine(exif));
  EXPECT_EQ(integer(found, "taken"), 1'714'774'542'500'000);
  EXPECT_EQ(text(found, "time_basis"), "offset");
  EXPECT_EQ(found.find("taken_local"), nullptr);

  exif.photo[1] = ExifBuilder::ascii(0x9011, "-09:30");
  EXPECT_EQ(integer(record(examine(exif)), "taken"), 1'714'812'342'500'000);
  exif.photo[1] = ExifBuilder::ascii(0x9011, "   :  ");
  EXPECT_EQ(integer(record(examine(exif)), "taken_local"), 1'714'778'142'500'000);
}

TEST_F(Pictures, ReadsFractionsOfAnyLength) {
  for (const auto& [digits, microseconds] :
       {std::pair{"04", 40'000}, {"123456789", 123'456}, {"999999", 999'999}, {"7 ", 700'000}, {"x", 0}}) {
    auto exif = taken("2024:05:03 23:15:42");
    exif.photo.push_back(ExifBuilder::ascii(0x9291, digits));
    EXPECT_EQ(integer(record(examine(exif)), "taken_local"), 1'714'778'142'000'000 + microseconds) << digits;
  }
}

TEST_F(Pictures, FallsBackOnTheTimeOfDigitising) {
  ExifBuilder exif;
  exif.photo = {ExifBuilder::ascii(0x9003, "    :  :     :  :  "),
                ExifBuilder::ascii(0x9004, "2024:05:03 23:15:42")};
  EXPECT_EQ(integer(record(examine(exif)), "taken_local"), 1'714'778'142'000'000);
}

TEST_F(Pictures, TakesNothingForATimeThatIsNone) {
  for (const char* time :
       {"0000:00:00 00:00:00", "2023:02:29 10:00:00", "2024:13:01 10:00:00", "2024:05:03 24:00:00",
        "2024:05:03 23:60:00", "2024:05:03", "yesterday", "-024:05:03 10:00:00", ""}) {
    const auto found = record(examine(taken(time)));
    EXPECT_EQ(found.find("taken_local"), nullptr) << time;
    EXPECT_EQ(found.find("taken"), nullptr) << time;
  }
  // The file's own change time is not when the picture was taken.
  ExifBuilder exif;
  exif.image = {ExifBuilder::ascii(0x0132, "2024:05:03 23:15:42")};
  EXPECT_EQ(record(examine(exif)).find("taken_local"), nullptr);
}

TEST_F(Pictures, GivesThePlaceInSignedDegrees) {
  const auto north =
      record(examine(place({{51, 1}, {30, 1}, {2650, 100}}, "N", {{0, 1}, {7, 1}, {3000, 100}}, "W")));
  EXPECT_NEAR(*real(north, "latitude"), 51.507361, 1e-6);
  EXPECT_NEAR(*real(north, "longitude"), -0.125, 1e-9);
  const auto south = record(examine(place({{33, 1}, {5195, 100}}, "S", {{151, 1}, {1260, 100}}, "E")));
  EXPECT_NEAR(*real(south, "latitude"), -33.865833, 1e-6);
  EXPECT_NEAR(*real(south, "longitude"), 151.21, 1e-9);
  // Some cameras write 0/0 for seconds they do not have.
  const auto coarse = record(examine(place({{51, 1}, {30, 1}, {0, 0}}, "N", {{1, 1}, {0, 1}, {0, 0}}, "E")));
  EXPECT_NEAR(*real(coarse, "latitude"), 51.5, 1e-9);
}

TEST_F(Pictures, LeavesOutAPlaceThatCannotBe) {
  const Rationals fine{{10, 1}, {0, 1}, {0, 1}};
  const std::vector<ExifBuilder> wrong{place({{91, 1}, {0, 1}, {0, 1}}, "N", fine, "E"),
                                       place(fine, "N", {{181, 1}, {0, 1}, {0, 1}}, "E"),
                                       place({{10, 0}, {0, 1}, {0, 1}}, "N", fine, "E"),
                                       place({{0, 0}, {0, 0}, {0, 0}}, "N", fine, "E"),
                                       place({{10, 1}, {5, 0}, {0, 1}}, "N", fine, "E"),
                                       place(fine, "X", fine, "E"),
                                       place(fine, "", fine, "E"),
                                       place({{4294967295, 1}}, "N", fine, "E"),
                                       place({{4294967295, 4294967295}, {4294967295, 1}}, "N", fine, "E")};
  for (const auto& exif : wrong) {
    const auto found = record(examine(exif));
    EXPECT_EQ(found.find("latitude"), nullptr);
    EXPECT_EQ(found.find("longitude"), nullptr);
  }
}

TEST_F(Pictures, NamesTheCameraOnce) {
  const auto camera = [](const char* make, const char* model) {
    ExifBuilder exif;
    if (make) exif.image.push_back(ExifBuilder::ascii(0x010F, make));
    if (model) exif.image.push_back(ExifBuilder::ascii(0x0110, model));
    return text(record(examine(exif)), "camera");
  };
  EXPECT_EQ(camera("Example  ", " Phone 5 "), "Example Phone 5");
  EXPECT_EQ(camera("Example", "EXAMPLE X100"), "EXAMPLE X100");
  EXPECT_EQ(camera(nullptr, "X100"), "X100");
  EXPECT_EQ(camera("Example", nullptr), "Example");
  EXPECT_EQ(camera("  ", ""), "none");
  EXPECT_EQ(camera("Ex\xC3\xA4mple", "\x1B[31mX\xFF\xC2\x9B"), "Ex\xC3\xA4mple ?[31mX???");
  EXPECT_EQ(camera(std::string(5000, 'x').c_str(), "X100"), "X100");
}

std::string jpeg_with_xmp(const std::string& attributes) {
  const std::string packet =
      "http://ns.adobe.com/xap/1.0/" + std::string(1, '\0') +
      "<x:xmpmeta xmlns:x='adobe:ns:meta/'><rdf:RDF xmlns:rdf='http://www.w3.org/1999/02/22-rdf-syntax-ns#'>"
      "<rdf:Description rdf:about='' xmlns:exif='http://ns.adobe.com/exif/1.0/' "
      "xmlns:tiff='http://ns.adobe.com/tiff/1.0/' xmlns:photoshop='http://ns.adobe.com/photoshop/1.0/' " +
      attributes + "/></rdf:RDF></x:xmpmeta>";
  const auto jpeg = jpeg_header(4000, 3000);
  return jpeg.substr(0, 2) + "\xFF\xE1" + big(packet.size() + 2, 2) + packet + jpeg.substr(2);
}

TEST_F(Pictures, FillsInFromXmpWhatExifDoesNotSay) {
  const auto found = record(examine(jpeg_with_xmp(
      "exif:DateTimeOriginal='2024-05-03T23:15:42.5+01:00' tiff:Make='Example' tiff:Model='X100' "
      "exif:GPSLatitude='51,30.25N' exif:GPSLongitude='0,7,30W'")));
  EXPECT_EQ(integer(found, "taken"), 1'714'774'542'500'000);
  EXPECT_EQ(text(found, "time_basis"), "offset");
  EXPECT_EQ(text(found, "camera"), "Example X100");
  EXPECT_NEAR(*real(found, "latitude"), 51.504166667, 1e-9);
  EXPECT_NEAR(*real(found, "longitude"), -0.125, 1e-9);

  const auto created = record(examine(jpeg_with_xmp("photoshop:DateCreated='2024-05-03T23:15:42'")));
  EXPECT_EQ(integer(created, "taken_local"), 1'714'778'142'000'000);
  for (const char* wrong :
       {"photoshop:DateCreated='2024-05-03'", "exif:GPSLatitude='51,30' exif:GPSLongitude='0,7W'",
        "exif:GPSLatitude='95,0N' exif:GPSLongitude='0,7W'",
        "exif:GPSLatitude='nanN' exif:GPSLongitude='0,7W'",
        "exif:GPSLatitude='1e400N' exif:GPSLongitude='0,7W'",
        "exif:GPSLatitude='-5,0N' exif:GPSLongitude='0,7W'"}) {
    const auto nothing = record(examine(jpeg_with_xmp(wrong)));
    EXPECT_EQ(nothing.find("latitude"), nullptr) << wrong;
    EXPECT_EQ(nothing.find("taken_local"), nullptr) << wrong;
  }
}

TEST_F(Pictures, ForgetsWhatOnePictureDeclaresBeforeTheNext) {
  const std::string attributes = "tiff:Make='Example' tiff:Model='X100'";
  auto hostile = jpeg_with_xmp(attributes);
  const std::string uri = "http://ns.adobe.com/tiff/1.0/";
  hostile.replace(hostile.find(uri), uri.size(), "http://ns.example.com/other/1");
  const auto before = record(examine(jpeg_with_xmp(attributes)));
  record(examine(hostile));
  const auto after = record(examine(jpeg_with_xmp(attributes)));
  EXPECT_EQ(text(before, "camera"), "Example X100");
  EXPECT_EQ(text(after, "camera"), "Example X100");
}

TEST_F(Pictures, IsNotBlownUpByEntitiesInXmp) {
  std::string bomb = "<!DOCTYPE x [<!ENTITY a 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa'>";
  for (char c = 'b'; c < 'm'; ++c) {
    bomb += std::string("<!ENTITY ") + c + " '";
    for (int i = 0; i < 10; ++i) bomb += std::string("&") + static_cast<char>(c - 1) + ";";
    bomb += "'>";
  }
  bomb += "]><x:xmpmeta xmlns:x='adobe:ns:meta/'>&l;</x:xmpmeta>";
  const std::string packet = "http://ns.adobe.com/xap/1.0/" + std::string(1, '\0') + bomb;
  const auto jpeg = jpeg_header(4000, 3000);
  const auto outcome =
      examine(jpeg.substr(0, 2) + "\xFF\xE1" + big(packet.size() + 2, 2) + packet + jpeg.substr(2));
  EXPECT_EQ(integer(record(outcome), "width"), 4000);
}

TEST_F(Pictures, ReadsMetadataOfPng) {
  std::string png = "\x89PNG\r\n\x1A\n";
  png += png_chunk("IHDR", big(640, 4) + big(480, 4) + std::string("\x08\x02\x00\x00\x00", 5));
  png += png_chunk("IEND", "");
  const auto found = record(examine(png_with_exif(png, taken("2024:05:03 23:15:42").build()), "image/png"));
  EXPECT_EQ(integer(found, "width"), 640);
  EXPECT_EQ(integer(found, "taken_local"), 1'714'778'142'000'000);
}

TEST_F(Pictures, SaysWhereMetadataIsDamagedAndKeepsTheRest) {
  auto exif = taken("2024:05:03 23:15:42").build();
  const auto jpeg = jpeg_with_exif(jpeg_header(4000, 3000), exif);
  exif.replace(0, 4, "nope");
  const auto outcome = examine(jpeg_with_exif(jpeg_header(4000, 3000), exif));
  EXPECT_EQ(integer(record(outcome), "width"), 4000);
  ASSERT_EQ(outcome.problems.size(), 1U);
  EXPECT_EQ(outcome.problems[0].kind, "corrupt");

  const auto headless = examine("\xFF\xD8\xFF\xE0 not a picture");
  record(headless);
  ASSERT_EQ(headless.problems.size(), 1U);
  EXPECT_EQ(headless.problems[0].kind, "corrupt");
}

TEST_F(Pictures, SurvivesEveryCutAndChange) {
  auto exif = place({{51, 1}, {30, 1}, {2650, 100}}, "N", {{0, 1}, {7, 1}, {3000, 100}}, "W");
  exif.image = {ExifBuilder::ascii(0x010F, "Example"), ExifBuilder::number(0x0112, 6)};
  exif.photo = {ExifBuilder::ascii(0x9003, "2024:05:03 23:15:42"), ExifBuilder::ascii(0x9011, "+01:00")};
  const auto jpeg = jpeg_with_exif(jpeg_header(4000, 3000), exif.build());
  for (std::size_t at = 0; at < jpeg.size(); ++at) {
    const auto cut = examine(jpeg.substr(0, at));
    EXPECT_EQ(cut.status, TS_OK) << at << cut.reason;
    for (const char value : {'\0', '\x7F', '\xFF'}) {
      auto changed = jpeg;
      changed[at] = value;
      const auto outcome = examine(changed);
      EXPECT_EQ(outcome.status, TS_OK) << at << outcome.reason;
      EXPECT_EQ(outcome.records.size(), 1U) << at;
    }
  }
}

TEST_F(Pictures, ReadsOnlyTheHeaderOfAFileTooLargeForMemory) {
  const auto header = jpeg_header(4000, 3000);
  TestItem item;
  item.media_type = "image/jpeg";
  item.size = 1ULL << 40U;
  std::uint64_t read = 0;
  item.read_at = [&](std::uint64_t offset, std::uint8_t* out, std::size_t capacity) {
    for (std::size_t i = 0; i < capacity; ++i)
      out[i] = offset + i < header.size()
                   ? static_cast<std::uint8_t>(header[static_cast<std::size_t>(offset) + i])
                   : 0;
    read += capacity;
    return static_cast<std::int64_t>(capacity);
  };
  const auto outcome = host->examine(item);
  EXPECT_EQ(integer(record(outcome), "width"), 4000);
  ASSERT_EQ(outcome.problems.size(), 1U);
  EXPECT_EQ(outcome.problems[0].kind, "limit");
  EXPECT_LE(read, 2U << 20U);
}

TEST_F(Pictures, FailsWhereTheBytesCannotBeRead) {
  TestItem item;
  item.media_type = "image/jpeg";
  item.size = 100;
  item.read_at = [](std::uint64_t, std::uint8_t*, std::size_t) { return std::int64_t{-1}; };
  const auto outcome = host->examine(item);
  EXPECT_EQ(outcome.status, TS_ERROR);
  EXPECT_TRUE(outcome.records.empty());
}

TEST_F(Pictures, ListsPicturesThatItKnowsNothingOf) {
  const auto outcome = examine("<svg xmlns='http://www.w3.org/2000/svg'/>", "image/svg+xml");
  EXPECT_EQ(record(outcome).find("width"), nullptr);
  EXPECT_TRUE(outcome.problems.empty());
}

}  // namespace
}  // namespace touchstone::test
