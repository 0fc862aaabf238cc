// Manifest.mbdb: records one behind the other, no index. The name of a file's bytes is the SHA-1 of domain,
// "-" and path.
#include <fmt/format.h>
#include <sys/stat.h>

#include <span>

#include "evidence/digest.hpp"
#include "filesystem/trees/backup_crypto.hpp"
#include "filesystem/trees/itunes_manifest.hpp"

namespace touchstone {
namespace {

constexpr std::string_view kMagic{"mbdb\x05\x00", 6};
constexpr std::uint16_t kNone = 0xffff;  // of a string that is not there

/// Reads forward; once something runs out of the bytes, all is empty and ok() false.
class Reader {
 public:
  Reader(std::span<const std::byte> bytes, std::uint64_t at) : bytes_(bytes), at_(at) {}
  bool ok() const { return ok_; }
  std::uint64_t at() const { return at_; }

  std::uint64_t number(std::size_t size) {
    std::uint64_t value = 0;
    for (const std::byte each : take(size)) value = value << 8U | std::to_integer<std::uint64_t>(each);
    return value;
  }
  std::string_view text() {
    const auto size = static_cast<std::uint16_t>(number(2));
    if (!ok_ || size == kNone) return {};
    const auto bytes = take(size);
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
  }

 private:
  std::span<const std::byte> take(std::size_t size) {
    if (!ok_ || at_ > bytes_.size() || size > bytes_.size() - at_) {
      ok_ = false;
      return {};
    }
    const auto found = bytes_.subspan(static_cast<std::size_t>(at_), size);
    at_ += size;
    return found;
  }
  std::span<const std::byte> bytes_;
  std::uint64_t at_;
  bool ok_ = true;
};

BackupKind kind_of(std::uint32_t mode) {
  if (S_ISREG(mode)) return BackupKind::file;
  if (S_ISDIR(mode)) return BackupKind::directory;
  return S_ISLNK(mode) ? BackupKind::link : BackupKind::unknown;
}

std::optional<TimeUs> time_of(std::uint64_t seconds) {
  if (seconds == 0) return std::nullopt;
  return static_cast<TimeUs>(seconds) * 1'000'000;
}

class ManifestMbdb final : public BackupManifest {
 public:
  explicit ManifestMbdb(std::vector<std::byte> bytes) : bytes_(std::move(bytes)) {}

  Status for_each(const std::function<bool(const Row&)>& sink, std::vector<Problem>& problems) override {
    std::uint64_t at = kMagic.size(), count = 0;
    while (at < bytes_.size()) {
      BackupFile file;
      const std::uint64_t next = parse(at, file);
      if (next == 0) {
        Problem problem;
        problem.plugin = "filesystem";
        problem.kind = ProblemKind::corrupt;
        problem.message = fmt::format(
            "Manifest.mbdb: damaged at byte {}, after {} records; files that are named "
            "behind it are listed without their names",
            at, count);
        problems.push_back(std::move(problem));
        break;
      }
      Row row;
      row.place = at;
      row.domain = file.domain;
      row.path = file.path;
      row.id = file.id;
      row.kind = file.kind;
      if (!sink(row)) break;
      at = next;
      ++count;
    }
    return {};
  }

  Result<BackupFile> read(std::uint64_t place) override {
    BackupFile file;
    if (place < kMagic.size() || parse(place, file) == 0)
      return Error{ErrorCode::not_found, "the manifest has no such record"};
    return file;
  }

 private:
  /// Where the next record begins; 0: there is none at `at`.
  std::uint64_t parse(std::uint64_t at, BackupFile& file) {
    Reader reader(bytes_, at);
    file.domain = reader.text();
    file.path = reader.text();
    file.link_target = reader.text();
    (void)reader.text();  // a digest of the bytes, of a kind that differs between versions
    const auto key = as_byte_span(reader.text());
    file.key.assign(key.begin(), key.end());
    file.mode = static_cast<std::uint32_t>(reader.number(2));
    file.inode = reader.number(8);
    file.uid = static_cast<std::uint32_t>(reader.number(4));
    file.gid = static_cast<std::uint32_t>(reader.number(4));
    file.times.modified = time_of(reader.number(4));
    file.times.accessed = time_of(reader.number(4));
    file.times.created = time_of(reader.number(4));
    file.size = reader.number(8);
    file.protection_class = static_cast<std::uint32_t>(reader.number(1));
    const std::uint64_t properties = reader.number(1);
    for (std::uint64_t i = 0; i < properties * 2; ++i) (void)reader.text();
    if (!reader.ok()) return 0;
    file.kind = kind_of(*file.mode);
    if (file.kind == BackupKind::file) {
      hasher_.update(as_byte_span(file.domain + '-' + file.path));
      file.id = hasher_.finish().sha1;
    }
    return reader.at();
  }

  std::vector<std::byte> bytes_;
  Hasher hasher_;
};

}  // namespace

Result<std::unique_ptr<BackupManifest>> open_manifest_mbdb(std::vector<std::byte> bytes) {
  if (bytes.size() > kMaxManifest)
    return Error{ErrorCode::limit,
                 fmt::format("Manifest.mbdb has {} bytes, more than {}", bytes.size(), kMaxManifest)};
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  if (!text.starts_with(kMagic)) return Error{ErrorCode::corrupt, "Manifest.mbdb does not begin as one"};
  return std::unique_ptr<BackupManifest>(std::make_unique<ManifestMbdb>(std::move(bytes)));
}

}  // namespace touchstone
