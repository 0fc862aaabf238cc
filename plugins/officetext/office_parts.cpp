#include "office_parts.hpp"

#include <algorithm>
#include <array>
#include <tuple>

namespace touchstone::officetext {
namespace {

constexpr int kNoPlace = 100;

bool is_in(std::string_view name, std::string_view folder) {
  return name.starts_with(folder) && name.find('/', folder.size()) == std::string_view::npos;
}

/// The place of a part among the others; kNoPlace for one without words.
int place_of(std::string_view name) {
  if (!name.ends_with(".xml")) return kNoPlace;
  if (name == "word/document.xml" || name == "content.xml") return 0;
  static constexpr std::array<std::string_view, 3> kBodies{"ppt/slides/", "xl/worksheets/",
                                                           "word/glossary/document"};
  if (name == "xl/sharedStrings.xml") return 1;
  for (const std::string_view body : kBodies)
    if (is_in(name, body)) return 2;
  static constexpr std::array<std::string_view, 15> kBeside{
      "word/footnotes",       "word/endnotes",       "word/comments",     "word/header",
      "word/footer",          "word/diagrams/data",  "word/charts/chart", "ppt/notesSlides/",
      "ppt/comments/",        "ppt/diagrams/data",   "ppt/charts/chart",  "xl/comments",
      "xl/threadedComments/", "xl/drawings/drawing", "xl/charts/chart"};
  for (const std::string_view part : kBeside)
    if (is_in(name, part)) return 3;
  if (name == "styles.xml") return 4;
  return name == "docProps/core.xml" || name == "docProps/app.xml" || name == "docProps/custom.xml" ||
                 name == "meta.xml"
             ? 5
             : kNoPlace;
}

/// The number at the end of a name: slide10.xml comes after slide9.xml.
int number_of(std::string_view name) {
  int number = 0;
  for (const char c : name.substr(0, name.rfind('.')))
    number = c >= '0' && c <= '9' ? std::min(number, 10'000'000) * 10 + (c - '0') : 0;
  return number;
}

}  // namespace

std::optional<PartKind> kind_of_part(std::string_view name) {
  const int place = place_of(name);
  if (place == kNoPlace) return std::nullopt;
  if (place == 5) return PartKind::properties;
  if (name == "content.xml" || name == "styles.xml") return PartKind::open_document;
  return is_in(name, "xl/worksheets/") ? PartKind::sheet : PartKind::office;
}

std::vector<Part> parts_with_words(const std::vector<std::string>& names) {
  const auto has = [&](std::string_view name) {
    return std::find(names.begin(), names.end(), name) != names.end();
  };
  const bool is_office = has("[Content_Types].xml");
  if (!is_office && !(has("content.xml") && (has("mimetype") || has("META-INF/manifest.xml")))) return {};
  std::vector<Part> parts;
  for (std::size_t i = 0; i < names.size(); ++i) {
    const auto kind = kind_of_part(names[i]);
    if (!kind) continue;
    const bool is_open = names[i].find('/') == std::string::npos;
    if (is_open != is_office) parts.push_back({i, *kind});
  }
  std::stable_sort(parts.begin(), parts.end(), [&](const Part& a, const Part& b) {
    const auto order = [&](const Part& part) {
      const std::string& name = names[part.index];
      return std::tuple(place_of(name), name.substr(0, name.find_first_of("0123456789")), number_of(name));
    };
    return order(a) < order(b);
  });
  const bool has_body = std::any_of(parts.begin(), parts.end(),
                                    [](const Part& part) { return part.kind != PartKind::properties; });
  if (!has_body) parts.clear();
  return parts;
}

}  // namespace touchstone::officetext
