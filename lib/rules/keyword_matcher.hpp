// Search for the terms of keyword packs, by Hyperscan. Compile once, scan often. A compiled matcher is
// immutable; scan() keeps its scratch memory in the matcher, so one matcher belongs to one thread (copy() for
// another).
//
// Text mode is for valid UTF-8 (the text facet, bodies of messages): regular expressions are Unicode-aware.
// Raw mode is for any bytes: each term is searched in each asked encoding. Literals always; regular
// expressions only where they are of a simple subset (literal characters, "." and classes of ASCII, groups,
// alternation, quantifiers without laziness); the others are listed in not_searched().
//
// In a literal with case = "fold" a run of spaces matches one to three white-space characters, and an
// apostrophe matches ' or the typographic one or nothing: phones write all three. Of overlapping matches of
// one term the leftmost longest is reported. Whole-word terms: no letter, digit or "_" may touch a match's
// edge that is one itself.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "rules/keyword_pack.hpp"

namespace touchstone {

enum class Encoding : std::uint8_t { utf8, utf16le, utf16be };
const char* to_text(Encoding encoding);

/// A match: bytes [from, to) of what was scanned, counted from the start of the buffer or stream.
struct KeywordHit {
  std::uint32_t pack = 0, term = 0;  ///< indices into what compile() was given
  Encoding encoding = Encoding::utf8;
  std::uint64_t from = 0, to = 0;
  bool operator==(const KeywordHit&) const = default;
};

/// A term that raw mode cannot search in an encoding, and why.
struct NotSearched {
  std::uint32_t pack = 0, term = 0;
  Encoding encoding = Encoding::utf8;
  std::string reason;
};

class KeywordMatcher {
 public:
  struct Options {
    bool raw = false;                                    ///< any bytes instead of valid UTF-8
    std::vector<Encoding> encodings = {Encoding::utf8};  ///< raw mode only
    bool streaming = false;                              ///< for Stream; block mode otherwise
    std::uint32_t max_hits = 100'000;  ///< a scan or stream keeps no more raw matches at once
    std::string cache = {};            ///< folder of databases compiled before; empty: none
    bool fill_cache = false;           ///< what was not in the folder is put there, as far as it can be
  };
  /// Return false to stop.
  using OnHit = std::function<bool(const KeywordHit&)>;

  /// An error names file:line:column of the term's match.
  static Result<KeywordMatcher> compile(std::span<const KeywordPack> packs, const Options& options);
  KeywordMatcher(KeywordMatcher&&) noexcept;
  KeywordMatcher& operator=(KeywordMatcher&&) noexcept;
  ~KeywordMatcher();

  /// Hits in order of from, to, pack, term, encoding. Text mode refuses invalid UTF-8 (ErrorCode::invalid).
  /// If max_hits was passed, those found so far are reported and the Status is ErrorCode::limit.
  Status scan(std::string_view bytes, const OnHit& on_hit) const;

  /// Bytes that come in pieces, any size; raw mode or text that is valid as a whole. Hits are reported when
  /// what follows them is known, in order; offsets count from the stream's start. The matcher outlives it.
  class Stream {
   public:
    explicit Stream(const KeywordMatcher& matcher);
    Stream(Stream&&) noexcept;
    ~Stream();
    Status write(std::string_view bytes, const OnHit& on_hit);
    /// Reports what is still held back; the stream can then be used anew from offset 0.
    Status finish(const OnHit& on_hit);

   private:
    struct State;
    std::unique_ptr<State> state_;
  };

  const std::vector<NotSearched>& not_searched() const;
  std::size_t expressions() const;
  /// A second one over the same compiled database, for another thread.
  Result<KeywordMatcher> copy() const;

 private:
  struct Impl;
  explicit KeywordMatcher(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

/// How evidence is searched: text that comes in pieces, fields of records, raw bytes. One place says it, so
/// that a coordinator can compile beforehand what its workers will ask for.
struct KeywordSearches {
  KeywordMatcher::Options text, fields, raw;
};
KeywordSearches keyword_searches(const std::string& cache);

/// $TOUCHSTONE_CACHE, or touchstone/ in the user's cache folder; empty if there is neither.
std::string cache_folder();

}  // namespace touchstone
