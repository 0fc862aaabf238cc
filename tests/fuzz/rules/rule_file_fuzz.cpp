// Every reader of TOML over the same text: whatever it is, each gives a value or an error with the file's
// name.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "rules/app_definition.hpp"
#include "rules/case_file.hpp"
#include "rules/keyword_pack.hpp"
#include "rules/order_rules.hpp"
#include "rules/ranking_rules.hpp"
#include "rules/scope.hpp"

namespace {

template <typename T>
void check(const touchstone::Result<T>& result) {
  if (!result && result.error().message.rfind("f.toml", 0) != 0) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace touchstone;
  const std::string text(data, data + size);
  check(parse_case_file(text, "f.toml"));
  check(parse_keyword_pack(text, "f.toml"));
  check(parse_keyword_text(text, "f.toml"));
  check(parse_order_rules(text, "f.toml"));
  check(parse_ranking_rules(text, "f.toml"));
  check(parse_scope_defaults(text, "f.toml"));
  check(parse_app_definition(text, "f.toml"));
  return 0;
}
