#include "rules/keyword_matcher.hpp"

#include <fmt/format.h>

#include <cstdlib>

#include "rules/keyword_collector.hpp"
#include "rules/keyword_expression.hpp"

namespace touchstone {

using keyword::Collector;
using keyword::DatabasePtr;
using keyword::Expression;
using keyword::kHistory;

const char* to_text(Encoding encoding) {
  switch (encoding) {
    case Encoding::utf8:
      return "utf-8";
    case Encoding::utf16le:
      return "utf-16le";
    case Encoding::utf16be:
      return "utf-16be";
  }
  return "";
}

struct KeywordMatcher::Impl {
  struct Shared {
    DatabasePtr database;
    std::vector<Expression> expressions;
    std::vector<NotSearched> not_searched;
    Options options;
  };
  std::shared_ptr<const Shared> shared;  // the compiled database is read-only and may serve several threads
  std::unique_ptr<hs_scratch_t, keyword::ScratchDeleter> scratch;

  /// One scratch serves every database that it was allocated for.
  Status make_scratch() {
    hs_scratch_t* raw = nullptr;
    bool made = !shared->database || hs_alloc_scratch(shared->database.get(), &raw) == HS_SUCCESS;
    for (const Expression& expression : shared->expressions) {
      const auto* finder = expression.start_finder.get();
      made = made && (!finder || hs_alloc_scratch(finder, &raw) == HS_SUCCESS);
    }
    scratch.reset(raw);
    if (!made) return Error{ErrorCode::limit, "no memory for keyword search"};
    return {};
  }
};

namespace {

Error too_many_hits(std::uint32_t limit) {
  return {ErrorCode::limit,
          fmt::format("more than {} keyword matches at once; the further ones were left out", limit)};
}

/// Adds the expressions of one match of a term, or notes why there is none.
void add_expressions(const KeywordTerm& term, std::size_t match, Expression base,
                     const KeywordMatcher::Options& options, std::vector<Expression>& out,
                     std::vector<NotSearched>& not_searched) {
  const bool fold = term.fold == KeywordTerm::Case::fold;
  const bool literal = term.kind == KeywordTerm::Kind::literal;
  const std::string& text = term.match[match];
  if (match < term.match_places.size()) base.place = term.match_places[match];
  base.whole_word = term.whole_word;
  if (!options.raw) {
    base.pattern = literal ? keyword::text_literal(text, fold) : text;
    base.flags = HS_FLAG_SOM_LEFTMOST | HS_FLAG_UTF8 | HS_FLAG_UCP | (literal ? 0 : HS_FLAG_MULTILINE) |
                 (fold ? HS_FLAG_CASELESS : 0);
    out.push_back(std::move(base));
    return;
  }
  for (const Encoding encoding : options.encodings) {
    Expression one = base;
    one.encoding = encoding;
    one.flags = HS_FLAG_SOM_LEFTMOST | HS_FLAG_DOTALL;
    one.may_fail = !literal;
    std::string reason;
    const auto pattern = literal ? std::optional(keyword::raw_literal(text, fold, encoding))
                                 : keyword::raw_regex(text, fold, encoding, reason);
    if (pattern) {
      one.pattern = *pattern;
      out.push_back(std::move(one));
    } else {
      not_searched.push_back(
          {one.pack, one.term, encoding,
           fmt::format("not searched in raw {}: {} cannot be searched in bytes", to_text(encoding), reason)});
    }
  }
}

}  // namespace

KeywordMatcher::KeywordMatcher(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
KeywordMatcher::KeywordMatcher(KeywordMatcher&&) noexcept = default;
KeywordMatcher& KeywordMatcher::operator=(KeywordMatcher&&) noexcept = default;
KeywordMatcher::~KeywordMatcher() = default;

Result<KeywordMatcher> KeywordMatcher::compile(std::span<const KeywordPack> packs, const Options& options) {
  if (hs_valid_platform() != HS_SUCCESS) {
    return Error{ErrorCode::unsupported, "keyword search needs a processor with SSSE3"};
  }
  auto shared = std::make_shared<Impl::Shared>();
  shared->options = options;
  for (std::uint32_t p = 0; p < packs.size(); ++p) {
    for (std::uint32_t t = 0; t < packs[p].terms.size(); ++t) {
      const KeywordTerm& term = packs[p].terms[t];
      for (std::size_t m = 0; m < term.match.size(); ++m) {
        const Expression base{p,  t, Encoding::utf8, term.whole_word, false, options.raw, term.place,
                              {}, 0, nullptr};
        add_expressions(term, m, base, options, shared->expressions, shared->not_searched);
      }
    }
  }
  auto& expressions = shared->expressions;
  while (!expressions.empty()) {
    const auto failure = keyword::compile_all(expressions, options, shared->database);
    if (!failure) break;
    const auto& [index, message] = *failure;
    if (index >= expressions.size()) return Error{ErrorCode::invalid, "keywords: " + message};
    Expression& bad = expressions[index];
    if (keyword::search_without_start(bad)) continue;
    if (!bad.may_fail) {
      const KeywordPack& pack = packs[bad.pack];
      return Error{ErrorCode::invalid,
                   at_place(pack.info.path, bad.place,
                            fmt::format("term \"{}\": {}", pack.terms[bad.term].id, message))};
    }
    shared->not_searched.push_back(
        {bad.pack, bad.term, bad.encoding,
         fmt::format("not searched in raw {}: {}", to_text(bad.encoding), message)});
    expressions.erase(expressions.begin() + static_cast<std::ptrdiff_t>(index));
  }
  auto impl = std::make_unique<Impl>();
  impl->shared = std::move(shared);
  if (const Status made = impl->make_scratch(); !made) return made.error();
  return KeywordMatcher(std::move(impl));
}

Result<KeywordMatcher> KeywordMatcher::copy() const {
  auto impl = std::make_unique<Impl>();
  impl->shared = impl_->shared;
  if (const Status made = impl->make_scratch(); !made) return made.error();
  return KeywordMatcher(std::move(impl));
}

const std::vector<NotSearched>& KeywordMatcher::not_searched() const {
  return impl_->shared->not_searched;
}
std::size_t KeywordMatcher::expressions() const {
  return impl_->shared->expressions.size();
}

Status KeywordMatcher::scan(std::string_view bytes, const OnHit& on_hit) const {
  const auto& shared = *impl_->shared;
  if (!shared.options.raw) {
    keyword::Utf8Check check;
    if (!check.feed(bytes) || !check.complete()) return Error{ErrorCode::invalid, "text is not valid UTF-8"};
  }
  if (!shared.database || bytes.empty()) return {};
  if (shared.options.streaming) {
    Stream stream(*this);
    if (Status written = stream.write(bytes, on_hit); !written) return written;
    return stream.finish(on_hit);
  }
  Collector collector(shared.expressions, impl_->scratch.get(), shared.options.max_hits);
  // Hyperscan takes 32-bit lengths.
  if (bytes.size() > UINT32_MAX) return Error{ErrorCode::limit, "more than 4 GiB in one keyword search"};
  if (hs_scan(shared.database.get(), bytes.data(), static_cast<unsigned>(bytes.size()), 0,
              impl_->scratch.get(), &Collector::on_match, &collector) != HS_SUCCESS) {
    return Error{ErrorCode::limit, "keyword search failed"};
  }
  collector.report({{}, bytes, 0}, true, on_hit);
  if (collector.dropped()) return too_many_hits(shared.options.max_hits);
  return {};
}

struct KeywordMatcher::Stream::State {
  explicit State(const KeywordMatcher& m)
      : impl(*m.impl_),
        collector(impl.shared->expressions, impl.scratch.get(), impl.shared->options.max_hits) {}
  ~State() { close(); }
  State(const State&) = delete;
  State& operator=(const State&) = delete;

  bool open() {
    if (stream) return true;
    const auto* database = impl.shared->database.get();
    return database && hs_open_stream(database, 0, &stream) == HS_SUCCESS;
  }
  void close() {
    if (stream) hs_close_stream(stream, nullptr, nullptr, nullptr);
    stream = nullptr;
  }

  const Impl& impl;  // stays where it is when the matcher is moved
  Collector collector;
  hs_stream_t* stream = nullptr;
  std::string history;
  std::uint64_t offset = 0;
  keyword::Utf8Check utf8;
};

KeywordMatcher::Stream::Stream(const KeywordMatcher& matcher) : state_(std::make_unique<State>(matcher)) {}
KeywordMatcher::Stream::Stream(Stream&&) noexcept = default;
KeywordMatcher::Stream::~Stream() = default;

Status KeywordMatcher::Stream::write(std::string_view bytes, const OnHit& on_hit) {
  State& s = *state_;
  const auto& shared = *s.impl.shared;
  if (!shared.options.raw && !s.utf8.feed(bytes)) return Error{ErrorCode::invalid, "text is not valid UTF-8"};
  if (!shared.database || bytes.empty()) return {};
  if (!shared.options.streaming || !s.open())
    return Error{ErrorCode::unsupported, "no stream for keyword search"};
  constexpr std::size_t kPiece = 1U << 30U;
  for (std::size_t at = 0; at < bytes.size(); at += kPiece) {
    const std::string_view piece = bytes.substr(at, kPiece);
    if (hs_scan_stream(s.stream, piece.data(), static_cast<unsigned>(piece.size()), 0, s.impl.scratch.get(),
                       &Collector::on_match, &s.collector) != HS_SUCCESS) {
      return Error{ErrorCode::limit, "keyword search failed"};
    }
    const bool go_on = s.collector.report({s.history, piece, s.offset}, false, on_hit);
    s.offset += piece.size();
    if (piece.size() >= kHistory) {
      s.history = piece.substr(piece.size() - kHistory);
    } else {
      s.history += piece;
      if (s.history.size() > 2 * kHistory) s.history.erase(0, s.history.size() - kHistory);
    }
    if (!go_on) return Error{ErrorCode::cancelled, "stopped"};
  }
  return s.collector.dropped() ? Status(too_many_hits(shared.options.max_hits)) : Status();
}

Status KeywordMatcher::Stream::finish(const OnHit& on_hit) {
  State& s = *state_;
  const auto& shared = *s.impl.shared;
  if (s.stream) {
    hs_close_stream(s.stream, s.impl.scratch.get(), &Collector::on_match, &s.collector);
    s.stream = nullptr;
  }
  s.collector.report({s.history, {}, s.offset}, true, on_hit);
  const bool dropped = s.collector.dropped();
  const bool whole = shared.options.raw || s.utf8.complete();
  s.collector.clear();
  s.history.clear();
  s.offset = 0;
  s.utf8 = {};
  if (!whole) return Error{ErrorCode::invalid, "text is not valid UTF-8"};
  return dropped ? Status(too_many_hits(shared.options.max_hits)) : Status();
}

KeywordSearches keyword_searches(const std::string& cache) {
  return {{.streaming = true, .cache = cache},
          {.cache = cache},
          {.raw = true,
           .encodings = {Encoding::utf8, Encoding::utf16le, Encoding::utf16be},
           .streaming = true,
           .cache = cache}};
}

std::string cache_folder() {
  if (const char* set = std::getenv("TOUCHSTONE_CACHE")) return set;
  if (const char* set = std::getenv("XDG_CACHE_HOME"); set && *set == '/')
    return std::string(set) + "/touchstone";
  if (const char* home = std::getenv("HOME"); home && *home == '/')
    return std::string(home) + "/.cache/touchstone";
  return {};
}

}  // namespace touchstone
