// The words in one XML part of an office document, as a reader sees them: what stands in one paragraph is
// joined, though the program keeps it in pieces ("ta" and "xi" in two runs are "taxi"), and paragraphs, cells
// and breaks are apart. Office Open XML: ECMA-376 part 1; OpenDocument: OASIS ODF 1.2. No schema is checked,
// no entity but XML's five and numbers is replaced, and nothing outside the part is looked up. Bytes may come
// in any pieces; what is no XML gives nothing or some words, never an error. One thread.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace touchstone::officetext {

enum class PartKind : std::uint8_t {
  office,         ///< of Word or PowerPoint, a drawing, a chart, shared strings of Excel
  sheet,          ///< of Excel: values of cells, but for numbers of shared strings
  open_document,  ///< content.xml and styles.xml
  properties      ///< title, author and the like: all that stands in any element
};

class XmlText {
 public:
  using Sink = std::function<void(std::string_view utf8)>;
  XmlText(PartKind kind, Sink sink);
  void push(std::string_view bytes);
  /// The last words; bytes behind it belong to no part.
  void finish();

 private:
  enum class State : std::uint8_t { text, tag, comment, data, skipped };
  void push_utf8(std::string_view bytes);
  void take(char c);
  void end_tag();
  void open(std::string_view name, bool is_empty);
  void close(std::string_view name);
  void characters(std::string_view text);
  void end_entity();
  void put(std::string_view text);
  void put_break(char c);
  bool is_wanted() const;
  std::string_view attribute(std::string_view name) const;

  PartKind kind_;
  Sink sink_;
  State state_ = State::text;
  std::string tag_;     ///< between < and >, cut at a bound
  std::string entity_;  ///< between & and ;
  std::string out_;
  std::string start_;  ///< first bytes, until the encoding is known
  bool in_entity_ = false, in_quotes_ = false, known_ = false, is_utf16_ = false, is_big_ = false;
  char quote_ = 0, pending_ = 0, last_ = '\n';
  bool has_pending_ = false;
  std::uint16_t surrogate_ = 0;
  std::uint32_t wanted_ = 0;  ///< elements open whose characters are words
  bool shared_ = false;       ///< the cell's value is a number of a shared string, or a truth
};

}  // namespace touchstone::officetext
