// Each library that loads something when it is first used does its work inside the sandbox too: one child a
// library, set up as a worker sets it up. Without its tables a conversion would fail in silence.
#include <sqlite3.h>

#include <opencv2/core.hpp>
#include <opencv2/imgcodecs.hpp>

#include "content/content.hpp"
#include "content/database.hpp"
#include "content/picture.hpp"
#include "content/text.hpp"
#include "evidence/digest.hpp"
#include "evidence/exhibit_source.hpp"
#include "filesystem/filesystem.hpp"
#include "filesystem/time_zone.hpp"
#include "rules/keyword_matcher.hpp"
#include "unit/evidence/scratch.hpp"
#include "unit/pipeline/sandboxed.hpp"

namespace touchstone {
namespace {

using test::library_data;
using test::sandboxed;
using test::Scratch;

std::unique_ptr<ByteSource> source_of(std::string_view bytes) {
  return make_memory_source(test::to_bytes(bytes));
}

std::vector<std::string> with(const std::vector<std::string>& more) {
  std::vector<std::string> paths = library_data();
  paths.insert(paths.end(), more.begin(), more.end());
  return paths;
}

TEST(SandboxLibraries, IconvConverts) {
  SKIP_UNDER_SANITIZERS();
  const auto convert = [](std::string_view bytes, const std::string& encoding) {
    std::string text;
    TextWindows windows([&](std::uint64_t, std::size_t, std::string_view window) {
      text += window;
      return true;
    });
    auto source = source_of(bytes);
    const auto replaced = convert_text(*source, encoding, windows);
    windows.finish();
    return replaced ? text + "(" + std::to_string(*replaced) + ")" : "failed: " + replaced.error().message;
  };
  std::string warned;
  const std::string said = sandboxed(
      library_data(), [&] { warned = warm_up_text(); },
      [&] {
        return warned + convert(std::string_view("\xE9\0\xAC\x20", 4), "UTF-16LE") +
               convert("\x93\xFA\x96\x7B", "SHIFT_JIS") + convert("\x80\x93x\x94", "WINDOWS-1252");
      });
  // é and €; 日本; €“x”
  EXPECT_EQ(said,
            "\xC3\xA9\xE2\x82\xAC(0)\xE6\x97\xA5\xE6\x9C\xAC(0)\xE2\x82\xAC\xE2\x80\x9Cx\xE2\x80\x9D(0)");
}

TEST(SandboxLibraries, OpenCvDecodes) {
  SKIP_UNDER_SANITIZERS();
  const cv::Mat picture(40, 60, CV_8UC3, cv::Scalar(0, 0, 255));  // BGR: red
  std::vector<std::uint8_t> jpeg, png;
  cv::setNumThreads(1);
  ASSERT_TRUE(cv::imencode(".jpg", picture, jpeg));
  ASSERT_TRUE(cv::imencode(".png", picture, png));
  const auto decode = [](const std::vector<std::uint8_t>& bytes, const char* type) {
    auto source = source_of({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
    bool damaged = false;
    const auto got = decode_picture(*source, type, 0, &damaged);
    if (!got) return "failed: " + got.error().message + ";";
    const bool red = got->pixels[0] > 250 && got->pixels[1] < 5 && got->pixels[2] < 5;
    return std::to_string(got->width) + "x" + std::to_string(got->height) + (red ? " red;" : " other;");
  };
  std::string warned;
  EXPECT_EQ(sandboxed(
                library_data(), [&] { warned = warm_up_pictures(); },
                [&] { return warned + decode(jpeg, "image/jpeg") + decode(png, "image/png"); }),
            "60x40 red;60x40 red;");
}

TEST(SandboxLibraries, OpenCvMakesPreviews) {
  SKIP_UNDER_SANITIZERS();
  Picture picture;
  picture.width = picture.source_width = 1000, picture.height = picture.source_height = 500;
  picture.pixels.assign(1000 * 500 * 3, 90);
  EXPECT_EQ(sandboxed(
                library_data(), [] { warm_up_pictures(); },
                [&] {
                  const auto preview = make_preview(picture);
                  return preview ? std::to_string(preview->width) + "x" + std::to_string(preview->height)
                                 : preview.error().message;
                }),
            "512x256");
}

TEST(SandboxLibraries, LibmagicKnowsTypes) {
  SKIP_UNDER_SANITIZERS();
  std::unique_ptr<MediaTyper> typer;
  const auto detect = [&](std::string_view head) {
    return typer->detect(std::as_bytes(std::span(head))) + ";";
  };
  EXPECT_EQ(
      sandboxed(
          library_data(),
          [&] {
            auto loaded = MediaTyper::load();
            if (loaded) typer = loaded.take();
          },
          [&] {
            if (!typer) return std::string("not loaded");
            return detect(std::string_view("\x89PNG\r\n\x1A\n\0\0\0\rIHDR\0\0\0\1\0\0\0\1\x08\2\0\0\0", 29)) +
                   detect("%PDF-1.4\n") + detect("plain words\n") + detect("");
          }),
      "image/png;application/pdf;text/plain;application/x-empty;");
}

TEST(SandboxLibraries, SqliteReadsADatabase) {
  SKIP_UNDER_SANITIZERS();
  const Scratch folder;
  sqlite3* db = nullptr;
  ASSERT_EQ(sqlite3_open(folder.path("a.db").c_str(), &db), SQLITE_OK);
  ASSERT_EQ(sqlite3_exec(db, "CREATE TABLE t(a); INSERT INTO t VALUES('z'), ('x'), ('y');", nullptr, nullptr,
                         nullptr),
            SQLITE_OK);
  sqlite3_close(db);
  const std::string bytes = folder.read("a.db");
  EXPECT_EQ(
      sandboxed(
          library_data(), nullptr,
          [&] {
            auto source = source_of(bytes);
            auto opened = EvidenceDatabase::open({source.get(), nullptr, nullptr}, DatabaseState::current);
            if (!opened) return "failed: " + opened.error().message;
            auto query = (*opened)->query("SELECT a FROM t ORDER BY a", {});
            if (!query) return "failed: " + query.error().message;
            std::string said;
            while (true) {
              const auto row = (*query)->step();
              if (!row) return "failed: " + row.error().message;
              if (!*row) return said;
              said += (*query)->bytes(0);
            }
          }),
      "xyz");
}

/// A small ext4 image with one file; empty if it cannot be made here.
std::string made_image(const Scratch& folder) {
  if (!test::has_tool("mke2fs")) return {};
  std::filesystem::create_directory(folder.path("content"));
  folder.write("content/hello.txt", "hello\n");
  const std::string image = folder.path("image.dd");
  return test::run("mke2fs -q -t ext4 -d " + folder.path("content") + " " + image + " 4M") ? image
                                                                                           : std::string();
}

TEST(SandboxLibraries, TheSleuthKitListsAndReads) {
  SKIP_UNDER_SANITIZERS();
  const Scratch folder;
  const std::string path = made_image(folder);
  if (path.empty()) GTEST_SKIP() << "needs mke2fs";
  std::unique_ptr<ExhibitSource> image;
  const auto act = [&] {
    if (!image) return std::string("not opened");
    std::vector<Problem> problems;
    const auto volumes = list_volumes(*image, 512, problems);
    if (volumes.size() != 1) return "volumes: " + std::to_string(volumes.size());
    auto fs = open_file_system(*image, 512, volumes[0]);
    if (!fs) return "failed: " + fs.error().message;
    std::string said = (*fs)->type() + ":", address;
    const Status listed = (*fs)->list(
        {},
        [&](Entry&& entry) { return (entry.path == "/hello.txt" ? address = entry.address : address), true; },
        problems);
    if (!listed) return "failed: " + listed.error().message;
    auto file = (*fs)->open(address);
    if (!file) return "failed: " + file.error().message;
    std::string text((*file)->size(), '\0');
    const auto got = (*file)->read_at(0, std::as_writable_bytes(std::span(text)));
    return said + (got ? text : got.error().message);
  };
  EXPECT_EQ(sandboxed(
                with({path}),
                [&] {
                  auto opened = open_exhibit(path);
                  if (opened) image = opened.take();
                },
                act),
            "ext4:hello\n");
}

TEST(SandboxLibraries, LibewfReads) {
  SKIP_UNDER_SANITIZERS();
  if (!test::has_tool("ewfacquire")) GTEST_SKIP() << "needs ewfacquire";
  const Scratch folder;
  const std::string raw = folder.write("raw.dd", std::string(100'000, 'a') + test::noise(1'997'152));
  ASSERT_TRUE(test::run("ewfacquire -u -q -c best -t " + folder.path("image") + " " + raw));
  const std::string path = folder.path("image.E01");
  std::string wanted = Scratch::slurp(raw);
  std::unique_ptr<ExhibitSource> image;
  EXPECT_EQ(sandboxed(
                with({path}),
                [&] {
                  auto opened = open_exhibit(path);
                  if (opened) image = opened.take();
                },
                [&]() -> std::string {
                  if (!image) return "not opened";
                  std::string bytes(image->size(), '\0');
                  const auto got = image->read_at(0, std::as_writable_bytes(std::span(bytes)));
                  if (!got) return got.error().message;
                  return bytes.substr(0, wanted.size()) == wanted ? "same" : "different";
                }),
            "same");
}

TEST(SandboxLibraries, HyperscanFinds) {
  SKIP_UNDER_SANITIZERS();
  const auto pack = parse_keyword_text("needle\n", "words.txt");
  ASSERT_TRUE(pack) << pack.error().message;
  const std::vector<KeywordPack> packs = {*pack};
  std::optional<KeywordMatcher> matcher;
  EXPECT_EQ(sandboxed(
                library_data(),
                [&] {
                  auto compiled = KeywordMatcher::compile(packs, {});
                  if (compiled) matcher.emplace(compiled.take());
                },
                [&] {
                  if (!matcher) return std::string("not compiled");
                  std::string said;
                  const Status scanned = matcher->scan("hay Needle hay", [&](const KeywordHit& hit) {
                    said += std::to_string(hit.from) + "-" + std::to_string(hit.to);
                    return true;
                  });
                  return scanned ? said : scanned.error().message;
                }),
            "4-10");
}

TEST(SandboxLibraries, OpenSslDigests) {
  SKIP_UNDER_SANITIZERS();
  EXPECT_EQ(sandboxed(library_data(), nullptr,
                      [] {
                        Hasher hasher;
                        hasher.update(test::to_bytes("abc"));
                        const Digests digests = hasher.finish();
                        return digests.md5 + " " + digests.sha1 + " " + digests.sha256;
                      }),
            // RFC 1321, A.5; FIPS 180-2, A.1 and B.1
            "900150983cd24fb0d6963f7d28e17f72 a9993e364706816aba3e25717850c26c9cd0d89d "
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

TEST(SandboxLibraries, ZonesAreRead) {
  SKIP_UNDER_SANITIZERS();
  EXPECT_EQ(sandboxed(library_data(), nullptr,
                      [] {
                        const auto zone = TimeZone::load("Europe/London");
                        if (!zone) return zone.error().message;
                        // date -u -d 2024-07-01T12:00:00 +%s is 1719835200: an hour of summer time
                        return std::to_string(zone->to_utc(1719835200)) + " " +
                               std::to_string(zone->to_utc(1704110400));
                      }),
            "1719831600 1704110400");
}

}  // namespace
}  // namespace touchstone
