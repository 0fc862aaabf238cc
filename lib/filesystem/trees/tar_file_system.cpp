// The files of a tar, plain or compressed. The headers are read once; what a listing needs of each is kept in
// some 70 bytes, so that listing a directory reads nothing. A compressed tar is not unpacked: gzip is read at
// random through places remembered while the headers were read, other compressions only where all of it fits
// in memory.
#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <unordered_map>

#include "evidence/decoded_source.hpp"
#include "evidence/tree_format.hpp"
#include "filesystem/trees/tar_reader.hpp"
#include "filesystem/trees/tree_file_system.hpp"
#include "filesystem/trees/trees.hpp"
#include "model/locator.hpp"

namespace touchstone {
namespace {

using nlohmann::json;

// Of bzip2, xz and zstd nothing can be read at random: larger ones are refused with what to do.
constexpr std::uint64_t kMaxInMemory = std::uint64_t{256} << 20;
// Owners repeat; what does not is dropped from the table of texts known.
constexpr std::size_t kKnownTexts = 65536;
// A link to a link to a link: longer chains are loops.
constexpr int kMaxLinks = 16;

/// Decoded bytes in pieces, so that growing copies nothing.
class PieceSource : public ByteSource {
 public:
  static constexpr std::size_t kPiece = std::size_t{4} << 20;
  std::uint64_t size() const override { return size_; }
  Result<std::size_t> read_at(std::uint64_t offset, std::span<std::byte> out) override {
    std::size_t done = 0;
    while (done < out.size() && offset + done < size_) {
      const std::uint64_t at = offset + done;
      const auto& piece = pieces_[static_cast<std::size_t>(at / kPiece)];
      const auto from = static_cast<std::size_t>(at % kPiece);
      const std::size_t count = std::min(out.size() - done, piece.size() - from);
      std::copy_n(piece.begin() + static_cast<std::ptrdiff_t>(from), count,
                  out.begin() + static_cast<std::ptrdiff_t>(done));
      done += count;
    }
    return done;
  }
  Status fill(ByteSource& source) {
    while (size_ <= kMaxInMemory) {
      std::vector<std::byte> piece(kPiece);
      const auto got = source.read_at(size_, piece);
      if (!got) return got.error();
      piece.resize(*got);
      size_ += *got;
      pieces_.push_back(std::move(piece));
      if (*got < kPiece) return {};
    }
    return Error{
        ErrorCode::limit,
        fmt::format("unpacked it has more than {} MiB, and its compression cannot be read at random: "
                    "decompress it to a .tar first (xz -dk, bzip2 -dk, zstd -dk) and give that",
                    kMaxInMemory >> 20)};
  }

 private:
  std::vector<std::vector<std::byte>> pieces_;
  std::uint64_t size_ = 0;
};

class TarFileSystem : public TreeFileSystem {
 public:
  TarFileSystem(ByteSource& file, std::string format)
      : TreeFileSystem(format), tar_(&file), format_(std::move(format)) {}

 protected:
  Status fill(TreeIndex& index, std::vector<Problem>& problems) override;
  void describe(std::uint64_t place, Entry& entry, std::vector<Problem>& problems) override;
  Result<std::unique_ptr<ByteSource>> open_place(std::uint64_t place) override;

 private:
  struct Record {
    std::uint64_t header = 0, size = 0;
    TimeUs modified = 0;
    std::uint32_t mode = 0, uid = 0, gid = 0;
    std::uint32_t link = 0, link_size = 0;
    std::uint32_t text = 0, text_size = 0;  ///< further facts, JSON
    char type = '0';
    bool has_modified = false;
  };
  static bool is_directory(const TarMember& member);
  static std::string further_facts(const TarMember& member);
  bool keep(const TarMember& member, TreeIndex& index);
  void note_damage(const TarMember* last, std::vector<Problem>& problems);
  Result<std::unique_ptr<ByteSource>> open_record(std::uint64_t place, int links);
  std::string_view text(std::uint32_t offset, std::uint32_t size) const {
    return std::string_view(texts_).substr(offset, size);
  }

  ByteSource* tar_;
  std::string format_;
  std::unique_ptr<ByteSource> stream_;
  std::vector<Record> records_;
  std::string texts_;
  std::unordered_map<std::string, std::pair<std::uint32_t, std::uint32_t>> known_texts_;
};

bool TarFileSystem::is_directory(const TarMember& member) {
  if (member.type == '5' || member.type == 'D') return true;
  const bool plain = member.type == '0' || member.type == '\0';
  return plain && member.name.ends_with('/') && member.size == 0;
}

std::string TarFileSystem::further_facts(const TarMember& member) {
  json facts = json::object();
  if (!member.owner.empty()) facts["owner"] = to_valid_utf8(member.owner);
  if (!member.group.empty()) facts["group"] = to_valid_utf8(member.group);
  if (tree_path_changed(member.name)) facts["raw_name"] = escape_path(member.name);
  if (member.sparse) facts["stored_bytes"] = member.stored;
  for (const std::string& name : member.attributes)
    facts["extended_attributes"].push_back(to_valid_utf8(name));
  if (member.device) facts["device"] = fmt::format("{},{}", member.device->first, member.device->second);
  // Times that only some archives have: kept here, taken out again when the entry is described.
  if (member.times.accessed) facts["_accessed"] = *member.times.accessed;
  if (member.times.changed) facts["_changed"] = *member.times.changed;
  if (member.times.created) facts["_created"] = *member.times.created;
  return facts.empty() ? "" : facts.dump(-1, ' ', false, json::error_handler_t::replace);
}

bool TarFileSystem::keep(const TarMember& member, TreeIndex& index) {
  if (texts_.size() + member.link.size() + member.name.size() * 3 + 4096 > TreeIndex::kMaxNameBytes)
    return false;
  if (!index.add(member.name, is_directory(member), records_.size())) return false;
  Record record;
  record.header = member.header;
  record.size = member.size;
  record.has_modified = member.times.modified.has_value();
  record.modified = member.times.modified.value_or(0);
  record.mode = member.mode;
  record.uid = static_cast<std::uint32_t>(member.uid);
  record.gid = static_cast<std::uint32_t>(member.gid);
  record.type = member.type;
  record.link = static_cast<std::uint32_t>(texts_.size());
  record.link_size = static_cast<std::uint32_t>(member.link.size());
  texts_ += member.link;
  std::string facts = further_facts(member);
  if (const auto known = known_texts_.find(facts); known != known_texts_.end()) {
    std::tie(record.text, record.text_size) = known->second;
  } else {
    record.text = static_cast<std::uint32_t>(texts_.size());
    record.text_size = static_cast<std::uint32_t>(facts.size());
    texts_ += facts;
    if (known_texts_.size() >= kKnownTexts) known_texts_.clear();
    known_texts_.emplace(std::move(facts), std::pair(record.text, record.text_size));
  }
  records_.push_back(record);
  return true;
}

void TarFileSystem::note_damage(const TarMember* last, std::vector<Problem>& problems) {
  if (last != nullptr && last->stored > 0 &&
      (last->data > tar_->size() || last->stored > tar_->size() - last->data)) {
    problems.push_back(
        tree_problem(ProblemKind::corrupt, "",
                     fmt::format("the tar is cut off in the middle of {}", escape_path(last->name))));
  }
  if (const auto* decoded = dynamic_cast<const DecodedSource*>(tar_);
      decoded != nullptr && !decoded->damage().empty()) {
    problems.push_back(
        tree_problem(ProblemKind::corrupt, "",
                     fmt::format("after {} bytes of the tar: {}", decoded->size(), decoded->damage())));
  }
  if (stream_) {
    for (const Gap& gap : stream_->gaps()) {
      problems.push_back(tree_problem(
          ProblemKind::integrity, "",
          fmt::format("{} bytes of the unpacked tar from byte {}: {}", gap.length, gap.offset, gap.reason)));
    }
  }
}

Status TarFileSystem::fill(TreeIndex& index, std::vector<Problem>& problems) {
  stream_ = make_tar_stream(*tar_, format_);
  if (stream_) tar_ = stream_.get();
  std::unique_ptr<PieceSource> pieces;
  if (stream_ && format_ != "tar.gz") {
    pieces = std::make_unique<PieceSource>();
    if (auto filled = pieces->fill(*stream_); !filled) return filled;
    if (const auto* decoded = dynamic_cast<const DecodedSource*>(tar_); !decoded->damage().empty()) {
      problems.push_back(tree_problem(ProblemKind::corrupt, "", decoded->damage()));
    }
    stream_ = std::move(pieces);
    tar_ = stream_.get();
  }
  TarReader reader(*tar_);
  std::optional<TarMember> last;
  while (true) {
    auto member = reader.next(problems);
    if (!member) {
      if (records_.empty()) return member.error();
      problems.push_back(tree_problem(ProblemKind::unreadable, "", member.error().message));
      break;
    }
    if (!*member) break;
    last = std::move(*member);
    if (last->type == 'M') {
      problems.push_back(tree_problem(
          ProblemKind::corrupt, "",
          fmt::format("{} goes on from an earlier part of a multi-volume tar", escape_path(last->name))));
    }
    if (!keep(*last, index)) {
      problems.push_back(
          tree_problem(ProblemKind::limit, "",
                       fmt::format("the tar has more entries or longer names than can be kept ({} "
                                   "are): the rest is left out",
                                   index.size())));
      break;
    }
  }
  known_texts_ = {};
  note_damage(last ? &*last : nullptr, problems);
  return {};
}

void TarFileSystem::describe(std::uint64_t place, Entry& entry, std::vector<Problem>& /*problems*/) {
  const Record& record = records_[static_cast<std::size_t>(place)];
  json detail = json::object();
  if (record.text_size > 0) detail = json::parse(text(record.text, record.text_size));
  const auto take_time = [&](const char* key, std::optional<TimeUs>& out) {
    if (!detail.contains(key)) return;
    out = detail[key].get<TimeUs>();
    detail.erase(key);
  };
  take_time("_accessed", entry.times.accessed);
  take_time("_changed", entry.times.changed);
  take_time("_created", entry.times.created);
  if (record.has_modified) entry.times.modified = record.modified;
  entry.size = record.size;
  detail["mode"] = unix_mode_text(record.mode);
  detail["uid"] = record.uid;
  detail["gid"] = record.gid;
  const std::string link = to_valid_utf8(text(record.link, record.link_size));
  switch (record.type) {
    case '1':
      detail["hard_link_to"] = link;
      entry.has_content = true;
      break;
    case '2':
      entry.kind = ItemKind::link;
      detail["link_target"] = link;
      break;
    case '3':
      detail["type"] = "character_device";
      break;
    case '4':
      detail["type"] = "block_device";
      break;
    case '6':
      detail["type"] = "fifo";
      break;
    case 'V':
      entry.kind = ItemKind::virtual_;
      detail["type"] = "volume_label";
      break;
    default:
      entry.has_content = entry.kind == ItemKind::file;
  }
  if (record.type == 'M') detail["continued"] = true;
  if (record.type == '1' && record.size == 0) {
    // A hard link has the bytes of what it names.
    if (const auto source = open_record(place, 0)) entry.size = (*source)->size();
  }
  entry.detail = detail.dump(-1, ' ', false, json::error_handler_t::replace);
}

Result<std::unique_ptr<ByteSource>> TarFileSystem::open_record(std::uint64_t place, int links) {
  if (place >= records_.size()) return Error{ErrorCode::not_found, "there is no such entry of the tar"};
  const Record& record = records_[static_cast<std::size_t>(place)];
  if (record.type == '1' && record.size == 0) {
    if (links >= kMaxLinks) return Error{ErrorCode::corrupt, "its hard links lead in a circle"};
    // The last of that name before the link, as unpacking would have it; else the first behind it.
    std::optional<std::uint64_t> target;
    for (const TreeIndex::Node node : index().find_all(text(record.link, record.link_size))) {
      if (index().is_directory(node) || index().place(node) == place) continue;
      if (!target || index().place(node) < place) target = index().place(node);
    }
    if (!target) {
      return Error{ErrorCode::not_found, "what the hard link leads to is not in the tar: " +
                                             to_valid_utf8(text(record.link, record.link_size))};
    }
    return open_record(*target, links + 1);
  }
  TarReader reader(*tar_);
  const auto member = reader.read_at(record.header);
  if (!member) return member.error();
  if (!*member) return Error{ErrorCode::corrupt, "the entry's header cannot be read again"};
  return open_tar_member(*tar_, **member);
}

Result<std::unique_ptr<ByteSource>> TarFileSystem::open_place(std::uint64_t place) {
  return open_record(place, 0);
}

}  // namespace

Result<std::unique_ptr<FileSystem>> open_tar_tree(ByteSource& file, const std::string& format) {
  return std::unique_ptr<FileSystem>(std::make_unique<TarFileSystem>(file, format));
}

}  // namespace touchstone
