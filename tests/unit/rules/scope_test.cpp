#include "rules/scope.hpp"

#include <gtest/gtest.h>

namespace touchstone {
namespace {

CaseFile case_file(const std::string& scope) {
  auto file = parse_case_file(
      "schema = \"touchstone.case/1\"\nreference = \"X\"\ntime_zone = \"UTC\"\n"
      "[[person]]\nid = \"S1\"\nrole = \"suspect\"\nphones = [\"+447700900123\"]\nhandles = "
      "[\"instagram:a.example\"]\n"
      "[[person]]\nid = \"C1\"\nrole = \"complainant\"\nphones = [\"+447700900456\"]\n"
      "[[exhibit]]\nref = \"DEF/1\"\npath = \"x\"\nrole = \"complainant\"\n" +
          scope,
      "case.toml");
  EXPECT_TRUE(file) << file.error().message;
  return file ? file.take() : CaseFile{};
}

constexpr const char* kScope =
    "[exhibit.scope]\nauthority = \"agreed\"\napps = [\"sms\", \"instagram\", \"snapchat\"]\nparties = "
    "[\"S1\"]\npaths = [\"/DCIM/**\"]\n"
    "from = 2024-05-01T00:00:00\nto = 2024-05-02T00:00:00\nkinds = [\"message\", \"attachment\"]\n";
constexpr TimeUs kInside = 1714564800LL * 1'000'000;  // 2024-05-01 12:00 UTC
constexpr TimeUs kOutside = kInside + 2 * 86400LL * 1'000'000;

TEST(Scope, ComplainantWithoutScopeIsRefusedEvenWithoutRuleFiles) {
  const CaseFile file = case_file("");
  EXPECT_FALSE(ScopeRules::make(&file, &file.exhibits[0], Role::complainant, {}));
  EXPECT_FALSE(ScopeRules::make(nullptr, nullptr, Role::complainant, {}));
  const Status status = check_exhibits(file, {});
  ASSERT_FALSE(status);
  EXPECT_NE(status.error().message.find("DEF/1"), std::string::npos);
}

TEST(Scope, NoRuleFileCanLetAComplainantBeReadWhole) {
  const auto defaults = parse_scope_defaults(
      "schema = \"touchstone.scope/1\"\nid = \"x\"\nversion = \"1\"\ntitle = \"X\"\n"
      "[[role]]\nrole = \"complainant\"\nwithout_scope = \"whole\"\nwhy = \"no\"\n",
      "scope.toml");
  EXPECT_FALSE(defaults);
}

TEST(Scope, OthersWithoutScopeAreWhole) {
  const auto rules = ScopeRules::make(nullptr, nullptr, Role::unknown, {});
  ASSERT_TRUE(rules);
  const ScopeVerdict verdict = rules->decide({"/any", std::nullopt, ItemKind::unallocated, {}});
  EXPECT_EQ(verdict.decision, ScopeDecision::whole);
  EXPECT_EQ(verdict.rule, "role:unknown");
  EXPECT_TRUE(rules->grants("carving"));
}

TEST(Scope, LetsOnlyAppsAndPathsThrough) {
  const CaseFile file = case_file(kScope);
  const auto rules = ScopeRules::make(&file, &file.exhibits[0], Role::complainant, {});
  ASSERT_TRUE(rules) << rules.error().message;
  const std::vector<std::string> sms = {"sms"}, other = {"whatsapp"};
  const auto decide = [&](std::string_view path, std::optional<TimeUs> time, ItemKind kind,
                          std::span<const std::string> apps) {
    return rules->decide({path, time, kind, apps}).decision;
  };
  EXPECT_EQ(decide("/databases/mmssms.db", kOutside, ItemKind::file, sms), ScopeDecision::rows);
  EXPECT_EQ(decide("/databases/msgstore.db", kInside, ItemKind::file, other), ScopeDecision::none);
  EXPECT_EQ(decide("/DCIM/1.jpg", kInside, ItemKind::file, {}), ScopeDecision::whole);
  EXPECT_EQ(decide("/DCIM/2.jpg", kOutside, ItemKind::file, {}), ScopeDecision::none);
  EXPECT_EQ(decide("/DCIM/3.jpg", std::nullopt, ItemKind::file, {}), ScopeDecision::none);
  EXPECT_EQ(decide("/notes.txt", kInside, ItemKind::file, {}), ScopeDecision::none);
  EXPECT_EQ(decide("/", kInside, ItemKind::directory, {}), ScopeDecision::none);
  EXPECT_EQ(decide("", kInside, ItemKind::unallocated, {}), ScopeDecision::none);
  EXPECT_FALSE(rules->grants("recovery"));
  EXPECT_TRUE(rules->grants_attachments());
  const std::vector<Glob> apps = {*Glob::compile("**/databases/mmssms.db")};
  EXPECT_TRUE(rules->may_descend("/DCIM", {}));
  EXPECT_FALSE(rules->may_descend("/Download", {}));
  EXPECT_TRUE(rules->may_descend("/Download", apps));
}

TEST(Scope, RowsPassByPartyTimeAndKind) {
  const CaseFile file = case_file(kScope);
  const auto rules = ScopeRules::make(&file, &file.exhibits[0], Role::complainant, {});
  ASSERT_TRUE(rules);
  EXPECT_TRUE(rules->passes({"message", "sms", kInside, {"+44 7700 900123", "me"}}));
  EXPECT_FALSE(rules->passes({"message", "sms", kInside, {"+44 7700 900789"}})) << "another party";
  EXPECT_FALSE(rules->passes({"message", "sms", kOutside, {"07700 900123"}})) << "another time";
  EXPECT_FALSE(rules->passes({"message", "sms", std::nullopt, {"07700 900123"}})) << "no time";
  EXPECT_FALSE(rules->passes({"call", "sms", kInside, {"07700 900123"}})) << "a kind that was not agreed";
  EXPECT_TRUE(rules->passes({"message", "instagram", kInside, {"a.example"}}));
  EXPECT_FALSE(rules->passes({"message", "snapchat", kInside, {"a.example"}}));
}

TEST(Scope, ExclusionsWinOverEverything) {
  const auto defaults = parse_scope_defaults(
      "schema = \"touchstone.scope/1\"\nid = \"x\"\nversion = \"1\"\ntitle = \"X\"\n"
      "[[exclude]]\nid = \"privileged\"\npaths = [\"**/Solicitor/**\"]\nwhy = \"legal privilege\"\n",
      "scope.toml");
  ASSERT_TRUE(defaults) << defaults.error().message;
  const auto rules = ScopeRules::make(nullptr, nullptr, Role::suspect, *defaults);
  ASSERT_TRUE(rules);
  const ScopeVerdict verdict =
      rules->decide({"/home/x/solicitor/letter.doc", std::nullopt, ItemKind::file, {}});
  EXPECT_EQ(verdict.decision, ScopeDecision::none);
  EXPECT_EQ(verdict.rule, "exclude:privileged");
}

TEST(Scope, UnknownAppsAreRefusedWithASuggestion) {
  const CaseFile file = case_file(kScope);
  const std::vector<std::string> apps = {"mms", "smss", "whatsapp"};
  const Status status = check_exhibits(file, {}, &apps);
  ASSERT_FALSE(status);
  EXPECT_NE(status.error().message.find("did you mean"), std::string::npos);
}

}  // namespace
}  // namespace touchstone
