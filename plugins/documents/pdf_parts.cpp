#include "pdf_parts.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <qpdf/Buffer.hh>
#include <qpdf/Pipeline.hh>
#include <set>
#include <stdexcept>

namespace touchstone::documents {
namespace {

/// Collects what a stream gives, and stops it at a bound: a few bytes may unpack to gigabytes.
class Collector final : public Pipeline {
 public:
  Collector() : Pipeline("collector", nullptr) {}
  void write(const unsigned char* data, std::size_t size) override {
    if (out.size() + size > kMaxDecoded) throw std::length_error("a stream unpacks to more than 256 MiB");
    out.append(reinterpret_cast<const char*>(data), size);
  }
  void finish() override {}
  std::string out;
};

std::string name_of(QPDFObjectHandle object) {
  return object.isName() ? object.getName() : std::string();
}

/// Names of the filters, outermost first.
std::vector<std::string> filters_of(QPDFObjectHandle dictionary) {
  std::vector<std::string> names;
  QPDFObjectHandle filter = dictionary.getKey("/Filter");
  if (filter.isName()) names.push_back(filter.getName());
  if (filter.isArray()) {
    for (int i = 0; i < std::min(filter.getArrayNItems(), 16); ++i)
      names.push_back(name_of(filter.getArrayItem(i)));
  }
  return names;
}

std::string collect(QPDFObjectHandle stream, qpdf_stream_decode_level_e level, bool& is_decoded) {
  Collector collector;
  bool filtered = false;
  is_decoded = stream.pipeStreamData(&collector, &filtered, 0, level, true, false) &&
               (filtered || level == qpdf_dl_none);
  return std::move(collector.out);
}

/// Colours of the pixels; false for those that a PNG does not have.
bool read_colours(QPDFObjectHandle space, PixelForm& form, int depth = 0) {
  if (depth > 4) return false;
  if (space.isName()) {
    const std::string name = space.getName();
    form.channels = name == "/DeviceRGB" || name == "/CalRGB" || name == "/RGB" ? 3 : 1;
    return form.channels == 3 || name == "/DeviceGray" || name == "/CalGray" || name == "/G";
  }
  if (!space.isArray() || space.getArrayNItems() < 2) return false;
  const std::string name = name_of(space.getArrayItem(0));
  if (name == "/CalRGB" || name == "/CalGray") return read_colours(space.getArrayItem(0), form, depth + 1);
  if (name == "/ICCBased" && space.getArrayItem(1).isStream()) {
    QPDFObjectHandle count = space.getArrayItem(1).getDict().getKey("/N");
    if (!count.isInteger()) return false;
    form.channels = count.getIntValueAsInt() == 3 ? 3 : 1;
    return count.getIntValueAsInt() == 3 || count.getIntValueAsInt() == 1;
  }
  if (name != "/Indexed" || space.getArrayNItems() < 4) return false;
  PixelForm base;
  if (!read_colours(space.getArrayItem(1), base, depth + 1) || !base.palette.empty()) return false;
  QPDFObjectHandle table = space.getArrayItem(3);
  std::string colours;
  bool is_decoded = true;
  if (table.isString()) colours = table.getStringValue();
  if (table.isStream()) colours = collect(table, qpdf_dl_specialized, is_decoded);
  if (base.channels == 1) {
    for (const char grey : colours.substr(0, 256)) form.palette.append(3, grey);
  } else {
    form.palette = colours.substr(0, 768);
  }
  form.channels = 1;
  return is_decoded && form.palette.size() >= 3 && form.bits <= 8;
}

std::optional<PixelForm> pixel_form(QPDFObjectHandle dictionary) {
  const auto number = [&](const char* key) {
    QPDFObjectHandle value = dictionary.getKey(key);
    return value.isInteger() ? value.getIntValue() : 0;
  };
  const long long width = number("/Width"), height = number("/Height");
  if (width <= 0 || height <= 0 || width > 1'000'000 || height > 1'000'000 ||
      static_cast<std::uint64_t>(width * height) > kMaxPixels)
    return std::nullopt;
  PixelForm form;
  form.width = static_cast<std::uint32_t>(width);
  form.height = static_cast<std::uint32_t>(height);
  QPDFObjectHandle mask = dictionary.getKey("/ImageMask");
  const bool is_mask = mask.isBool() && mask.getBoolValue();
  const long long bits = is_mask ? 1 : number("/BitsPerComponent");
  if (bits != 1 && bits != 2 && bits != 4 && bits != 8 && bits != 16) return std::nullopt;
  form.bits = static_cast<unsigned>(bits);
  if (!is_mask && !read_colours(dictionary.getKey("/ColorSpace"), form)) return std::nullopt;
  // PNG has RGB of whole bytes alone.
  if (form.channels == 3 && form.bits < 8) return std::nullopt;
  return form;
}

class Finder {
 public:
  explicit Finder(QPDF& pdf) : pdf_(pdf) {}

  PdfContents run() {
    std::vector<QPDFObjectHandle> all = pdf_.getAllObjects();
    for (QPDFObjectHandle& object : all) {
      if (found_.parts.size() >= kMaxParts) {
        found_.is_cut = true;
        break;
      }
      if (object.isStream()) {
        picture(object);
      } else if (object.isDictionary()) {
        file(object);
        // A file may be named in place, without an object of its own.
        if (QPDFObjectHandle inner = object.getKey("/FS"); inner.isDictionary() && !inner.isIndirect())
          file(inner);
        name_tree(object.getKey("/Names"));
      } else if (object.isArray()) {
        name_tree(object);
      }
    }
    for (const std::string& name : forms_)
      found_.unread_forms += (found_.unread_forms.empty() ? "" : ", ") + name;
    return std::move(found_);
  }

 private:
  void picture(QPDFObjectHandle stream) {
    QPDFObjectHandle dictionary = stream.getDict();
    if (name_of(dictionary.getKey("/Subtype")) != "/Image") return;
    const auto filters = filters_of(dictionary);
    const std::string last = filters.empty() ? std::string() : filters.back();
    PdfPart part;
    part.stream = stream;
    part.path = fmt::format("image-{}", stream.getObjectID());
    if (last == "/DCTDecode" || last == "/DCT") {
      part.kind = PdfPart::Kind::jpeg;
      part.path += ".jpg";
    } else if (last == "/JPXDecode") {
      part.kind = PdfPart::Kind::jpeg2000;
      part.path += ".jp2";
    } else {
      const auto form = pixel_form(dictionary);
      const bool packed = last == "/CCITTFaxDecode" || last == "/CCF" || last == "/JBIG2Decode";
      if (packed || !form) {
        ++found_.unread_pictures;
        forms_.insert(packed ? last.substr(1) : "colours or size");
        return;
      }
      part.kind = PdfPart::Kind::pixels;
      part.form = *form;
      part.path += ".png";
    }
    found_.parts.push_back(std::move(part));
  }

  void name_tree(QPDFObjectHandle names) {
    if (!names.isArray()) return;
    for (int i = 0; i < std::min(names.getArrayNItems(), 10'000); ++i) {
      if (QPDFObjectHandle each = names.getArrayItem(i); each.isDictionary() && !each.isIndirect())
        file(each);
    }
  }

  void file(QPDFObjectHandle specification) {
    QPDFObjectHandle embedded = specification.getKey("/EF");
    if (!embedded.isDictionary()) return;
    for (const char* key : {"/UF", "/F", "/Unix", "/DOS", "/Mac"}) {
      QPDFObjectHandle stream = embedded.getKey(key);
      if (!stream.isStream() || !files_.insert(stream.getObjGen()).second) continue;
      std::string name;
      for (const char* name_key : {"/UF", "/F", "/Unix", "/DOS", "/Mac"}) {
        QPDFObjectHandle text = specification.getKey(name_key);
        if (name.empty() && text.isString()) name = text.getUTF8Value();
      }
      std::replace(name.begin(), name.end(), '/', '_');
      std::replace(name.begin(), name.end(), '\\', '_');
      if (name.empty() || name.size() > 1000) name = "file";
      PdfPart part;
      part.stream = stream;
      part.path = fmt::format("files/{}", name);
      if (!names_.insert(part.path).second)
        part.path = fmt::format("files/{}/{}", stream.getObjectID(), name);
      found_.parts.push_back(std::move(part));
    }
  }

  QPDF& pdf_;
  PdfContents found_;
  std::set<std::string> names_, forms_;
  std::set<QPDFObjGen> files_;
};

/// The picture file as it stands in the document. Filters before its own are taken off: with all of them qpdf
/// would give pixels, so they are put on a stream of their own.
std::optional<std::string> packed_picture(QPDFObjectHandle stream) {
  bool is_decoded = false;
  std::string out = collect(stream, qpdf_dl_none, is_decoded);
  const auto filters = filters_of(stream.getDict());
  if (!is_decoded || filters.size() <= 1) return is_decoded ? std::optional(std::move(out)) : std::nullopt;
  QPDF* const owner = stream.getOwningQPDF();
  if (owner == nullptr) return std::nullopt;
  QPDFObjectHandle outer = QPDFObjectHandle::newStream(owner, out), names = QPDFObjectHandle::newArray();
  for (std::size_t i = 0; i + 1 < filters.size(); ++i)
    names.appendItem(QPDFObjectHandle::newName(filters[i]));
  outer.getDict().replaceKey("/Filter", names);
  out = collect(outer, qpdf_dl_specialized, is_decoded);
  return is_decoded ? std::optional(std::move(out)) : std::nullopt;
}

}  // namespace

PdfContents find_parts(QPDF& pdf) {
  return Finder(pdf).run();
}

std::optional<std::string> bytes_of(const PdfPart& part) {
  bool is_decoded = false;
  QPDFObjectHandle stream = part.stream;
  if (part.kind == PdfPart::Kind::jpeg || part.kind == PdfPart::Kind::jpeg2000) {
    return packed_picture(stream);
  }
  const bool plain = filters_of(stream.getDict()).empty();
  std::string out = collect(stream, plain ? qpdf_dl_none : qpdf_dl_specialized, is_decoded);
  if (!is_decoded) return std::nullopt;
  if (part.kind == PdfPart::Kind::file) return out;
  return write_png(part.form, out);
}

}  // namespace touchstone::documents
