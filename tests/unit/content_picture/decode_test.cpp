#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <opencv2/imgcodecs.hpp>
#include <opencv2/imgproc.hpp>
#include <string>
#include <vector>

#include "content/picture.hpp"
#include "content/picture_header.hpp"
#include "unit/content_picture/exif_builder.hpp"

namespace touchstone {
namespace {

using test::big;
using test::ExifBuilder;
using test::little;

std::unique_ptr<ByteSource> source_of(const std::string& bytes) {
  std::vector<std::byte> copy(bytes.size());
  if (!bytes.empty()) std::memcpy(copy.data(), bytes.data(), bytes.size());
  return make_memory_source(std::move(copy));
}

Result<Picture> decode(const std::string& bytes, const char* media_type, std::uint32_t min_side = 0,
                       bool* damaged = nullptr) {
  const auto source = source_of(bytes);
  return decode_picture(*source, media_type, min_side, damaged);
}

/// Four quarters: red, green over blue, white.
cv::Mat quarters(int width, int height) {
  cv::Mat picture(height, width, CV_8UC3, cv::Scalar(255, 255, 255));
  picture(cv::Rect(0, 0, width / 2, height / 2)) = cv::Scalar(0, 0, 255);
  picture(cv::Rect(width / 2, 0, width - width / 2, height / 2)) = cv::Scalar(0, 255, 0);
  picture(cv::Rect(0, height / 2, width / 2, height - height / 2)) = cv::Scalar(255, 0, 0);
  return picture;
}

std::string encode(const cv::Mat& picture, const char* extension, const std::vector<int>& options = {}) {
  std::vector<std::uint8_t> bytes;
  EXPECT_TRUE(cv::imencode(extension, picture, bytes, options));
  return {bytes.begin(), bytes.end()};
}

std::string colour_at(const Picture& picture, std::uint32_t x, std::uint32_t y) {
  const auto* p = picture.pixels.data() + (std::size_t{y} * picture.width + x) * 3;
  const auto near = [&](int r, int g, int b) {
    return std::abs(p[0] - r) < 20 && std::abs(p[1] - g) < 20 && std::abs(p[2] - b) < 20;
  };
  return near(255, 0, 0)       ? "red"
         : near(0, 255, 0)     ? "green"
         : near(0, 0, 255)     ? "blue"
         : near(255, 255, 255) ? "white"
                               : "?";
}
std::string corners(const Picture& p) {
  return colour_at(p, 4, 4) + " " + colour_at(p, p.width - 5, 4) + " " + colour_at(p, 4, p.height - 5) + " " +
         colour_at(p, p.width - 5, p.height - 5);
}

TEST(DecodePicture, GivesRedGreenBlueFromEveryFormat) {
  const auto picture = quarters(96, 64);
  for (const auto& [extension, type] : {std::pair{".jpg", "image/jpeg"},
                                        {".png", "image/png"},
                                        {".bmp", "image/bmp"},
                                        {".webp", "image/webp"}}) {
    bool damaged = true;
    const auto decoded = decode(encode(picture, extension), type, 0, &damaged);
    ASSERT_TRUE(decoded) << extension << decoded.error().message;
    EXPECT_EQ(decoded->width, 96U) << extension;
    EXPECT_EQ(decoded->height, 64U) << extension;
    EXPECT_EQ(decoded->pixels.size(), 96U * 64 * 3) << extension;
    EXPECT_EQ(corners(*decoded), "red green blue white") << extension;
    EXPECT_FALSE(damaged) << extension;
  }
}

TEST(DecodePicture, GoesByTheSignatureNotByTheNameOfTheType) {
  EXPECT_TRUE(decode(encode(quarters(96, 64), ".png"), "image/jpeg"));
}

// What "upright" means for each value: Exif 2.32, table 6, "the 0th row is at the visual …".
TEST(DecodePicture, TurnsEachOrientationUpright) {
  const char* expected[] = {"red green blue white", "green red white blue", "white blue green red",
                            "blue white red green", "red blue green white", "blue red white green",
                            "white green blue red", "green white red blue"};
  for (std::uint16_t orientation = 1; orientation <= 8; ++orientation) {
    ExifBuilder exif;
    exif.image = {ExifBuilder::number(0x0112, orientation)};
    const auto plain = encode(quarters(96, 64), ".jpg");
    const auto jpeg = decode(test::jpeg_with_exif(plain, exif.build()), "image/jpeg");
    const auto png = decode(test::png_with_exif(encode(quarters(96, 64), ".png"), exif.build()), "image/png");
    ASSERT_TRUE(jpeg && png) << orientation;
    for (const auto& picture : {*jpeg, *png}) {
      EXPECT_EQ(corners(picture), expected[orientation - 1]) << orientation;
      EXPECT_EQ(picture.width, orientation < 5 ? 96U : 64U) << orientation;
      EXPECT_EQ(picture.source_width, picture.width) << orientation;
      EXPECT_EQ(picture.source_height, picture.height) << orientation;
    }
  }
}

TEST(DecodePicture, KeepsAtLeastThePixelsAskedFor) {
  const auto jpeg = encode(quarters(1000, 801), ".jpg");
  const auto side = [&](std::uint32_t min_side) { return decode(jpeg, "image/jpeg", min_side)->height; };
  EXPECT_EQ(side(0), 801U);
  EXPECT_EQ(side(500), 801U);
  EXPECT_EQ(side(400), 401U);
  EXPECT_EQ(side(100), 101U);
  EXPECT_EQ(side(1), 101U);
  EXPECT_EQ(side(UINT32_MAX), 801U);
  const auto small = decode(jpeg, "image/jpeg", 100);
  EXPECT_EQ(small->source_width, 1000U);
  EXPECT_EQ(small->source_height, 801U);
  EXPECT_EQ(corners(*small), "red green blue white");
  EXPECT_EQ(decode(encode(quarters(1000, 800), ".png"), "image/png", 100)->height, 800U);
}

TEST(DecodePicture, DecodesATruncatedPictureAsFarAsItGoes) {
  const auto picture = quarters(400, 400);
  for (const auto& options : {std::vector<int>{}, std::vector<int>{cv::IMWRITE_JPEG_PROGRESSIVE, 1}}) {
    const auto jpeg = encode(picture, ".jpg", options);
    bool damaged = false;
    const auto decoded = decode(jpeg.substr(0, jpeg.size() * 3 / 4), "image/jpeg", 0, &damaged);
    ASSERT_TRUE(decoded) << decoded.error().message;
    EXPECT_TRUE(damaged);
    EXPECT_EQ(decoded->height, 400U);
    EXPECT_EQ(colour_at(*decoded, 10, 10), "red");
    EXPECT_EQ(colour_at(*decoded, 390, 10), "green");
  }
  cv::Mat noise(400, 400, CV_8UC3);
  cv::randu(noise, 0, 255);
  noise.rowRange(0, 40) = cv::Scalar(0, 0, 255);
  const auto png = encode(noise, ".png");
  bool damaged = false;
  const auto decoded = decode(png.substr(0, png.size() / 2), "image/png", 0, &damaged);
  ASSERT_TRUE(decoded) << decoded.error().message;
  EXPECT_TRUE(damaged);
  EXPECT_EQ(colour_at(*decoded, 10, 10), "red");
}

TEST(DecodePicture, DecodesAPictureThatIsAllBlack) {
  const cv::Mat black = cv::Mat::zeros(40, 60, CV_8UC3);
  for (const auto& [extension, type] : {std::pair{".jpg", "image/jpeg"}, {".png", "image/png"}}) {
    bool damaged = true;
    const auto decoded = decode(encode(black, extension), type, 0, &damaged);
    ASSERT_TRUE(decoded) << extension << decoded.error().message;
    EXPECT_EQ(decoded->width, 60U);
    EXPECT_EQ(decoded->pixels, std::vector<std::uint8_t>(60U * 40 * 3, 0));
    EXPECT_FALSE(damaged);
  }
}

TEST(DecodePicture, RefusesABombBeforeItIsDecoded) {
  const std::string header = big(50'000, 4) + big(50'000, 4) + std::string("\x08\x02\x00\x00\x00", 5);
  const auto png = "\x89PNG\r\n\x1A\n" + test::png_chunk("IHDR", header) + test::png_chunk("IDAT", "x");
  const auto decoded = decode(png, "image/png");
  ASSERT_FALSE(decoded);
  EXPECT_EQ(decoded.error().code, ErrorCode::limit);
  EXPECT_NE(decoded.error().message.find("50000 x 50000"), std::string::npos) << decoded.error().message;
}

/// Says that it is larger than any picture may be, and fails the test if it is read.
class HugeSource final : public ByteSource {
 public:
  std::uint64_t size() const override { return kMaxPictureBytes + 1; }
  Result<std::size_t> read_at(std::uint64_t, std::span<std::byte>) override {
    ADD_FAILURE() << "read";
    return std::size_t{0};
  }
};

TEST(DecodePicture, RefusesTooManyBytesUnread) {
  HugeSource source;
  const auto decoded = decode_picture(source, "image/jpeg", 0, nullptr);
  ASSERT_FALSE(decoded);
  EXPECT_EQ(decoded.error().code, ErrorCode::limit);
}

TEST(DecodePicture, SaysWhatItDoesNotRead) {
  const std::string gif = "GIF89a" + little(1, 2) + little(1, 2) + std::string(20, '\0');
  const std::string tiff = std::string("II*\0", 4) + little(8, 4) + std::string(20, '\0');
  const std::string exr = "\x76\x2F\x31\x01" + std::string(40, '\0');
  EXPECT_EQ(decode(gif, "image/gif").error().code, ErrorCode::unsupported);
  // Formats that OpenCV would take to other libraries, also under another name.
  EXPECT_EQ(decode(tiff, "image/jpeg").error().code, ErrorCode::unsupported);
  EXPECT_EQ(decode(exr, "image/x-exr").error().code, ErrorCode::unsupported);
  EXPECT_EQ(decode("#?RADIANCE\n", "image/vnd.radiance").error().code, ErrorCode::unsupported);
  EXPECT_EQ(decode("", "image/jpeg").error().code, ErrorCode::corrupt);
  EXPECT_EQ(decode("no picture", "image/png").error().code, ErrorCode::corrupt);
  EXPECT_EQ(decode(test::jpeg_header(64, 64), "image/jpeg").error().code, ErrorCode::corrupt);
  EXPECT_FALSE(is_decodable_picture("image/gif"));
  EXPECT_TRUE(is_decodable_picture("image/jpeg"));
}

TEST(MakePreview, IsSmallAndHoldsNoMetadata) {
  ExifBuilder exif;
  exif.image = {ExifBuilder::ascii(0x010F, "Example Cameras")};
  const auto picture =
      decode(test::jpeg_with_exif(encode(quarters(3000, 1000), ".jpg"), exif.build()), "image/jpeg");
  ASSERT_TRUE(picture);
  const auto preview = make_preview(*picture);
  ASSERT_TRUE(preview) << preview.error().message;
  EXPECT_EQ(preview->width, 512U);
  EXPECT_EQ(preview->height, 171U);

  const cv::Mat clear = cv::imdecode(preview->clear, cv::IMREAD_UNCHANGED);
  EXPECT_EQ(clear.size(), cv::Size(512, 171));
  EXPECT_EQ(clear.channels(), 3);
  EXPECT_GT(clear.at<cv::Vec3b>(10, 10)[2], 230) << "red stays red";
  EXPECT_LT(clear.at<cv::Vec3b>(10, 10)[0], 30);
  const cv::Mat blurred = cv::imdecode(preview->blurred, cv::IMREAD_UNCHANGED);
  EXPECT_EQ(blurred.size(), cv::Size(32, 11));
  EXPECT_EQ(blurred.channels(), 1);
  for (const auto& bytes : {preview->clear, preview->blurred}) {
    const std::string text(bytes.begin(), bytes.end());
    EXPECT_EQ(text.find("Exif"), std::string::npos);
    EXPECT_EQ(text.find("Example"), std::string::npos);
    EXPECT_LT(bytes.size(), 40'000U);
  }
}

TEST(MakePreview, KeepsSmallAndVeryLongPictures) {
  const Picture small{3, 2, 3, 2, std::vector<std::uint8_t>(18, 200)};
  const auto preview = make_preview(small);
  ASSERT_TRUE(preview);
  EXPECT_EQ(preview->width, 3U);
  EXPECT_EQ(preview->height, 2U);
  const Picture strip{4000, 1, 4000, 1, std::vector<std::uint8_t>(12000, 200)};
  EXPECT_EQ(make_preview(strip)->height, 1U);
  EXPECT_FALSE(make_preview(Picture{}));
  EXPECT_FALSE(make_preview(Picture{10, 10, 10, 10, std::vector<std::uint8_t>(5)}));
}

TEST(WarmUpPictures, FindsEveryDecoder) {
  EXPECT_EQ(warm_up_pictures(), "");
}

}  // namespace
}  // namespace touchstone
