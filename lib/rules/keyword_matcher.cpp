#include "rules/keyword_matcher.hpp"

#include <fmt/format.h>
#include <hs/hs.h>

#include <algorithm>
#include <map>
#include <optional>
#include <tuple>

#include "rules/keyword_expression.hpp"

namespace touchstone {
namespace {

// How much longer than the first-ending match an overlapping one may be to replace it. Fixed, so that a
// stream gives the same hits however it is cut.
constexpr std::uint64_t kLookahead = 256;
// Longer matches are dropped: no keyword, and the text before it is not kept any more in a stream.
constexpr std::uint64_t kMaxMatch = 8192;
constexpr std::uint64_t kCharacter = 4;  // bytes of one character at most
// Three or four letters turn up by chance in every few megabytes of compressed data. In raw UTF-8 such a
// match counts only with so many printable bytes right before and after it taken together.
constexpr std::uint64_t kShortMatch = 6, kTextAround = 8;
constexpr std::uint64_t kContext = kTextAround;  // bytes that must be known after a match
// Where Hyperscan cannot tell a match's start, it is looked for in so many bytes before its end.
constexpr std::uint64_t kStartWindow = 512;
constexpr std::uint64_t kUnknownStart = UINT64_MAX;
constexpr std::size_t kHistory = kMaxMatch + kLookahead + 2 * kContext;

struct ScratchDeleter {
  void operator()(hs_scratch_t* p) const { hs_free_scratch(p); }
};
struct DatabaseDeleter {
  void operator()(hs_database_t* p) const { hs_free_database(p); }
};
struct CompileErrorDeleter {
  void operator()(hs_compile_error_t* p) const { hs_free_compile_error(p); }
};
using DatabasePtr = std::unique_ptr<hs_database_t, DatabaseDeleter>;

struct Expression {
  std::uint32_t pack, term;
  Encoding encoding;
  bool whole_word, may_fail, raw;
  SourcePlace place;
  std::string pattern;
  unsigned flags;
  // Some expressions grow too large when Hyperscan keeps track of starts. They are searched without, and this
  // database, the same expression bound to both ends, finds the start of what was matched.
  std::shared_ptr<const hs_database_t> start_finder;  // shared by copies of the expression
};

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

bool word_at(const View& view, std::uint64_t offset, Encoding encoding) {
  if (encoding != Encoding::utf8) {
    const auto a = view.at(offset), b = view.at(offset + 1);
    if (!a || !b) return false;
    const unsigned unit = encoding == Encoding::utf16le ? *a | *b << 8U : *b | *a << 8U;
    return keyword::is_word(unit);
  }
  std::string bytes;
  for (std::uint64_t i = 0; i < kCharacter; ++i) {
    const auto c = view.at(offset + i);
    if (!c) break;
    bytes += static_cast<char>(*c);
  }
  std::size_t at = 0;
  const auto point = bytes.empty() ? std::nullopt : keyword::next_code_point(bytes, at);
  return point && keyword::is_word(*point);
}

/// Whether a letter ends right before `offset`.
bool word_before(const View& view, std::uint64_t offset, Encoding encoding) {
  if (encoding != Encoding::utf8) return offset >= 2 && word_at(view, offset - 2, encoding);
  for (std::uint64_t back = 1; back <= kCharacter && back <= offset; ++back) {
    const auto c = view.at(offset - back);
    if (!c) return false;
    if ((*c & 0xc0U) != 0x80) return word_at(view, offset - back, encoding);
  }
  return false;
}

bool is_whole_word(const View& view, const RawHit& hit, Encoding encoding) {
  if (word_at(view, hit.from, encoding) && word_before(view, hit.from, encoding)) return false;
  return !(word_before(view, hit.to, encoding) && word_at(view, hit.to, encoding));
}

/// Whether a short match in raw bytes stands in text; the ends of the data are as good as text.
bool stands_in_text(const View& view, const RawHit& hit) {
  std::uint64_t around = 0;
  const auto is_text = [&view](std::uint64_t offset) {
    const unsigned char c = view.at(offset).value_or(0);
    return (c >= 0x20 && c < 0x7f) || c == '\n' || c == '\r' || c == '\t';
  };
  for (std::uint64_t at = hit.from; around < kTextAround; ++around) {
    if (at == 0) return true;
    if (!is_text(--at)) break;
  }
  for (std::uint64_t at = hit.to; around < kTextAround; ++around, ++at) {
    if (at == view.end()) return true;
    if (!is_text(at)) break;
  }
  return around >= kTextAround;
}

/// Hits of one term that wait for what may replace them.
struct Waiting {
  std::vector<RawHit> hits;  // checked, not yet reported
  std::uint64_t reported_to = 0;
};

}  // namespace

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
  std::unique_ptr<hs_scratch_t, ScratchDeleter> scratch;

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

/// Collects raw hits from Hyperscan, and turns them into the hits that are reported.
class Collector {
 public:
  Collector(const std::vector<Expression>& expressions, hs_scratch_t* scratch, std::uint32_t max_hits)
      : expressions_(expressions), scratch_(scratch), max_hits_(max_hits) {}

  static int on_match(unsigned id, unsigned long long from, unsigned long long to, unsigned, void* context) {
    auto* self = static_cast<Collector*>(context);
    const bool has_start = self->expressions_[id].start_finder == nullptr;
    if (has_start && (to - from > kMaxMatch || to == from)) return 0;
    if (self->raw_.size() >= self->max_hits_) {
      self->dropped_ = true;
    } else {
      self->raw_.push_back({has_start ? from : kUnknownStart, to, id});
    }
    return 0;
  }

  /// Takes over what is decided by the bytes up to view.end(); all of it if `final`. False: the caller wants
  /// no more.
  bool report(const View& view, bool final, const KeywordMatcher::OnHit& on_hit) {
    find_starts(view);
    check_words(view, final);
    std::vector<KeywordHit> out;
    for (auto& [key, waiting] : waiting_) resolve(key, waiting, view.end(), final, out);
    std::erase_if(waiting_, [&](const auto& entry) {
      return entry.second.hits.empty() && entry.second.reported_to + kMaxMatch < view.end();
    });
    std::sort(out.begin(), out.end(), [](const KeywordHit& a, const KeywordHit& b) {
      return std::tie(a.from, a.to, a.pack, a.term, a.encoding) <
             std::tie(b.from, b.to, b.pack, b.term, b.encoding);
    });
    return std::all_of(out.begin(), out.end(), [&](const KeywordHit& hit) { return on_hit(hit); });
  }
  bool dropped() const { return dropped_; }
  void clear() {
    raw_.clear();
    waiting_.clear();
    dropped_ = false;
  }

 private:
  // UTF-16 in both byte orders shares a key: a text in one of them also looks, one byte on, like the other.
  using Key = std::tuple<std::uint32_t, std::uint32_t, bool>;

  /// Gives the hits that came without a start the leftmost one in the bytes before their end.
  void find_starts(const View& view) {
    std::string window;
    std::erase_if(raw_, [&](RawHit& hit) {
      const Expression& expression = expressions_[hit.expression];
      if (!expression.start_finder || hit.from != kUnknownStart) return false;
      const std::uint64_t length = std::min(kStartWindow, hit.to);
      window.clear();
      for (std::uint64_t at = hit.to - length; at < hit.to; ++at)
        window += static_cast<char>(view.at(at).value_or(0));
      const bool units = expression.encoding != Encoding::utf8;
      for (std::size_t at = units ? length % 2 : 0; at < length; at += units ? 2 : 1) {
        if (!units && (static_cast<unsigned char>(window[at]) & 0xc0U) == 0x80) continue;
        bool matches = false;
        hs_scan(expression.start_finder.get(), window.data() + at, static_cast<unsigned>(length - at), 0,
                scratch_, &Collector::on_start, &matches);
        if (!matches) continue;
        hit.from = hit.to - length + at;
        return false;
      }
      return true;
    });
  }

  static int on_start(unsigned, unsigned long long, unsigned long long, unsigned, void* context) {
    *static_cast<bool*>(context) = true;
    return 1;
  }

  void check_words(const View& view, bool final) {
    std::vector<RawHit> later;
    for (const RawHit& hit : raw_) {
      const Expression& expression = expressions_[hit.expression];
      if (!final && hit.to + kContext > view.end()) {
        later.push_back(hit);
      } else if (expression.raw && expression.encoding == Encoding::utf8 && hit.to - hit.from < kShortMatch &&
                 !stands_in_text(view, hit)) {
        continue;
      } else if (!expression.whole_word || is_whole_word(view, hit, expression.encoding)) {
        waiting_[{expression.pack, expression.term, expression.encoding != Encoding::utf8}].hits.push_back(
            hit);
      }
    }
    raw_ = std::move(later);
  }

  /// Aligned UTF-16 first, then leftmost, then longest.
  bool better(const RawHit& a, const RawHit& b) const {
    const auto odd = [this](const RawHit& hit) {
      return expressions_[hit.expression].encoding != Encoding::utf8 && hit.from % 2 == 1;
    };
    return std::tuple(odd(a), a.from, ~a.to, a.expression) < std::tuple(odd(b), b.from, ~b.to, b.expression);
  }

  void resolve(const Key& key, Waiting& waiting, std::uint64_t end, bool final,
               std::vector<KeywordHit>& out) {
    auto& hits = waiting.hits;
    std::sort(hits.begin(), hits.end(), [](const RawHit& a, const RawHit& b) {
      return std::tie(a.to, a.from, a.expression) < std::tie(b.to, b.from, b.expression);
    });
    std::size_t first = 0;
    while (first < hits.size()) {
      if (hits[first].from < waiting.reported_to) {
        ++first;
        continue;
      }
      const std::uint64_t limit = hits[first].to + kLookahead;
      if (!final && limit + kContext > end) break;
      std::size_t best = first;
      for (std::size_t i = first + 1; i < hits.size() && hits[i].to <= limit; ++i) {
        const bool overlaps = hits[i].from < hits[first].to && hits[i].from >= waiting.reported_to;
        if (overlaps && better(hits[i], hits[best])) best = i;
      }
      out.push_back({std::get<0>(key), std::get<1>(key), expressions_[hits[best].expression].encoding,
                     hits[best].from, hits[best].to});
      waiting.reported_to = hits[best].to;
    }
    hits.erase(hits.begin(), hits.begin() + static_cast<std::ptrdiff_t>(first));
  }

  const std::vector<Expression>& expressions_;
  hs_scratch_t* scratch_;  // not in use by Hyperscan while report() runs
  std::uint32_t max_hits_;
  std::vector<RawHit> raw_;
  std::map<Key, Waiting> waiting_;
  bool dropped_ = false;
};

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

/// Compiles; gives the index of the offending expression and its message where that fails.
std::optional<std::pair<std::size_t, std::string>> compile_all(const std::vector<Expression>& expressions,
                                                               bool streaming, DatabasePtr& database) {
  std::vector<const char*> patterns;
  std::vector<unsigned> flags, ids;
  for (const Expression& expression : expressions) {
    patterns.push_back(expression.pattern.c_str());
    flags.push_back(expression.flags);
    ids.push_back(static_cast<unsigned>(ids.size()));
  }
  const unsigned mode = streaming ? HS_MODE_STREAM | HS_MODE_SOM_HORIZON_LARGE : HS_MODE_BLOCK;
  hs_database_t* raw = nullptr;
  hs_compile_error_t* raw_error = nullptr;
  const hs_error_t code =
      hs_compile_multi(patterns.data(), flags.data(), ids.data(), static_cast<unsigned>(patterns.size()),
                       mode, nullptr, &raw, &raw_error);
  const std::unique_ptr<hs_compile_error_t, CompileErrorDeleter> error(raw_error);
  database.reset(raw);
  if (code == HS_SUCCESS) return std::nullopt;
  const int index = error ? error->expression : -1;
  return std::pair(index < 0 ? expressions.size() : static_cast<std::size_t>(index),
                   std::string(error ? error->message : "cannot be compiled"));
}

/// Gives up the starts that Hyperscan would report. False if that is no way out.
bool search_without_start(Expression& expression) {
  if (!(expression.flags & HS_FLAG_SOM_LEFTMOST)) return false;
  const unsigned flags = expression.flags & ~static_cast<unsigned>(HS_FLAG_SOM_LEFTMOST);
  const std::string bound = "\\A(?:" + expression.pattern + ")\\z";
  hs_database_t* raw = nullptr;
  hs_compile_error_t* raw_error = nullptr;
  hs_compile(bound.c_str(), flags, HS_MODE_BLOCK, nullptr, &raw, &raw_error);
  const std::unique_ptr<hs_compile_error_t, CompileErrorDeleter> error(raw_error);
  if (!raw) return false;
  expression.start_finder.reset(raw, DatabaseDeleter());
  expression.flags = flags;
  return true;
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
    const auto failure = compile_all(expressions, options.streaming, shared->database);
    if (!failure) break;
    const auto& [index, message] = *failure;
    if (index >= expressions.size()) return Error{ErrorCode::invalid, "keywords: " + message};
    Expression& bad = expressions[index];
    if (search_without_start(bad)) continue;
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
    if (const Status written = stream.write(bytes, on_hit); !written) return written;
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

}  // namespace touchstone
