#include "rules/toml_reader.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>

namespace touchstone {
namespace {

std::string quoted_list(const std::vector<std::string_view>& words) {
  std::string out;
  for (const auto word : words) out += fmt::format("{}\"{}\"", out.empty() ? "" : ", ", word);
  return out;
}

bool is_identifier(std::string_view text) {
  return !text.empty() && text.size() <= 64 && std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
           c == '_' || c == '-';
  });
}

const char* type_name(const toml::node& node) {
  switch (node.type()) {
    case toml::node_type::table:
      return "a table";
    case toml::node_type::array:
      return "an array";
    case toml::node_type::string:
      return "a string";
    case toml::node_type::integer:
      return "an integer";
    case toml::node_type::floating_point:
      return "a number";
    case toml::node_type::boolean:
      return "a boolean";
    default:
      return "a date or time";
  }
}

}  // namespace

TableReader::TableReader(RuleReader& reader, const toml::table& table, std::string what)
    : reader_(&reader), table_(&table), what_(std::move(what)) {}

SourcePlace TableReader::place() const {
  return place_of(*table_);
}

SourcePlace TableReader::place(std::string_view key) const {
  const toml::node* node = table_->get(key);
  return node ? place_of(*node) : place();
}

void TableReader::error(std::string_view message) const {
  reader_->error(place(), message);
}
void TableReader::error_at(std::string_view key, std::string_view message) const {
  reader_->error(place(key), message);
}

const toml::node* TableReader::find(std::string_view key, bool required) {
  asked_.emplace_back(key);
  const toml::node* node = table_->get(key);
  if (!node && required) error(fmt::format("{} has no key \"{}\"", what_, key));
  return node;
}

bool TableReader::check_text(const toml::node& node, std::string_view key, const std::string& value,
                             std::size_t max_length) const {
  if (value.empty()) {
    reader_->error(place_of(node), fmt::format("\"{}\" is empty", key));
    return false;
  }
  if (value.size() > max_length) {
    reader_->error(place_of(node), fmt::format("\"{}\" is longer than {} bytes", key, max_length));
    return false;
  }
  for (const char c : value) {
    const auto byte = static_cast<unsigned char>(c);
    if ((byte < 0x20 && c != '\n' && c != '\t' && c != '\r') || byte == 0x7f) {
      reader_->error(place_of(node), fmt::format("\"{}\" holds the control character {:#04x}", key, byte));
      return false;
    }
  }
  return true;
}

std::string TableReader::text(std::string_view key, bool required, std::size_t max_length) {
  const toml::node* node = find(key, required);
  if (!node) return {};
  const auto* value = node->as_string();
  if (!value) {
    reader_->error(place_of(*node), fmt::format("\"{}\" must be a string, but is {}", key, type_name(*node)));
    return {};
  }
  return check_text(*node, key, value->get(), max_length) ? value->get() : std::string();
}

std::string TableReader::identifier(std::string_view key, bool required) {
  std::string value = text(key, required, 64);
  if (!value.empty() && !is_identifier(value)) {
    error_at(key, fmt::format("\"{}\" may hold letters, digits, \".\", \"_\" and \"-\" only", key));
    return {};
  }
  return value;
}

std::optional<std::int64_t> TableReader::integer(std::string_view key, bool required, std::int64_t min,
                                                 std::int64_t max) {
  const toml::node* node = find(key, required);
  if (!node) return std::nullopt;
  const auto* value = node->as_integer();
  if (!value || value->get() < min || value->get() > max) {
    reader_->error(place_of(*node), fmt::format("\"{}\" must be an integer from {} to {}", key, min, max));
    return std::nullopt;
  }
  return value->get();
}

std::optional<double> TableReader::number(std::string_view key, bool required, double min, double max) {
  const toml::node* node = find(key, required);
  if (!node) return std::nullopt;
  const std::optional<double> value = node->is_number() ? node->value<double>() : std::nullopt;
  if (!value || !std::isfinite(*value) || *value < min || *value > max) {
    reader_->error(place_of(*node), fmt::format("\"{}\" must be a number from {} to {}", key, min, max));
    return std::nullopt;
  }
  return value;
}

std::optional<bool> TableReader::boolean(std::string_view key, bool required) {
  const toml::node* node = find(key, required);
  if (!node) return std::nullopt;
  const auto* value = node->as_boolean();
  if (!value) {
    reader_->error(place_of(*node), fmt::format("\"{}\" must be true or false", key));
    return std::nullopt;
  }
  return value->get();
}

std::optional<TomlTime> TableReader::time(std::string_view key, bool required) {
  const toml::node* node = find(key, required);
  if (!node) return std::nullopt;
  const auto* value = node->as_date_time();
  if (!value) {
    reader_->error(place_of(*node),
                   fmt::format("\"{}\" must be a date and time like 2024-05-03T21:00:00", key));
    return std::nullopt;
  }
  const toml::date_time& when = value->get();
  const std::chrono::year_month_day day{std::chrono::year(when.date.year),
                                        std::chrono::month(when.date.month), std::chrono::day(when.date.day)};
  TomlTime out;
  out.local_s = std::chrono::sys_days(day).time_since_epoch().count() * std::int64_t{86400} +
                when.time.hour * 3600 + when.time.minute * 60 + when.time.second;
  out.microseconds = when.time.nanosecond / 1000;
  if (when.offset) out.offset_minutes = when.offset->minutes;
  return out;
}

std::vector<std::string> TableReader::texts(std::string_view key, bool required, std::size_t max_items,
                                            std::size_t max_length, std::vector<SourcePlace>* places) {
  std::vector<std::string> out;
  const toml::node* node = find(key, required);
  if (!node) return out;
  const auto add = [&](const toml::node& item) {
    const auto* value = item.as_string();
    if (!value) {
      reader_->error(place_of(item),
                     fmt::format("\"{}\" must hold strings, but here is {}", key, type_name(item)));
      return;
    }
    if (!check_text(item, key, value->get(), max_length)) return;
    out.push_back(value->get());
    if (places) places->push_back(place_of(item));
  };
  if (const auto* array = node->as_array()) {
    if (array->size() > max_items) {
      reader_->error(place_of(*node), fmt::format("\"{}\" has more than {} entries", key, max_items));
      return out;
    }
    if (required && array->empty()) reader_->error(place_of(*node), fmt::format("\"{}\" is empty", key));
    for (const toml::node& item : *array) add(item);
  } else {
    add(*node);
  }
  std::vector<std::string_view> sorted(out.begin(), out.end());
  std::sort(sorted.begin(), sorted.end());
  const auto twice = std::adjacent_find(sorted.begin(), sorted.end());
  if (twice != sorted.end()) {
    reader_->error(place_of(*node), fmt::format("\"{}\" holds \"{}\" twice", key, *twice));
  }
  return out;
}

std::optional<std::size_t> TableReader::choice(std::string_view key, bool required,
                                               const std::vector<std::string_view>& choices) {
  const std::string value = text(key, required, 64);
  if (value.empty()) return std::nullopt;
  const auto at = std::find(choices.begin(), choices.end(), value);
  if (at != choices.end()) return static_cast<std::size_t>(at - choices.begin());
  error_at(key, fmt::format("\"{}\" must be one of {}, not \"{}\"", key, quoted_list(choices), value));
  return std::nullopt;
}

std::vector<std::size_t> TableReader::choices(std::string_view key,
                                              const std::vector<std::string_view>& choices) {
  std::vector<std::size_t> out;
  std::vector<SourcePlace> places;
  const std::vector<std::string> values = texts(key, kOptional, 100, 64, &places);
  for (std::size_t i = 0; i < values.size(); ++i) {
    const auto at = std::find(choices.begin(), choices.end(), values[i]);
    if (at == choices.end()) {
      reader_->error(places[i],
                     fmt::format("\"{}\" may hold {}, not \"{}\"", key, quoted_list(choices), values[i]));
    } else {
      out.push_back(static_cast<std::size_t>(at - choices.begin()));
    }
  }
  return out;
}

void TableReader::tables(std::string_view key, bool required, std::size_t max_items,
                         const std::function<void(TableReader&)>& read) {
  const toml::node* node = find(key, required);
  if (!node) return;
  const auto* array = node->as_array();
  if (!array ||
      !std::all_of(array->begin(), array->end(), [](const toml::node& item) { return item.is_table(); })) {
    reader_->error(place_of(*node),
                   fmt::format("\"{0}\" must be written as tables, each with the heading [[{0}]]", key));
    return;
  }
  if (array->size() > max_items) {
    reader_->error(place_of(*node), fmt::format("more than {} tables [[{}]]", max_items, key));
    return;
  }
  for (const toml::node& item : *array) {
    TableReader table(*reader_, *item.as_table(), fmt::format("[[{}]]", key));
    read(table);
    table.finish();
  }
}

void TableReader::table(std::string_view key, const std::function<void(TableReader&)>& read) {
  const toml::node* node = find(key, kOptional);
  if (!node) return;
  const auto* value = node->as_table();
  if (!value) {
    reader_->error(place_of(*node), fmt::format("\"{}\" must be a table, but is {}", key, type_name(*node)));
    return;
  }
  TableReader table(*reader_, *value, fmt::format("\"{}\"", key));
  read(table);
  table.finish();
}

std::vector<std::string> TableReader::keys() {
  std::vector<std::string> out;
  for (const auto& [key, node] : *table_) {
    out.emplace_back(key.str());
    asked_.emplace_back(key.str());
  }
  const auto before = [this](const std::string& a, const std::string& b) {
    const SourcePlace x = place(a), y = place(b);
    return std::pair(x.line, x.column) < std::pair(y.line, y.column);
  };
  std::stable_sort(out.begin(), out.end(), before);
  return out;
}

void TableReader::finish() const {
  const std::vector<std::string_view> known(asked_.begin(), asked_.end());
  for (const auto& [key, node] : *table_) {
    if (std::find(known.begin(), known.end(), key.str()) != known.end()) continue;
    const std::string near = nearest_word(key.str(), known);
    const SourcePlace where{key.source().begin.line, key.source().begin.column};
    reader_->error(where.line ? where : place_of(node),
                   fmt::format("unknown key \"{}\" in {}{}", key.str(), what_,
                               near.empty() ? std::string() : fmt::format("; did you mean \"{}\"?", near)));
  }
}

namespace {

/// Where the string ends that begins at `at` with one or three of `quote`; a plain one ends with its line at
/// the latest.
std::size_t end_of_string(std::string_view text, std::size_t at) {
  const char quote = text[at];
  const std::string three(3, quote);
  const bool is_long = text.substr(at, 3) == three;
  for (std::size_t i = at + (is_long ? 3 : 1); i < text.size(); ++i) {
    if (text[i] == '\\' && quote == '"') {
      ++i;
    } else if (is_long ? text.substr(i, 3) == three : text[i] == quote) {
      i += is_long ? 3 : 1;
      while (is_long && i < text.size() && text[i] == quote) ++i;  // up to two more belong to it
      return i;
    } else if (!is_long && text[i] == '\n') {
      return i;
    }
  }
  return text.size();
}

/// The place behind a text, in characters.
SourcePlace place_in(std::string_view text) {
  SourcePlace place{1, 1};
  for (const char c : text) {
    if (c == '\n') {
      place = {place.line + 1, 1};
    } else if ((static_cast<unsigned char>(c) & 0xC0U) != 0x80) {
      ++place.column;
    }
  }
  return place;
}

/// Where the text stands between strings: whether a quote begins one, as toml++ 3.3 sees it, which reads a
/// value that does not begin with a quote on to its end and takes quotes within it for part of it. Exact up
/// to the first error, where toml++ ends.
class StringPlaces {
 public:
  bool may_begin() const {
    return !in_token_ && std::string_view("\n=[]{},.").find(before_) != std::string_view::npos;
  }
  void pass(char here) {
    if (std::string_view(" \t\r").find(here) != std::string_view::npos) {
      in_token_ = false;
      return;
    }
    before_ = here;
    if (here == '\n') {
      in_token_ = false;
      if (open_.empty()) in_value_ = false;
    } else if (here == ',' || here == ']' || here == '}') {
      in_token_ = false;
      if (here != ',' && !open_.empty()) open_.pop_back();
      in_value_ = here != ',' || open_.empty() ? in_value_ : open_.back() == '[';
    } else if (in_token_) {
      return;
    } else if (here == '=') {
      in_value_ = true;
    } else if (in_value_ && (here == '[' || here == '{')) {
      open_ += here;
      in_value_ = here == '[';
    } else {
      in_token_ = in_value_ && here != '\'' && here != '"';
    }
  }

 private:
  char before_ = '\n';  ///< blanks left out: strings begin behind few characters
  std::string open_;    ///< brackets of arrays and inline tables; bounded by the size of the file
  bool in_value_ = false, in_token_ = false;
};

/// The first character outside ASCII that is in no string and no comment: TOML 1.0 has none, and toml++ 3.3
/// comes to a point that it takes for unreachable if one stands where white space may.
std::optional<SourcePlace> stray_character(std::string_view text) {
  std::size_t at = text.starts_with("\xef\xbb\xbf") ? 3 : 0;
  const std::size_t begin = at;
  StringPlaces places;
  while (at < text.size()) {
    const char here = text[at];
    const bool is_string = (here == '"' || here == '\'') && places.may_begin();
    if (here != '#') places.pass(here);
    if (is_string) {
      at = end_of_string(text, at);
    } else if (here == '#') {
      at = std::min(text.find('\n', at), text.size());
    } else if (static_cast<unsigned char>(here) < 0x80) {
      ++at;
    } else {
      return place_in(text.substr(begin, at - begin));
    }
  }
  return std::nullopt;
}

}  // namespace

RuleReader::RuleReader(std::string_view text, std::string name)
    : name_(std::move(name)), sha256_(sha256_hex(text)) {
  if (text.size() > kMaxRuleFileSize) {
    error({}, fmt::format("larger than {} bytes; long lists belong into plain text files", kMaxRuleFileSize));
    return;
  }
  if (const auto stray = stray_character(text)) {
    error(*stray, "a character outside ASCII, which only strings and comments may have");
    return;
  }
  toml::parse_result result = toml::parse(text);
  if (!result) {
    const toml::parse_error& failure = result.error();
    error({failure.source().begin.line, failure.source().begin.column}, failure.description());
    return;
  }
  root_ = std::move(result).table();
  parsed_ = true;
}

RuleFileInfo RuleReader::read(RuleKind kind, std::string_view schema, bool with_identity,
                              const std::function<void(TableReader&)>& read) {
  RuleFileInfo info;
  info.path = name_;
  info.sha256 = sha256_;
  info.kind = kind;
  if (!parsed_) return info;
  TableReader root(*this, root_, "the file");
  const std::string found = root.text("schema", kRequired, 64);
  if (!found.empty() && found != schema) {
    root.error_at("schema", fmt::format("the schema is \"{}\", but \"{}\" is wanted here", found, schema));
    return info;  // what follows would only be noise
  }
  if (with_identity) {
    info.id = root.identifier("id", kRequired);
    info.version = root.text("version", kRequired, 64);
    info.title = root.text("title", kRequired, 200);
  }
  read(root);
  root.finish();
  return info;
}

void RuleReader::error(SourcePlace place, std::string_view message) {
  if (errors_.size() >= 1000) return;  // hostile input; failure() shows only the first ones
  std::string flat(message);
  std::replace_if(
      flat.begin(), flat.end(), [](char c) { return static_cast<unsigned char>(c) < 0x20; }, ' ');
  errors_.push_back({place, std::move(flat)});
}

Error RuleReader::failure() const {
  std::vector<Line> sorted = errors_;
  std::stable_sort(sorted.begin(), sorted.end(), [](const Line& a, const Line& b) {
    return std::pair(a.place.line, a.place.column) < std::pair(b.place.line, b.place.column);
  });
  std::string message;
  for (std::size_t i = 0; i < sorted.size() && i < kMaxRuleErrors; ++i) {
    if (i) message += '\n';
    message += at_place(name_, sorted[i].place, sorted[i].message);
  }
  return {ErrorCode::invalid, message};
}

}  // namespace touchstone
