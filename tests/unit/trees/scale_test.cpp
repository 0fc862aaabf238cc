// A zip of 200,000 files and tars of 20 GB: quick, and in memory that does not grow with their bytes.
#include <sys/resource.h>

#include <chrono>

#include "unit/trees/tree.hpp"

namespace touchstone {
namespace {

using test::Tree;

long peak_kib() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  return usage.ru_maxrss;
}

/// Entries counted, without keeping them.
std::size_t count(FileSystem& files) {
  std::size_t seen = 0;
  std::vector<DirectoryRef> waiting = {DirectoryRef{}};
  std::vector<Problem> problems;
  while (!waiting.empty()) {
    const DirectoryRef directory = waiting.back();
    waiting.pop_back();
    EXPECT_TRUE(files.list(
        directory,
        [&](Entry&& entry) {
          ++seen;
          if (entry.descend) waiting.push_back(directory.child(entry));
          return true;
        },
        problems));
  }
  EXPECT_TRUE(problems.empty());
  return seen;
}

TEST(TreeScale, ListsAZipOf200000Files) {
  const test::Scratch scratch;
  ASSERT_TRUE(test::run(
      "python3 -c \"import zipfile\nwith zipfile.ZipFile('" + scratch.path("many.zip") +
      "', 'w') as z:\n for i in range(200000): z.writestr('data/app%d/%d.txt' % (i % 500, i), str(i))\""));
  const long before = peak_kib();
  const auto from = std::chrono::steady_clock::now();
  Tree tree(scratch.path("many.zip"));
  EXPECT_EQ(count(tree.files()), 200'000U + 501U);
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - from;
  EXPECT_LT(took.count(), 60.0);
  EXPECT_LT(peak_kib() - before, 64 * 1024);
}

TEST(TreeScale, ListsTarsOf20GB) {
  const test::Scratch scratch;
  // One of 20 members of 1 GiB whose bytes are a hole of the tar itself, one of a sparse file.
  ASSERT_TRUE(test::run("python3 -c \"import tarfile\nf = open('" + scratch.path("plain.tar") +
                        "', 'wb')\nfor i in range(20):\n t = tarfile.TarInfo('m%d' % i)\n t.size = 1 << 30\n "
                        "f.write(t.tobuf())\n f.seek(1 << 30, 1)\nf.write(bytes(1024))\""));
  ASSERT_TRUE(test::run(
      "cd " + scratch.path("") +
      " && truncate -s 20G big && printf end | dd of=big bs=1 seek=21474836000 conv=notrunc && tar -S "
      "-cf sparse.tar big"));
  const long before = peak_kib();
  const auto from = std::chrono::steady_clock::now();
  Tree plain(scratch.path("plain.tar"));
  EXPECT_EQ(count(plain.files()), 20U);
  Tree sparse(scratch.path("sparse.tar"));
  EXPECT_EQ(count(sparse.files()), 1U);
  EXPECT_EQ(sparse.at("/big").size, 20ULL << 30);
  std::string end(3, '?');
  ASSERT_TRUE(sparse.open("/big")->read_at(21'474'836'000, std::as_writable_bytes(std::span(end))));
  EXPECT_EQ(end, "end");
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - from;
  EXPECT_LT(took.count(), 10.0);
  EXPECT_LT(peak_kib() - before, 64 * 1024);
}

}  // namespace
}  // namespace touchstone
