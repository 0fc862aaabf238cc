#include "metadata.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <cmath>
#include <cstdlib>
#include <exception>
#include <exiv2/exiv2.hpp>
#include <memory>
#include <string_view>

namespace touchstone {
namespace {

constexpr std::size_t kMaxText = 200;  ///< bytes of a make or model; longer is not one

/// Copies what is valid UTF-8 (RFC 3629) and printable; each other byte becomes a question mark.
std::string clean(std::string_view text) {
  std::string out;
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const auto continues = [&](std::size_t i) { return i < text.size() && (byte(i) & 0xC0U) == 0x80U; };
  for (std::size_t i = 0; i < text.size() && text[i] != '\0';) {
    const unsigned char lead = byte(i);
    std::size_t length = 0;
    if (lead >= 0x20 && lead < 0x7F) length = 1;
    if (lead >= 0xC2 && lead < 0xE0) length = 2;
    if (lead >= 0xE0 && lead < 0xF0) length = 3;
    if (lead >= 0xF0 && lead < 0xF5) length = 4;
    for (std::size_t k = 1; k < length; ++k)
      if (!continues(i + k)) length = 0;
    const unsigned char second = length > 1 ? byte(i + 1) : 0;
    if ((lead == 0xE0 && second < 0xA0) || (lead == 0xED && second > 0x9F) ||
        (lead == 0xF0 && second < 0x90) || (lead == 0xF4 && second > 0x8F) || (lead == 0xC2 && second < 0xA0))
      length = 0;
    out += length == 0 ? std::string_view("?") : text.substr(i, length);
    i += std::max<std::size_t>(length, 1);
  }
  const auto first = out.find_first_not_of(' ');
  if (first == std::string::npos) return {};
  return out.substr(first, out.find_last_not_of(' ') - first + 1);
}

const Exiv2::Exifdatum* find(const Exiv2::ExifData& exif, const char* group, std::uint16_t tag) {
  const auto found = exif.findKey(Exiv2::ExifKey(tag, group));
  return found == exif.end() ? nullptr : &*found;
}

std::string text_of(const Exiv2::ExifData& exif, const char* group, std::uint16_t tag) {
  const auto* datum = find(exif, group, tag);
  if (datum == nullptr || datum->typeId() != Exiv2::asciiString ||
      static_cast<std::size_t>(datum->size()) > 4 * kMaxText)
    return {};
  auto text = clean(datum->toString());
  return text.size() > kMaxText ? std::string() : text;
}

/// The digits of text[at, at + count), absent if one of them is none.
std::optional<int> digits(std::string_view text, std::size_t at, std::size_t count) {
  if (text.size() < at + count) return std::nullopt;
  int value = 0;
  const auto* end = text.data() + at + count;
  const auto [stop, error] = std::from_chars(text.data() + at, end, value);
  if (error != std::errc() || stop != end || text[at] == '-') return std::nullopt;
  return value;
}

/// "2008:05:30 15:56:01", with any separators, as some cameras write. A blank or zero date is none.
std::optional<std::int64_t> parse_time(std::string_view text) {
  const auto year = digits(text, 0, 4), month = digits(text, 5, 2), day = digits(text, 8, 2);
  const auto hour = digits(text, 11, 2), minute = digits(text, 14, 2), second = digits(text, 17, 2);
  if (!year || !month || !day || !hour || !minute || !second || *year == 0) return std::nullopt;
  if (*hour > 23 || *minute > 59 || *second > 59) return std::nullopt;
  const std::chrono::year_month_day date{std::chrono::year(*year),
                                         std::chrono::month(static_cast<unsigned>(*month)),
                                         std::chrono::day(static_cast<unsigned>(*day))};
  if (!date.ok()) return std::nullopt;
  const auto time = std::chrono::sys_days(date) + std::chrono::hours(*hour) + std::chrono::minutes(*minute) +
                    std::chrono::seconds(*second);
  return std::chrono::duration_cast<std::chrono::microseconds>(time.time_since_epoch()).count();
}

/// SubSecTime: the decimals of the second, any number of them.
std::int64_t parse_fraction(std::string_view text) {
  std::int64_t value = 0;
  std::int64_t unit = 100'000;
  for (const char c : text) {
    if (c < '0' || c > '9') break;
    value += (c - '0') * unit;
    unit /= 10;
  }
  return value;
}

/// "+01:00", "-09:30" or "Z".
std::optional<int> parse_offset(std::string_view text) {
  if (text == "Z") return 0;
  if (text.size() != 6 || (text[0] != '+' && text[0] != '-') || text[3] != ':') return std::nullopt;
  const auto hours = digits(text, 1, 2), minutes = digits(text, 4, 2);
  if (!hours || !minutes || *hours > 14 || *minutes > 59) return std::nullopt;
  const int total = *hours * 60 + *minutes;
  return text[0] == '-' ? -total : total;
}

struct TimeTags {
  std::uint16_t time, fraction, offset;
};
constexpr std::array<TimeTags, 2> kTimes{{{0x9003, 0x9291, 0x9011},    // original
                                          {0x9004, 0x9292, 0x9012}}};  // digitized

void read_time(const Exiv2::ExifData& exif, PictureMetadata& result) {
  for (const auto& tags : kTimes) {
    const auto time = parse_time(text_of(exif, "Photo", tags.time));
    if (!time) continue;
    result.taken_local = *time + parse_fraction(text_of(exif, "Photo", tags.fraction));
    result.offset_minutes = parse_offset(text_of(exif, "Photo", tags.offset));
    return;
  }
}

/// Degrees, minutes and seconds as rationals. Missing minutes or seconds are zero; a zero denominator is one
/// only where the numerator is zero as well (some cameras fill unused seconds with 0/0).
std::optional<double> degrees(const Exiv2::Exifdatum* datum, char reference, std::string_view signs,
                              double limit) {
  if (datum == nullptr || datum->typeId() != Exiv2::unsignedRational || datum->count() < 1 ||
      datum->count() > 3)
    return std::nullopt;
  if (reference == '\0' || signs.find(reference) == std::string_view::npos) return std::nullopt;
  double value = 0;
  double unit = 1;
  for (long i = 0; i < datum->count(); ++i, unit /= 60) {
    const auto [signed_numerator, signed_denominator] = datum->toRational(i);
    const auto numerator = static_cast<std::uint32_t>(signed_numerator);
    const auto denominator = static_cast<std::uint32_t>(signed_denominator);
    if (denominator == 0 && (i == 0 || numerator != 0)) return std::nullopt;
    if (denominator != 0) value += unit * numerator / denominator;
  }
  if (!std::isfinite(value) || value > limit) return std::nullopt;
  return reference == signs[1] ? -value : value;
}

void read_place(const Exiv2::ExifData& exif, PictureMetadata& result) {
  const auto reference = [&](std::uint16_t tag) {
    const auto text = text_of(exif, "GPSInfo", tag);
    return text.empty() ? '\0' : text[0];
  };
  const auto latitude = degrees(find(exif, "GPSInfo", 2), reference(1), "NS", 90);
  const auto longitude = degrees(find(exif, "GPSInfo", 4), reference(3), "EW", 180);
  if (latitude && longitude) result.latitude = latitude, result.longitude = longitude;
}

/// "Apple iPhone 6", and "NIKON D70" rather than "NIKON NIKON D70".
std::string camera_of(const std::string& make, const std::string& model) {
  if (make.empty() || model.empty()) return make + model;
  const bool repeated = model.size() >= make.size() && std::equal(make.begin(), make.end(), model.begin(),
                                                                  [](unsigned char a, unsigned char b) {
                                                                    return std::tolower(a) == std::tolower(b);
                                                                  });
  return repeated ? model : make + " " + model;
}

std::string xmp_text(const Exiv2::XmpData& xmp, const char* key) {
  const auto found = xmp.findKey(Exiv2::XmpKey(key));
  if (found == xmp.end() || found->typeId() != Exiv2::xmpText) return {};
  auto text = clean(found->toString());
  return text.size() > kMaxText ? std::string() : text;
}

/// "2010-07-11T13:53:00.9+02:00", zone and fraction optional (ISO 8601, as XMP part 1 wants it).
void read_xmp_time(const std::string& text, PictureMetadata& result) {
  const auto time = parse_time(text);
  if (!time) return;
  const auto rest = std::string_view(text).substr(19);
  const auto zone = std::min(rest.find_first_of("+-Z"), rest.size());
  result.taken_local = *time + (rest.substr(0, 1) == "." ? parse_fraction(rest.substr(1)) : 0);
  result.offset_minutes = parse_offset(rest.substr(zone));
}

/// "51,30.25N" or "51,30,15N" (XMP part 2, GPSCoordinate). The letter is not left to be guessed.
std::optional<double> xmp_degrees(std::string_view text, std::string_view signs, double limit) {
  if (text.size() < 2 || signs.find(text.back()) == std::string_view::npos) return std::nullopt;
  const bool negative = text.back() == signs[1];
  text.remove_suffix(1);
  double value = 0;
  double unit = 1;
  for (int part = 0; part < 3; ++part, unit /= 60) {
    double number = 0;
    const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc() || !(number >= 0)) return std::nullopt;
    value += unit * number;
    text.remove_prefix(static_cast<std::size_t>(stop - text.data()));
    if (text.empty()) break;
    if (text.front() != ',') return std::nullopt;
    text.remove_prefix(1);
  }
  if (!text.empty() || !std::isfinite(value) || value > limit) return std::nullopt;
  return negative ? -value : value;
}

/// Editors that drop Exif often keep these; they only fill in what Exif does not say.
void read_xmp(const Exiv2::XmpData& xmp, PictureMetadata& result) {
  for (const char* key : {"Xmp.exif.DateTimeOriginal", "Xmp.photoshop.DateCreated"}) {
    if (!result.taken_local) read_xmp_time(xmp_text(xmp, key), result);
  }
  if (result.camera.empty())
    result.camera = camera_of(xmp_text(xmp, "Xmp.tiff.Make"), xmp_text(xmp, "Xmp.tiff.Model"));
  if (result.latitude) return;
  const auto latitude = xmp_degrees(xmp_text(xmp, "Xmp.exif.GPSLatitude"), "NS", 90);
  const auto longitude = xmp_degrees(xmp_text(xmp, "Xmp.exif.GPSLongitude"), "EW", 180);
  if (latitude && longitude) result.latitude = latitude, result.longitude = longitude;
}

/// Exiv2 keeps each namespace that a picture's XMP declares, for the whole process: memory that grows with
/// evidence, and a prefix that one picture redefines would be read wrongly in the next. The parser starts
/// itself again when needed.
struct ForgetNamespaces {
  ForgetNamespaces() = default;
  ForgetNamespaces(const ForgetNamespaces&) = delete;
  ForgetNamespaces& operator=(const ForgetNamespaces&) = delete;
  ~ForgetNamespaces() { Exiv2::XmpParser::terminate(); }
};

}  // namespace

void prepare_metadata() {
  Exiv2::LogMsg::setHandler(nullptr);
  Exiv2::XmpParser::initialize();
#ifdef EXV_ENABLE_BMFF
  Exiv2::enableBMFF(true);
#endif
  // A whole picture with Exif and XMP is written and read once, so that tables and toolkits are loaded.
  auto blank = Exiv2::ImageFactory::create(Exiv2::ImageType::jpeg);
  blank->exifData()["Exif.Photo.DateTimeOriginal"] = "2000:01:01 00:00:00";
  blank->xmpData()["Xmp.dc.format"] = "image/jpeg";
  blank->writeMetadata();
  blank->readMetadata();
}

PictureMetadata read_metadata(std::span<const std::uint8_t> picture) {
  PictureMetadata result;
  const ForgetNamespaces at_the_end;  // after `image` is gone
  std::unique_ptr<Exiv2::Image> image;
  try {
    image.reset(Exiv2::ImageFactory::open(picture.data(), static_cast<long>(picture.size())).release());
  } catch (const Exiv2::AnyError&) {
    return result;  // not a kind of picture that Exiv2 knows
  }
  try {
    image->readMetadata();
  } catch (const std::bad_alloc&) {
    throw;
  } catch (const std::exception& e) {
    result.damage = clean(e.what());
  }
  try {
    const auto& exif = image->exifData();
    read_time(exif, result);
    read_place(exif, result);
    result.camera = camera_of(text_of(exif, "Image", 0x010F), text_of(exif, "Image", 0x0110));
    read_xmp(image->xmpData(), result);
  } catch (const Exiv2::AnyError& e) {
    result.damage = clean(e.what());
  }
  return result;
}

}  // namespace touchstone
