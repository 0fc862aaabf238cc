// Files made for tests of carving, by libraries that are not the carver's own (OpenCV, zlib, libzip, SQLite)
// or by hand from the formats' specifications; and a piece of disk to put them on.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace touchstone::test {

/// Bytes that hold nothing, the same in each run.
std::string noise(std::size_t size, unsigned seed);

/// A picture of noise and shapes in a format that OpenCV writes, by extension (".jpg").
std::string picture(const char* extension, int width, int height, unsigned seed,
                    const std::vector<int>& options = {});
/// A JPEG with another in its EXIF segment.
std::string jpeg_with_thumbnail();
std::string gif(unsigned width, unsigned height);
/// Name and content of each member; packed as libzip does.
std::string zip(const std::vector<std::pair<std::string, std::string>>& members);
std::string gzip(const std::string& bytes);
/// With a table "messages" of `rows` rows.
std::string database(int rows);
/// How many leaf pages the table of database(rows) has, as SQLite itself counts them.
int leaf_pages(int rows);
/// A write-ahead log that SQLite wrote.
std::string write_ahead_log();
/// `updates`: incremental updates behind the first end.
std::string pdf(int updates);
/// `film_first`: its directory before its samples.
std::string mp4(bool film_first, std::uint32_t samples);
std::string wave(std::size_t size);
std::string mail_in_parts();
std::string binary_plist();
std::string android_backup();

/// A piece of disk: noise, into which files are put.
class Disk {
 public:
  Disk(std::size_t size, unsigned seed) : bytes_(noise(size, seed)) {}
  void put(std::size_t offset, const std::string& bytes) { bytes_.replace(offset, bytes.size(), bytes); }
  const std::string& bytes() const { return bytes_; }

 private:
  std::string bytes_;
};

}  // namespace touchstone::test
