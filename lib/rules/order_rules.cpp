#include "rules/order_rules.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "rules/toml_reader.hpp"

namespace touchstone {
namespace {

const std::vector<std::string_view> kItemKinds = {"file",   "directory", "link",  "stream",      "attachment",
                                                  "member", "carved",    "slack", "unallocated", "virtual"};
constexpr std::int64_t kMaxSize = std::int64_t{1} << 60;

void read_rule(TableReader& table, OrderRule& rule) {
  rule.id = table.identifier("id", kRequired);
  rule.why = table.text("why", kRequired);
  for (const std::string& path : table.texts("paths", kOptional)) {
    auto glob = Glob::compile_rule(path);
    if (glob) {
      rule.paths.push_back(glob.take());
    } else {
      table.error_at("paths", glob.error().message);
    }
  }
  rule.extensions = table.texts("extensions", kOptional, 1000, 32);
  for (const std::string& extension : rule.extensions) {
    const bool lower =
        std::none_of(extension.begin(), extension.end(), [](char c) { return c >= 'A' && c <= 'Z'; });
    if (!lower || extension[0] == '.') {
      table.error_at("extensions", fmt::format("write \"{}\" in lower case and without a dot", extension));
    }
  }
  std::sort(rule.extensions.begin(), rule.extensions.end());
  for (const std::size_t kind : table.choices("kinds", kItemKinds))
    rule.kinds.push_back(static_cast<ItemKind>(kind));
  rule.allocated = table.boolean("allocated");
  if (const auto size = table.integer("min_size", kOptional, 0, kMaxSize))
    rule.min_size = static_cast<std::uint64_t>(*size);
  if (const auto size = table.integer("max_size", kOptional, 0, kMaxSize))
    rule.max_size = static_cast<std::uint64_t>(*size);
  rule.points = static_cast<int>(table.integer("points", kRequired, -1000, 1000).value_or(0));
}

std::string lower_extension(std::string_view name) {
  const std::size_t dot = name.rfind('.');
  if (dot == std::string_view::npos || dot == 0 || name.size() - dot > 32) return {};
  std::string out(name.substr(dot + 1));
  for (char& c : out) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return out;
}

}  // namespace

int OrderRules::priority(std::string_view path, std::string_view name, std::uint64_t size, ItemKind kind,
                         bool allocated) const {
  const std::string extension = lower_extension(name);
  int sum = 0;
  for (const OrderRule& rule : rules_) {
    if (rule.allocated && *rule.allocated != allocated) continue;
    if (rule.min_size && size < *rule.min_size) continue;
    if (rule.max_size && size > *rule.max_size) continue;
    if (!rule.kinds.empty() && std::find(rule.kinds.begin(), rule.kinds.end(), kind) == rule.kinds.end())
      continue;
    if (!rule.extensions.empty() &&
        !std::binary_search(rule.extensions.begin(), rule.extensions.end(), extension))
      continue;
    if (!rule.paths.empty() && !any_matches(rule.paths, path)) continue;
    sum += rule.points;
  }
  return sum;
}

Result<OrderRules> parse_order_rules(std::string_view text, const std::string& name) {
  RuleReader reader(text, name);
  OrderRules out;
  std::set<std::string> ids;
  out.files_.push_back(reader.read(RuleKind::order, "touchstone.order/1", true, [&](TableReader& root) {
    root.tables("rule", kRequired, 10'000, [&](TableReader& table) {
      OrderRule rule;
      read_rule(table, rule);
      if (!rule.id.empty() && !ids.insert(rule.id).second) {
        table.error_at("id", fmt::format("the rule \"{}\" is there twice", rule.id));
      }
      out.rules_.push_back(std::move(rule));
    });
  }));
  if (!reader.ok()) return reader.failure();
  return out;
}

Result<OrderRules> load_order_rules(const std::string& root) {
  auto paths = find_rule_files(root, RuleKind::order);
  if (!paths) return paths.error();
  if (paths->empty()) return Error{ErrorCode::not_found, fmt::format("{}/order: no rule file there", root)};
  OrderRules all;
  for (const std::string& path : *paths) {
    auto text = read_rule_file(path);
    if (!text) return text.error();
    auto one = parse_order_rules(*text, path);
    if (!one) return one.error();
    all.files_.insert(all.files_.end(), one->files_.begin(), one->files_.end());
    all.rules_.insert(all.rules_.end(), one->rules_.begin(), one->rules_.end());
  }
  return all;
}

}  // namespace touchstone
