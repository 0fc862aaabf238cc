// The few words around a match that a reviewer reads first: valid UTF-8, one line, at most kMaxExcerpt
// characters.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "rules/keyword_matcher.hpp"

namespace touchstone::keywords {

inline constexpr std::size_t kMaxExcerpt = 120;  ///< characters, with the match
inline constexpr std::size_t kMaxMatch = 80;     ///< characters of a longer match that are shown

struct Excerpt {
  std::string match, context;
};

/// Bytes [from, to) of `bytes` are the match; both are cut to what `bytes` has.
Excerpt make_excerpt(std::string_view bytes, std::size_t from, std::size_t to, Encoding encoding);

/// The end of a stream as far as matches and excerpts may reach back into it.
class Recent {
 public:
  void clear(std::uint64_t offset);
  void add(std::string_view piece);
  /// Forgets what no later match can begin in.
  void trim();
  Excerpt excerpt(const KeywordHit& hit) const;
  std::uint64_t end() const { return offset_ + bytes_.size(); }

 private:
  std::string bytes_;
  std::uint64_t offset_ = 0;  // of the first byte kept
};

}  // namespace touchstone::keywords
