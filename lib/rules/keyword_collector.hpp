// From the raw matches of Hyperscan to the hits that are reported: starts, whole words, overlaps. Internal to
// lib/rules.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string_view>
#include <tuple>
#include <vector>

#include "rules/keyword_database.hpp"

namespace touchstone::keyword {

// How much longer than the first-ending match an overlapping one may be to replace it. Fixed, so that a
// stream gives the same hits however it is cut.
inline constexpr std::uint64_t kLookahead = 256;
// Longer matches are dropped: no keyword, and the text before it is not kept any more in a stream.
inline constexpr std::uint64_t kMaxMatch = 8192;
// Three or four letters turn up by chance in every few megabytes of compressed data. In raw UTF-8 such a
// match counts only with so many printable bytes right before and after it taken together.
inline constexpr std::uint64_t kShortMatch = 6, kTextAround = 8;
inline constexpr std::uint64_t kContext = kTextAround;  // bytes that must be known after a match
inline constexpr std::size_t kHistory = kMaxMatch + kLookahead + 2 * kContext;

struct RawHit {
  std::uint64_t from, to;
  std::uint32_t expression;
};

/// What is known of the bytes around a place: the piece at hand and what was kept of those before.
struct View {
  std::string_view before, piece;
  std::uint64_t piece_at = 0;  // offset of piece; `before` ends there
  std::uint64_t end() const { return piece_at + piece.size(); }
  std::optional<unsigned char> at(std::uint64_t offset) const {
    if (offset >= end() || offset + before.size() < piece_at) return std::nullopt;
    const char c =
        offset >= piece_at ? piece[offset - piece_at] : before[before.size() - (piece_at - offset)];
    return static_cast<unsigned char>(c);
  }
};

/// Hits of one term that wait for what may replace them.
struct Waiting {
  std::vector<RawHit> hits;  // checked, not yet reported
  std::uint64_t reported_to = 0;
};

/// Collects raw hits from Hyperscan, and turns them into the hits that are reported.
class Collector {
 public:
  Collector(const std::vector<Expression>& expressions, hs_scratch_t* scratch, std::uint32_t max_hits)
      : expressions_(expressions), scratch_(scratch), max_hits_(max_hits) {}

  static int on_match(unsigned id, unsigned long long from, unsigned long long to, unsigned, void* context);

  /// Takes over what is decided by the bytes up to view.end(); all of it if `final`. False: the caller wants
  /// no more.
  bool report(const View& view, bool final, const KeywordMatcher::OnHit& on_hit);
  bool dropped() const { return dropped_; }
  void clear();

 private:
  // UTF-16 in both byte orders shares a key: a text in one of them also looks, one byte on, like the other.
  using Key = std::tuple<std::uint32_t, std::uint32_t, bool>;

  /// Gives the hits that came without a start the leftmost one in the bytes before their end.
  void find_starts(const View& view);
  static int on_start(unsigned, unsigned long long, unsigned long long, unsigned, void* context);
  void check_words(const View& view, bool final);
  /// Aligned UTF-16 first, then leftmost, then longest.
  bool better(const RawHit& a, const RawHit& b) const;
  void resolve(const Key& key, Waiting& waiting, std::uint64_t end, bool final, std::vector<KeywordHit>& out);

  const std::vector<Expression>& expressions_;
  hs_scratch_t* scratch_;  // not in use by Hyperscan while report() runs
  std::uint32_t max_hits_;
  std::vector<RawHit> raw_;
  std::map<Key, Waiting> waiting_;
  bool dropped_ = false;
};

}  // namespace touchstone::keyword
