#include <gtest/gtest.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "content/picture_header.hpp"
#include "unit/content_picture/exif_builder.hpp"

namespace touchstone {
namespace {

using test::big;
using test::ExifBuilder;
using test::little;

std::span<const std::uint8_t> bytes_of(std::string_view text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}
std::string text_of(const std::vector<int>& bytes) {
  std::string out;
  for (const int b : bytes) out += static_cast<char>(b);
  return out;
}
std::string size_of(const std::string& bytes) {
  const auto size = read_picture_size(bytes_of(bytes));
  return size ? std::to_string(size->width) + "x" + std::to_string(size->height) : "none";
}
std::string box(const std::string& name, const std::string& content) {
  return big(content.size() + 8, 4) + name + content;
}

/// Bytes by hand after each format's own description.
struct Case {
  const char* name;
  PictureFormat format;
  std::string bytes;
  const char* size;
};

std::string heic(bool with_primary) {
  const auto ispe = [](std::uint32_t w, std::uint32_t h) {
    return box("ispe", big(0, 4) + big(w, 4) + big(h, 4));
  };
  const auto properties =
      box("ipco", ispe(512, 512) + ispe(4032, 3024) + ispe(4100, 3100)) +
      box("ipma", big(0, 4) + big(2, 4) + big(1, 2) + text_of({1, 1}) + big(7, 2) + text_of({1, 0x82}));
  const auto pitm = with_primary ? box("pitm", big(0, 4) + big(7, 2)) : std::string();
  return box("ftyp", "heic" + big(0, 4) + "mif1heic") +
         box("meta", big(0, 4) + pitm + box("iprp", properties)) + box("mdat", "x");
}

std::vector<Case> cases() {
  const std::string png =
      "\x89PNG\r\n\x1A\n" + big(13, 4) + "IHDR" + big(640, 4) + big(480, 4) + text_of({8, 2, 0, 0, 0});
  const std::string riff = "RIFF" + little(100, 4) + "WEBP";
  const std::string bmp = "BM" + little(0, 4) + little(0, 4) + little(54, 4);
  ExifBuilder tiff;
  tiff.image = {{256, 4, 1, little(3000, 4)}, {257, 3, 1, little(2000, 2)}};
  return {
      {"JPEG", PictureFormat::jpeg, test::jpeg_header(1024, 768), "1024x768"},
      {"JPEG with a second picture in its metadata", PictureFormat::jpeg,
       test::jpeg_with_exif(test::jpeg_header(1024, 768), test::jpeg_header(160, 120)), "1024x768"},
      {"JPEG, progressive, fill bytes", PictureFormat::jpeg,
       text_of({0xFF, 0xD8, 0xFF, 0xFF, 0xFF, 0xC2, 0, 11, 8, 0, 9, 0, 7, 1, 1, 0x11, 0}), "7x9"},
      {"JPEG without a frame", PictureFormat::jpeg, text_of({0xFF, 0xD8, 0xFF, 0xC4, 0, 4, 0, 0, 0xFF, 0xD9}),
       "none"},
      {"PNG", PictureFormat::png, png, "640x480"},
      {"PNG, other chunk first", PictureFormat::png, "\x89PNG\r\n\x1A\n" + big(13, 4) + "IDAT" + big(640, 8),
       "none"},
      {"GIF", PictureFormat::gif, "GIF89a" + little(33, 2) + little(44, 2) + text_of({0, 0, 0}), "33x44"},
      {"WebP, lossy", PictureFormat::webp,
       riff + "VP8 " + little(80, 4) + text_of({0x10, 0, 0, 0x9D, 1, 0x2A}) + little(320 | 0x4000, 2) +
           little(240, 2),
       "320x240"},
      {"WebP, lossless", PictureFormat::webp,
       riff + "VP8L" + little(80, 4) + text_of({0x2F}) + little(399U | 300U << 14U, 4), "400x301"},
      {"WebP, extended", PictureFormat::webp,
       riff + "VP8X" + little(10, 4) + little(8, 4) + little(1999, 3) + little(999, 3), "2000x1000"},
      {"BMP", PictureFormat::bmp, bmp + little(40, 4) + little(20, 4) + little(30, 4) + little(0, 28),
       "20x30"},
      {"BMP, rows from the top", PictureFormat::bmp,
       bmp + little(40, 4) + little(20, 4) + little(0xFFFFFFE2, 4) + little(0, 28), "20x30"},
      {"BMP, old header", PictureFormat::bmp,
       bmp + little(12, 4) + little(20, 2) + little(30, 2) + little(0, 4), "20x30"},
      {"BM in a text", PictureFormat::unknown, "BMW is a make of cars", "none"},
      {"TIFF", PictureFormat::tiff, tiff.build(), "3000x2000"},
      {"TIFF, big-endian", PictureFormat::tiff,
       "MM" + big(42, 2) + big(8, 4) + big(2, 2) + big(0x0100, 2) + big(3, 2) + big(1, 4) + big(5, 2) +
           big(0, 2) + big(0x0101, 2) + big(3, 2) + big(1, 4) + big(6, 2) + big(0, 2) + big(0, 4),
       "5x6"},
      {"HEIC of tiles, its primary item named", PictureFormat::heif, heic(true), "4032x3024"},
      {"HEIC that names none: the largest", PictureFormat::heif, heic(false), "4100x3100"},
      {"MP4", PictureFormat::unknown, box("ftyp", "isom" + big(0, 4)), "none"},
      {"nothing", PictureFormat::unknown, "", "none"},
  };
}

TEST(PictureHeader, KnowsFormatAndSizeOfEachKind) {
  for (const auto& each : cases()) {
    EXPECT_EQ(detect_picture_format(bytes_of(each.bytes)), each.format) << each.name;
    EXPECT_EQ(size_of(each.bytes), each.size) << each.name;
  }
}

TEST(PictureHeader, NeverGivesAnotherSizeWhenCutShort) {
  for (const auto& each : cases()) {
    for (std::size_t length = 0; length < each.bytes.size(); ++length) {
      // A fresh allocation of just this length, so that a sanitizer sees a read beyond it.
      const std::vector<std::uint8_t> cut(each.bytes.begin(),
                                          each.bytes.begin() + static_cast<std::ptrdiff_t>(length));
      const auto size = read_picture_size(cut);
      static_cast<void>(read_picture_orientation(cut));
      static_cast<void>(jpeg_is_whole(cut));
      if (!size || each.format == PictureFormat::heif) continue;
      EXPECT_EQ(std::to_string(size->width) + "x" + std::to_string(size->height), each.size)
          << each.name << length;
    }
  }
}

TEST(PictureHeader, SurvivesEveryChangeOfOneByte) {
  for (const auto& each : cases()) {
    for (std::size_t at = 0; at < each.bytes.size(); ++at) {
      for (const int value : {0, 1, 0x7F, 0x80, 0xFF}) {
        std::vector<std::uint8_t> changed(each.bytes.begin(), each.bytes.end());
        changed[at] = static_cast<std::uint8_t>(value);
        static_cast<void>(read_picture_size(changed));
        static_cast<void>(read_picture_orientation(changed));
        static_cast<void>(jpeg_is_whole(changed));
      }
    }
  }
}

TEST(PictureHeader, FindsTheOrientationWhereEachFormatKeepsIt) {
  ExifBuilder exif;
  exif.image = {ExifBuilder::number(0x0112, 6)};
  const auto data = exif.build();
  const auto orientation = [](const std::string& bytes) { return read_picture_orientation(bytes_of(bytes)); };
  EXPECT_EQ(orientation(test::jpeg_with_exif(test::jpeg_header(8, 8), data)), 6U);
  EXPECT_EQ(orientation(test::png_with_exif(cases()[4].bytes + big(0, 4), data)), 6U);
  const std::string webp =
      "RIFF" + little(200, 4) + "WEBP" + "VP8X" + little(10, 4) + little(8, 4) + little(7, 3) + little(7, 3);
  EXPECT_EQ(orientation(webp + "ICCP" + little(3, 4) + "abc" + '\0' + "EXIF" + little(data.size(), 4) + data),
            6U);
  EXPECT_EQ(orientation(webp + "EXIF" + little(data.size() + 6, 4) + std::string("Exif\0\0", 6) + data), 6U);
  EXPECT_EQ(orientation(test::jpeg_header(8, 8)), 1U);
  exif.image = {ExifBuilder::number(0x0112, 9)};
  EXPECT_EQ(orientation(test::jpeg_with_exif(test::jpeg_header(8, 8), exif.build())), 1U);
}

TEST(PictureHeader, TellsAWholeJpegFromOneCutOff) {
  const auto scan = text_of({0xFF, 0xD8, 0xFF, 0xDA, 0, 2, 0x12, 0xFF, 0x00, 0xD9, 0x34, 0xFF, 0xD0, 0x56});
  EXPECT_FALSE(jpeg_is_whole(bytes_of(scan)));
  EXPECT_TRUE(jpeg_is_whole(bytes_of(scan + "\xFF\xD9")));
  EXPECT_TRUE(jpeg_is_whole(bytes_of(scan + "\xFF\xD9 and what a phone appends")));
  EXPECT_FALSE(jpeg_is_whole(bytes_of(test::jpeg_header(8, 8)))) << "headers are no picture";
}

}  // namespace
}  // namespace touchstone
