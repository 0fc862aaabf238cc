#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "cli/json_line.hpp"
#include "cli/rules_try.hpp"
#include "cli/terminal.hpp"

namespace touchstone::cli {
namespace {

using nlohmann::json;

/// Longer values are cut on the terminal; --json has all of them.
constexpr std::size_t kMaxShown = 200;

bool is_time(std::string_view column) {
  static constexpr std::array kTimes{"sent",   "received", "started", "taken",   "visited",
                                     "starts", "ends",     "created", "modified"};
  return std::find(kTimes.begin(), kTimes.end(), column) != kTimes.end();
}

std::string shown(const std::string& column, const json& value) {
  if (value.is_number_integer() && is_time(column)) return human_time(value.get<std::int64_t>());
  std::string text = value.is_string() ? value.get<std::string>()
                                       : value.dump(-1, ' ', false, json::error_handler_t::replace);
  text = inert(text);
  if (text.size() <= kMaxShown) return text;
  std::size_t end = kMaxShown;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xc0U) == 0x80) --end;
  return text.substr(0, end) + "…";
}

void print_record(const std::string& kind, const json& fields) {
  const auto field = [&](const char* name) {
    return fields.contains(name) ? shown(name, fields[name]) : std::string();
  };
  const bool recovered =
      field("recovered") == "1" || field("status").find("recovered from") != std::string::npos;
  const bool guessed = field("status").starts_with("guessed");
  std::string out = fmt::format("{} {} {}{}{}\n", kind, field("source_table"), field("source_row"),
                                recovered ? "  RECOVERED" : "", guessed ? "  GUESSED" : "");
  for (const auto& [name, value] : fields.items()) {
    if (name == "source_table" || name == "source_row" || name == "app" || name == "time_basis") continue;
    if (!value.is_null())
      fmt::format_to(std::back_inserter(out), "  {:<14} {}\n", inert(name), shown(name, value));
  }
  std::fwrite(out.data(), 1, out.size(), stdout);
}

}  // namespace

void TryPrinter::line(std::string_view text) {
  if (const std::string_view kind = as_json_ ? kind_of_record_line(text) : std::string_view();
      !kind.empty()) {
    std::fwrite(text.data(), 1, text.size(), stdout);
    return;
  }
  const json line = json::parse(text, nullptr, false);
  if (!line.is_object() || !line.contains("kind") || !line["kind"].is_string()) return;
  const auto kind = line["kind"].get<std::string>();
  const auto text_of = [&](const char* name) {
    return line.contains(name) && line[name].is_string() ? inert(line[name].get<std::string>())
                                                         : std::string();
  };
  if (kind == "problem") {
    ++problems_;
  } else if (kind != "finding") {
    ++records_[inert(kind)];
  }
  if (as_json_) {
    fmt::print("{}\n", line.dump(-1, ' ', true, json::error_handler_t::replace));
  } else if (kind == "problem") {
    fmt::print("PROBLEM {}: {}\n", text_of("problem"), text_of("message"));
  } else if (kind == "finding") {
    fmt::print("FINDING {}\n", text_of("title"));
  } else if (line.contains("fields") && line["fields"].is_object()) {
    print_record(inert(kind), line["fields"]);
  }
}

void TryPrinter::end() const {
  if (as_json_) return;
  std::string counts;
  for (const auto& [kind, count] : records_) counts += fmt::format("{} {}, ", human_count(count), kind);
  fmt::print("{}{} problems\n", counts, problems_);
}

}  // namespace touchstone::cli
