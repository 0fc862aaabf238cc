// Members of archives as items. Zip files, with all that is a zip inside (Office documents, jar, apk), are
// read by their directory with libzip, so that a group of members costs only its own bytes; everything else
// by libarchive. Compound files (OLE 2) are read by a reader of our own. Limits are in limits.hpp. Nothing is
// ever written, started or followed.
#include <algorithm>
#include <array>
#include <clocale>
#include <memory>
#include <string>
#include <string_view>
#include <touchstone/plugin.hpp>

#include "ole_container.hpp"
#include "picture_caches.hpp"
#include "stream_container.hpp"
#include "zip_container.hpp"

namespace {

using touchstone::archives::OleContainer;
using touchstone::archives::StreamContainer;
using touchstone::archives::ZipContainer;

// As libmagic names them.
constexpr const char* kTypes[] = {
    "application/zip", "application/x-zip*", "application/java-archive", "application/vnd.openxmlformats*",
    "application/vnd.oasis.opendocument*", "application/vnd.android.package-archive", "application/epub+zip",
    "application/x-tar", "application/x-ustar", "application/x-gtar", "application/gzip",
    "application/x-gzip", "application/x-bzip2", "application/x-xz", "application/x-lzma",
    "application/x-lzip", "application/lzip", "application/x-lz4", "application/zstd", "application/x-zstd",
    "application/x-compress", "application/x-7z-compressed", "application/x-rar",
    "application/x-rar-compressed", "application/vnd.rar", "application/vnd.ms-cab-compressed",
    "application/x-lha", "application/x-lzh-compressed", "application/x-cpio", "application/x-archive",
    "application/x-xar", "application/vnd.debian.binary-package",
    // Outlook's messages are the business of the plugin for mail.
    "application/x-ole-storage", "application/CDFV2*", "application/encrypted", "application/msword",
    "application/vnd.ms-excel", "application/vnd.ms-powerpoint", "application/vnd.ms-office",
    "application/vnd.ms-works", "application/vnd.visio", "application/x-msi", "application/octet-stream",
    nullptr};

/// libarchive makes names of UTF-16 by the thread's locale; in "C" each letter beyond ASCII would become "?".
class Utf8Locale {
 public:
  Utf8Locale() : locale_(newlocale(LC_CTYPE_MASK, "C.UTF-8", nullptr)) {
    if (!locale_) throw std::runtime_error("the locale C.UTF-8 is missing");
  }
  ~Utf8Locale() { freelocale(locale_); }
  Utf8Locale(const Utf8Locale&) = delete;
  Utf8Locale& operator=(const Utf8Locale&) = delete;

  class Use {
   public:
    explicit Use(const Utf8Locale& locale) : before_(uselocale(locale.locale_)) {}
    ~Use() { uselocale(before_); }
    Use(const Use&) = delete;
    Use& operator=(const Use&) = delete;

   private:
    locale_t before_;
  };

 private:
  locale_t locale_;
};

class Archives final : public touchstone::Plugin {
 public:
  static constexpr touchstone::Manifest kManifest{
      .name = "archives",
      .version = "1.1",
      .summary = "Lists and unpacks the members of archives and packed files",
      .licence = "Apache-2.0",
      .roles = TS_ROLE_EXTRACTOR,
      .scope = TS_SCOPE_CONTENT,
      .inputs = TS_INPUT_MEMBERS,
      .media_types = kTypes,
      .min_size = 1};

  explicit Archives(touchstone::Setup&) {}

  ts_status list(touchstone::Job& job) override {
    if (OleContainer::is_ole(job)) return OleContainer(job).list();
    if (touchstone::archives::is_picture_cache(job))
      return list_pictures(job, touchstone::archives::read_picture_cache(job));
    const Utf8Locale::Use use(locale_);
    std::string why;
    const bool zip = is_zip(job);
    if (!zip && is_unknown(job)) return TS_OK;
    if (zip) {
      if (auto container = ZipContainer::open(job, why)) return container->list();
      if (!why.empty()) {
        job.emit_problem("corrupt", "the directory of the zip cannot be read (" + why +
                                        "): members are those that stand in the file");
      }
    }
    return StreamContainer(job, zip).list();
  }

  ts_status extract(touchstone::Job& job, std::uint32_t first, std::uint32_t count) override {
    if (OleContainer::is_ole(job)) return OleContainer(job).extract(first, count);
    if (touchstone::archives::is_picture_cache(job))
      return extract_pictures(job, touchstone::archives::read_picture_cache(job), first, count);
    const Utf8Locale::Use use(locale_);
    std::string why;
    const bool zip = is_zip(job);
    if (!zip && is_unknown(job)) return TS_OK;
    if (zip) {
      if (auto container = ZipContainer::open(job, why)) return container->extract(first, count);
    }
    return extract_stream(job, zip, first, count);
  }

 private:
  /// Groups of one container mostly come in their order: a stream that was unpacked up to the last one is
  /// kept, since starting anew for each would cost the square of its size.
  ts_status extract_stream(touchstone::Job& job, bool zip, std::uint32_t first, std::uint32_t count) {
    const std::string digest(job.digest("sha256"));
    const bool same = stream_ && !digest.empty() && digest == stream_digest_ && stream_->can_resume(first);
    auto stream = std::move(stream_);
    if (!same) stream = std::make_unique<StreamContainer>(job, zip);
    const ts_status status = same ? stream->resume(job, first, count) : stream->extract(first, count);
    if (!digest.empty() && stream->can_resume(UINT32_MAX)) {
      stream_ = std::move(stream);
      stream_digest_ = digest;
    }
    return status;
  }

  static std::string head_of(const touchstone::Job& job) {
    std::uint8_t head[8] = {};
    const auto got = job.read_at(0, head);
    return {reinterpret_cast<const char*>(head), static_cast<std::size_t>(std::max<std::int64_t>(got, 0))};
  }

  static bool is_zip(const touchstone::Job& job) {
    const std::string head = head_of(job);
    const std::string_view type = job.media_type();
    return head.starts_with("PK\3\4") || head.starts_with("PK\5\6") || head.starts_with("PK\7\x08") ||
           type == "application/zip" || type.ends_with("+zip");
  }

  /// libmagic has no name for it, and it has none of the signatures either: of each of a million such files
  /// no more than its first bytes are looked at.
  static bool is_unknown(const touchstone::Job& job) {
    using namespace std::string_view_literals;
    if (job.media_type() != "application/octet-stream") return false;
    const std::string head = head_of(job);
    static constexpr std::array kSignatures = {"\x1F\x8B\x08"sv,
                                               "BZh"sv,
                                               "\xFD"
                                               "7zXZ"sv,
                                               "\x28\xB5\x2F\xFD"sv,
                                               "7z\xBC\xAF\x27\x1C"sv,
                                               "Rar!\x1A\x07"sv,
                                               "MSCF\0\0\0\0"sv,
                                               "\x04\x22\x4D\x18"sv,
                                               "LZIP"sv,
                                               "xar!"sv,
                                               "!<arch>\n"sv,
                                               "0707"sv};
    return std::none_of(kSignatures.begin(), kSignatures.end(),
                        [&](auto signature) { return head.starts_with(signature); });
  }

  Utf8Locale locale_;
  std::unique_ptr<StreamContainer> stream_;
  std::string stream_digest_;
};

}  // namespace

TOUCHSTONE_PLUGIN(Archives)
