#include "archive_heads.hpp"

#include <algorithm>
#include <array>
#include <string_view>

#include "limits.hpp"

namespace touchstone::archives {
namespace {

constexpr std::string_view kRar4("Rar!\x1A\x07\x00", 7), kRar5("Rar!\x1A\x07\x01\x00", 8);
constexpr std::size_t kMaxHeader = 2U << 20U;  // as RAR 5 itself has it

std::uint64_t little(std::span<const std::uint8_t> bytes, std::size_t at, std::size_t count) {
  std::uint64_t value = 0;
  if (at > bytes.size() || count > bytes.size() - at) return 0;
  for (std::size_t i = count; i-- > 0;) value = (value << 8U) | bytes[at + i];
  return value;
}

/// Numbers of a RAR 5 header, one after the other. After the end all are 0 and `failed` is set.
struct Cursor {
  std::span<const std::uint8_t> bytes;
  std::size_t at = 0;
  bool failed = false;

  std::uint64_t number() {
    std::uint64_t value = 0;
    for (unsigned shift = 0; shift < 63; shift += 7) {
      if (at >= bytes.size()) break;
      const std::uint8_t byte = bytes[at++];
      value |= std::uint64_t{byte & 0x7FU} << shift;
      if ((byte & 0x80U) == 0) return value;
    }
    failed = true;
    return 0;
  }
  std::uint64_t fixed(std::size_t count) {
    if (count > bytes.size() - at) {
      failed = true;
      return 0;
    }
    at += count;
    return little(bytes, at - count, count);
  }
};

std::vector<std::uint8_t> read_some(const Job& job, std::uint64_t offset, std::size_t count) {
  std::vector<std::uint8_t> bytes(count);
  const auto got = offset < job.size() ? job.read_at(offset, bytes) : 0;
  bytes.resize(static_cast<std::size_t>(std::max<std::int64_t>(got, 0)));
  return bytes;
}

/// Records behind a file's header: whether it is encrypted, its time, and a digest that makes no sense.
void read_extra(std::span<const std::uint8_t> extra, RarMember& member) {
  constexpr std::uint64_t kEncryption = 1, kDigest = 2, kTimes = 3, kUnixForm = 1, kHasModified = 2;
  constexpr std::size_t kBlake2sp = 32;  // the only digest there is, as number 0
  constexpr std::int64_t kFrom1601 = 11'644'473'600;
  Cursor cursor{extra};
  while (cursor.at < extra.size() && !cursor.failed) {
    const std::uint64_t size = cursor.number();
    if (cursor.failed || size > extra.size() - cursor.at) return;
    Cursor record{extra.subspan(cursor.at, static_cast<std::size_t>(size))};
    cursor.at += static_cast<std::size_t>(size);
    const std::uint64_t type = record.number();
    if (type == kEncryption) member.is_encrypted = true;
    if (type == kDigest) {
      const bool is_known = record.number() == 0 && !record.failed;
      member.has_bad_digest = !is_known || record.bytes.size() - record.at < kBlake2sp;
    }
    if (type != kTimes) continue;
    const std::uint64_t flags = record.number();
    if ((flags & kHasModified) == 0) continue;
    const std::uint64_t value = record.fixed((flags & kUnixForm) ? 4 : 8);
    if (record.failed) return;
    member.modified = (flags & kUnixForm) ? static_cast<std::int64_t>(value) * 1'000'000
                                          : static_cast<std::int64_t>(value / 10) - kFrom1601 * 1'000'000;
  }
}

struct Block5 {
  std::uint64_t type = 0, flags = 0, data = 0, extra = 0, end = 0;
  std::vector<std::uint8_t> header;  // what the header's size counts: from the type on
  std::size_t fields = 0;            // where the fields of the type begin
};

bool read_block(const Job& job, std::uint64_t offset, Block5& block) {
  const auto start = read_some(job, offset, 4 + 3);
  Cursor cursor{start, 4};
  const std::uint64_t size = cursor.number();
  if (start.size() < 7 || cursor.failed || size == 0 || size > kMaxHeader) return false;
  block.header = read_some(job, offset + cursor.at, static_cast<std::size_t>(size));
  if (block.header.size() < size) return false;
  Cursor fields{block.header};
  block.type = fields.number();
  block.flags = fields.number();
  block.extra = (block.flags & 1U) ? fields.number() : 0;
  block.data = (block.flags & 2U) ? fields.number() : 0;
  block.fields = fields.at;
  const std::uint64_t begin = offset + cursor.at + size;
  if (fields.failed || block.extra > size - fields.at || block.data > UINT64_MAX - begin) return false;
  block.end = begin + block.data;
  return true;
}

void read_member(const Block5& block, std::uint64_t offset, RarMember& member) {
  constexpr std::uint64_t kIsDirectory = 1, kHasTime = 2, kHasChecksum = 4, kUnknownSize = 8;
  Cursor cursor{std::span(block.header).first(block.header.size() - static_cast<std::size_t>(block.extra)),
                block.fields};
  const std::uint64_t flags = cursor.number(), size = cursor.number();
  cursor.number();  // attributes
  if (flags & kHasTime) member.modified = static_cast<std::int64_t>(cursor.fixed(4)) * 1'000'000;
  if (flags & kHasChecksum) cursor.fixed(4);
  cursor.number();  // packing
  cursor.number();  // system
  const std::uint64_t length = cursor.number();
  if (!cursor.failed && length <= cursor.bytes.size() - cursor.at) {
    const auto name = cursor.bytes.subspan(cursor.at, static_cast<std::size_t>(length));
    member.name.assign(name.begin(), name.end());
  }
  member.is_directory = (flags & kIsDirectory) != 0;
  if ((flags & kUnknownSize) == 0) member.size = size;
  member.packed = block.data;
  member.from_before = (block.flags & 8U) != 0;
  member.goes_on = (block.flags & 16U) != 0;
  member.block = offset;
  member.block_end = block.end;
  read_extra(std::span(block.header).last(static_cast<std::size_t>(block.extra)), member);
}

void read_rar5(const Job& job, RarHead& head) {
  constexpr std::uint64_t kMain = 1, kFile = 2, kEncryption = 4, kEnd = 5;
  Block5 block;
  std::uint64_t names = 0;
  for (std::uint64_t offset = kRar5.size(); offset < job.size() && read_block(job, offset, block);
       offset = block.end) {
    if (job.cancelled()) return;
    if (block.type == kEncryption) head.names_encrypted = true;
    if (block.type == kEncryption || block.type == kEnd) return;
    if (block.type == kMain) {
      Cursor cursor{block.header, block.fields};
      const std::uint64_t flags = cursor.number();
      head.is_volume = (flags & 1U) != 0;
      if (flags & 2U) head.volume = cursor.number();
    }
    if (block.type != kFile) continue;
    RarMember& member = head.members.emplace_back();
    read_member(block, offset, member);
    names += member.name.size();
    head.limited = head.members.size() >= kMaxMembers || names > kMaxPathBytesInAll;
    if (head.limited) return;
  }
}

}  // namespace

RarHead read_rar_head(const Job& job) {
  RarHead head;
  const auto start = read_some(job, 0, 64);
  const std::string_view text(reinterpret_cast<const char*>(start.data()), start.size());
  if (text.starts_with(kRar5)) {
    head.version = 5;
    read_rar5(job, head);
  } else if (text.starts_with(kRar4)) {
    constexpr std::uint8_t kMain = 0x73;
    head.version = 4;
    if (start.size() >= kRar4.size() + 7 && start[kRar4.size() + 2] == kMain) {
      const std::uint64_t flags = little(start, kRar4.size() + 3, 2);
      head.is_volume = (flags & 1U) != 0;
      head.names_encrypted = (flags & 0x80U) != 0;
    }
  }
  return head;
}

std::string seven_zip_cut(const Job& job, bool& is_empty) {
  constexpr std::size_t kHeadBytes = 32;
  const auto start = read_some(job, 0, kHeadBytes);
  is_empty = start.size() == kHeadBytes && little(start, 20, 8) == 0;
  const std::uint64_t offset = little(start, 12, 8), size = little(start, 20, 8);
  if (start.size() == kHeadBytes && offset <= job.size() && size <= job.size() &&
      offset + size + kHeadBytes <= job.size())
    return {};
  return "ends before its list of members: it is cut, or the first of several parts (.7z.001, .7z.002 …) "
         "that have to be joined";
}

}  // namespace touchstone::archives
