// XML parts of office documents: the first byte says which kind, and in what pieces the rest comes. The words
// must not depend on the pieces.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "office_parts.hpp"
#include "xml_text.hpp"

using namespace touchstone::officetext;

namespace {

std::string words_of(PartKind kind, std::string_view bytes, std::size_t piece) {
  std::string words;
  XmlText text(kind, [&](std::string_view more) { words += more; });
  for (std::size_t at = 0; at < bytes.size(); at += piece) text.push(bytes.substr(at, piece));
  text.finish();
  return words;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  const auto kind = static_cast<PartKind>(data[0] % 4);
  const std::size_t piece = 1 + data[0] / 4U;
  if (words_of(kind, bytes, piece) != words_of(kind, bytes, 65536)) std::abort();
  parts_with_words({"[Content_Types].xml", std::string(bytes)});
  return 0;
}
