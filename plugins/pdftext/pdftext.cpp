// pdftext: the words of PDF documents as their text facet, by Poppler, page by page in reading order. Nothing
// is rendered, no script runs and no file is opened.
#include <fmt/format.h>
#include <poppler-document.h>
#include <poppler-global.h>
#include <poppler-page.h>

#include <algorithm>
#include <memory>
#include <string>
#include <touchstone/plugin.hpp>
#include <vector>

namespace touchstone::pdftext {
namespace {

constexpr const char* kTypes[] = {"application/pdf", nullptr};
constexpr std::uint64_t kMaxBytes = 256ULL << 20U, kMaxText = 256ULL << 20U;
constexpr int kMaxPages = 20'000;

/// One empty page, to make Poppler read its own tables before the sandbox closes.
constexpr std::string_view kSmallest =
    "%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj\n"
    "3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 9 9]>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n";

std::string utf8(const poppler::ustring& text) {
  const poppler::byte_array bytes = text.to_utf8();
  return {bytes.begin(), bytes.end()};
}

std::unique_ptr<poppler::document> open(std::string_view bytes) {
  return std::unique_ptr<poppler::document>(
      poppler::document::load_from_raw_data(bytes.data(), static_cast<int>(bytes.size())));
}

class PdfText final : public Plugin {
 public:
  static constexpr Manifest kManifest{.name = "pdftext",
                                      .version = "1.0",
                                      .summary = "The words of PDF documents",
                                      .licence = "GPL-3.0-or-later",
                                      .roles = TS_ROLE_PROVIDER,
                                      .scope = TS_SCOPE_CONTENT,
                                      .provides = TS_FACET_TEXT,
                                      .media_types = kTypes,
                                      .min_size = 32};

  explicit PdfText(Setup&) {
    poppler::set_debug_error_function([](const std::string&, void*) {}, nullptr);
    if (const auto document = open(kSmallest))
      if (const std::unique_ptr<poppler::page> page(document->create_page(0)); page) page->text();
  }

  ts_status provide(Job& job, ts_facet facet) override {
    if (facet != TS_FACET_TEXT) return TS_UNSUPPORTED;
    if (job.size() > kMaxBytes) {
      job.fail("the PDF is larger than 256 MiB: its words are not searched");
      return TS_LIMIT;
    }
    std::string bytes(static_cast<std::size_t>(job.size()), '\0');
    const auto got = job.read_at(0, {reinterpret_cast<std::uint8_t*>(bytes.data()), bytes.size()});
    bytes.resize(static_cast<std::size_t>(std::max<std::int64_t>(got, 0)));
    const auto document = open(bytes);
    if (!document) return TS_UNSUPPORTED;  // the plugin that looks for its pictures says what is wrong
    if (document->is_locked()) {
      job.fail("the PDF is encrypted: its words can't be searched without its password");
      return TS_ENCRYPTED;
    }
    for (const auto& words : {document->get_title(), document->get_author(), document->get_subject(),
                              document->get_keywords(), document->get_creator()})
      if (!words.empty()) job.emit_text(utf8(words) + "\n");
    read_pages(job, *document);
    return TS_OK;
  }

 private:
  static void read_pages(Job& job, const poppler::document& document) {
    const int pages = document.pages();
    std::uint64_t given = 0;
    int unread = 0;
    for (int i = 0; i < pages && !job.cancelled(); ++i) {
      if (i == kMaxPages || given > kMaxText) {
        job.emit_problem("limit", fmt::format("the words of {} of {} pages of the PDF are not searched",
                                              pages - i, pages));
        break;
      }
      const std::unique_ptr<poppler::page> page(document.create_page(i));
      if (!page) {
        ++unread;
        continue;
      }
      std::string words = utf8(page->text(poppler::rectf(), poppler::page::non_raw_non_physical_layout));
      words += '\n';
      given += words.size();
      job.emit_text(words);
    }
    if (unread > 0)
      job.emit_problem("corrupt", fmt::format("{} of {} pages of the PDF could not be read", unread, pages));
  }
};

}  // namespace
}  // namespace touchstone::pdftext

TOUCHSTONE_PLUGIN(touchstone::pdftext::PdfText)
