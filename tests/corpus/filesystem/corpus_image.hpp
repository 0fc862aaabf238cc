// Real images for the corpus tests: unpacked where they are compressed, opened, walked and digested. Files
// that are not there skip the test visibly.
#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "evidence/digest.hpp"
#include "evidence/exhibit_source.hpp"
#include "filesystem/filesystem.hpp"
#include "unit/evidence/scratch.hpp"
#include "unit/filesystem/walk.hpp"

namespace touchstone::test {

inline const std::string kSamples = "/usr/share/forensics-samples/";
inline const std::string kCorpus = TOUCHSTONE_CORPUS_DIR;

/// The image itself, or an unpacked copy in `scratch`; empty if it or its unpacker is missing.
inline std::string unpacked(const Scratch& scratch, const std::string& path) {
  if (!std::filesystem::exists(path)) return "";
  const std::string extension = std::filesystem::path(path).extension().string();
  if (extension != ".xz" && extension != ".gz") return path;
  const std::string target = scratch.path(std::filesystem::path(path).stem().string());
  const std::string tool = extension == ".xz" ? "xz" : "gzip";
  return run(tool + " -dc '" + path + "' > '" + target + "'") ? target : "";
}

struct OpenVolume {
  Volume volume;
  std::unique_ptr<FileSystem> fs;
  Walked walked;
};

struct OpenImage {
  std::unique_ptr<ExhibitSource> exhibit;
  std::vector<Volume> volumes;
  std::vector<Problem> problems;
  std::vector<OpenVolume> opened;  ///< those that are read, walked from end to end

  const Volume* find(const std::string& slot) const {
    for (const Volume& volume : volumes) {
      if (volume.slot == slot) return &volume;
    }
    return nullptr;
  }
};

inline OpenImage open_image(const std::string& path) {
  OpenImage image;
  auto exhibit = open_exhibit(path);
  EXPECT_TRUE(exhibit) << (exhibit ? "" : exhibit.error().message);
  if (!exhibit) return image;
  image.exhibit = exhibit.take();
  const std::uint32_t sector = image.exhibit->info().sector_size;
  image.volumes = list_volumes(*image.exhibit, sector, image.problems);
  for (const Volume& volume : image.volumes) {
    if (volume.state != VolumeState::read && volume.state != VolumeState::partly_read) continue;
    auto fs = open_file_system(*image.exhibit, sector, volume);
    EXPECT_TRUE(fs) << (fs ? "" : fs.error().message);
    if (!fs) continue;
    OpenVolume opened{volume, fs.take(), {}};
    opened.walked = walk(*opened.fs);
    image.opened.push_back(std::move(opened));
  }
  return image;
}

inline std::string sha256_of(ByteSource& source) {
  static constexpr std::size_t kBlock = std::size_t{1} << 20;
  std::vector<std::byte> block(kBlock);
  Hasher hasher;
  for (std::uint64_t at = 0; at < source.size();) {
    const auto got = source.read_at(at, block);
    if (!got || *got == 0) return "";
    hasher.update(std::span(block).first(*got));
    at += *got;
  }
  return hasher.finish().sha256;
}

inline std::string sha256_of(const std::string& path) {
  auto file = open_file_source(path);
  return file ? sha256_of(**file) : "";
}

/// Digest → path of every file below `folder`, without empty ones.
inline std::map<std::string, std::string> digests_below(const std::string& folder) {
  std::map<std::string, std::string> digests;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
    if (entry.is_regular_file() && entry.file_size() > 0)
      digests[sha256_of(entry.path().string())] = entry.path().string();
  }
  return digests;
}

/// Digests of the entries of a volume that have content.
inline std::set<std::string> digests_of(OpenVolume& volume, bool deleted) {
  std::set<std::string> digests;
  for (const Entry& entry : volume.walked.entries) {
    if (!entry.has_content || entry.allocated == deleted) continue;
    auto source = volume.fs->open(entry.address);
    EXPECT_TRUE(source) << entry.path;
    if (source) digests.insert(sha256_of(**source));
  }
  return digests;
}

}  // namespace touchstone::test
