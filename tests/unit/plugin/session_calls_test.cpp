// Which plugin is called when, and with what.
#include <gtest/gtest.h>

#include "plugin/session.hpp"
#include "unit/plugin/fake_plugin.hpp"

namespace touchstone {
namespace {

using test::Bench;
using test::Fake;
using test::item_at;
using Lines = std::vector<std::string>;

constexpr std::size_t kBlock = 256 * 1024;

ts_status emit_rows(Job& job, int from, int count) {
  for (int i = from; i < from + count; ++i) {
    const Field fields[] = {{"body", "text"}, {"sent", std::int64_t{i}}};
    job.emit_record("message", "sms", "sms", std::to_string(i), fields);
  }
  return TS_OK;
}

/// Zeros without memory for them.
class Zeros final : public ByteSource {
 public:
  explicit Zeros(std::uint64_t size) : size_(size) {}
  std::uint64_t size() const override { return size_; }
  Result<std::size_t> read_at(std::uint64_t offset, std::span<std::byte> out) override {
    if (offset >= size_) return std::size_t{0};
    const auto count = static_cast<std::size_t>(std::min<std::uint64_t>(out.size(), size_ - offset));
    std::fill_n(out.begin(), count, std::byte{0});
    return count;
  }

 private:
  std::uint64_t size_;
};

TEST(SessionCalls, ExtractorsComeWholeThenTextThenRecords) {
  Fake extractor("extractor", TS_ROLE_EXTRACTOR, TS_INPUT_DATA);
  Fake words("words", TS_ROLE_CLASSIFIER, TS_INPUT_TEXT | TS_INPUT_RECORDS);
  extractor.on_begin = [](Job& job) { return emit_rows(job, 0, 2); };
  Bench bench({&extractor, &words});
  bench.run("some text");
  EXPECT_EQ(bench.log, (Lines{"extractor begin", "extractor data 0+9", "extractor finish", "words begin",
                              "words text", "words records 2", "words finish"}));
  EXPECT_EQ(bench.marks.now, -1);
}

TEST(SessionCalls, RecordsReachClassifiersWhileExtractionGoesOn) {
  Fake extractor("extractor", TS_ROLE_EXTRACTOR);
  Fake words("words", TS_ROLE_CLASSIFIER, TS_INPUT_RECORDS);
  std::size_t given = 0, most_waiting = 0, taken = 0;
  extractor.on_begin = [&](Job& job) {
    for (int i = 0; i < 5500; ++i, ++given) {
      emit_rows(job, i, 1);
      most_waiting = std::max(most_waiting, given - taken);
    }
    return TS_OK;
  };
  words.on_records = [&](Job& job, std::span<const ts_record> records) {
    taken += records.size();
    if (taken == 1000) job.emit_problem("corrupt", "said by words");
    return TS_OK;
  };
  Bench bench({&extractor, &words});
  const auto out = bench.run("x");
  EXPECT_EQ(taken, 5500U);
  EXPECT_LE(most_waiting, 1000U) << "what waits for classifiers grows with the number of records";
  EXPECT_EQ(out.reason, "words: said by words");  // not by the plugin that it was called from
  EXPECT_EQ(std::count(bench.log.begin(), bench.log.end(), "words records 1000"), 5);
  EXPECT_EQ(std::count(bench.log.begin(), bench.log.end(), "words records 500"), 1);
}

TEST(SessionCalls, DataComesInPiecesThatJoinToTheWhole) {
  Fake reader("reader", TS_ROLE_CLASSIFIER, TS_INPUT_DATA);
  std::string seen;
  reader.on_data = [&](Job& job, std::uint64_t offset, std::span<const std::uint8_t> bytes) {
    EXPECT_EQ(offset, seen.size());
    EXPECT_LE(bytes.size(), kBlock);
    EXPECT_EQ(job.digest("md5").size(), 32U);
    seen.append(bytes.begin(), bytes.end());
    return TS_OK;
  };
  std::string bytes(2 * kBlock + 17, 'x');
  for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<char>('a' + i % 23);
  Bench bench({&reader});
  bench.run(bytes);
  EXPECT_EQ(seen, bytes);
  EXPECT_EQ(bench.log, (Lines{"reader begin", "reader data 0+262144", "reader data 262144+262144",
                              "reader data 524288+17", "reader finish"}));
}

TEST(SessionCalls, ContentTooLargeForMemoryIsGivenWhileItIsRead) {
  Fake reader("reader", TS_ROLE_CLASSIFIER, TS_INPUT_DATA), digests("digests");
  std::uint64_t seen = 0;
  reader.on_data = [&](Job&, std::uint64_t offset, std::span<const std::uint8_t> bytes) {
    EXPECT_EQ(offset, seen);
    seen += bytes.size();
    return TS_OK;
  };
  std::string digest;
  digests.on_begin = [&](Job& job) {
    digest = job.digest("md5");
    return TS_OK;
  };
  Bench bench({&reader, &digests});
  const std::uint64_t size = (64ULL << 20) + 5;
  bench.run(std::make_unique<Zeros>(size));
  EXPECT_EQ(seen, size);
  EXPECT_EQ(digest, "0744563125ded92e554d493eaa201369");  // head -c 67108869 /dev/zero | md5sum
  EXPECT_EQ(std::count(bench.log.begin(), bench.log.end(), "reader begin"), 1);
  EXPECT_EQ(bench.log.back(), "digests finish");
}

TEST(SessionCalls, NoMoreDataAfterDone) {
  Fake reader("reader", TS_ROLE_CLASSIFIER, TS_INPUT_DATA);
  reader.on_data = [](Job&, std::uint64_t, std::span<const std::uint8_t>) { return TS_DONE; };
  Bench bench({&reader});
  const auto out = bench.run(std::string(3 * kBlock, 'x'));
  EXPECT_EQ(std::count_if(bench.log.begin(), bench.log.end(),
                          [](const auto& line) { return line.starts_with("reader data"); }),
            1);
  EXPECT_EQ(out.state, ItemState::examined);
}

TEST(SessionCalls, DoneOfDataStillLeavesTextAndRecords) {
  Fake extractor("extractor", TS_ROLE_EXTRACTOR);
  extractor.on_begin = [](Job& job) { return emit_rows(job, 0, 1); };
  Fake reader("reader", TS_ROLE_CLASSIFIER, TS_INPUT_DATA | TS_INPUT_TEXT | TS_INPUT_RECORDS);
  reader.on_data = [](Job&, std::uint64_t, std::span<const std::uint8_t>) { return TS_DONE; };
  Bench bench({&extractor, &reader});
  bench.run("words");
  EXPECT_TRUE(bench.called("reader text"));
  EXPECT_TRUE(bench.called("reader records 1"));
  EXPECT_TRUE(bench.called("reader finish"));
}

TEST(SessionCalls, FinishComesLastAlsoAfterDone) {
  // docs/plugins.md promises it: what was held back is reported there.
  Fake begin("begin"), data("data", TS_ROLE_CLASSIFIER, TS_INPUT_DATA),
      text("text", TS_ROLE_CLASSIFIER, TS_INPUT_TEXT);
  begin.on_begin = [](Job&) { return TS_DONE; };
  data.on_data = [](Job&, std::uint64_t, std::span<const std::uint8_t>) { return TS_DONE; };
  text.on_text = [](Job&, std::uint64_t, std::size_t, std::string_view) { return TS_DONE; };
  Bench bench({&begin, &data, &text});
  bench.run("words");
  EXPECT_TRUE(bench.called("begin finish"));
  EXPECT_TRUE(bench.called("data finish"));
  EXPECT_TRUE(bench.called("text finish"));
}

TEST(SessionCalls, RecordsComeInBatchesOfAtMostAThousandWithTheirKeys) {
  Fake extractor("extractor", TS_ROLE_EXTRACTOR), reader("reader", TS_ROLE_CLASSIFIER, TS_INPUT_RECORDS);
  std::vector<std::string> emitted, seen;
  extractor.on_begin = [&](Job& job) {
    for (int i = 0; i < 2500; ++i) {
      const std::string body = "b" + std::to_string(i);  // a Cell does not copy its text
      const Field fields[] = {{"body", body}, {"deleted", std::int64_t{i % 2}}, {"sender", Cell()}};
      emitted.push_back(job.emit_record("message", "sms", "sms", std::to_string(i), fields));
    }
    return TS_OK;
  };
  reader.on_records = [&](Job&, std::span<const ts_record> batch) {
    for (const ts_record& record : batch) {
      seen.emplace_back(from_abi(record.key));
      EXPECT_EQ(from_abi(record.kind), "message");
      EXPECT_EQ(from_abi(record.fields[0].value.text), "b" + std::to_string(seen.size() - 1));
      EXPECT_EQ(record.fields[1].value.integer, static_cast<std::int64_t>((seen.size() - 1) % 2));
      EXPECT_EQ(record.fields[2].value.kind, TS_NULL);
    }
    return TS_OK;
  };
  Bench bench({&extractor, &reader});
  bench.run("x");
  EXPECT_EQ(bench.log, (Lines{"extractor begin", "reader begin", "reader records 1000", "reader records 1000",
                              "extractor finish", "reader records 500", "reader finish"}));
  EXPECT_EQ(seen, emitted);
  EXPECT_EQ(seen[0], "message|A:p0/a.txt;7|sms|sms|0");
}

TEST(SessionCalls, OnlyRecordsOfTheKindsAskedFor) {
  static constexpr const char* kKinds[] = {"call", nullptr};
  Fake extractor("extractor", TS_ROLE_EXTRACTOR), calls("calls", TS_ROLE_CLASSIFIER, TS_INPUT_RECORDS);
  calls.table.matcher.record_kinds = kKinds;
  extractor.on_begin = [](Job& job) {
    emit_rows(job, 0, 3);
    job.emit_record("call", "phone", "calls", "1", {});
    return TS_OK;
  };
  Bench bench({&extractor, &calls});
  bench.run("x");
  EXPECT_TRUE(bench.called("calls records 1"));
}

TEST(SessionCalls, RecordsThatComeWithFinishReachClassifiers) {
  Fake extractor("extractor", TS_ROLE_EXTRACTOR, TS_INPUT_TEXT),
      reader("reader", TS_ROLE_CLASSIFIER, TS_INPUT_RECORDS);
  extractor.on_finish = [](Job& job) { return emit_rows(job, 0, 3); };
  Bench bench({&extractor, &reader});
  bench.run("words");
  EXPECT_EQ(bench.kept.records.size(), 3U);
  EXPECT_TRUE(bench.called("reader records 3"));
}

TEST(SessionCalls, NoMoreRecordsAfterDone) {
  Fake extractor("extractor", TS_ROLE_EXTRACTOR), reader("reader", TS_ROLE_CLASSIFIER, TS_INPUT_RECORDS);
  extractor.on_begin = [](Job& job) { return emit_rows(job, 0, 2500); };
  reader.on_records = [](Job&, std::span<const ts_record>) { return TS_DONE; };
  Bench bench({&extractor, &reader});
  bench.run("x");
  EXPECT_EQ(std::count(bench.log.begin(), bench.log.end(), "reader records 1000"), 1);
  EXPECT_FALSE(bench.called("reader records 500"));
}

TEST(SessionCalls, TheMatcherDecidesByTypeSizeAndPath) {
  static constexpr const char* kTypes[] = {"image/png", "text/*", nullptr};
  static constexpr const char* kGlobs[] = {"**/sms.db", "**/*.TXT", nullptr};
  const auto called = [](const std::function<void(Fake&)>& change, std::string_view bytes,
                         const std::string& path) {
    Fake fake("fake");
    change(fake);
    Bench bench({&fake});
    return !bench.run(bytes, item_at(path)).ran.empty() && bench.called("fake begin");
  };
  const auto typed = [](Fake& fake) { fake.table.matcher.media_types = kTypes; };
  EXPECT_TRUE(called(typed, "plain words", "/a"));
  EXPECT_FALSE(called(typed, "PK\x03\x04", "/a.txt"));  // by content, never by name
  const auto sized = [](Fake& fake) { fake.table.matcher.min_size = 3, fake.table.matcher.max_size = 5; };
  EXPECT_FALSE(called(sized, "ab", "/a"));
  EXPECT_TRUE(called(sized, "abc", "/a"));
  EXPECT_TRUE(called(sized, "abcde", "/a"));
  EXPECT_FALSE(called(sized, "abcdef", "/a"));
  const auto named = [](Fake& fake) {
    fake.table.matcher.name_globs = kGlobs, fake.table.scope = TS_SCOPE_ITEM;
  };
  EXPECT_TRUE(called(named, "x", "/data/sms.db"));
  EXPECT_TRUE(called(named, "x", "/data/note.txt"));
  EXPECT_FALSE(called(named, "x", "/data/sms.db-wal"));
}

TEST(SessionCalls, SkippedPluginsAreListedAndOnlyChosenOnesRun) {
  Fake a("a"), b("b"), c("c");
  Bench bench({&a, &b, &c});
  ItemContext item = item_at("/x");
  item.skip = {"b"};
  auto out = bench.run("x", item);
  EXPECT_EQ(out.ran, (std::vector<std::uint32_t>{0, 2}));
  EXPECT_EQ(out.not_run, (std::vector<std::uint32_t>{1}));
  EXPECT_FALSE(bench.called("b begin"));
  bench.log.clear();
  item.skip.clear();
  item.only = {"c", "absent"};
  out = bench.run("x", item);
  EXPECT_EQ(out.ran, (std::vector<std::uint32_t>{2}));
  EXPECT_TRUE(out.not_run.empty());
  EXPECT_EQ(bench.log, (Lines{"c begin", "c finish"}));
}

TEST(SessionCalls, RowsOnlyRunsNothingButTheAppDefinitions) {
  Fake appdata("appdata", TS_ROLE_EXTRACTOR),
      words("words", TS_ROLE_CLASSIFIER, TS_INPUT_TEXT | TS_INPUT_RECORDS);
  appdata.on_begin = [](Job& job) { return emit_rows(job, 0, 2); };
  Bench bench({&appdata, &words});
  ItemContext item = item_at("/x");
  item.rows_only = true;
  bench.run("words", item);
  EXPECT_EQ(bench.log, (Lines{"appdata begin", "appdata finish"}));
}

TEST(SessionCalls, CostlyPluginsAreSpareOfKnownContent) {
  Fake hashes("hashes"), faces("faces", TS_ROLE_CLASSIFIER, TS_INPUT_DATA),
      words("words", TS_ROLE_CLASSIFIER, TS_INPUT_DATA);
  faces.table.costly = 1;
  std::string category = "known";
  hashes.on_begin = [&](Job& job) {
    job.emit_finding(1000, {.rule = "set",
                            .category = category,
                            .title = "",
                            .detail = "",
                            .position = "",
                            .record_kind = "",
                            .record_key = ""});
    return TS_OK;
  };
  Bench bench({&hashes, &faces, &words});
  bench.run("x");
  EXPECT_FALSE(bench.called("faces begin"));
  EXPECT_TRUE(bench.called("words finish"));
  category = "notable";
  bench.run("x");
  EXPECT_TRUE(bench.called("faces begin"));
}

TEST(SessionCalls, ACostlyPluginThatWasSparedDoesNotCountAsRun) {
  // The table of searches says over how many items each plugin ran.
  Fake hashes("hashes"), faces("faces");
  faces.table.costly = 1;
  hashes.on_begin = [](Job& job) {
    job.emit_finding(1000, {.rule = "set",
                            .category = "known",
                            .title = "",
                            .detail = "",
                            .position = "",
                            .record_kind = "",
                            .record_key = ""});
    return TS_OK;
  };
  Bench bench({&hashes, &faces});
  EXPECT_EQ(bench.run("x").ran, (std::vector<std::uint32_t>{0}));
}

TEST(SessionCalls, EqualBytesAreNotAnalysedAgainButTheirPlaceIs) {
  Fake item_plugin("item_plugin", TS_ROLE_EXTRACTOR),
      bytes("bytes", TS_ROLE_CLASSIFIER, TS_INPUT_DATA | TS_INPUT_TEXT),
      rows("rows", TS_ROLE_CLASSIFIER, TS_INPUT_DATA | TS_INPUT_RECORDS);
  item_plugin.table.scope = TS_SCOPE_ITEM;
  item_plugin.on_begin = [](Job& job) { return emit_rows(job, 0, 1); };
  Bench bench({&item_plugin, &bytes, &rows});
  ItemContext item = item_at("/again");
  std::string asked;
  item.reuse_content_if = [&](const std::string& sha256) {
    asked = sha256;
    return true;
  };
  const auto out = bench.run("abc", item);
  EXPECT_EQ(asked, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");  // FIPS 180-2, B.1
  EXPECT_TRUE(out.reused);
  EXPECT_EQ(bench.log, (Lines{"item_plugin begin", "item_plugin finish", "rows begin", "rows records 1",
                              "rows finish"}));
  EXPECT_EQ(out.ran.size(), 3U);
}

TEST(SessionCalls, SetUpThatFailsKeepsThePluginAwayAndSaysSo) {
  Fake missing("missing"), broken("broken"), fine("fine");
  missing.on_create = [&](const ts_host_v1* host) {
    host->fail(host, nullptr, to_abi("no model at /models/x"));
    return TS_MODEL_MISSING;
  };
  broken.on_create = [](const ts_host_v1*) { return TS_ERROR; };
  {
    Bench bench({&missing, &broken, &fine});
    const auto& status = bench.session().status();
    ASSERT_EQ(status.size(), 3U);
    EXPECT_FALSE(status[0].ok);
    EXPECT_EQ(status[0].kind, ProblemKind::model_missing);
    EXPECT_EQ(status[0].reason, "no model at /models/x");
    EXPECT_FALSE(status[1].ok);
    EXPECT_FALSE(status[1].reason.empty());
    EXPECT_TRUE(status[2].ok);
    EXPECT_EQ(status[2].version, "2.5");
    bench.run("x");
    EXPECT_EQ(bench.log, (Lines{"fine begin", "fine finish"}));
  }
  EXPECT_FALSE(missing.destroyed);
  EXPECT_TRUE(fine.destroyed);
}

TEST(SessionCalls, TimeAndBytesAreCountedForEachPlugin) {
  Fake reader("reader", TS_ROLE_CLASSIFIER, TS_INPUT_DATA), other("other");
  Bench bench({&reader, &other});
  bench.run(std::string(kBlock + 3, 'x'));
  const auto timings = bench.session().take_timings();
  ASSERT_EQ(timings.size(), 2U);
  EXPECT_EQ(timings[0].calls, 4U);
  EXPECT_EQ(timings[0].bytes, kBlock + 3);
  EXPECT_EQ(timings[1].calls, 2U);
  EXPECT_EQ(bench.session().take_timings()[0].calls, 0U);
}

}  // namespace
}  // namespace touchstone
