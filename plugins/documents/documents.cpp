// documents: pictures and embedded files of PDF documents as members, by qpdf. Pictures come as the files
// that they are (JPEG, JPEG 2000), or their pixels as PNG.
#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <qpdf/QPDFExc.hh>
#include <string>
#include <touchstone/plugin.hpp>

#include "pdf_parts.hpp"

namespace touchstone::documents {
namespace {

constexpr const char* kTypes[] = {"application/pdf", nullptr};
constexpr std::uint64_t kMaxBytes = 256ULL << 20U;

struct Document {
  std::string bytes;  // outlives `pdf`, which reads from it
  std::unique_ptr<QPDF> pdf;
};

struct Piece {
  std::string_view bytes;
  static std::int64_t pull(void* context, std::uint8_t* out, std::size_t capacity) {
    auto& rest = static_cast<Piece*>(context)->bytes;
    const std::size_t count = std::min(capacity, rest.size());
    std::copy_n(rest.data(), count, reinterpret_cast<char*>(out));
    rest.remove_prefix(count);
    return static_cast<std::int64_t>(count);
  }
};

class Documents final : public Plugin {
 public:
  static constexpr Manifest kManifest{.name = "documents",
                                      .version = "1.0",
                                      .summary = "Pictures and files inside PDF documents as members",
                                      .licence = "Apache-2.0",
                                      .roles = TS_ROLE_EXTRACTOR,
                                      .scope = TS_SCOPE_CONTENT,
                                      .inputs = TS_INPUT_MEMBERS,
                                      .media_types = kTypes,
                                      .min_size = 32};

  explicit Documents(Setup&) {}

  ts_status list(Job& job) override {
    Document document;
    const ts_status status = open(job, document);
    if (status != TS_OK) return status;
    try {
      list_parts(job, *document.pdf);
    } catch (const QPDFExc& error) {
      job.emit_problem("corrupt", fmt::format("the PDF is read no further: {}", error.getMessageDetail()));
    }
    return TS_OK;
  }

  ts_status extract(Job& job, std::uint32_t first, std::uint32_t count) override {
    Document document;
    const ts_status status = open(job, document);
    if (status != TS_OK) return status;
    const PdfContents contents = find_parts(*document.pdf);
    for (std::uint32_t i = first; i < contents.parts.size() && i - first < count && !job.cancelled(); ++i) {
      const auto bytes = part_bytes(contents.parts[i]);
      if (!bytes) continue;
      Piece piece{*bytes};
      if (!job.emit_member_data(i, Piece::pull, &piece)) break;
    }
    return TS_OK;
  }

 private:
  static ts_status open(Job& job, Document& document) {
    if (job.size() > kMaxBytes) {
      job.fail("the PDF is larger than 256 MiB: its pictures and files are not read");
      return TS_LIMIT;
    }
    document.bytes.resize(static_cast<std::size_t>(job.size()));
    const auto got =
        job.read_at(0, {reinterpret_cast<std::uint8_t*>(document.bytes.data()), document.bytes.size()});
    document.bytes.resize(static_cast<std::size_t>(std::max<std::int64_t>(got, 0)));
    document.pdf = std::make_unique<QPDF>();
    document.pdf->setSuppressWarnings(true);
    try {
      document.pdf->processMemoryFile("document", document.bytes.data(), document.bytes.size());
    } catch (const QPDFExc& error) {
      const bool encrypted = error.getErrorCode() == qpdf_e_password;
      job.fail(
          encrypted
              ? std::string("the PDF is encrypted: its pictures and files can't be read without its password")
              : fmt::format("the PDF cannot be read: {}", error.getMessageDetail()));
      return encrypted ? TS_ENCRYPTED : TS_CORRUPT;
    }
    return TS_OK;
  }

  static void list_parts(Job& job, QPDF& pdf) {
    const PdfContents contents = find_parts(pdf);
    std::uint64_t damaged = 0;
    for (std::uint32_t i = 0; i < contents.parts.size() && !job.cancelled(); ++i) {
      const auto bytes = part_bytes(contents.parts[i]);
      if (!bytes) {
        ++damaged;
        continue;
      }
      ts_member member{};
      member.struct_size = sizeof(ts_member);
      member.ordinal = i;
      member.path = to_abi(contents.parts[i].path);
      member.size = bytes->size();
      if (!job.emit_member(member)) break;
    }
    const auto say = [&](std::string_view kind, const std::string& text) { job.emit_problem(kind, text); };
    if (damaged > 0)
      say("corrupt", fmt::format("{} pictures or files of the PDF cannot be decoded", damaged));
    if (contents.unread_pictures > 0) {
      say("unsupported", fmt::format("{} pictures of the PDF are not given ({})", contents.unread_pictures,
                                     contents.unread_forms));
    }
    if (contents.is_cut) say("limit", fmt::format("the PDF has more than {} pictures and files", kMaxParts));
    if (pdf.anyWarnings())
      say("corrupt", "the PDF is damaged or not well formed: it was read as far as it could be repaired");
  }

  /// What cannot be decoded, or unpacks to too much, is no member; the list counts it.
  static std::optional<std::string> part_bytes(const PdfPart& part) {
    try {
      return bytes_of(part);
    } catch (const std::bad_alloc&) {
      throw;
    } catch (const std::exception&) {
      return std::nullopt;
    }
  }
};

}  // namespace
}  // namespace touchstone::documents

TOUCHSTONE_PLUGIN(touchstone::documents::Documents)
