#include "filesystem/trees/tar_reader.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstring>

#include "evidence/decoded_source.hpp"
#include "evidence/tree_format.hpp"
#include "filesystem/trees/tar_fields.hpp"
#include "filesystem/trees/tree_file_system.hpp"

namespace touchstone {
namespace {

// Longer than any header that was seen: a list of stretches of one sparse file takes the most.
constexpr std::uint64_t kMaxExtendedHeader = std::uint64_t{16} << 20;
constexpr std::size_t kMaxExtents = 1'000'000;
constexpr std::uint64_t kMaxSparseSize = std::uint64_t{1} << 40, kMinStoredPart = 1000;
constexpr std::size_t kMaxGlobalBytes = std::size_t{1} << 20;

std::uint64_t round_up(std::uint64_t size) {
  return size > UINT64_MAX - kTarBlock ? size : (size + kTarBlock - 1) / kTarBlock * kTarBlock;
}

std::uint64_t add(std::uint64_t a, std::uint64_t b) {
  return a > UINT64_MAX - b ? UINT64_MAX : a + b;
}

std::optional<std::uint64_t> decimal(std::string_view text) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

/// "1350244992.023960108", negative too.
std::optional<TimeUs> decimal_time(std::string_view text) {
  const bool negative = text.starts_with('-');
  if (negative) text.remove_prefix(1);
  const std::size_t dot = text.find('.');
  const auto seconds = decimal(text.substr(0, dot));
  constexpr std::uint64_t kMost = std::uint64_t{1} << 43;  // microseconds stay inside 64 bits
  if (!seconds || *seconds > kMost) return std::nullopt;
  std::int64_t micros = 0;
  if (dot != std::string_view::npos) {
    std::string digits(text.substr(dot + 1, 6));
    digits.resize(6, '0');
    const auto fraction = decimal(digits);
    if (!fraction) return std::nullopt;
    micros = static_cast<std::int64_t>(*fraction);
  }
  const std::int64_t value = static_cast<std::int64_t>(*seconds) * 1'000'000 + micros;
  return negative ? -value : value;
}

std::vector<TarExtent> pairs(std::span<const std::uint64_t> numbers) {
  std::vector<TarExtent> extents;
  for (std::size_t i = 0; i + 1 < numbers.size(); i += 2) extents.push_back({numbers[i], numbers[i + 1]});
  return extents;
}

bool all_zero(std::span<const std::byte> bytes) {
  return std::all_of(bytes.begin(), bytes.end(), [](std::byte b) { return b == std::byte{0}; });
}

}  // namespace

Result<bool> TarReader::read_block(std::uint64_t offset) {
  block_.resize(kTarBlock);
  const auto got = tar_.read_at(offset, block_);
  if (!got) return got.error();
  block_.resize(*got);
  return *got == kTarBlock;
}

/// From a block of zeros to the next that is none: the archive's end, or another archive behind it.
Result<bool> TarReader::skip_zeros(std::vector<Problem>& problems) {
  std::vector<std::byte> stretch(std::size_t{1} << 20);
  const std::uint64_t from = position_;
  while (true) {
    const auto got = tar_.read_at(position_, stretch);
    if (!got) return got.error();
    const auto bytes = std::span<const std::byte>(stretch).first(*got);
    const auto other =
        std::find_if(bytes.begin(), bytes.end(), [](std::byte b) { return b != std::byte{0}; });
    if (other == bytes.end()) {
      if (*got == 0) return false;
      position_ += *got;
      continue;
    }
    const auto skipped = static_cast<std::uint64_t>(other - bytes.begin());
    position_ = from + (position_ + skipped - from) / kTarBlock * kTarBlock;
    auto whole = read_block(position_);
    if (!whole) return whole;
    if (!*whole || !is_tar_header(block_)) {
      // What follows the end and is no archive is not searched for one: tapes and programs leave such rests.
      problems.push_back(
          tree_problem(ProblemKind::corrupt, "",
                       fmt::format("bytes that are no tar follow its end, from byte {}", position_)));
      return false;
    }
    return true;
  }
}

/// Makes block_ a header. False at the end.
Result<bool> TarReader::find_header(std::vector<Problem>& problems, bool within_member) {
  const std::uint64_t from = position_;
  while (true) {
    auto whole = read_block(position_);
    if (!whole) return whole;
    if (!*whole) {
      if (position_ != from || !block_.empty() || within_member) {
        problems.push_back(
            tree_problem(ProblemKind::corrupt, "",
                         fmt::format("the tar is cut off: no header could be read at byte {}", from)));
      }
      return false;
    }
    if (all_zero(block_)) {
      if (position_ != from) break;
      return skip_zeros(problems);
    }
    if (is_tar_header(block_)) break;
    position_ += kTarBlock;
  }
  if (position_ != from) {
    problems.push_back(
        tree_problem(ProblemKind::corrupt, "",
                     fmt::format("{} bytes from byte {} of the tar are no header where one should be: "
                                 "reading goes on behind them",
                                 position_ - from, from)));
    return all_zero(block_) ? skip_zeros(problems) : Result<bool>(true);
  }
  return true;
}

Status TarReader::parse_pax(const std::string& text, Pending* pending, std::vector<Problem>& problems) {
  Attributes& into = pending != nullptr ? pending->pax : global_;
  // PAX 0.0 has a pair of keys for each stretch.
  std::uint64_t offset = 0;
  bool has_offset = false;
  for (std::size_t at = 0; at < text.size() && text[at] != '\0';) {
    const std::size_t space = text.find(' ', at);
    const auto length =
        space == std::string::npos ? std::nullopt : decimal(std::string_view(text).substr(at, space - at));
    const std::size_t equals = space == std::string::npos ? space : text.find('=', space);
    if (!length || equals == std::string::npos || *length > text.size() - at || at + *length <= equals + 1) {
      problems.push_back(
          tree_problem(ProblemKind::corrupt, "",
                       fmt::format("an extended header before byte {} of the tar is damaged", position_)));
      break;
    }
    const std::string key = text.substr(space + 1, equals - space - 1);
    std::string value = text.substr(equals + 1, at + static_cast<std::size_t>(*length) - equals - 2);
    at += static_cast<std::size_t>(*length);
    if (pending != nullptr && key == "GNU.sparse.offset") {
      const auto number = decimal(value);
      has_offset = number.has_value();
      offset = number.value_or(0);
    } else if (pending != nullptr && key == "GNU.sparse.numbytes") {
      const auto count = decimal(value);
      if (has_offset && count && pending->pax_extents.size() <= kMaxExtents) {
        pending->pax_extents.push_back({offset, *count});
      }
      has_offset = false;
    } else {
      into[key] = std::move(value);
    }
  }
  if (pending == nullptr) {
    std::size_t bytes = 0;
    for (const auto& [key, value] : global_) bytes += key.size() + value.size();
    if (bytes > kMaxGlobalBytes) {
      global_.clear();
      problems.push_back(
          tree_problem(ProblemKind::limit, "", "the tar's global headers are too long and left out"));
    }
  }
  return {};
}

/// A header that says something of the next one; its text is its data.
Status TarReader::extended(char type, Pending& pending, std::vector<Problem>& problems) {
  const std::uint64_t size = tar_number(tar_field(block_, 124, 12)).value_or(0);
  const std::uint64_t data = position_ + kTarBlock;
  if (!pending.header && type != 'g') pending.header = position_;
  position_ = add(data, round_up(size));
  if (size > kMaxExtendedHeader) {
    problems.push_back(
        tree_problem(ProblemKind::limit, "",
                     fmt::format("an extended header of {} bytes at byte {} of the tar is left out", size,
                                 data - kTarBlock)));
    return {};
  }
  std::string text(static_cast<std::size_t>(size), '\0');
  const auto got = tar_.read_at(data, std::as_writable_bytes(std::span(text)));
  if (!got) return got.error();
  text.resize(*got);
  if (type == 'L' || type == 'K') {
    text.resize(std::min(text.size(), text.find('\0')));
    (type == 'L' ? pending.name : pending.link) = std::move(text);
    return {};
  }
  return parse_pax(text, type == 'g' ? nullptr : &pending, problems);
}

const std::string* TarReader::find(const Pending& pending, std::string_view key) const {
  if (const auto found = pending.pax.find(key); found != pending.pax.end()) return &found->second;
  const auto found = global_.find(key);
  return found == global_.end() ? nullptr : &found->second;
}

void TarReader::apply_pax(TarMember& member, const Pending& pending) {
  // A path or size for all members makes no sense; only their own headers count there.
  const auto own = [&](std::string_view key) -> const std::string* {
    const auto found = pending.pax.find(key);
    return found == pending.pax.end() ? nullptr : &found->second;
  };
  if (const auto* value = own("path")) member.name = *value;
  if (const auto* value = own("linkpath")) member.link = *value;
  if (const auto* value = own("size")) {
    if (const auto size = decimal(*value)) member.size = member.stored = *size;
  }
  if (const auto* value = find(pending, "uid")) member.uid = decimal(*value).value_or(member.uid);
  if (const auto* value = find(pending, "gid")) member.gid = decimal(*value).value_or(member.gid);
  if (const auto* value = find(pending, "uname")) member.owner = *value;
  if (const auto* value = find(pending, "gname")) member.group = *value;
  const auto time = [&](std::string_view key, std::optional<TimeUs>& out) {
    const auto* value = find(pending, key);
    if (value == nullptr) return;
    if (const auto read = decimal_time(*value)) out = read;
  };
  time("mtime", member.times.modified);
  time("atime", member.times.accessed);
  time("ctime", member.times.changed);
  time("LIBARCHIVE.creationtime", member.times.created);
  for (const auto& [key, value] : pending.pax) {
    for (const std::string_view prefix : {"SCHILY.xattr.", "LIBARCHIVE.xattr."}) {
      if (key.starts_with(prefix)) member.attributes.push_back(key.substr(prefix.size()));
    }
  }
  apply_pax_sparse(member, pending.pax, pending);
}

void TarReader::apply_pax_sparse(TarMember& member, const Attributes& pax, const Pending& pending) {
  const auto get = [&](std::string_view key) -> std::optional<std::string> {
    const auto found = pax.find(key);
    return found == pax.end() ? std::nullopt : std::optional(found->second);
  };
  if (const auto name = get("GNU.sparse.name")) member.name = *name;
  for (const char* key : {"GNU.sparse.size", "GNU.sparse.realsize", "SCHILY.realsize"}) {
    const auto value = get(key);
    if (!value) continue;
    if (const auto size = decimal(*value)) member.size = *size;
  }
  if (!pending.pax_extents.empty()) {
    member.sparse = true;
    member.extents = pending.pax_extents;
  } else if (const auto map = get("GNU.sparse.map")) {
    member.sparse = true;
    std::vector<std::uint64_t> numbers;
    for (std::size_t at = 0; at <= map->size() && numbers.size() <= 2 * kMaxExtents;) {
      const std::size_t comma = std::min(map->find(',', at), map->size());
      const auto value = decimal(std::string_view(*map).substr(at, comma - at));
      at = comma + 1;
      if (!value) break;
      numbers.push_back(*value);
    }
    member.extents = pairs(numbers);
  } else if (get("GNU.sparse.major") == "1") {
    member.sparse = member.sparse_map_in_data = true;
  }
}

void TarReader::parse_gnu_sparse(TarMember& member) {
  constexpr std::size_t kFirst = 386, kInHeader = 4, kInExtension = 21, kPair = 24;
  const auto take = [&](std::size_t from, std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) {
      const auto offset = tar_number(tar_field(block_, from + i * kPair, 12));
      const auto length = tar_number(tar_field(block_, from + i * kPair + 12, 12));
      if (!offset || !length || block_[from + i * kPair] == std::byte{0}) continue;
      if (member.extents.size() <= kMaxExtents) member.extents.push_back({*offset, *length});
    }
  };
  member.sparse = true;
  member.size = tar_number(tar_field(block_, 483, 12)).value_or(member.stored);
  take(kFirst, kInHeader);
  bool more = block_[482] != std::byte{0};
  while (more && member.extents.size() <= kMaxExtents) {
    const auto whole = read_block(member.data);
    if (!whole || !*whole) break;
    take(0, kInExtension);
    more = block_[504] != std::byte{0};
    member.data += kTarBlock;
  }
}

TarMember TarReader::parse_member(const Pending& pending) {
  TarMember member;
  member.header = pending.header.value_or(position_);
  member.type = static_cast<char>(block_[156]);
  member.name = tar_field(block_, 0, 100);
  member.link = tar_field(block_, 157, 100);
  const bool ustar = std::memcmp(block_.data() + 257, "ustar\0", 6) == 0;
  const bool gnu = std::memcmp(block_.data() + 257, "ustar ", 6) == 0;
  const bool star = ustar && std::memcmp(block_.data() + 508, "tar", 3) == 0;
  if (ustar) {
    const std::string prefix(tar_field(block_, 345, star ? 131 : 155));
    if (!prefix.empty()) member.name = prefix + '/' + member.name;
  }
  if (ustar || gnu) {
    member.owner = tar_field(block_, 265, 32);
    member.group = tar_field(block_, 297, 32);
  }
  member.data = position_ + kTarBlock;
  member.stored = member.size = tar_number(tar_field(block_, 124, 12)).value_or(0);
  member.mode = static_cast<std::uint32_t>(tar_number(tar_field(block_, 100, 8)).value_or(0) & 07777);
  member.uid = tar_number(tar_field(block_, 108, 8)).value_or(0);
  member.gid = tar_number(tar_field(block_, 116, 8)).value_or(0);
  member.times.modified = tar_time(tar_field(block_, 136, 12));
  // GNU tar and star keep two more times in what ustar uses for long names.
  if (gnu || star) {
    const std::size_t accessed = gnu ? 345 : 476;
    member.times.accessed = tar_time(tar_field(block_, accessed, 12));
    member.times.changed = tar_time(tar_field(block_, accessed + 12, 12));
  }
  if (member.type == '3' || member.type == '4') {
    member.device.emplace(static_cast<std::uint32_t>(tar_number(tar_field(block_, 329, 8)).value_or(0)),
                          static_cast<std::uint32_t>(tar_number(tar_field(block_, 337, 8)).value_or(0)));
  }
  if (member.type == 'S' && gnu) parse_gnu_sparse(member);
  if (pending.name) member.name = *pending.name;
  if (pending.link) member.link = *pending.link;
  apply_pax(member, pending);
  // These have no bytes, whatever their size field says; old programs wrote a linked file's size there.
  const bool no_data = member.type == '1' || member.type == '2' || member.type == '3' || member.type == '4' ||
                       member.type == '5' || member.type == '6';
  if (no_data && !(member.type == '1' && pending.pax.contains("size"))) member.stored = member.size = 0;
  return member;
}

Result<std::optional<TarMember>> TarReader::next(std::vector<Problem>& problems) {
  Pending pending;
  while (true) {
    const auto found = find_header(problems, pending.header.has_value());
    if (!found) return found.error();
    if (!*found) return std::optional<TarMember>();
    const char type = static_cast<char>(block_[156]);
    if (type == 'x' || type == 'X' || type == 'g' || type == 'L' || type == 'K') {
      if (auto read = extended(type, pending, problems); !read) return read.error();
      continue;
    }
    TarMember member = parse_member(pending);
    position_ = add(member.data, round_up(member.stored));
    return std::optional(std::move(member));
  }
}

Result<std::optional<TarMember>> TarReader::read_at(std::uint64_t header) {
  position_ = header;
  std::vector<Problem> known;
  return next(known);
}

namespace {

/// The stored stretches one after the other, zeros between them.
class SparseSource : public ByteSource {
 public:
  struct Piece {
    std::uint64_t offset, length, stored_at;
  };
  SparseSource(std::unique_ptr<ByteSource> stored, std::vector<Piece> pieces, std::uint64_t size)
      : stored_(std::move(stored)), pieces_(std::move(pieces)), size_(size) {}
  std::uint64_t size() const override { return size_; }
  Result<std::size_t> read_at(std::uint64_t offset, std::span<std::byte> out) override {
    if (offset >= size_) return std::size_t{0};
    out = out.first(static_cast<std::size_t>(std::min<std::uint64_t>(out.size(), size_ - offset)));
    auto piece =
        std::upper_bound(pieces_.begin(), pieces_.end(), offset,
                         [](std::uint64_t at, const Piece& each) { return at < each.offset + each.length; });
    for (std::size_t done = 0; done < out.size();) {
      const std::uint64_t at = offset + done;
      std::size_t count = out.size() - done;
      if (piece == pieces_.end() || at < piece->offset) {
        if (piece != pieces_.end())
          count = static_cast<std::size_t>(std::min<std::uint64_t>(count, piece->offset - at));
        std::memset(out.data() + done, 0, count);
      } else {
        count = static_cast<std::size_t>(std::min<std::uint64_t>(count, piece->offset + piece->length - at));
        auto got = stored_->read_at(piece->stored_at + (at - piece->offset), out.subspan(done, count));
        if (!got) return got;
        std::fill_n(out.begin() + static_cast<std::ptrdiff_t>(done + *got), count - *got, std::byte{0});
        if (at + count == piece->offset + piece->length) ++piece;
      }
      done += count;
    }
    return out.size();
  }
  std::vector<Gap> gaps() const override {
    std::vector<Gap> gaps;
    for (const Gap& gap : stored_->gaps()) {
      for (const Piece& piece : pieces_) {
        const std::uint64_t from = std::max(gap.offset, piece.stored_at);
        const std::uint64_t to = std::min(add(gap.offset, gap.length), piece.stored_at + piece.length);
        if (from < to && gaps.size() < kMaxGaps)
          gaps.push_back({piece.offset + (from - piece.stored_at), to - from, gap.reason});
      }
    }
    return gaps;
  }

 private:
  std::unique_ptr<ByteSource> stored_;
  std::vector<Piece> pieces_;
  std::uint64_t size_;
};

/// PAX 1.0: how many stretches, then offset and length of each, a decimal number a line, up to the next
/// block.
Result<std::vector<TarExtent>> read_map(ByteSource& stored, std::uint64_t& length) {
  const Error bad{ErrorCode::corrupt, "the list of the sparse file's stored parts is damaged"};
  std::vector<std::uint64_t> numbers;
  std::vector<std::byte> block(kTarBlock);
  std::string line;
  const auto whole = [&] { return !numbers.empty() && numbers.size() > 2 * numbers[0]; };
  for (length = 0; !whole(); length += kTarBlock) {
    const auto got = stored.read_at(length, block);
    if (!got || *got != kTarBlock) return bad;
    for (std::size_t i = 0; i < kTarBlock && !whole(); ++i) {
      const char c = static_cast<char>(block[i]);
      if (c != '\n') {
        if (line.size() > 20) return bad;
        line += c;
        continue;
      }
      const auto value = decimal(line);
      line.clear();
      if (!value) return bad;
      if (numbers.empty() && *value > kMaxExtents) {
        return Error{ErrorCode::limit, "a sparse file of more parts than are read"};
      }
      numbers.push_back(*value);
    }
  }
  return pairs(std::span<const std::uint64_t>(numbers).subspan(1));
}

}  // namespace

Result<std::unique_ptr<ByteSource>> open_tar_member(ByteSource& tar, const TarMember& member) {
  auto stored = make_window(tar, member.data, member.stored);
  if (stored->size() < member.stored) {
    stored = make_short_source(std::move(stored), member.stored, "the tar ends here");
  }
  if (!member.sparse) return stored;
  std::vector<TarExtent> extents = member.extents;
  std::uint64_t at = 0;
  if (member.sparse_map_in_data) {
    auto map = read_map(*stored, at);
    if (!map) return map.error();
    extents = map.take();
  }
  if (extents.size() > kMaxExtents)
    return Error{ErrorCode::limit, "a sparse file of more parts than are read"};
  std::vector<SparseSource::Piece> pieces;
  std::uint64_t end = 0;
  for (const TarExtent& extent : extents) {
    const bool fits =
        extent.offset >= end && extent.length <= member.size && extent.offset <= member.size - extent.length;
    if (!fits)
      return Error{ErrorCode::corrupt, "the list of the sparse file's stored parts contradicts itself"};
    if (extent.length > 0) pieces.push_back({extent.offset, extent.length, at});
    at += extent.length;
    end = extent.offset + extent.length;
  }
  // Zeros that nothing stands for: believed up to what disks have, beyond that only where much of it is
  // stored.
  if (member.size > kMaxSparseSize && member.stored < member.size / kMinStoredPart) {
    return Error{ErrorCode::limit,
                 fmt::format("a sparse file that claims {} bytes and has {}", member.size, at)};
  }
  if (at > member.stored)
    return Error{ErrorCode::corrupt, "the sparse file should have more bytes than are stored"};
  return std::unique_ptr<ByteSource>(
      std::make_unique<SparseSource>(std::move(stored), std::move(pieces), member.size));
}

}  // namespace touchstone
