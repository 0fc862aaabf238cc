#include "filesystem/iso_sessions.hpp"

#include <algorithm>
#include <cstring>
#include <optional>
#include <span>

#include "evidence/integers.hpp"
#include "filesystem/iso_records.hpp"

namespace touchstone::iso {
namespace {

constexpr std::uint64_t kFirst = 16;  // sectors of the system area before a session's descriptors
// On media that can be overwritten the descriptors at the start are those of the newest session, and the
// oldest session begins here (libisofs, doc/boot_sectors and the overwritable media emulation of libburn).
constexpr std::uint64_t kEmulated = 32;
constexpr std::size_t kMaxSessions = 99;      // tracks of a CD
constexpr std::uint64_t kMaxGap = 64 * 1024;  // sectors: lead-out and lead-in of a CD are 11,400
constexpr std::size_t kPiece = 256;           // sectors read at a time

bool is_primary(std::span<const std::byte> sector) {
  return sector.size() == kSector && std::memcmp(sector.data(), "\x01\x43\x44\x30\x30\x31\x01", 7) == 0;
}

/// A session brings its own root directory. Block numbers of an image that only lies on the disc as a file,
/// or of a partition, lead elsewhere.
bool leads_to_its_root(ByteSource& disc, std::uint64_t place, std::uint64_t block_size,
                       std::uint32_t root_block) {
  if (root_block * block_size <= place * kSector) return false;
  constexpr std::size_t kRecord = 255;  // the longest
  std::vector<std::byte> record(kRecord);
  const auto got = disc.read_at(root_block * block_size, record);
  const auto itself = parse_record(std::span(record).first(got ? *got : 0), {}, disc);
  return itself && itself->itself && itself->directory && itself->block == root_block;
}

std::optional<Session> session_of(ByteSource& disc, std::uint64_t place, std::span<const std::byte> sector) {
  if (!is_primary(sector)) return std::nullopt;
  const std::uint64_t block_size = little(sector, 128, 2);
  const std::uint64_t sectors = little(sector, 80, 4) * block_size / kSector;
  Session session;
  session.first_descriptor = place;
  session.root_block = static_cast<std::uint32_t>(little(sector, 158, 4));
  // Some writers count from the disc's start, others from the session's.
  const std::uint64_t start = place - std::min(place, kFirst);
  session.end = sectors > start ? sectors : start + sectors;
  if (place != kFirst && !leads_to_its_root(disc, place, block_size, session.root_block)) return std::nullopt;
  return session;
}

std::optional<Session> session_at(ByteSource& disc, std::uint64_t place) {
  std::vector<std::byte> sector(kSector);
  const auto got = disc.read_at(place * kSector, sector);
  return session_of(disc, place, std::span(sector).first(got ? *got : 0));
}

std::optional<Session> next_session(ByteSource& disc, std::uint64_t from) {
  const std::uint64_t stop = std::min(disc.size() / kSector, from + kMaxGap);
  std::vector<std::byte> piece(kPiece * kSector);
  for (std::uint64_t at = from; at < stop; at += kPiece) {
    const auto got = disc.read_at(at * kSector, piece);
    const auto bytes = std::span<const std::byte>(piece).first(got ? *got : 0);
    for (std::size_t i = 0; i < bytes.size() / kSector && at + i < stop; ++i) {
      if (auto found = session_of(disc, at + i, bytes.subspan(i * kSector, kSector))) return found;
    }
  }
  return std::nullopt;
}

}  // namespace

std::vector<Session> find_sessions(ByteSource& disc) {
  std::vector<Session> sessions;
  const auto first = session_at(disc, kFirst);
  if (!first) return sessions;
  sessions.push_back(*first);
  std::uint64_t end = first->end;
  if (const auto emulated = session_at(disc, kEmulated + kFirst);
      emulated && emulated->root_block != first->root_block) {
    sessions.push_back(*emulated);
    end = emulated->end;
  }
  while (sessions.size() < kMaxSessions) {
    const std::uint64_t from = std::max(end, sessions.back().first_descriptor + 1);
    const auto next = next_session(disc, from);
    if (!next) break;
    sessions.push_back(*next);
    end = next->end;
  }
  std::vector<Session> once;
  once.reserve(sessions.size());
  for (auto each = sessions.begin(); each != sessions.end(); ++each) {
    const bool again = std::any_of(
        each + 1, sessions.end(), [&](const Session& later) { return later.root_block == each->root_block; });
    if (!again) once.push_back(*each);
  }
  return once;
}

}  // namespace touchstone::iso
