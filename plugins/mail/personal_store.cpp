// Outlook's data files (.pst, .ost) by libpff, which reads ANSI and Unicode files, both of its encryptions,
// and what stands in space that is not in use. It is linked alone, with its own copy of the helper libraries.
#include <fmt/format.h>
#include <libpff.h>

#include <algorithm>
#include <array>
#include <set>

#include "evidence/byte_source.hpp"
#include "evidence/yal_input.hpp"
#include "html_text.hpp"
#include "mapi_message.hpp"
#include "outlook_items.hpp"
#include "rtf_text.hpp"

// The copy of libbfio inside the isolated libpff.
extern "C" {
touchstone::detail::BfioInitialise pff_bfio_initialize;
touchstone::detail::BfioFree pff_bfio_free;
}

namespace touchstone::mail {
namespace {

constexpr std::size_t kMaxValue = 16U << 20U;
constexpr std::uint64_t kMaxAttachment = 256ULL << 20U;
constexpr unsigned kMaxFolders = 64;
constexpr int kMaxItems = 5'000'000, kMaxAttachments = 10'000, kMaxRecipients = 5'000;
constexpr std::uint8_t kAnyType = LIBPFF_ENTRY_VALUE_FLAG_MATCH_ANY_VALUE_TYPE;

/// The item's bytes for libpff. Borrows the job.
class JobSource final : public ByteSource {
 public:
  explicit JobSource(const Job& job) : job_(job) {}
  std::uint64_t size() const override { return job_.size(); }
  Result<std::size_t> read_at(std::uint64_t offset, std::span<std::byte> out) override {
    const auto got = job_.read_at(offset, {reinterpret_cast<std::uint8_t*>(out.data()), out.size()});
    if (got < 0) return Error{ErrorCode::io, "cannot be read"};
    return static_cast<std::size_t>(got);
  }

 private:
  const Job& job_;
};

struct ItemCloser {
  void operator()(libpff_item_t* item) const { libpff_item_free(&item, nullptr); }
};
using Item = std::unique_ptr<libpff_item_t, ItemCloser>;
struct FileCloser {
  void operator()(libpff_file_t* file) const { libpff_file_free(&file, nullptr); }
};
using File = std::unique_ptr<libpff_file_t, FileCloser>;

/// One set of an item's properties; tables of recipients have one for each.
class ItemProperties final : public MapiProperties {
 public:
  ItemProperties(libpff_item_t* item, int set, std::int64_t code_page)
      : item_(item), set_(set), code_page_(code_page) {}

  std::optional<std::string> text(std::uint16_t number) const override {
    std::uint32_t type = 0;
    const auto bytes = value(number, type);
    if (!bytes) return std::nullopt;
    if (type == LIBPFF_VALUE_TYPE_STRING_UNICODE) {
      std::string out;
      const auto unit = [&](std::size_t at) {
        return static_cast<char32_t>(static_cast<unsigned char>((*bytes)[at]) |
                                     static_cast<unsigned char>((*bytes)[at + 1]) << 8U);
      };
      for (std::size_t i = 0; i + 1 < bytes->size(); i += 2) {
        char32_t code = unit(i);
        const bool pair = code >= 0xD800 && code < 0xDC00 && i + 3 < bytes->size();
        if (const char32_t low = pair ? unit(i + 2) : 0; low >= 0xDC00 && low < 0xE000) {
          code = 0x10000 + ((code - 0xD800) << 10U) + (low - 0xDC00);
          i += 2;
        }
        if (code != 0) append_utf8(out, code);
      }
      return out;
    }
    if (type != LIBPFF_VALUE_TYPE_STRING_ASCII) return std::nullopt;
    std::string raw = *bytes;
    while (raw.ends_with('\0')) raw.pop_back();
    return text_of_code_page(raw, code_page_);
  }
  std::optional<std::string> binary(std::uint16_t number) const override {
    std::uint32_t type = 0;
    auto bytes = value(number, type);
    if (!bytes || type != LIBPFF_VALUE_TYPE_BINARY_DATA) return std::nullopt;
    return bytes;
  }
  std::optional<std::int64_t> integer(std::uint16_t number) const override {
    std::uint32_t type = 0;
    const auto bytes = value(number, type);
    if (!bytes || type != LIBPFF_VALUE_TYPE_INTEGER_32BIT_SIGNED || bytes->size() < 4) return std::nullopt;
    return static_cast<std::int32_t>(little(*bytes, 4));
  }
  std::optional<std::int64_t> time(std::uint16_t number) const override {
    std::uint32_t type = 0;
    const auto bytes = value(number, type);
    if (!bytes || type != LIBPFF_VALUE_TYPE_FILETIME || bytes->size() < 8) return std::nullopt;
    return time_of_filetime(little(*bytes, 8));
  }

 private:
  static std::uint64_t little(const std::string& bytes, std::size_t count) {
    std::uint64_t out = 0;
    for (std::size_t i = 0; i < count; ++i)
      out |= static_cast<std::uint64_t>(static_cast<unsigned char>(bytes[i])) << (8 * i);
    return out;
  }
  std::optional<std::string> value(std::uint16_t number, std::uint32_t& type) const {
    libpff_record_set_t* set = nullptr;
    libpff_record_entry_t* entry = nullptr;
    std::optional<std::string> out;
    if (libpff_item_get_record_set_by_index(item_, set_, &set, nullptr) == 1 &&
        libpff_record_set_get_entry_by_type(set, number, 0, &entry, kAnyType, nullptr) == 1) {
      std::size_t size = 0;
      if (libpff_record_entry_get_value_type(entry, &type, nullptr) == 1 &&
          libpff_record_entry_get_data_size(entry, &size, nullptr) == 1 && size <= kMaxValue) {
        out.emplace(size, '\0');
        if (size > 0 && libpff_record_entry_get_data(entry, reinterpret_cast<std::uint8_t*>(out->data()),
                                                     size, nullptr) != 1)
          out.reset();
      }
    }
    if (entry) libpff_record_entry_free(&entry, nullptr);
    if (set) libpff_record_set_free(&set, nullptr);
    return out;
  }

  libpff_item_t* item_;
  int set_;
  std::int64_t code_page_;
};

class StoreWalk {
 public:
  StoreWalk(const Job& job, const OutlookVisitor& visitor) : job_(job), visitor_(visitor), source_(job) {}

  bool run() {
    input_ = std::make_unique<detail::YalInput>(detail::BfioFunctions{pff_bfio_initialize, pff_bfio_free},
                                                source_);
    libpff_file_t* raw = nullptr;
    if (!input_->handle() || libpff_file_initialize(&raw, nullptr) != 1) return false;
    file_.reset(raw);
    constexpr int kReadOnly = 1;
    if (libpff_file_open_file_io_handle(file_.get(), reinterpret_cast<libbfio_handle_t*>(input_->handle()),
                                        kReadOnly, nullptr) != 1) {
      visitor_.problem("corrupt", "the Outlook data file cannot be read: libpff finds no message store");
      return false;
    }
    libpff_item_t* root = nullptr;
    if (libpff_file_get_root_folder(file_.get(), &root, nullptr) == 1) {
      const Item held(root);
      folder(root, "", 0);
    } else {
      visitor_.problem("corrupt", "the Outlook data file has no folders that can be read");
    }
    recover();
    if (unreadable_ > 0) {
      visitor_.problem("corrupt",
                       fmt::format("{} items of the Outlook data file cannot be read", unreadable_));
    }
    return true;
  }

 private:
  bool goes_on() const { return running_ && !job_.cancelled(); }

  void folder(libpff_item_t* item, const std::string& path, unsigned depth) {
    if (depth > kMaxFolders) return visitor_.problem("limit", "folders are nested more than 64 deep");
    std::uint32_t identifier = 0;
    // A folder that holds itself would never end.
    if (libpff_item_get_identifier(item, &identifier, nullptr) == 1 && !seen_.insert(identifier).second)
      return;
    int count = 0;
    if (libpff_folder_get_number_of_sub_messages(item, &count, nullptr) != 1) ++unreadable_;
    for (int i = 0; i < std::min(count, kMaxItems) && goes_on(); ++i) {
      libpff_item_t* raw = nullptr;
      const bool got = libpff_folder_get_sub_message(item, i, &raw, nullptr) == 1;
      const Item held(raw);
      got ? message(raw, path, false, 0) : static_cast<void>(++unreadable_);
    }
    count = 0;
    if (libpff_folder_get_number_of_sub_folders(item, &count, nullptr) != 1) ++unreadable_;
    for (int i = 0; i < std::min(count, kMaxItems) && goes_on(); ++i) {
      libpff_item_t* raw = nullptr;
      const bool got = libpff_folder_get_sub_folder(item, i, &raw, nullptr) == 1;
      const Item held(raw);
      if (!got) {
        ++unreadable_;
        continue;
      }
      const std::string name = ItemProperties(raw, 0, kWestern).text(mapi::kDisplayName).value_or("");
      folder(raw, path + member_name(name, fmt::format("folder-{}", i + 1)) + "/", depth + 1);
    }
  }

  /// What is not in a folder any more, and what stands in free space. Both are found by their form: what has
  /// neither a subject nor a time nor a text is none.
  void recover() {
    if (!goes_on()) return;
    libpff_file_recover_items(file_.get(), 0, nullptr);
    int count = 0;
    libpff_file_get_number_of_orphan_items(file_.get(), &count, nullptr);
    for (int i = 0; i < std::min(count, kMaxItems) && goes_on(); ++i) {
      libpff_item_t* raw = nullptr;
      const bool got = libpff_file_get_orphan_item_by_index(file_.get(), i, &raw, nullptr) == 1;
      const Item held(raw);
      if (got) recovered(raw, fmt::format("orphan/{}", i + 1));
    }
    count = 0;
    libpff_file_get_number_of_recovered_items(file_.get(), &count, nullptr);
    for (int i = 0; i < std::min(count, kMaxItems) && goes_on(); ++i) {
      libpff_item_t* raw = nullptr;
      const bool got = libpff_file_get_recovered_item_by_index(file_.get(), i, &raw, nullptr) == 1;
      const Item held(raw);
      if (got) recovered(raw, fmt::format("recovered/{}", i + 1));
    }
  }

  void recovered(libpff_item_t* item, const std::string& row) {
    std::uint8_t type = 0;
    if (libpff_item_get_type(item, &type, nullptr) != 1 || type == LIBPFF_ITEM_TYPE_FOLDER) return;
    const ItemProperties properties(item, 0, kWestern);
    const std::string kind = properties.text(mapi::kMessageClass).value_or("");
    if (kind.empty() || !is_sent_class(kind)) return;
    const bool has_time = properties.time(mapi::kSubmitTime) || properties.time(mapi::kDeliveryTime);
    if (!has_time && !properties.text(mapi::kSubject) && !properties.text(mapi::kBody)) return;
    // A message that was moved leaves its old form behind: no recovered row repeats a live one.
    if (live_.contains(print_of(properties))) return;
    row_ = row;
    message(item, "recovered/", true, 0);
    row_.clear();
  }

  void message(libpff_item_t* item, const std::string& path, bool is_recovered, unsigned depth) {
    std::uint32_t identifier = 0;
    libpff_item_get_identifier(item, &identifier, nullptr);
    const ItemProperties first(item, 0, kWestern);
    const std::int64_t page = first.integer(mapi::kMessagePage).value_or(kWestern);
    const ItemProperties properties(item, 0, page);
    const std::string row = depth > 0 ? row_ : row_.empty() ? std::to_string(identifier) : row_;
    const std::string folder = path + row.substr(row.rfind('/') + 1) + "/";
    Files files;
    Message out;
    if (visitor_.message) out = read(item, properties, page);
    attachments(item, folder, page, files, out);
    const std::string kind = properties.text(mapi::kMessageClass).value_or("");
    if (depth == 0) live_.insert(print_of(properties));
    if (visitor_.message && is_sent_class(kind)) {
      out.source_table = path.empty() ? "message" : path.substr(0, path.size() - 1);
      out.source_row = row;
      out.recovered = is_recovered;
      if (is_recovered) out.deleted = true;
      if (depth > 0) {
        out.direction = "unknown";
      } else if (out.direction == "unknown") {
        const std::string_view by_folder =
            direction_of_path(path.substr(0, path.empty() ? 0 : path.size() - 1));
        if (!by_folder.empty()) out.direction = std::string(by_folder);
      }
      running_ = running_ && visitor_.message(out);
    }
    give(files, is_recovered, depth, row);
  }

  /// What tells a message from others, as a number.
  static std::size_t print_of(const ItemProperties& properties) {
    return std::hash<std::string>()(fmt::format("{}|{}|{}", properties.text(mapi::kSubject).value_or(""),
                                                properties.time(mapi::kSubmitTime).value_or(0),
                                                properties.text(mapi::kMessageId).value_or("")));
  }

  struct Files {
    struct One {
      std::string path;
      std::uint64_t size = 0;
      int index = 0;
      bool is_message = false;
      Item item;
    };
    std::vector<One> list;
  };

  Message read(libpff_item_t* item, const ItemProperties& properties, std::int64_t page) {
    libpff_item_t* table = nullptr;
    libpff_message_get_recipients(item, &table, nullptr);
    const Item held(table);
    std::vector<ItemProperties> each;
    std::vector<const MapiProperties*> parties;
    int sets = 0;
    if (table) libpff_item_get_number_of_record_sets(table, &sets, nullptr);
    each.reserve(static_cast<std::size_t>(std::clamp(sets, 0, kMaxRecipients)));
    for (int i = 0; i < std::min(sets, kMaxRecipients); ++i) each.emplace_back(table, i, page);
    parties.reserve(each.size());
    for (const ItemProperties& party : each) parties.push_back(&party);
    std::vector<MailProblem> problems;
    Message out = message_from_mapi(properties, parties, problems);
    for (const MailProblem& problem : problems) visitor_.problem(problem.kind, problem.text);
    return out;
  }

  void attachments(libpff_item_t* item, const std::string& folder, std::int64_t page, Files& files,
                   Message& out) {
    int count = 0;
    if (libpff_message_get_number_of_attachments(item, &count, nullptr) != 1) return;
    std::set<std::string> names;
    for (int i = 0; i < std::min(count, kMaxAttachments); ++i) {
      libpff_item_t* raw = nullptr;
      const bool got = libpff_message_get_attachment(item, i, &raw, nullptr) == 1;
      Files::One one;
      one.item.reset(raw);
      one.index = i;
      if (!got) {
        ++unreadable_;
        continue;
      }
      const ItemProperties properties(raw, 0, page);
      std::string name;
      for (const std::uint16_t number : {mapi::kLongName, mapi::kShortName, mapi::kDisplayName})
        if (name.empty()) name = properties.text(number).value_or("");
      const std::string safe = member_name(name, fmt::format("attachment-{}", i + 1));
      Attached attached{name.empty() ? safe : name, properties.text(mapi::kMimeType).value_or(""), ""};
      int type = 0;
      libpff_attachment_get_type(raw, &type, nullptr);
      one.is_message = type == LIBPFF_ATTACHMENT_TYPE_ITEM;
      one.path = folder + safe;
      if (!names.insert(safe).second) one.path = fmt::format("{}{}/{}", folder, i + 1, safe);
      size64_t size = 0;
      const bool has_data =
          type == LIBPFF_ATTACHMENT_TYPE_DATA && libpff_attachment_get_data_size(raw, &size, nullptr) == 1;
      one.size = size;
      if (has_data) attached.path = one.path;
      out.attachments.push_back(std::move(attached));
      if (has_data || one.is_message) files.list.push_back(std::move(one));
    }
  }

  void give(Files& files, bool is_recovered, unsigned depth, const std::string& row) {
    for (Files::One& one : files.list) {
      if (!goes_on()) return;
      if (!one.is_message) {
        give_data(one);
      } else if (depth >= kMaxNested) {
        visitor_.problem("limit", "messages are nested more than 12 deep");
      } else {
        libpff_item_t* raw = nullptr;
        const bool got = libpff_attachment_get_item(one.item.get(), &raw, nullptr) == 1;
        const Item held(raw);
        if (!got) continue;
        const std::string before = std::exchange(row_, fmt::format("{}/{}", row, one.index + 1));
        message(raw, one.path + "/", is_recovered, depth + 1);
        row_ = before;
      }
    }
  }

  void give_data(const Files::One& one) {
    const std::uint32_t ordinal = next_++;
    if (!visitor_.file) return;
    const auto read = [&](std::uint64_t offset, std::span<std::uint8_t> into) -> std::int64_t {
      if (offset >= std::min(one.size, kMaxAttachment)) return 0;
      if (libpff_attachment_data_seek_offset(one.item.get(), static_cast<off64_t>(offset), SEEK_SET,
                                             nullptr) < 0)
        return -1;
      return libpff_attachment_data_read_buffer(one.item.get(), into.data(), into.size(), nullptr);
    };
    running_ = visitor_.file(ordinal, {one.path, one.size, read});
  }

  static constexpr std::int64_t kWestern = 1252;
  const Job& job_;
  const OutlookVisitor& visitor_;
  JobSource source_;
  std::unique_ptr<detail::YalInput> input_;
  File file_;
  std::set<std::uint32_t> seen_;
  std::set<std::size_t> live_;
  std::string row_;
  std::uint64_t unreadable_ = 0;
  std::uint32_t next_ = 0;
  bool running_ = true;
};

}  // namespace

bool walk_personal_store(const Job& job, const OutlookVisitor& visitor) {
  return StoreWalk(job, visitor).run();
}

}  // namespace touchstone::mail
