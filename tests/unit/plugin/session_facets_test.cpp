// Facets: text and pictures from the host and from providers, databases, and what a content plugin may not
// ask for.
#include <gtest/gtest.h>
#include <sqlite3.h>

#include "plugin/session.hpp"
#include "unit/evidence/scratch.hpp"
#include "unit/plugin/fake_plugin.hpp"

namespace touchstone {
namespace {

using test::Bench;
using test::Fake;
using test::item_at;

constexpr std::string_view kPdf = "%PDF-1.4\n%\xE2\xE3\xCF\xD3\n1 0 obj\n";

/// A reader that joins the windows it is given, and checks their places.
struct Reader {
  explicit Reader(const char* name) : fake(name, TS_ROLE_CLASSIFIER, TS_INPUT_TEXT) {
    fake.on_text = [this](Job&, std::uint64_t offset, std::size_t overlap, std::string_view window) {
      EXPECT_EQ(offset + overlap, text.size());
      EXPECT_LE(window.size(), 1024U * 1024);
      EXPECT_EQ(window.substr(0, overlap), std::string_view(text).substr(offset));
      text += window.substr(overlap);
      ++windows;
      return TS_OK;
    };
  }
  Fake fake;
  std::string text;
  int windows = 0;
};

TEST(SessionText, EveryReaderSeesEachWindowOnce) {
  Reader a("a"), b("b");
  std::string bytes;
  while (bytes.size() < 3'000'000) bytes += "line " + std::to_string(bytes.size()) + " caf\xC3\xA9\n";
  Bench bench({&a.fake, &b.fake});
  bench.run(bytes);
  EXPECT_EQ(a.text, bytes);
  EXPECT_EQ(b.text, bytes);
  EXPECT_EQ(a.windows, 3);
}

TEST(SessionText, Utf16ReachesReadersAsUtf8) {
  Reader reader("reader");
  std::string bytes = "\xFF\xFE";
  for (const char c : std::string("Meet me at the caf\xE9"))
    bytes += c, bytes += '\0';  // Latin-1 is the first page of UTF-16
  Bench bench({&reader.fake});
  bench.run(bytes);
  EXPECT_EQ(reader.text, "Meet me at the caf\xC3\xA9");
}

TEST(SessionText, AProviderIsAskedWhereTheHostHasNoText) {
  Fake refuses("refuses", TS_ROLE_PROVIDER), gives("gives", TS_ROLE_PROVIDER),
      spare("spare", TS_ROLE_PROVIDER);
  for (Fake* fake : {&refuses, &gives, &spare}) fake->table.provides = TS_FACET_TEXT;
  Reader reader("reader");
  gives.on_provide = [](Job& job, ts_facet facet) {
    EXPECT_EQ(facet, TS_FACET_TEXT);
    job.emit_text("first piece, ");
    job.emit_text("second \xFF");
    return TS_OK;
  };
  Bench bench({&refuses, &gives, &spare, &reader.fake});
  const auto out = bench.run(kPdf);
  EXPECT_EQ(reader.text, "first piece, second \xEF\xBF\xBD");
  EXPECT_EQ(bench.log, (std::vector<std::string>{"reader begin", "refuses provide", "gives provide",
                                                 "reader text", "reader finish"}));
  EXPECT_EQ(out.state, ItemState::examined) << out.reason;
  bench.log.clear();
  reader.text.clear();
  bench.run("plain text");
  EXPECT_FALSE(bench.called("gives provide"));
}

TEST(SessionText, WhatAProviderReportsWhileReadersReadIsItsOwn) {
  Fake provider("provider", TS_ROLE_PROVIDER);
  provider.table.provides = TS_FACET_TEXT;
  Reader reader("reader");
  Bench* running = nullptr;
  int during = -5;
  provider.on_provide = [&](Job& job, ts_facet) {
    for (int i = 0; i < 40; ++i) job.emit_text(std::string(65536, 'x'));  // readers are called in between
    during = running->marks.now;
    job.emit_problem("corrupt", "page 7 cannot be read");
    return TS_CORRUPT;
  };
  Bench bench({&provider, &reader.fake});
  running = &bench;
  bench.run(kPdf);
  EXPECT_GE(reader.windows, 2);
  ASSERT_EQ(bench.kept.problems.size(), 2U);
  EXPECT_EQ(bench.kept.problems[0].plugin, "provider");
  EXPECT_EQ(bench.kept.problems[1].plugin, "provider");
  EXPECT_EQ(during, 0) << "a crash of the provider would be charged to somebody else";
}

/// A classifier that asks for the picture and keeps what it got.
struct Looker {
  explicit Looker(const char* name) : fake(name) {
    fake.on_begin = [this](Job& job) {
      picture = job.picture(100);
      if (picture) pixels.assign(picture->pixels, picture->pixels + picture->width * picture->height * 3);
      after = bench ? bench->marks.now : -5;
      return TS_OK;
    };
  }
  Fake fake;
  Bench* bench = nullptr;
  std::optional<ts_picture> picture;
  std::vector<std::uint8_t> pixels;
  int after = -5;
};

TEST(SessionPicture, AProviderIsAskedOnceWhereTheHostHasNoDecoder) {
  Fake provider("provider", TS_ROLE_PROVIDER);
  provider.table.provides = TS_FACET_PICTURE;
  provider.on_provide = [](Job& job, ts_facet facet) {
    EXPECT_EQ(facet, TS_FACET_PICTURE);
    const std::uint8_t pixels[] = {1, 2, 3, 4, 5, 6};
    job.emit_picture({sizeof(ts_picture), 2, 1, 200, 100, pixels});
    return TS_OK;
  };
  Looker a("a"), b("b");
  Bench bench({&provider, &a.fake, &b.fake});
  a.bench = &bench;
  const auto out = bench.run(kPdf);
  for (const Looker* looker : {&a, &b}) {
    ASSERT_TRUE(looker->picture);
    EXPECT_EQ(looker->picture->width, 2U);
    EXPECT_EQ(looker->picture->source_height, 100U);
    EXPECT_EQ(looker->pixels, (std::vector<std::uint8_t>{1, 2, 3, 4, 5, 6}));
  }
  EXPECT_EQ(std::count(bench.log.begin(), bench.log.end(), "provider provide"), 1);
  EXPECT_EQ(out.state, ItemState::examined) << out.reason;
  EXPECT_EQ(a.after, 1) << "what the asking plugin does next would be charged to somebody else";
}

TEST(SessionPicture, NoDecoderIsToldOnceAndNeverLooksClean) {
  Looker a("a"), b("b");
  Bench bench({&a.fake, &b.fake});
  const auto out = bench.run(kPdf);
  EXPECT_FALSE(a.picture);
  EXPECT_FALSE(b.picture);
  ASSERT_EQ(bench.kept.problems.size(), 1U);
  EXPECT_EQ(bench.kept.problems[0].kind, ProblemKind::unsupported);
  EXPECT_EQ(out.state, ItemState::partly_examined);
}

TEST(SessionPicture, APictureBeyondTheLimitIsAProblem) {
  Fake provider("provider", TS_ROLE_PROVIDER);
  provider.table.provides = TS_FACET_PICTURE;
  static const std::uint8_t pixel[3] = {};
  provider.on_provide = [](Job& job, ts_facet) {
    job.emit_picture({sizeof(ts_picture), 100'000, 100'000, 100'000, 100'000, pixel});
    return TS_OK;
  };
  Looker looker("looker");
  Bench bench({&provider, &looker.fake});
  bench.run(kPdf);
  EXPECT_FALSE(looker.picture);
  ASSERT_FALSE(bench.kept.problems.empty());
  EXPECT_EQ(bench.kept.problems[0].kind, ProblemKind::limit);
}

TEST(SessionPicture, WhatTheHostDecodesNeedsNoProvider) {
  // A 1 × 1 red pixel, uncompressed: BITMAPFILEHEADER, BITMAPINFOHEADER, one BGR row padded to four bytes.
  const unsigned char bmp[] = {'B', 'M', 58, 0,  0, 0, 0, 0, 0,  0, 54, 0, 0, 0, 40, 0, 0,   0, 1,  0,
                               0,   0,   1,  0,  0, 0, 1, 0, 24, 0, 0,  0, 0, 0, 4,  0, 0,   0, 19, 11,
                               0,   0,   19, 11, 0, 0, 0, 0, 0,  0, 0,  0, 0, 0, 0,  0, 255, 0};
  Looker looker("looker");
  Bench bench({&looker.fake});
  const auto out =
      bench.run(std::string_view(reinterpret_cast<const char*>(bmp), sizeof bmp), item_at("/red.bmp"));
  ASSERT_TRUE(looker.picture) << out.reason;
  EXPECT_EQ(looker.pixels, (std::vector<std::uint8_t>{255, 0, 0}));
}

TEST(SessionScope, AContentPluginLearnsNothingOfThePlace) {
  Fake content("content"), item_plugin("item_plugin");
  item_plugin.table.scope = TS_SCOPE_ITEM;
  std::string content_saw, item_saw;
  const auto look = [](std::string& saw) {
    return [&saw](Job& job) {
      saw = std::string(job.path()) + "|" + std::string(job.locator()) + "|" +
            (job.has_neighbour("b") ? "neighbour" : "");
      return TS_OK;
    };
  };
  content.on_begin = look(content_saw);
  item_plugin.on_begin = look(item_saw);
  ItemContext item = item_at("/dir/a");
  item.neighbour = [](std::string_view) { return test::source_of("beside"); };
  Bench bench({&content, &item_plugin});
  bench.run("x", item);
  EXPECT_EQ(content_saw, "||");
  EXPECT_EQ(item_saw, "/dir/a|A:p0/dir/a;7|neighbour");
}

TEST(SessionScope, NeighboursAreReadWholeOrNotAtAll) {
  Fake fake("fake");
  fake.table.scope = TS_SCOPE_ITEM;
  std::vector<std::string> asked;
  fake.on_begin = [&](Job& job) {
    const auto found = job.neighbour("wa.db", 100);
    EXPECT_TRUE(found && std::string(found->begin(), found->end()) == "beside");
    EXPECT_FALSE(job.neighbour("wa.db", 5));  // larger than the limit
    EXPECT_FALSE(job.neighbour("../absent", 100));
    return TS_OK;
  };
  ItemContext item = item_at("/dir/a");
  item.neighbour = [&](std::string_view name) {
    asked.emplace_back(name);
    return name == "wa.db" ? test::source_of("beside") : nullptr;
  };
  Bench bench({&fake});
  bench.run("x", item);
  EXPECT_EQ(asked, (std::vector<std::string>{"wa.db", "wa.db", "../absent"}));
}

/// A small database made by SQLite itself.
std::string made_database(const test::Scratch& scratch) {
  const std::string path = scratch.path("made.db");
  sqlite3* db = nullptr;
  EXPECT_EQ(sqlite3_open(path.c_str(), &db), SQLITE_OK);
  EXPECT_EQ(sqlite3_exec(db, "CREATE TABLE t(a INTEGER, b TEXT); INSERT INTO t VALUES(1, 'one'), (2, NULL);",
                         nullptr, nullptr, nullptr),
            SQLITE_OK);
  sqlite3_close(db);
  return scratch.read("made.db");
}

TEST(SessionDatabase, RowsAndColumnsComeThrough) {
  const test::Scratch scratch;
  Fake fake("fake", TS_ROLE_EXTRACTOR);
  std::string rows;
  fake.on_begin = [&](Job& job) {
    auto query = job.query("SELECT a, b FROM t WHERE a > ?1 ORDER BY a", {0});
    EXPECT_TRUE(query);
    while (query.step()) {
      const ts_value text = query.value(1);
      rows += std::to_string(query.value(0).integer) + "=" +
              (text.kind == TS_NULL ? "NULL" : std::string(from_abi(text.text))) + ";";
    }
    EXPECT_FALSE(query.failed());
    EXPECT_EQ(query.column_name(1), "b");
    return TS_OK;
  };
  Bench bench({&fake});
  const auto out = bench.run(made_database(scratch), item_at("/t.db"));
  EXPECT_EQ(rows, "1=one;2=NULL;");
  EXPECT_EQ(out.state, ItemState::examined) << out.reason;
}

TEST(SessionDatabase, AQueryThatFailsIsAProblem) {
  Fake fake("fake", TS_ROLE_EXTRACTOR);
  fake.on_begin = [](Job& job) {
    EXPECT_FALSE(job.query("SELECT 1"));
    return TS_OK;
  };
  Bench bench({&fake});
  const auto out = bench.run("this is no database", item_at("/t.db"));
  ASSERT_EQ(bench.kept.problems.size(), 1U);
  EXPECT_EQ(out.state, ItemState::partly_examined);
}

TEST(SessionDatabase, AContentPluginSeesTheFileAloneNotItsNeighbours) {
  // Its rows are given again for equal bytes elsewhere, where another log may lie beside them.
  const test::Scratch scratch;
  Fake fake("fake", TS_ROLE_EXTRACTOR);
  fake.on_begin = [](Job& job) {
    EXPECT_TRUE(job.query("SELECT a FROM t"));
    return TS_OK;
  };
  ItemContext item = item_at("/t.db");
  int asked = 0;
  item.neighbour = [&](std::string_view) -> std::unique_ptr<ByteSource> {
    ++asked;
    return nullptr;
  };
  Bench bench({&fake});
  bench.run(made_database(scratch), item);
  EXPECT_EQ(asked, 0);
}

}  // namespace
}  // namespace touchstone
