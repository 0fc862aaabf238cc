#include "rules/keyword_collector.hpp"

#include <algorithm>

#include "rules/keyword_expression.hpp"

namespace touchstone::keyword {
namespace {

constexpr std::uint64_t kCharacter = 4;  // bytes of one character at most
// Where Hyperscan cannot tell a match's start, it is looked for in so many bytes before its end.
constexpr std::uint64_t kStartWindow = 512;
constexpr std::uint64_t kUnknownStart = UINT64_MAX;
bool word_at(const View& view, std::uint64_t offset, Encoding encoding) {
  if (encoding != Encoding::utf8) {
    const auto a = view.at(offset), b = view.at(offset + 1);
    if (!a || !b) return false;
    const unsigned unit = encoding == Encoding::utf16le ? *a | *b << 8U : *b | *a << 8U;
    return is_word(unit);
  }
  std::string bytes;
  for (std::uint64_t i = 0; i < kCharacter; ++i) {
    const auto c = view.at(offset + i);
    if (!c) break;
    bytes += static_cast<char>(*c);
  }
  std::size_t at = 0;
  const auto point = bytes.empty() ? std::nullopt : next_code_point(bytes, at);
  return point && is_word(*point);
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

}  // namespace

int Collector::on_match(unsigned id, unsigned long long from, unsigned long long to, unsigned,
                        void* context) {
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

bool Collector::report(const View& view, bool final, const KeywordMatcher::OnHit& on_hit) {
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

void Collector::clear() {
  raw_.clear();
  waiting_.clear();
  dropped_ = false;
}

void Collector::find_starts(const View& view) {
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

int Collector::on_start(unsigned, unsigned long long, unsigned long long, unsigned, void* context) {
  *static_cast<bool*>(context) = true;
  return 1;
}

void Collector::check_words(const View& view, bool final) {
  std::vector<RawHit> later;
  for (const RawHit& hit : raw_) {
    const Expression& expression = expressions_[hit.expression];
    if (!final && hit.to + kContext > view.end()) {
      later.push_back(hit);
    } else if (expression.raw && expression.encoding == Encoding::utf8 && hit.to - hit.from < kShortMatch &&
               !stands_in_text(view, hit)) {
      continue;
    } else if (!expression.whole_word || is_whole_word(view, hit, expression.encoding)) {
      waiting_[{expression.pack, expression.term, expression.encoding != Encoding::utf8}].hits.push_back(hit);
    }
  }
  raw_ = std::move(later);
}

bool Collector::better(const RawHit& a, const RawHit& b) const {
  const auto odd = [this](const RawHit& hit) {
    return expressions_[hit.expression].encoding != Encoding::utf8 && hit.from % 2 == 1;
  };
  return std::tuple(odd(a), a.from, ~a.to, a.expression) < std::tuple(odd(b), b.from, ~b.to, b.expression);
}

void Collector::resolve(const Key& key, Waiting& waiting, std::uint64_t end, bool final,
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

}  // namespace touchstone::keyword
