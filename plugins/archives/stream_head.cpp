// StreamContainer: what is taken from the headers of an archive itself instead of from libarchive.
#include <algorithm>
#include <array>

#include "limits.hpp"
#include "stream_container.hpp"

namespace touchstone::archives {

/// The next bytes for libarchive, without the blocks that are hidden from it.
std::int64_t StreamContainer::read_source() {
  std::uint64_t most = buffer_.size();
  while (next_hidden_ < hidden_.size() && source_offset_ >= hidden_[next_hidden_]->block)
    source_offset_ = std::max(source_offset_, hidden_[next_hidden_++]->block_end);
  if (next_hidden_ < hidden_.size()) most = std::min(most, hidden_[next_hidden_]->block - source_offset_);
  if (source_offset_ >= job_.size()) return 0;
  return job_.read_at(source_offset_, std::span(buffer_).first(static_cast<std::size_t>(most)));
}

/// What is better known from the headers than from libarchive.
void StreamContainer::look_at_head() {
  rar_ = read_rar_head(job_);
  std::array<std::uint8_t, 6> head{};
  constexpr std::array<std::uint8_t, 6> kSevenZip = {'7', 'z', 0xBC, 0xAF, 0x27, 0x1C};
  if (job_.read_at(0, head) == static_cast<std::int64_t>(head.size()) && head == kSevenZip)
    cut_ = seven_zip_cut(job_, is_empty_);
  std::uint32_t ordinal = 0;
  for (const RarMember& member : rar_.members) {
    if (member.is_encrypted) {
      hidden_.push_back(&member);
    } else {
      ordinals_.push_back(ordinal);
    }
    ++ordinal;
  }
  if (hidden_.empty()) ordinals_.clear();
}

/// libarchive passes over a record that is no digest, and the bytes are checked by their CRC-32 alone.
void StreamContainer::tell_bad_digests() {
  constexpr std::uint64_t kMostTold = 100;
  std::uint64_t ordinal = 0, told = 0;
  for (const RarMember& member : rar_.members) {
    if (member.has_bad_digest && told++ < kMostTold) {
      job_.emit_problem("corrupt",
                        "member " + std::to_string(ordinal) +
                            ": the record of its digest is damaged, so its bytes are not checked by it");
    }
    ++ordinal;
  }
}

/// Members as the headers of the archive name them.
ts_status StreamContainer::list_by_head() {
  Names names;
  std::string path;
  std::uint32_t ordinal = 0;
  for (const RarMember& each : rar_.members) {
    if (job_.cancelled()) return TS_LIMIT;
    if (!names.fit(each.name, ordinal, path)) break;
    ts_member member{};
    member.struct_size = sizeof member;
    member.ordinal = ordinal++;
    member.path = to_abi(path);
    member.size = each.size;
    member.packed_size = each.packed;
    member.is_directory = each.is_directory ? 1 : 0;
    member.is_encrypted = each.is_encrypted ? 1 : 0;
    member.has_modified = each.modified ? 1 : 0;
    member.modified = each.modified.value_or(0);
    if (!job_.emit_member(member)) return TS_OK;
  }
  names.report(job_);
  if (rar_.limited)
    job_.emit_problem("limit", "members beyond the first " + std::to_string(ordinal) + " are not listed");
  job_.emit_problem("encrypted", std::to_string(hidden_.size()) + " members are encrypted");
  return TS_OK;
}

}  // namespace touchstone::archives
