// officetext: the words of Word, Excel, PowerPoint (since 2007) and OpenDocument files as their text facet,
// so that what a person reads there is found, though the XML keeps it in pieces.
#include <fmt/format.h>
#include <zip.h>

#include <algorithm>
#include <memory>
#include <string>
#include <touchstone/plugin.hpp>
#include <vector>

#include "office_parts.hpp"
#include "xml_text.hpp"

namespace touchstone::officetext {
namespace {

/// What libmagic calls such files, the last where it does not look far enough.
constexpr const char* kTypes[] = {"application/vnd.openxmlformats-officedocument*",
                                  "application/vnd.oasis.opendocument*",
                                  "application/vnd.ms-word*",
                                  "application/vnd.ms-excel.*",
                                  "application/vnd.ms-powerpoint.*",
                                  "application/zip",
                                  nullptr};

constexpr std::uint64_t kMaxBytes = 256ULL << 20U, kMaxUnpacked = 512ULL << 20U;
constexpr std::size_t kMaxNames = 100'000, kPiece = 65536;

struct Discard {
  void operator()(zip_t* zip) const { zip_discard(zip); }
  void operator()(zip_file_t* file) const { zip_fclose(file); }
};
using Zip = std::unique_ptr<zip_t, Discard>;
using ZipFile = std::unique_ptr<zip_file_t, Discard>;

/// Whether a zip file may be an office document, by the name of its first entry: other archives are not read.
bool starts_as_document(Job& job) {
  std::vector<std::uint8_t> head(64);
  const auto got = job.read_at(0, head);
  if (got < 40 || head[0] != 'P' || head[1] != 'K') return false;
  const std::string name(head.begin() + 30, head.begin() + got);
  for (const char* first : {"[Content", "mimetype", "_rels/", "docProps/", "word/", "xl/", "ppt/",
                            "content.xml", "META-INF/manifest", "customXml/"})
    if (name.starts_with(first)) return true;
  return false;
}

class OfficeText final : public Plugin {
 public:
  static constexpr Manifest kManifest{.name = "officetext",
                                      .version = "1.0",
                                      .summary = "The words of office documents",
                                      .licence = "Apache-2.0",
                                      .roles = TS_ROLE_PROVIDER,
                                      .scope = TS_SCOPE_CONTENT,
                                      .provides = TS_FACET_TEXT,
                                      .media_types = kTypes,
                                      .min_size = 64};

  explicit OfficeText(Setup&) {}

  ts_status provide(Job& job, ts_facet facet) override {
    if (facet != TS_FACET_TEXT || !starts_as_document(job)) return TS_UNSUPPORTED;
    if (job.size() > kMaxBytes) {
      job.fail("the document is larger than 256 MiB: its words are not searched");
      return TS_LIMIT;
    }
    std::vector<std::uint8_t> bytes(static_cast<std::size_t>(job.size()));
    const auto got = job.read_at(0, bytes);
    bytes.resize(static_cast<std::size_t>(std::max<std::int64_t>(got, 0)));
    const Zip zip = open(bytes);
    if (!zip) return TS_UNSUPPORTED;  // the plugin that unpacks it says what is wrong
    const std::vector<Part> parts = parts_with_words(names_of(zip.get()));
    if (parts.empty()) return TS_UNSUPPORTED;
    read_parts(job, zip.get(), parts);
    return TS_OK;
  }

 private:
  static Zip open(const std::vector<std::uint8_t>& bytes) {
    zip_source_t* source = zip_source_buffer_create(bytes.data(), bytes.size(), 0, nullptr);
    if (!source) return nullptr;
    Zip zip(zip_open_from_source(source, ZIP_RDONLY, nullptr));
    if (!zip) zip_source_free(source);
    return zip;
  }

  static std::vector<std::string> names_of(zip_t* zip) {
    const auto count = static_cast<std::size_t>(std::max<zip_int64_t>(zip_get_num_entries(zip, 0), 0));
    std::vector<std::string> names;
    names.reserve(std::min(count, kMaxNames));
    for (std::size_t i = 0; i < count && i < kMaxNames; ++i) {
      const char* name = zip_get_name(zip, i, ZIP_FL_ENC_RAW);
      names.emplace_back(name ? name : "");
    }
    return names;
  }

  static void read_parts(Job& job, zip_t* zip, const std::vector<Part>& parts) {
    std::uint64_t unpacked = 0, unread = 0;
    std::string piece(kPiece, '\0');
    for (const Part& part : parts) {
      if (job.cancelled()) return;
      const ZipFile file(zip_fopen_index(zip, part.index, 0));
      XmlText text(part.kind, [&](std::string_view words) { job.emit_text(words); });
      zip_int64_t got = file ? 0 : -1;
      while (file && (got = zip_fread(file.get(), piece.data(), piece.size())) > 0) {
        unpacked += static_cast<std::uint64_t>(got);
        if (unpacked > kMaxUnpacked) {
          text.finish();
          job.emit_problem("limit",
                           "the document unpacks to more than 512 MiB: the words behind that are not "
                           "searched");
          return;
        }
        text.push({piece.data(), static_cast<std::size_t>(got)});
      }
      text.finish();
      job.emit_text("\n");
      if (got < 0) ++unread;
    }
    if (unread > 0)
      job.emit_problem(
          "corrupt",
          fmt::format("{} parts of the document could not be read to their end: their words are not "
                      "all searched",
                      unread));
  }
};

}  // namespace
}  // namespace touchstone::officetext

TOUCHSTONE_PLUGIN(touchstone::officetext::OfficeText)
