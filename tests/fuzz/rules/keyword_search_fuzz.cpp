// First line: a term; the rest: what is searched, as text, as bytes and as a stream in pieces. Matches lie
// inside it.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "rules/keyword_matcher.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace touchstone;
  const std::string all(data, data + size);
  const std::size_t end = all.find('\n');
  if (end == std::string::npos || end == 0 || end > 200) return 0;
  const std::string text = all.substr(end + 1);
  KeywordPack pack;
  KeywordTerm term;
  term.kind = (all[0] & 1) != 0 ? KeywordTerm::Kind::regex : KeywordTerm::Kind::literal;
  term.match = {all.substr(0, end)};
  pack.terms.push_back(term);
  const auto on_hit = [&](const KeywordHit& hit) {
    if (hit.from >= hit.to || hit.to > text.size()) std::abort();
    return true;
  };
  for (const bool raw : {false, true}) {
    KeywordMatcher::Options options;
    options.raw = raw;
    options.encodings = {Encoding::utf8, Encoding::utf16le, Encoding::utf16be};
    if (const auto matcher = KeywordMatcher::compile(std::span(&pack, 1), options))
      (void)matcher->scan(text, on_hit);
    options.streaming = true;
    const auto streaming = KeywordMatcher::compile(std::span(&pack, 1), options);
    if (!streaming) continue;
    KeywordMatcher::Stream stream(*streaming);
    for (std::size_t at = 0; at < text.size(); at += 7)
      (void)stream.write(std::string_view(text).substr(at, 7), on_hit);
    (void)stream.finish(on_hit);
  }
  return 0;
}
