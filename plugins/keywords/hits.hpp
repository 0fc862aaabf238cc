// What is found in one item, on its way to findings: counts each term, caps what is given out, and holds back
// what was found in raw bytes until it is known whether the text facet says the same.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <touchstone/plugin.hpp>
#include <utility>
#include <vector>

#include "excerpt.hpp"
#include "rules/keyword_matcher.hpp"
#include "rules/keyword_pack.hpp"

namespace touchstone::keywords {

/// Findings of one term in one item; more are only counted. A page of a thousand hits is read by nobody.
inline constexpr std::uint64_t kMaxFindings = 1000;
/// Matches in raw bytes that are held back, of all terms.
inline constexpr std::size_t kMaxHeldBack = 20'000;

/// What is told of a term wherever it is named: its list and why it is looked for.
std::string title_of(const KeywordPack& pack, const KeywordTerm& term);

class Hits {
 public:
  explicit Hits(const std::vector<KeywordPack>& packs) : packs_(packs) {}
  void begin();
  void in_text(Job& job, const KeywordHit& hit, const Excerpt& excerpt);
  void in_field(Job& job, const KeywordHit& hit, const Excerpt& excerpt, const ts_record& record,
                std::string_view field);
  void in_raw(const KeywordHit& hit, const Excerpt& excerpt);
  /// Gives out what was held back and tells of what was only counted.
  void finish(Job& job);

 private:
  using Term = std::pair<std::uint32_t, std::uint32_t>;
  struct Count {
    std::uint64_t found = 0, in_text = 0, in_raw = 0;
  };
  struct HeldBack {
    KeywordHit hit;
    Excerpt excerpt;
  };
  void emit(Job& job, const KeywordHit& hit, const Excerpt& excerpt, std::string_view category,
            const std::string& position, std::string_view record_kind = {}, std::string_view record_key = {});

  const std::vector<KeywordPack>& packs_;
  std::map<Term, Count> counts_;
  std::vector<HeldBack> raw_;
  std::map<Term, std::size_t> last_raw_;  // index into raw_
};

}  // namespace touchstone::keywords
