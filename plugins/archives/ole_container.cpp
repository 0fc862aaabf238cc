#include "ole_container.hpp"

#include <algorithm>
#include <array>
#include <cstring>

#include "limits.hpp"

namespace touchstone::archives {
namespace {

constexpr std::size_t kMaxPictures = 100'000;
constexpr std::uint64_t kMaxCatalog = 16ULL << 20U;

std::string_view last_part(std::string_view path) {
  const auto slash = path.rfind('/');
  return slash == std::string_view::npos ? path : path.substr(slash + 1);
}

bool holds_drawings(std::string_view name) {
  return name == "Data" || name == "Pictures" || name == "WordDocument" || name == "EscherDelayStm";
}

/// What the host pulls a member's bytes from.
struct Pull {
  const CompoundFile::Stream& stream;
  const JoinedParts* joined;
  std::uint64_t offset, left;
  std::string error{};

  static std::int64_t next(void* self, std::uint8_t* out, std::size_t capacity) {
    auto& pull = *static_cast<Pull*>(self);
    if (pull.left == 0) return 0;
    const std::span<std::uint8_t> target(
        out, static_cast<std::size_t>(std::min<std::uint64_t>(capacity, pull.left)));
    const std::int64_t got =
        pull.joined ? pull.joined->read_at(pull.offset, target) : pull.stream.read_at(pull.offset, target);
    if (got <= 0) {
      pull.error = got < 0 ? "cannot be read" : "ends before its stated size";
      return -1;
    }
    pull.offset += static_cast<std::uint64_t>(got);
    pull.left -= static_cast<std::uint64_t>(got);
    return got;
  }
};

}  // namespace

bool OleContainer::is_ole(const Job& job) {
  std::array<std::uint8_t, 8> head{};
  return job.read_at(0, head) == static_cast<std::int64_t>(head.size()) && CompoundFile::is_compound(head);
}

ts_status OleContainer::open() {
  auto opened = CompoundFile::open(
      [this](std::uint64_t offset, std::span<std::uint8_t> out) { return job_.read_at(offset, out); },
      job_.size());
  if (!opened) {
    job_.fail(opened.error().message);
    return opened.error().code == ErrorCode::limit ? TS_LIMIT : TS_CORRUPT;
  }
  file_.emplace(opened.take());
  add_members();
  return TS_OK;
}

void OleContainer::add_members() {
  const auto& entries = file_->entries();
  constexpr char16_t kTableMark = 0x4840;
  is_installer_ = std::any_of(entries.begin(), entries.end(), [](const CompoundEntry& entry) {
    return !entry.name_utf16.empty() && entry.name_utf16.front() == kTableMark;
  });
  find_encryption();
  if (const CompoundEntry* catalog = file_->find("Catalog")) {
    if (const auto bytes = file_->read_all(*catalog, kMaxCatalog)) catalog_ = parse_catalog(*bytes);
  }
  for (std::uint32_t i = 1; i < entries.size() && !too_many_; ++i) {
    if (job_.cancelled()) return;
    if (entries[i].kind == CompoundEntry::Kind::storage) {
      Member& folder = members_.emplace_back();
      folder.path = path_of(entries[i]);
      folder.entry = i;
      folder.is_directory = true;
      folder.modified = entries[i].modified;
    } else {
      add_stream(i);
    }
    too_many_ = members_.size() >= kMaxMembers;
  }
}

void OleContainer::add_stream(std::uint32_t index) {
  const CompoundEntry& entry = file_->entries()[index];
  if (add_thumbnail(index)) return;
  Member member;
  member.path = path_of(entry);
  member.entry = index;
  member.size = entry.size;
  member.modified = entry.modified;
  member.is_encrypted = is_locked(entry);
  // Streams that share sectors could be many times as large as the file.
  if (entry.size > job_.size() - std::min(streamed_, job_.size())) {
    member.is_admitted = false;
    ++overlapping_;
  } else {
    streamed_ += entry.size;
  }
  const bool look_inside = member.is_admitted && !member.is_encrypted;
  members_.push_back(std::move(member));
  if (!look_inside || entry.size == 0) return;
  if (entry.name == "\x01Ole10Native") add_package(index);
  add_pictures(index);
}

/// Instead of the stream, which begins with a header that no program for pictures knows.
bool OleContainer::add_thumbnail(std::uint32_t index) {
  const CompoundEntry& entry = file_->entries()[index];
  const auto known = catalog_.find(entry.name);
  const bool vista = entry.name.find('_') != std::string::npos && entry.name.front() >= '1' &&
                     entry.name.front() <= '9' && entry.name.size() > 16;  // "256_" and 16 hexadecimal digits
  if ((known == catalog_.end() && !vista) || entry.parent != 0) return false;
  if (entry.size > job_.size() - std::min(streamed_, job_.size())) return false;
  const CompoundFile::Stream stream = file_->open_stream(entry);
  const auto offset = thumbnail_offset(stream);
  if (!offset) return false;
  streamed_ += entry.size;
  Member member;
  member.entry = index;
  member.offset = *offset;
  member.size = stream.size() - *offset;
  member.path = known != catalog_.end() ? known->second.name : entry.name;
  if (known != catalog_.end()) member.modified = known->second.modified;
  std::replace(member.path.begin(), member.path.end(), '\\', '/');
  members_.push_back(std::move(member));
  return true;
}

void OleContainer::add_package(std::uint32_t index) {
  const CompoundEntry& entry = file_->entries()[index];
  const auto package = parse_package(file_->open_stream(entry));
  if (!package) return;
  Member member;
  member.entry = index;
  member.offset = package->bytes.offset;
  member.size = package->bytes.length;
  member.path = path_of(entry) + "/" + package->name;
  members_.push_back(std::move(member));
}

void OleContainer::add_pictures(std::uint32_t index) {
  const CompoundEntry& entry = file_->entries()[index];
  const bool workbook = entry.name == "Workbook";
  if (!workbook && !holds_drawings(entry.name)) return;
  const CompoundFile::Stream stream = file_->open_stream(entry);
  const auto stop = [this] { return job_.cancelled(); };
  auto& parts = joined_[index];
  if (workbook) {
    parts = drawing_records(stream, stop);
  } else {
    parts = {{0, stream.size()}};
  }
  std::uint32_t number = 0;
  for (const FoundPicture& picture : find_pictures(JoinedParts(stream, parts), kMaxPictures, stop)) {
    Member member;
    member.entry = index;
    member.is_part = true;
    member.offset = picture.offset;
    member.size = picture.length;
    member.path = path_of(entry) + "/picture" + std::to_string(++number) + "." + std::string(picture.ending);
    members_.push_back(std::move(member));
  }
  if (number >= kMaxPictures) too_many_ = true;
}

std::string OleContainer::path_of(const CompoundEntry& entry) const {
  std::string path = entry.path;
  if (is_installer_) {
    bool is_table = false;
    const std::string name = decode_msi_name(entry.name_utf16, is_table);
    path.resize(path.size() - last_part(path).size());
    path += (is_table ? "!" : "") + name;
  }
  return entry.is_orphan ? "$Orphans/" + path : path;
}

void OleContainer::find_encryption() {
  std::array<std::uint8_t, 16> head{};
  const auto starts = [&](const char* name) {
    const CompoundEntry* entry = file_->find(name);
    return entry && file_->open_stream(*entry).read_at(0, head) == static_cast<std::int64_t>(head.size());
  };
  if (file_->find("EncryptedPackage")) {
    lock_ = "an Office document inside it is encrypted (EncryptedPackage)";
  } else if (starts("WordDocument")) {
    constexpr unsigned kEncrypted = 0x01, kObfuscated = 0x80;  // bits of the second flag byte
    if (head[0] == 0xEC && head[1] == 0xA5 && (head[11] & kEncrypted)) {
      lock_ = (head[11] & kObfuscated) ? "the Word document is kEncrypted (XOR obfuscation)"
                                       : "the Word document is encrypted";
    }
  } else if (starts("Current User")) {
    constexpr std::array<std::uint8_t, 4> kToken = {0xDF, 0xC4, 0xD1, 0xF3};
    if (std::equal(kToken.begin(), kToken.end(), head.begin() + 12))
      lock_ = "the PowerPoint presentation is encrypted";
  }
  for (const char* name : {"Workbook", "Book"}) {
    const CompoundEntry* entry = file_->find(name);
    if (lock_.empty() && entry && has_file_pass(file_->open_stream(*entry)))
      lock_ = "the Excel workbook is encrypted";
  }
}

/// Streams that the lock covers. The others are readable, and some (properties) are worth it.
bool OleContainer::is_locked(const CompoundEntry& entry) const {
  constexpr std::array kCovered = {
      "EncryptedPackage",    "WordDocument", "0Table",   "1Table", "Data",
      "PowerPoint Document", "Pictures",     "Workbook", "Book",   "EncryptedSummary"};
  return !lock_.empty() && entry.parent == 0 &&
         std::any_of(kCovered.begin(), kCovered.end(), [&](const char* name) { return entry.name == name; });
}

ts_status OleContainer::list() {
  if (const ts_status status = open(); status != TS_OK) return status;
  // Its attachments are listed by the plugin for mail, also where libmagic does not know it.
  if (file_->holds_outlook_message()) return TS_OK;
  Names names;
  std::string path;
  for (std::uint32_t i = 0; i < members_.size(); ++i) {
    if (job_.cancelled()) return TS_LIMIT;
    const Member& from = members_[i];
    if (!names.fit(from.path, i, path)) {
      job_.emit_problem("limit", "the names of members are longer than " +
                                     std::to_string(kMaxPathBytesInAll) +
                                     " bytes together: the rest is not listed");
      break;
    }
    ts_member member{};
    member.struct_size = sizeof member;
    member.ordinal = i;
    member.path = to_abi(path);
    member.size = from.size;
    member.packed_size = from.size;
    member.is_directory = from.is_directory ? 1 : 0;
    member.is_encrypted = from.is_encrypted ? 1 : 0;
    member.has_modified = from.modified ? 1 : 0;
    member.modified = from.modified.value_or(0);
    if (!job_.emit_member(member)) return TS_OK;
  }
  names.report(job_);
  report();
  return TS_OK;
}

void OleContainer::report() {
  if (!lock_.empty()) job_.emit_problem("encrypted", lock_);
  std::string damage;
  for (const std::string& problem : file_->problems()) damage += (damage.empty() ? "" : "; ") + problem;
  if (!damage.empty()) job_.emit_problem("corrupt", damage);
  if (overlapping_ > 0) {
    job_.emit_problem("limit", std::to_string(overlapping_) +
                                   " streams are not unpacked: they are larger together than the file, so "
                                   "that they must share sectors");
  }
  if (too_many_) {
    job_.emit_problem("limit",
                      "members beyond the first " + std::to_string(members_.size()) + " are not listed");
  }
}

ts_status OleContainer::extract(std::uint32_t first, std::uint32_t count) {
  if (const ts_status status = open(); status != TS_OK) return status;
  const auto end =
      static_cast<std::uint32_t>(std::min<std::uint64_t>(members_.size(), std::uint64_t{first} + count));
  for (std::uint32_t i = first; i < end; ++i) {
    if (job_.cancelled()) return TS_LIMIT;
    const Member& member = members_[i];
    if (member.is_directory || member.is_encrypted || !member.is_admitted) continue;
    if (!extract_member(i)) break;
  }
  return TS_OK;
}

bool OleContainer::extract_member(std::uint32_t ordinal) {
  const Member& member = members_[ordinal];
  const CompoundFile::Stream stream = file_->open_stream(file_->entries()[member.entry]);
  static const std::vector<StreamPart> none;
  const auto parts = joined_.find(member.entry);
  const JoinedParts joined(stream, parts != joined_.end() ? parts->second : none);
  Pull pull{stream, member.is_part ? &joined : nullptr, member.offset, member.size};
  const bool wanted = job_.emit_member_data(ordinal, Pull::next, &pull);
  if (!pull.error.empty())
    job_.emit_problem("corrupt", "member " + std::to_string(ordinal) + ": " + pull.error);
  return wanted;
}

}  // namespace touchstone::archives
