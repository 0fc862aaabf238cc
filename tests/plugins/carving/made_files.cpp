#include "plugins/carving/made_files.hpp"

#include <sqlite3.h>
#include <unistd.h>
#include <zip.h>
#include <zlib.h>

#include <filesystem>
#include <opencv2/imgcodecs.hpp>
#include <opencv2/imgproc.hpp>
#include <random>
#include <stdexcept>

#include "support/file_contents.hpp"

namespace touchstone::test {
namespace {

std::string be32(std::uint32_t value) {
  std::string out;
  for (int shift = 24; shift >= 0; shift -= 8)
    out += static_cast<char>(value >> static_cast<unsigned>(shift));
  return out;
}

std::string le32(std::uint32_t value) {
  const std::string big = be32(value);
  return {big.rbegin(), big.rend()};
}

std::string box(const std::string& type, const std::string& body) {
  return be32(static_cast<std::uint32_t>(body.size() + 8)) + type + body;
}

struct ScratchFile {
  std::string path;
  ScratchFile() : path((std::filesystem::temp_directory_path() / "touchstone-carving-XXXXXX").string()) {
    const int descriptor = mkstemp(path.data());
    if (descriptor < 0) throw std::runtime_error("no scratch file");
    close(descriptor);
  }
  ~ScratchFile() {
    for (const char* suffix : {"", "-wal", "-shm"}) std::filesystem::remove(path + suffix);
  }
  std::string read(const char* suffix = "") const { return touchstone::test::contents_of(path + suffix); }
};

class Connection {
 public:
  explicit Connection(const std::string& path) { sqlite3_open(path.c_str(), &db_); }
  ~Connection() { sqlite3_close(db_); }
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;
  int run(const std::string& sql) {
    int value = 0;
    const auto row = [](void* out, int, char** cells, char**) {
      *static_cast<int*>(out) = cells[0] ? std::atoi(cells[0]) : 0;
      return 0;
    };
    char* error = nullptr;
    if (sqlite3_exec(db_, sql.c_str(), row, &value, &error) != SQLITE_OK) throw std::runtime_error(error);
    return value;
  }

 private:
  sqlite3* db_ = nullptr;
};

void fill(Connection& db, int rows) {
  db.run(
      "PRAGMA page_size=4096; CREATE TABLE messages(id INTEGER PRIMARY KEY, body TEXT, sent INTEGER);"
      "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < " +
      std::to_string(rows) +
      ") INSERT INTO messages SELECT i, 'message number ' || i || ' of a made conversation', 1600000000 + i "
      "FROM n");
}

/// Samples of coded pictures: units with their lengths before them.
std::string sample(std::uint32_t index) {
  std::string unit = "\x65" + noise(700 + index % 50, index);
  return be32(static_cast<std::uint32_t>(unit.size())) + unit;
}

}  // namespace

std::string noise(std::size_t size, unsigned seed) {
  std::mt19937 random(seed);
  std::string out(size, '\0');
  for (std::size_t i = 0; i + 4 <= size; i += 4) {
    const std::uint32_t value = static_cast<std::uint32_t>(random());
    out.replace(i, 4, le32(value));
  }
  return out;
}

std::string picture(const char* extension, int width, int height, unsigned seed,
                    const std::vector<int>& options) {
  cv::Mat image(height, width, CV_8UC3);
  cv::RNG random(seed);
  random.fill(image, cv::RNG::UNIFORM, 0, 256);
  cv::GaussianBlur(image, image, {7, 7}, 2);
  cv::circle(image, {width / 2, height / 2}, height / 3, {20, 200, 240}, 5);
  std::vector<unsigned char> out;
  cv::imencode(extension, image, out, options);
  return {out.begin(), out.end()};
}

std::string jpeg_with_thumbnail() {
  const std::string whole = picture(".jpg", 320, 240, 5), small = picture(".jpg", 80, 60, 6);
  std::string exif = std::string("Exif\0\0", 6) + std::string("II*\0\10\0\0\0\0\0\0\0\0\0", 14) + small;
  std::string segment = "\xFF\xE1";
  segment += static_cast<char>((exif.size() + 2) >> 8U);
  segment += static_cast<char>(exif.size() + 2);
  return whole.substr(0, 2) + segment + exif + whole.substr(2);
}

std::string gif(unsigned width, unsigned height) {
  // Codes of 9 bits, a clear code before each 100 pixels, so that the width never changes.
  std::string out = "GIF89a";
  const auto le16 = [](unsigned value) {
    return std::string{static_cast<char>(value), static_cast<char>(value >> 8U)};
  };
  out += le16(width) + le16(height) + std::string("\xF7\0\0", 3) + std::string(768, 'p');
  out += "," + std::string(4, '\0') + le16(width) + le16(height) + std::string("\0\x8", 2);
  std::string codes;
  std::uint32_t bits = 0;
  unsigned count = 0;
  const auto add = [&](std::uint32_t code) {
    bits |= code << count;
    for (count += 9; count >= 8; count -= 8, bits >>= 8U) codes += static_cast<char>(bits);
  };
  for (unsigned i = 0; i < width * height; ++i) {
    if (i % 100 == 0) add(256);
    add(i % 251);
  }
  add(257);
  codes += static_cast<char>(bits);
  for (std::size_t at = 0; at < codes.size(); at += 255) {
    const std::string block = codes.substr(at, 255);
    out += static_cast<char>(block.size()) + block;
  }
  return out + std::string("\0;", 2);
}

std::string zip(const std::vector<std::pair<std::string, std::string>>& members) {
  ScratchFile file;
  int error = 0;
  zip_t* archive = zip_open(file.path.c_str(), ZIP_CREATE | ZIP_TRUNCATE, &error);
  for (const auto& [name, bytes] : members) {
    zip_source_t* source = zip_source_buffer(archive, bytes.data(), bytes.size(), 0);
    const auto index = zip_file_add(archive, name.c_str(), source, 0);
    if (name == "mimetype")
      zip_set_file_compression(archive, static_cast<zip_uint64_t>(index), ZIP_CM_STORE, 0);
  }
  if (zip_close(archive) != 0) throw std::runtime_error("zip_close");
  return file.read();
}

std::string gzip(const std::string& bytes) {
  ScratchFile file;
  gzFile out = gzopen(file.path.c_str(), "wb");
  gzwrite(out, bytes.data(), static_cast<unsigned>(bytes.size()));
  gzclose(out);
  return file.read();
}

std::string database(int rows) {
  ScratchFile file;
  {
    Connection db(file.path);
    fill(db, rows);
  }
  return file.read();
}

int leaf_pages(int rows) {
  Connection db(":memory:");
  fill(db, rows);
  return db.run("SELECT count(*) FROM dbstat WHERE name = 'messages' AND pagetype = 'leaf'");
}

std::string write_ahead_log() {
  ScratchFile file;
  Connection db(file.path);
  db.run("PRAGMA journal_mode=WAL");
  fill(db, 300);
  return file.read("-wal");
}

std::string pdf(int updates) {
  std::string out = "%PDF-1.4\n1 0 obj\n<< /Type /Catalog >>\nendobj\n";
  const auto close = [&](std::size_t object) {
    const std::size_t start = out.size();
    char entry[32];
    std::snprintf(entry, sizeof(entry), "%010zu 00000 n \n", object);
    out += "xref\n1 1\n" + std::string(entry) + "trailer\n<< /Size 2 /Root 1 0 R >>\nstartxref\n" +
           std::to_string(start) + "\n%%EOF\n";
  };
  close(9);
  for (int i = 0; i < updates; ++i) {
    const std::size_t object = out.size();
    out += "1 0 obj\n<< /Type /Catalog /Update " + std::to_string(i) + " >>\nendobj\n";
    close(object);
  }
  return out;
}

std::string mp4(bool film_first, std::uint32_t samples) {
  std::string data, sizes = std::string(8, '\0') + be32(samples);
  for (std::uint32_t i = 0; i < samples; ++i) {
    const std::string one = sample(i);
    sizes += be32(static_cast<std::uint32_t>(one.size()));
    data += one;
  }
  const std::string ftyp = box("ftyp", "isom" + be32(512) + "isomavc1");
  const auto film = [&](std::uint32_t chunk) {
    const std::string config = box("avcC", std::string("\1\x42\0\x1E\xFF\xE0\0", 7));
    const std::string entry = box("avc1", std::string(78, '\0') + config);
    const std::string table = box("stsd", be32(0) + be32(1) + entry) +
                              box("stsc", be32(0) + be32(1) + be32(1) + be32(samples) + be32(1)) +
                              box("stsz", sizes) + box("stco", be32(0) + be32(1) + be32(chunk));
    const std::string media = box("minf", box("vmhd", std::string(12, '\0')) + box("stbl", table));
    return box("moov", box("mvhd", std::string(100, '\0')) + box("trak", box("mdia", media)));
  };
  const std::string mdat = box("mdat", data);
  const auto head = static_cast<std::uint32_t>(ftyp.size());
  if (!film_first) return ftyp + mdat + film(head + 8);
  return ftyp + film(head + static_cast<std::uint32_t>(film(0).size()) + 8) + mdat;
}

std::string wave(std::size_t size) {
  const std::string data = noise(size, 77);
  return "RIFF" + le32(static_cast<std::uint32_t>(size + 36)) + "WAVEfmt " + le32(16) +
         std::string("\1\0\1\0\x44\xAC\0\0\x88\x58\1\0\2\0\x10\0", 16) + "data" +
         le32(static_cast<std::uint32_t>(size)) + data;
}

std::string mail_in_parts() {
  return "From: Ann Example <ann@example.com>\r\nTo: Bob Example <bob@example.org>\r\nSubject: Tuesday\r\n"
         "Date: Tue, 3 Mar 2026 10:00:00 +0000\r\nMIME-Version: 1.0\r\n"
         "Content-Type: multipart/mixed; boundary=\"part-0123\"\r\n\r\n--part-0123\r\nContent-Type: "
         "text/plain\r\n\r\n"
         "See you at ten.\r\n--part-0123--\r\n";
}

std::string binary_plist() {
  // {"a": "hello"}: a dictionary of one key, two strings; the table of offsets; the trailer.
  std::string out = "bplist00\xD1\1\2";
  out +=
      "\x51"
      "a"
      "\x55"
      "hello";
  const std::size_t table = out.size();
  out += "\x08\x0B\x0D";
  out += std::string(6, '\0') + "\1\1" + std::string(7, '\0') + "\3" + std::string(8, '\0') +
         std::string(7, '\0') + static_cast<char>(table);
  return out;
}

std::string android_backup() {
  std::string tar(4096, 'x');
  std::vector<Bytef> packed(compressBound(tar.size()));
  uLongf size = packed.size();
  compress2(packed.data(), &size, reinterpret_cast<const Bytef*>(tar.data()), tar.size(), 6);
  return "ANDROID BACKUP\n5\n1\nnone\n" + std::string(reinterpret_cast<const char*>(packed.data()), size);
}

}  // namespace touchstone::test
