// What plugins give and what becomes of it: records, findings, problems, states.
#include <gtest/gtest.h>

#include <set>

#include "plugin/session.hpp"
#include "unit/plugin/fake_plugin.hpp"

namespace touchstone {
namespace {

using test::Bench;
using test::Fake;
using test::item_at;

Job::FindingText finding(std::string_view rule, std::string_view position = "") {
  return {.rule = rule,
          .category = "c",
          .title = "t",
          .detail = "d",
          .position = position,
          .record_kind = "",
          .record_key = ""};
}

TEST(SessionFindings, CarryWhoMadeThemAndHangOnTheContentOrTheItem) {
  Fake content("content"), item_plugin("item_plugin");
  item_plugin.table.scope = TS_SCOPE_ITEM;
  const auto emit = [](Job& job) {
    job.emit_finding(4000, finding("r", "offset 3"));
    return TS_OK;
  };
  content.on_begin = emit;
  item_plugin.on_begin = emit;
  Bench bench({&content, &item_plugin});
  bench.run("abc");
  ASSERT_EQ(bench.kept.findings.size(), 2U);
  const Finding& of_content = bench.kept.findings[0];
  const std::string sha256 =
      "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";  // of "abc", FIPS 180-2
  EXPECT_TRUE(bench.kept.finding_of_content[0]);
  EXPECT_EQ(of_content.content_sha256, sha256);
  EXPECT_EQ(of_content.key, "finding|content|r|" + sha256 + "|offset 3");
  EXPECT_EQ(of_content.plugin_version, "2.5");
  EXPECT_EQ(of_content.confidence, 1000);  // cut to what the scale has
  EXPECT_FALSE(bench.kept.finding_of_content[1]);
  EXPECT_EQ(bench.kept.findings[1].key, "finding|item_plugin|r|A:p0/a.txt;7|offset 3");
}

TEST(SessionFindings, BeyondAThousandOfARuleThereIsOneProblem) {
  Fake fake("fake");
  fake.on_begin = [](Job& job) {
    for (int i = 0; i < 1500; ++i) job.emit_finding(1, finding("many", "offset " + std::to_string(i)));
    for (int i = 0; i < 3; ++i) job.emit_finding(1, finding("few", "offset " + std::to_string(i)));
    return TS_OK;
  };
  Bench bench({&fake});
  const auto out = bench.run("x");
  std::map<std::string, int> count;
  for (const Finding& each : bench.kept.findings) ++count[each.rule];
  EXPECT_EQ(count["many"], 1000);
  EXPECT_EQ(count["few"], 3);
  ASSERT_EQ(bench.kept.problems.size(), 1U);
  EXPECT_EQ(bench.kept.problems[0].kind, ProblemKind::limit);
  EXPECT_NE(bench.kept.problems[0].message.find("many"), std::string::npos);
  EXPECT_EQ(out.state, ItemState::partly_examined);
}

TEST(SessionFindings, LaterPluginsSeeWhatEarlierOnesFound) {
  Fake first("first"), second("second");
  first.on_begin = [](Job& job) {
    for (const char* rule : {"a", "b", "c"}) job.emit_finding(7, finding(rule));
    return TS_OK;
  };
  std::string seen;
  second.on_begin = [&](Job& job) {
    job.findings([&](std::string_view plugin, const ts_finding& each) {
      seen += std::string(plugin) + ":" + std::string(from_abi(each.rule)) + " ";
      return from_abi(each.rule) != "b";
    });
    return TS_OK;
  };
  Bench bench({&first, &second});
  bench.run("x");
  EXPECT_EQ(seen, "first:a first:b ");
}

TEST(SessionRecords, KeysOfEqualRowsStayDifferent) {
  Fake fake("fake", TS_ROLE_EXTRACTOR);
  std::vector<std::string> keys;
  fake.on_begin = [&](Job& job) {
    for (const char* row : {"1", "1", "1", "2"})
      keys.push_back(job.emit_record("message", "sms", "sms", row, {}));
    return TS_OK;
  };
  Bench bench({&fake});
  bench.run("x");
  EXPECT_EQ(keys,
            (std::vector<std::string>{"message|A:p0/a.txt;7|sms|sms|1", "message|A:p0/a.txt;7|sms|sms|1#2",
                                      "message|A:p0/a.txt;7|sms|sms|1#3", "message|A:p0/a.txt;7|sms|sms|2"}));
}

TEST(SessionRecords, ARowThatIsNamedLikeASecondOneStillHasAKeyOfItsOwn) {
  Fake fake("fake", TS_ROLE_EXTRACTOR);
  std::set<std::string> keys;
  fake.on_begin = [&](Job& job) {
    for (const char* row : {"1", "1", "1#2"}) keys.insert(job.emit_record("message", "sms", "sms", row, {}));
    return TS_OK;
  };
  Bench bench({&fake});
  bench.run("x");
  EXPECT_EQ(keys.size(), 3U);
}

TEST(SessionRecords, SourceAndAppAreFieldsUnlessTheRowHasThem) {
  Fake fake("fake", TS_ROLE_EXTRACTOR);
  fake.on_begin = [](Job& job) {
    const Field fields[] = {{"app", "own"}, {"body", "a\xFF"}};
    job.emit_record("message", "sms", "table", "12", fields);
    return TS_OK;
  };
  Bench bench({&fake});
  bench.run("x");
  ASSERT_EQ(bench.kept.records.size(), 1U);
  const Record& record = bench.kept.records[0];
  EXPECT_EQ(std::get<std::string>(*record.find("app")), "own");
  EXPECT_EQ(std::get<std::string>(*record.find("body")), "a\xEF\xBF\xBD");
  EXPECT_EQ(std::get<std::string>(*record.find("source_table")), "table");
  EXPECT_EQ(std::get<std::string>(*record.find("source_row")), "12");
  EXPECT_EQ(bench.kept.makers[0], "fake");
}

TEST(SessionRecords, AClockReadingWithoutAZoneBecomesATimeThatIsAssumed) {
  Fake fake("fake", TS_ROLE_EXTRACTOR);
  fake.on_begin = [](Job& job) {
    const Field fields[] = {{"taken_local", std::int64_t{5'000'000}}, {"width", 7}};
    job.emit_record("picture", "", "", "", fields);
    return TS_OK;
  };
  Bench bench({&fake});
  ItemContext item = item_at("/a.jpg");
  item.local_to_utc = [](std::int64_t local) { return local - 3'600'000'000; };
  bench.run("x", item);
  bench.run("x");  // no zone known: no time, rather than a wrong one
  ASSERT_EQ(bench.kept.records.size(), 2U);
  const Record& record = bench.kept.records[0];
  EXPECT_EQ(std::get<std::int64_t>(*record.find("taken")), 5'000'000 - 3'600'000'000);
  EXPECT_EQ(std::get<std::string>(*record.find("time_basis")), "assumed");
  for (const Record& each : bench.kept.records) EXPECT_EQ(each.find("taken_local"), nullptr);
  EXPECT_EQ(bench.kept.records[1].find("taken"), nullptr);
}

TEST(SessionRecords, ClockReadingsOfOtherKindsBecomeTimesAsWell) {
  Fake fake("fake", TS_ROLE_EXTRACTOR);
  fake.on_begin = [](Job& job) {
    const Field message[] = {{"sent_local", std::int64_t{5'000'000}}, {"body_local", "kept"}};
    job.emit_record("message", "app", "t", "1", message);
    const Field call[] = {{"started_local", std::int64_t{6'000'000}}};
    job.emit_record("call", "app", "t", "2", call);
    return TS_OK;
  };
  Bench bench({&fake});
  ItemContext item = item_at("/report.xml");
  item.local_to_utc = [](std::int64_t local) { return local - 1'000'000; };
  bench.run("x", item);
  ASSERT_EQ(bench.kept.records.size(), 2U);
  EXPECT_EQ(std::get<std::int64_t>(*bench.kept.records[0].find("sent")), 4'000'000);
  EXPECT_EQ(std::get<std::string>(*bench.kept.records[0].find("time_basis")), "assumed");
  EXPECT_NE(bench.kept.records[0].find("body_local"), nullptr);
  EXPECT_EQ(std::get<std::int64_t>(*bench.kept.records[1].find("started")), 5'000'000);
}

TEST(SessionRecords, AClockReadingTakesThePlaceOfATimeThatIsNotThere) {
  Fake fake("fake", TS_ROLE_EXTRACTOR);
  fake.on_begin = [](Job& job) {
    const Field event[] = {{"starts", Cell()},
                           {"starts_local", std::int64_t{5'000'000}},
                           {"ends_local", std::int64_t{6'000'000}}};
    job.emit_record("event", "app", "t", "1", event);
    const Field note[] = {{"created", std::int64_t{7'000'000}}, {"modified", Cell()}};
    job.emit_record("note", "app", "t", "2", note);
    return TS_OK;
  };
  Bench bench({&fake});
  ItemContext item = item_at("/calendar.db");
  item.local_to_utc = [](std::int64_t local) { return local - 1'000'000; };
  bench.run("x", item);
  ASSERT_EQ(bench.kept.records.size(), 2U);
  EXPECT_EQ(std::get<std::int64_t>(*bench.kept.records[0].find("starts")), 4'000'000);
  EXPECT_EQ(std::get<std::int64_t>(*bench.kept.records[0].find("ends")), 5'000'000);
  EXPECT_EQ(std::get<std::string>(*bench.kept.records[0].find("time_basis")), "assumed");
  EXPECT_EQ(std::get<std::string>(*bench.kept.records[1].find("time_basis")), "utc");
}

TEST(SessionRecords, AnAttachmentNamesItsMessageByKey) {
  Fake fake("fake", TS_ROLE_EXTRACTOR);
  std::string message;
  fake.on_begin = [&](Job& job) {
    message = job.emit_record("message", "wa", "message", "5", {});
    const Field fields[] = {{"message_table", "message"}, {"message_row", 5}, {"path", "Media/1.jpg"}};
    job.emit_record("attachment", "wa", "media", "5", fields);
    return TS_OK;
  };
  Bench bench({&fake});
  bench.run("x");
  ASSERT_EQ(bench.kept.records.size(), 2U);
  EXPECT_EQ(std::get<std::string>(*bench.kept.records[1].find("message_key")), message);
}

TEST(SessionRecords, RowsThatTheScopeRefusesReachNobody) {
  Fake extractor("extractor", TS_ROLE_EXTRACTOR), reader("reader", TS_ROLE_CLASSIFIER, TS_INPUT_RECORDS);
  extractor.on_begin = [](Job& job) {
    for (const char* app : {"sms", "other", "sms"}) job.emit_record("message", app, "t", "1", {});
    return TS_OK;
  };
  ItemContext item = item_at("/x");
  item.passes = [](const Record& record) { return std::get<std::string>(*record.find("app")) == "sms"; };
  Bench bench({&extractor, &reader});
  bench.run("x", item);
  EXPECT_EQ(bench.kept.records.size(), 2U);
  EXPECT_TRUE(bench.called("reader records 2"));
}

TEST(SessionRecords, TextThatIsCutIsSaid) {
  Fake fake("fake", TS_ROLE_EXTRACTOR);
  fake.on_begin = [](Job& job) {
    const std::string body(3 << 20, 'x');
    const Field fields[] = {{"body", body}};
    job.emit_record("message", "sms", "sms", "1", fields);
    return TS_OK;
  };
  Bench bench({&fake});
  const auto out = bench.run("x");
  ASSERT_EQ(bench.kept.records.size(), 1U);
  const bool whole = std::get<std::string>(*bench.kept.records[0].find("body")).size() == 3U << 20;
  const bool said = !bench.kept.problems.empty() && bench.kept.problems[0].kind == ProblemKind::limit &&
                    out.state != ItemState::examined;
  EXPECT_TRUE(whole || said);
}

TEST(SessionProblems, StatusesBecomeProblemsAndStates) {
  struct Case {
    ts_status status;
    const char* reason;
    ItemState state;
    std::optional<ProblemKind> kind;
  };
  const Case cases[] = {
      {TS_OK, "", ItemState::examined, {}},
      {TS_DONE, "", ItemState::examined, {}},
      {TS_UNSUPPORTED, "", ItemState::examined, {}},  // not its kind of content after all
      {TS_UNSUPPORTED, "version 9", ItemState::partly_examined, ProblemKind::unsupported},
      {TS_CORRUPT, "bad header", ItemState::partly_examined, ProblemKind::corrupt},
      {TS_CORRUPT, "", ItemState::partly_examined, ProblemKind::corrupt},
      {TS_ENCRYPTED, "a password is needed", ItemState::encrypted, ProblemKind::encrypted},
      {TS_LIMIT, "too many", ItemState::partly_examined, ProblemKind::limit},
      {TS_MEMORY, "", ItemState::partly_examined, ProblemKind::memory},
      {TS_ERROR, "boom", ItemState::partly_examined, ProblemKind::corrupt},
      {TS_UNKNOWN_SCHEMA, "columns differ", ItemState::partly_examined, ProblemKind::unknown_schema},
  };
  for (const Case& each : cases) {
    Fake fake("fake"), next("next");
    fake.on_begin = [&](Job& job) {
      if (*each.reason) job.fail(each.reason);
      return each.status;
    };
    Bench bench({&fake, &next});
    const auto out = bench.run("x");
    EXPECT_EQ(out.state, each.state) << each.status << " " << each.reason;
    ASSERT_EQ(bench.kept.problems.size(), each.kind ? 1U : 0U) << each.status << " " << each.reason;
    EXPECT_TRUE(bench.called("next finish"));  // nobody else pays for it
    if (!each.kind) continue;
    EXPECT_EQ(bench.kept.problems[0].kind, *each.kind) << each.status;
    EXPECT_EQ(bench.kept.problems[0].plugin, "fake");
    if (*each.reason) {
      EXPECT_EQ(bench.kept.problems[0].message, each.reason);
      EXPECT_NE(out.reason.find(each.reason), std::string::npos);
    }
  }
}

TEST(SessionProblems, AReasonDoesNotStickToTheNextCall) {
  Fake fake("fake", TS_ROLE_CLASSIFIER, TS_INPUT_DATA);
  fake.on_begin = [](Job& job) {
    job.fail("only a remark");
    return TS_OK;
  };
  fake.on_finish = [](Job&) { return TS_UNSUPPORTED; };
  Bench bench({&fake});
  EXPECT_EQ(bench.run("x").state, ItemState::examined);
  EXPECT_TRUE(bench.kept.problems.empty());
}

TEST(SessionProblems, WhatTheSandboxRefusedIsThePluginsProblem) {
  Fake fake("fake"), next("next");
  Bench bench({&fake, &next});
  fake.on_begin = [&](Job&) {
    bench.marks.refused = "socket() was refused by the sandbox";
    return TS_OK;
  };
  const auto out = bench.run("x");
  ASSERT_EQ(bench.kept.problems.size(), 1U);
  EXPECT_EQ(bench.kept.problems[0].kind, ProblemKind::sandbox);
  EXPECT_EQ(bench.kept.problems[0].plugin, "fake");
  EXPECT_EQ(out.state, ItemState::partly_examined);
}

TEST(SessionProblems, KindsGivenByNameAreKept) {
  Fake fake("fake");
  fake.on_begin = [](Job& job) {
    job.emit_problem("encrypted", "one part needs a key");
    job.emit_problem("no such kind", "odd");
    return TS_OK;
  };
  Bench bench({&fake});
  const auto out = bench.run("x");
  ASSERT_EQ(bench.kept.problems.size(), 2U);
  EXPECT_EQ(bench.kept.problems[0].kind, ProblemKind::encrypted);
  EXPECT_TRUE(bench.kept.problems[0].of_content);
  EXPECT_EQ(bench.kept.problems[1].kind, ProblemKind::corrupt);
  EXPECT_EQ(out.state, ItemState::encrypted);
}

/// Bytes of which some could not be read.
class Holed final : public ByteSource {
 public:
  std::uint64_t size() const override { return 100; }
  Result<std::size_t> read_at(std::uint64_t offset, std::span<std::byte> out) override {
    const auto count = offset >= 100 ? 0 : std::min<std::size_t>(out.size(), 100 - offset);
    std::fill_n(out.begin(), count, std::byte{0});
    return count;
  }
  std::vector<Gap> gaps() const override { return {{10, 20, "bad sector"}}; }
};

TEST(SessionProblems, UnreadableBytesAreToldAndTheirDigestsKeptFromHashSets) {
  Fake fake("fake");
  std::string digest = "?";
  fake.on_begin = [&](Job& job) {
    digest = job.digest("sha256");
    return TS_OK;
  };
  Bench bench({&fake});
  ItemContext item = item_at("/x");
  item.reuse_content_if = [](const std::string&) { return true; };
  const auto out = bench.run(std::make_unique<Holed>(), item);
  EXPECT_EQ(digest, "");
  EXPECT_FALSE(out.reused);
  ASSERT_EQ(bench.kept.problems.size(), 1U);
  EXPECT_EQ(bench.kept.problems[0].kind, ProblemKind::unreadable);
  EXPECT_NE(bench.kept.problems[0].message.find("bad sector"), std::string::npos);
  EXPECT_EQ(out.state, ItemState::partly_examined);
}

/// A plugin as its authors write them: whatever it throws becomes a problem with its words.
class Throws final : public Plugin {
 public:
  static constexpr Manifest kManifest{
      .name = "throws", .version = "1", .summary = "s", .licence = "Apache-2.0", .roles = TS_ROLE_CLASSIFIER};
  explicit Throws(Setup& setup) {
    if (setup.settings() == "missing") throw ModelMissing("no model here");
    if (setup.settings() == "broken") throw std::runtime_error("bad settings");
  }
  ts_status begin(Job& job) override {
    std::string how(16, '\0');
    how.resize(
        static_cast<std::size_t>(job.read_at(0, {reinterpret_cast<std::uint8_t*>(how.data()), how.size()})));
    if (how == "error") throw std::runtime_error("went wrong");
    if (how == "failure") throw Failure(TS_ENCRYPTED, "locked");
    if (how == "memory") throw std::bad_alloc();
    if (how == "number") throw 42;
    return TS_OK;
  }
};

TEST(CppFace, ExceptionsBecomeProblems) {
  PluginFile file;
  file.name = "throws";
  file.table = detail::Thunks<Throws>::table();
  test::Marks watch;
  PluginSession session({{&file, ""}, {&file, "missing"}, {&file, "broken"}}, watch);
  EXPECT_TRUE(session.status()[0].ok);
  EXPECT_EQ(session.status()[1].kind, ProblemKind::model_missing);
  EXPECT_EQ(session.status()[1].reason, "no model here");
  EXPECT_FALSE(session.status()[2].ok);
  EXPECT_EQ(session.status()[2].reason, "bad settings");
  const std::tuple<const char*, ProblemKind, const char*> cases[] = {
      {"error", ProblemKind::corrupt, "went wrong"},
      {"failure", ProblemKind::encrypted, "locked"},
      {"memory", ProblemKind::memory, "out of memory"},
      {"number", ProblemKind::corrupt, "an exception of unknown type"}};
  for (const auto& [how, kind, message] : cases) {
    test::Kept kept;
    test::examine(session, how, {}, kept);
    ASSERT_EQ(kept.problems.size(), 1U) << how;
    EXPECT_EQ(kept.problems[0].kind, kind) << how;
    EXPECT_EQ(kept.problems[0].message, message);
  }
}

}  // namespace
}  // namespace touchstone
