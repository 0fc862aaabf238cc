// Outlook's .msg: a compound file of property streams ([MS-OXMSG]). Messages inside are records of the same
// item, since no file of their own stands in it; their attachments are members like the others.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>
#include <set>

#include "content/compound_file.hpp"
#include "mapi_message.hpp"
#include "outlook_items.hpp"
#include "rtf_text.hpp"

namespace touchstone::mail {
namespace {

constexpr std::uint64_t kMaxProperties = 4U << 20U, kMaxValue = 16U << 20U;
constexpr std::size_t kEntry = 16;
constexpr std::uint16_t kUnicode = 0x001F, kBytes8 = 0x001E, kBinary = 0x0102, kObject = 0x000D,
                        kTime = 0x0040;

std::uint64_t little(std::span<const std::uint8_t> bytes, std::size_t at, std::size_t count) {
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < count && at + i < bytes.size(); ++i)
    value |= static_cast<std::uint64_t>(bytes[at + i]) << (8 * i);
  return value;
}

std::string utf8_of_utf16(std::span<const std::uint8_t> bytes) {
  std::u16string text;
  for (std::size_t i = 0; i + 1 < bytes.size(); i += 2) text += static_cast<char16_t>(little(bytes, i, 2));
  while (!text.empty() && text.back() == 0) text.pop_back();
  return utf8_of(text);
}

/// Properties of one storage.
class StorageProperties final : public MapiProperties {
 public:
  StorageProperties(const CompoundFile& file, std::string prefix, std::size_t header, std::int64_t code_page)
      : file_(file), prefix_(std::move(prefix)), code_page_(code_page) {
    const CompoundEntry* stream = file_.find(prefix_ + "__properties_version1.0");
    if (!stream) return;
    const auto bytes = file_.read_all(*stream, kMaxProperties);
    if (!bytes) return;
    for (std::size_t at = header; at + kEntry <= bytes->size(); at += kEntry) {
      const auto tag = static_cast<std::uint32_t>(little(*bytes, at, 4));
      fixed_.try_emplace(static_cast<std::uint16_t>(tag >> 16U), static_cast<std::uint16_t>(tag),
                         little(*bytes, at + 8, 8));
    }
  }

  bool is_there() const { return !fixed_.empty(); }
  void set_code_page(std::int64_t code_page) { code_page_ = code_page; }
  std::int64_t code_page() const { return code_page_; }

  std::optional<std::string> text(std::uint16_t number) const override {
    if (const auto bytes = stream(number, kUnicode)) return utf8_of_utf16(*bytes);
    if (const auto bytes = stream(number, kBytes8)) {
      std::string raw(bytes->begin(), bytes->end());
      while (raw.ends_with('\0')) raw.pop_back();
      return text_of_code_page(raw, code_page_);
    }
    return std::nullopt;
  }
  std::optional<std::string> binary(std::uint16_t number) const override {
    const auto bytes = stream(number, kBinary);
    if (!bytes) return std::nullopt;
    return std::string(bytes->begin(), bytes->end());
  }
  std::optional<std::int64_t> integer(std::uint16_t number) const override {
    const auto found = fixed_.find(number);
    if (found == fixed_.end() || found->second.first != 0x0003) return std::nullopt;
    return static_cast<std::int32_t>(found->second.second);
  }
  std::optional<std::int64_t> time(std::uint16_t number) const override {
    const auto found = fixed_.find(number);
    if (found == fixed_.end() || found->second.first != kTime) return std::nullopt;
    return time_of_filetime(found->second.second);
  }
  const CompoundEntry* entry(std::uint16_t number, std::uint16_t type) const {
    return file_.find(prefix_ + fmt::format("__substg1.0_{:04X}{:04X}", number, type));
  }

 private:
  std::optional<std::vector<std::uint8_t>> stream(std::uint16_t number, std::uint16_t type) const {
    const CompoundEntry* found = entry(number, type);
    if (!found || found->kind != CompoundEntry::Kind::stream) return std::nullopt;
    return file_.read_all(*found, kMaxValue);
  }

  const CompoundFile& file_;
  std::string prefix_;
  std::int64_t code_page_;
  std::map<std::uint16_t, std::pair<std::uint16_t, std::uint64_t>> fixed_;
};

class Walk {
 public:
  Walk(const CompoundFile& file, const OutlookVisitor& visitor) : file_(file), visitor_(visitor) {
    for (const CompoundEntry& entry : file_.entries())
      if (entry.kind == CompoundEntry::Kind::storage && !entry.is_orphan)
        storages_[parent_of(entry)].push_back(entry.name);
  }

  /// `folder`: of the members that this message has.
  bool message(const std::string& prefix, std::size_t header, const std::string& folder, unsigned depth) {
    constexpr std::int64_t kWestern = 1252;
    StorageProperties properties(file_, prefix, header, kWestern);
    if (!properties.is_there()) {
      if (depth > 0) return false;
      visitor_.problem("corrupt",
                       "the stream of its properties is lost: of times and flags nothing is known");
    }
    properties.set_code_page(properties.integer(mapi::kMessagePage)
                                 .value_or(properties.integer(mapi::kInternetPage).value_or(kWestern)));
    std::vector<std::unique_ptr<StorageProperties>> recipients;
    std::vector<const MapiProperties*> parties;
    for (const std::string& name : children(prefix, "__recip_version1.0_#")) {
      recipients.push_back(
          std::make_unique<StorageProperties>(file_, prefix + name + "/", 8, properties.code_page()));
      parties.push_back(recipients.back().get());
    }
    std::vector<MailProblem> problems;
    Message out = message_from_mapi(properties, parties, problems);
    out.source_row = prefix.empty() ? "root" : prefix.substr(0, prefix.size() - 1);
    Files files;
    for (const std::string& name : children(prefix, "__attach_version1.0_#"))
      attachment(prefix + name + "/", folder, properties.code_page(), depth, files, out);
    const auto message_class = properties.text(mapi::kMessageClass);
    // A damaged one may have lost its class; what has a text or a subject is shown then.
    const bool sent =
        message_class ? is_sent_class(*message_class) : !out.subject.empty() || !out.body.empty();
    if (visitor_.message && sent) running_ = running_ && visitor_.message(out);
    for (const MailProblem& problem : problems) visitor_.problem(problem.kind, problem.text);
    if (!sent && depth == 0) {
      visitor_.problem("unsupported", "an Outlook item of class " + message_class.value_or("unknown") +
                                          " is no message; only its attachments are read");
    }
    for (const auto& [path, entry] : files.streams) give(path, *entry);
    for (const auto& [inner, inner_folder] : files.messages) {
      if (running_) message(inner, 24, inner_folder, depth + 1);
    }
    return true;
  }

 private:
  struct Files {
    std::vector<std::pair<std::string, const CompoundEntry*>> streams;
    std::vector<std::pair<std::string, std::string>> messages;  // prefix, folder
  };

  static std::string parent_of(const CompoundEntry& entry) {
    const std::size_t slash = entry.path.rfind('/');
    return slash == std::string::npos ? std::string() : entry.path.substr(0, slash + 1);
  }
  std::vector<std::string> children(const std::string& prefix, std::string_view start) const {
    std::vector<std::string> found;
    const auto at = storages_.find(prefix);
    if (at == storages_.end()) return found;
    for (const std::string& name : at->second)
      if (name.starts_with(start)) found.push_back(name);
    std::sort(found.begin(), found.end());
    return found;
  }

  void attachment(const std::string& prefix, const std::string& folder, std::int64_t code_page,
                  unsigned depth, Files& files, Message& out) {
    const StorageProperties properties(file_, prefix, 8, code_page);
    std::string name;
    for (const std::uint16_t number : {mapi::kLongName, mapi::kShortName, mapi::kDisplayName})
      if (name.empty()) name = properties.text(number).value_or("");
    const std::string number = std::to_string(out.attachments.size() + 1);
    const std::string safe = member_name(name, "attachment-" + number);
    Attached attached{name.empty() ? safe : name, properties.text(mapi::kMimeType).value_or(""), ""};
    if (const CompoundEntry* object = properties.entry(mapi::kAttachData, kObject)) {
      const std::string inner = prefix + object->name + "/";
      const bool is_message = file_.find(inner + "__properties_version1.0") != nullptr;
      if (is_message && depth < kMaxNested) files.messages.emplace_back(inner, folder + safe + "/");
      if (is_message && depth >= kMaxNested)
        visitor_.problem("limit", "messages are nested more than 12 deep");
      if (!is_message) visitor_.problem("unsupported", "an embedded object is not opened: " + safe);
    } else if (const CompoundEntry* data = properties.entry(mapi::kAttachData, kBinary)) {
      attached.path = folder + safe;
      if (!names_.insert(attached.path).second) {
        attached.path = fmt::format("{}{}/{}", folder, number, safe);
        names_.insert(attached.path);
      }
      files.streams.emplace_back(attached.path, data);
    }
    out.attachments.push_back(std::move(attached));
  }

  void give(const std::string& path, const CompoundEntry& entry) {
    const std::uint32_t ordinal = next_++;
    if (!running_ || !visitor_.file) return;
    const CompoundFile::Stream stream = file_.open_stream(entry);
    if (stream.is_short()) visitor_.problem("corrupt", "an attachment is shorter than it says: " + path);
    running_ =
        visitor_.file(ordinal, {path, stream.size(), [&](std::uint64_t offset, std::span<std::uint8_t> into) {
                                  return stream.read_at(offset, into);
                                }});
  }

  const CompoundFile& file_;
  const OutlookVisitor& visitor_;
  std::map<std::string, std::vector<std::string>> storages_;
  std::set<std::string> names_;
  std::uint32_t next_ = 0;
  bool running_ = true;
};

}  // namespace

namespace {

Result<CompoundFile> open_compound(const Job& job) {
  return CompoundFile::open(
      [&](std::uint64_t offset, std::span<std::uint8_t> out) { return job.read_at(offset, out); },
      job.size());
}

/// Streams of which the end cannot be read. Those that share sectors are not all followed.
std::size_t count_cut(const CompoundFile& file, std::uint64_t file_size) {
  // What was cut off is still named with its size.
  std::uint64_t left = file_size * 8 + (1U << 20U);
  std::size_t cut = 0;
  for (const CompoundEntry& entry : file.entries()) {
    if (entry.kind != CompoundEntry::Kind::stream || entry.size == 0) continue;
    if (entry.size > left) return cut;
    left -= entry.size;
    const CompoundFile::Stream stream = file.open_stream(entry);
    std::uint8_t last = 0;
    if (stream.is_short() || stream.read_at(stream.size() - 1, {&last, 1}) != 1) ++cut;
  }
  return cut;
}

}  // namespace

bool is_outlook_message(const Job& job, std::string_view head) {
  if (!CompoundFile::is_compound({reinterpret_cast<const std::uint8_t*>(head.data()), head.size()}))
    return false;
  const auto opened = open_compound(job);
  return opened && opened->holds_outlook_message();
}

bool walk_outlook_message(const Job& job, const OutlookVisitor& visitor) {
  auto opened = open_compound(job);
  if (!opened) {
    visitor.problem("corrupt", "the Outlook message cannot be read: " + opened.error().message);
    return false;
  }
  const CompoundFile file = opened.take();
  for (const std::string& problem : file.problems()) visitor.problem("corrupt", problem);
  // Other compound files of Outlook, such as templates, have the same form.
  if (!file.holds_outlook_message()) return false;
  if (visitor.message) {
    if (const std::size_t cut = count_cut(file, job.size()); cut > 0)
      visitor.problem("corrupt", fmt::format("{} of its parts are cut off or lost", cut));
  }
  return Walk(file, visitor).message("", 32, "", 0);
}

}  // namespace touchstone::mail
