// Writes one small window for each format into a folder: the seeds of fuzz_carving.
#include <cstdio>
#include <filesystem>
#include <fstream>

#include "plugins/carving/made_files.hpp"

namespace {

void write(const std::filesystem::path& folder, const char* name, const std::string& bytes) {
  std::ofstream(folder / name, std::ios::binary) << bytes;
}

/// A picture in two fragments with a sector between them.
std::string pieces() {
  const std::string jpeg = touchstone::test::picture(".jpg", 96, 64, 3);
  return jpeg.substr(0, 1024) + std::string(512, '\0') + jpeg.substr(1024);
}

/// "OggS", version, flags, position, serial number, page number, checksum, one segment of one byte.
std::string ogg_page() {
  return std::string("OggS\0\2\0\0\0\0\0\0\0\0\1\0\0\0\0\0\0\0\0\0\0\0\1\1x", 29);
}

}  // namespace

int main(int count, char** arguments) {
  if (count != 2) {
    std::fprintf(stderr, "usage: %s FOLDER\n", arguments[0]);
    return 2;
  }
  using namespace touchstone::test;
  const std::filesystem::path folder = arguments[1];
  std::filesystem::create_directories(folder);
  write(folder, "jpeg", picture(".jpg", 48, 32, 1, {1, 60}));
  write(folder, "jpeg_progressive", picture(".jpg", 48, 32, 2, {1, 60, 2, 1}));
  write(folder, "jpeg_restart", picture(".jpg", 48, 32, 2, {1, 60, 4, 2}));
  write(folder, "jpeg_pieces", pieces());
  write(folder, "png", picture(".png", 12, 10, 4));
  write(folder, "gif", gif(20, 10));
  write(folder, "webp", picture(".webp", 24, 16, 5));
  write(folder, "bmp", picture(".bmp", 8, 8, 6));
  write(folder, "ppm", picture(".ppm", 8, 8, 7));
  write(folder, "zip",
        zip({{"[Content_Types].xml", "<Types/>"}, {"word/document.xml", std::string(300, 'w')}}));
  write(folder, "gzip", gzip(std::string(500, 'g')));
  write(folder, "sqlite", database(20));
  write(folder, "sqlite_pages", database(20).substr(4096));
  write(folder, "pdf", pdf(1));
  write(folder, "mp4", mp4(true, 2));
  write(folder, "mp4_film_last", mp4(false, 2));
  write(folder, "wav", wave(100));
  write(folder, "mail", mail_in_parts());
  write(folder, "plist", binary_plist());
  write(folder, "ab", android_backup());
  write(folder, "ogg", ogg_page());
  write(folder, "text",
        "BEGIN:VCARD\r\nVERSION:3.0\r\nFN:Ann Example\r\nEND:VCARD\r\n\r\n{\\rtf1\\ansi x}\r\n<?xml "
        "version=\"1.0\"?><plist>"
        "</plist>");
  return 0;
}
