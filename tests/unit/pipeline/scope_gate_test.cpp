// The gate as workers use it: what a record's columns mean to the scope of its exhibit.
#include "pipeline/scope_gate.hpp"

#include <gtest/gtest.h>

#include "rules/case_file.hpp"

namespace touchstone {
namespace {

constexpr const char* kCase = R"(
schema = "touchstone.case/1"
reference = "EXAMPLE/24"
[[person]]
id = "S1"
role = "suspect"
phones = ["+447700900123"]
[[person]]
id = "C1"
role = "complainant"
phones = ["+447700900456"]
[[exhibit]]
ref = "DEF/1"
path = "phone.img"
role = "complainant"
owner = "C1"
[exhibit.scope]
authority = "agreed in writing"
apps = ["sms"]
parties = ["S1"]
from = 2024-05-01T00:00:00+00:00
to = 2024-05-02T00:00:00+00:00
kinds = ["message", "call"]
[[exhibit]]
ref = "JKL/1"
path = "tablet.img"
role = "complainant"
owner = "C1"
[exhibit.scope]
authority = "agreed in writing"
apps = ["sms"]
parties = ["S1"]
from = 2024-05-01T00:00:00+00:00
to = 2024-05-02T00:00:00+00:00
kinds = ["event", "note"]
[[exhibit]]
ref = "ABC/1"
path = "suspect.img"
role = "suspect"
)";

constexpr TimeUs kInside = 1'714'564'800'000'000;   // date -u -d 2024-05-01T12:00:00 +%s
constexpr TimeUs kOutside = 1'714'824'000'000'000;  // date -u -d 2024-05-04T12:00:00 +%s
constexpr const char* kSmsPath = "/data/data/com.android.providers.telephony/databases/mmssms.db";

class Gate : public ::testing::Test {
 protected:
  ScopeGate gate(const std::string& ref, Role role) {
    static const auto case_file = parse_case_file(kCase, "case.toml");
    EXPECT_TRUE(case_file) << case_file.error().message;
    const std::string rules = std::string(TOUCHSTONE_SOURCE_DIR) + "/rules";
    auto apps = load_app_definitions(rules);
    EXPECT_TRUE(apps) << apps.error().message;
    for (AppDefinition& app : *apps) ids_.push_back(app.info.id);
    auto made = ScopeGate::make(&*case_file, ref, role, rules,
                                std::make_shared<const std::vector<AppDefinition>>(apps.take()));
    EXPECT_TRUE(made) << made.error().message;
    return made.take();
  }
  /// A message between the two that lies inside the scope; `change` makes it another.
  static Record record(const std::function<void(Record&)>& change) {
    Record out;
    out.kind = "message";
    out.fields = {{"app", std::string("sms")},
                  {"sent", kInside},
                  {"sender", std::string("07700 900123")},
                  {"recipients", std::string("[]")}};
    change(out);
    return out;
  }
  std::vector<std::string> ids_;
};

TEST_F(Gate, ASuspectsExhibitIsOpen) {
  const ScopeGate open = gate("ABC/1", Role::suspect);
  EXPECT_FALSE(open.limited());
  EXPECT_TRUE(open.grants("previews"));
  EXPECT_TRUE(open.may_descend("/anything"));
  EXPECT_EQ(open.decide("/DCIM/1.jpg", std::nullopt, ItemKind::file).decision, ScopeDecision::whole);
  EXPECT_TRUE(open.passes(record([](Record& r) { r.fields.clear(); })));
}

TEST_F(Gate, OnlyTheAppsOfTheScopeAreLookedAtAndOnlyTheirRows) {
  const ScopeGate limited = gate("DEF/1", Role::complainant);
  ASSERT_TRUE(limited.limited());
  EXPECT_EQ(limited.decide(kSmsPath, kInside, ItemKind::file).decision, ScopeDecision::rows);
  EXPECT_EQ(limited.decide("/data/media/0/DCIM/1.jpg", kInside, ItemKind::file).decision,
            ScopeDecision::none);
  EXPECT_EQ(limited.decide("/data/data/com.whatsapp/databases/msgstore.db", kInside, ItemKind::file).decision,
            ScopeDecision::none);
  EXPECT_TRUE(limited.may_descend("/data/data/com.android.providers.telephony"));
  EXPECT_FALSE(limited.grants("previews"));
}

TEST_F(Gate, ARowPassesByAppKindTimeAndParty) {
  const ScopeGate limited = gate("DEF/1", Role::complainant);
  const auto passes = [&](const std::function<void(Record&)>& change) {
    return limited.passes(record(change));
  };
  const auto set = [](const char* column, const Value& value) {
    return [=](Record& r) {
      for (auto& [name, old] : r.fields) {
        if (name == column) old = value;
      }
    };
  };
  EXPECT_TRUE(passes([](Record&) {}));
  EXPECT_FALSE(passes(set("app", std::string("whatsapp"))));
  EXPECT_FALSE(passes([](Record& r) { r.kind = "contact"; }));
  EXPECT_FALSE(passes(set("sent", kOutside)));
  EXPECT_FALSE(passes(set("sent", Value())));  // no time: not shown to lie inside
  EXPECT_FALSE(passes(set("sender", std::string("+447700900789"))));
  EXPECT_FALSE(passes(set("sender", Value())));
}

TEST_F(Gate, EachColumnThatNamesAPartyOrATimeCounts) {
  const ScopeGate limited = gate("DEF/1", Role::complainant);
  const auto call = [&](const char* time, TimeUs at, const char* party, const std::string& who) {
    Record out;
    out.kind = "call";
    out.fields = {{"app", std::string("sms")}, {time, at}, {party, who}};
    return limited.passes(out);
  };
  for (const char* time : {"sent", "received", "started", "taken", "visited"}) {
    EXPECT_TRUE(call(time, kInside, "party", "+447700900123")) << time;
    EXPECT_FALSE(call(time, kOutside, "party", "+447700900123")) << time;
  }
  EXPECT_TRUE(call("started", kInside, "recipients", R"(["x","+447700900123"])"));
  EXPECT_TRUE(call("started", kInside, "identifiers", R"([{"kind":"phone","value":"+447700900123"}])"));
  EXPECT_TRUE(call("started", kInside, "conversation", "447700900123@s.whatsapp.net"));
  EXPECT_FALSE(call("started", kInside, "recipients", "+447700900123"));  // no JSON array: nobody is named
  EXPECT_FALSE(call("started", kInside, "body", "+447700900123"));
}

TEST_F(Gate, CalendarAndNotesPassOnlyWhereTheScopeNamesThem) {
  const auto passes = [&](const ScopeGate& limited, const char* kind, const std::vector<const char*>& times,
                          TimeUs at, const std::string& participants) {
    Record out;
    out.kind = kind;
    out.fields = {{"app", std::string("sms")}, {"participants", participants}};
    for (const char* time : times) out.fields.emplace_back(time, at);
    return limited.passes(out);
  };
  const std::string with_party = R"(["+447700900123"])", with_other = R"(["k@example.com"])";
  const ScopeGate silent = gate("DEF/1", Role::complainant);
  EXPECT_FALSE(passes(silent, "event", {"starts"}, kInside, with_party));
  EXPECT_FALSE(passes(silent, "note", {"modified"}, kInside, "[]"));
  const ScopeGate named = gate("JKL/1", Role::complainant);
  EXPECT_TRUE(passes(named, "event", {"starts"}, kInside, with_party));
  EXPECT_TRUE(passes(named, "event", {"ends"}, kInside, "[]")) << "nobody else takes part";
  EXPECT_FALSE(passes(named, "event", {"starts"}, kInside, with_other))
      << "an appointment with somebody else";
  EXPECT_FALSE(passes(named, "event", {"starts"}, kOutside, with_party));
  EXPECT_FALSE(passes(named, "event", {}, kInside, with_party)) << "no time";
  EXPECT_TRUE(passes(named, "note", {"created", "modified"}, kInside, "[]"));
  EXPECT_FALSE(passes(named, "note", {}, kInside, "[]")) << "no time";
  Record old;
  old.kind = "note";
  old.fields = {{"app", std::string("sms")}, {"created", kOutside}, {"modified", kInside}};
  EXPECT_FALSE(named.passes(old)) << "it may say what it said before";
}

TEST_F(Gate, AComplainantsExhibitWithoutAScopeIsRefused) {
  const std::string rules = std::string(TOUCHSTONE_SOURCE_DIR) + "/rules";
  const auto made = ScopeGate::make(nullptr, "DEF/1", Role::complainant, rules,
                                    std::make_shared<const std::vector<AppDefinition>>());
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error().code, ErrorCode::invalid);
}

}  // namespace
}  // namespace touchstone
