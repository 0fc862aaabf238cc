// rules/order/*.toml (touchstone.order/1): what is examined first. Immutable after load; may be shared.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "model/types.hpp"
#include "rules/glob.hpp"
#include "rules/rule_file.hpp"

namespace touchstone {

struct OrderRule {
  std::string id, why;
  std::vector<Glob> paths;              ///< ASCII case folded
  std::vector<std::string> extensions;  ///< lower case, without dot, sorted: a hint at the media type
  std::vector<ItemKind> kinds;
  std::optional<bool> allocated;
  std::optional<std::uint64_t> min_size, max_size;
  int points = 0;  ///< -1000 … 1000
};

class OrderRules {
 public:
  /// Sum of the points of all rules whose every given condition holds; larger is earlier. Never reads the
  /// item.
  int priority(std::string_view path, std::string_view name, std::uint64_t size, ItemKind kind,
               bool allocated) const;
  const std::vector<OrderRule>& rules() const { return rules_; }
  const std::vector<RuleFileInfo>& files() const { return files_; }

 private:
  friend Result<OrderRules> parse_order_rules(std::string_view text, const std::string& name);
  friend Result<OrderRules> load_order_rules(const std::string& root);
  std::vector<RuleFileInfo> files_;
  std::vector<OrderRule> rules_;
};

Result<OrderRules> parse_order_rules(std::string_view text, const std::string& name);
/// All files of `root`/order; none is an error: the default file is part of the program.
Result<OrderRules> load_order_rules(const std::string& root);

}  // namespace touchstone
