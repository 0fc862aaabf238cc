// Containers: naming members and giving their bytes, under the host's budget.
#include <gtest/gtest.h>

#include "plugin/session.hpp"
#include "unit/plugin/fake_plugin.hpp"

namespace touchstone {
namespace {

using test::Bench;
using test::Fake;
using test::item_at;

ts_member member(std::uint32_t ordinal, std::string_view path) {
  ts_member out{};
  out.struct_size = sizeof out;
  out.ordinal = ordinal;
  out.path = to_abi(path);
  out.size = 5;
  return out;
}

struct Container {
  Container() : fake("box", TS_ROLE_EXTRACTOR, TS_INPUT_MEMBERS) {}
  Examination list(Bench& bench, const std::function<bool(MemberInfo&&)>& each,
                   const ItemContext& item = item_at("/a.box")) {
    Content content(test::source_of("box"));
    content.assume_media_type("application/x-box");
    Examination out;
    bench.session().list_members(0, item, content, bench.kept, each, out);
    return out;
  }
  Fake fake;
};

TEST(SessionMembers, AreNamedAsTheContainerHasThem) {
  Container box;
  box.fake.on_list = [](Job& job) {
    ts_member folder = member(0, "dir");
    folder.is_directory = 1;
    ts_member locked = member(1, "dir/\xFF name");
    locked.is_encrypted = 1, locked.has_modified = 1, locked.modified = 7'000'000, locked.time_basis = 2;
    ts_member zoned = member(2, "b");
    zoned.has_modified = 1, zoned.modified = 8'000'000, zoned.time_basis = 1, zoned.size = UINT64_MAX;
    for (const ts_member& each : {folder, locked, zoned}) EXPECT_TRUE(job.emit_member(each));
    return TS_OK;
  };
  Bench bench({&box.fake});
  std::vector<MemberInfo> seen;
  ItemContext item = item_at("/a.box");
  item.local_to_utc = [](std::int64_t local) { return local - 1'000'000; };
  const auto out = box.list(
      bench,
      [&](MemberInfo&& each) {
        seen.push_back(std::move(each));
        return true;
      },
      item);
  EXPECT_EQ(out.state, ItemState::examined) << out.reason;
  ASSERT_EQ(seen.size(), 3U);
  EXPECT_TRUE(seen[0].directory);
  EXPECT_FALSE(seen[0].times.modified);
  EXPECT_EQ(seen[1].path, "dir/\xFF name");
  EXPECT_TRUE(seen[1].encrypted);
  EXPECT_EQ(seen[1].times.modified, 6'000'000);
  EXPECT_EQ(seen[1].times.basis, TimeBasis::assumed);
  EXPECT_EQ(seen[2].times.modified, 8'000'000);
  EXPECT_EQ(seen[2].times.basis, TimeBasis::offset);
  EXPECT_EQ(seen[2].size, UINT64_MAX);
}

TEST(SessionMembers, TheReaderIsToldToStopAtALimit) {
  Container box;
  int emitted = 0;
  box.fake.on_list = [&](Job& job) {
    while (job.emit_member(member(static_cast<std::uint32_t>(emitted), "x"))) ++emitted;
    job.fail("stopped");
    return TS_LIMIT;
  };
  Bench bench({&box.fake});
  int seen = 0;
  const auto out = box.list(bench, [&](MemberInfo&&) { return ++seen < 10; });
  EXPECT_EQ(seen, 10);
  EXPECT_EQ(emitted, 9);
  EXPECT_EQ(out.state, ItemState::partly_examined);
  ASSERT_EQ(bench.kept.problems.size(), 1U);
  EXPECT_EQ(bench.kept.problems[0].kind, ProblemKind::limit);
}

TEST(SessionMembers, BytesArePulledAndExtractionStopsWhenTold) {
  Container box;
  std::string asked;
  box.fake.on_extract = [&](Job& job, std::uint32_t first, std::uint32_t count) {
    asked = std::to_string(first) + "+" + std::to_string(count);
    for (std::uint32_t i = first; i < first + count; ++i) {
      std::string left = "bytes of " + std::to_string(i);
      const auto pull = [](void* context, std::uint8_t* out, std::size_t capacity) -> std::int64_t {
        auto& rest = *static_cast<std::string*>(context);
        const std::size_t size = std::min<std::size_t>({capacity, rest.size(), 4});
        std::copy_n(rest.begin(), size, out);
        rest.erase(0, size);
        return static_cast<std::int64_t>(size);
      };
      if (!job.emit_member_data(i, pull, &left)) break;
    }
    return TS_OK;
  };
  Bench bench({&box.fake});
  Content content(test::source_of("box"));
  Examination out;
  std::string got;
  bench.session().extract_members(
      0, item_at("/a.box"), content, bench.kept, 3, 5,
      [&](std::uint32_t ordinal, const PluginSession::Pull& pull) {
        std::uint8_t room[64];
        EXPECT_EQ(bench.marks.now, 0);  // unpacking is the plugin's own doing
        for (std::int64_t size; (size = pull(room)) > 0;) got.append(room, room + size);
        got += ';';
        return ordinal < 4;
      },
      out);
  EXPECT_EQ(asked, "3+5");
  EXPECT_EQ(got, "bytes of 3;bytes of 4;");
  EXPECT_EQ(bench.marks.now, -1);
}

TEST(SessionMembers, MembersOutsideTheirCallGoNowhere) {
  Fake fake("fake", TS_ROLE_EXTRACTOR);
  fake.on_begin = [](Job& job) {
    EXPECT_FALSE(job.emit_member(member(0, "x")));
    EXPECT_FALSE(job.emit_member_data(
        0, [](void*, std::uint8_t*, std::size_t) -> std::int64_t { return 0; }, nullptr));
    return TS_OK;
  };
  Bench bench({&fake});
  EXPECT_EQ(bench.run("x").state, ItemState::examined);
}

TEST(SessionMembers, ContainerReadersAreThoseThatMatchAndTheOneThatAsksForTheNameComesFirst) {
  static constexpr const char* kTypes[] = {"application/x-box", nullptr};
  static constexpr const char* kNames[] = {"a*", nullptr};
  Fake other("other", TS_ROLE_EXTRACTOR, TS_INPUT_MEMBERS), plain("plain", TS_ROLE_EXTRACTOR),
      box("box", TS_ROLE_EXTRACTOR, TS_INPUT_MEMBERS), any("any", TS_ROLE_EXTRACTOR, TS_INPUT_MEMBERS),
      named("named", TS_ROLE_EXTRACTOR, TS_INPUT_MEMBERS);
  other.table.matcher.min_size = 100;
  box.table.matcher.media_types = kTypes;
  any.table.matcher.media_types = kTypes;
  named.table.scope = TS_SCOPE_ITEM;
  named.table.matcher.name_globs = kNames;
  Bench bench({&other, &plain, &box, &any, &named});
  Content content(test::source_of("box"));
  content.assume_media_type("application/x-box");
  ItemContext item = item_at("/a");
  using Readers = std::vector<int>;
  EXPECT_EQ(bench.session().container_readers(item, content), (Readers{4, 2, 3}));
  item.skip = {"box", "named"};
  EXPECT_EQ(bench.session().container_readers(item, content), Readers{3});
  item.skip.clear();
  item.rows_only = true;  // unpacking would read what the scope has not let through
  EXPECT_EQ(bench.session().container_readers(item, content), Readers{});
  content.assume_media_type("text/plain");
  item = item_at("/b");
  EXPECT_EQ(bench.session().container_readers(item, content), Readers{});
}

}  // namespace
}  // namespace touchstone
