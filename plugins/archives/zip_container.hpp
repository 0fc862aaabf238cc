// A zip read by its central directory with libzip: a member costs only its own bytes. Borrows the job; lives
// no longer than the call it was made in.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <touchstone/plugin.hpp>
#include <vector>

struct zip;

namespace touchstone::archives {

class ZipContainer {
 public:
  /// Null if libzip cannot read the directory, or libarchive can unpack a method in it that libzip cannot;
  /// `why` says.
  static std::unique_ptr<ZipContainer> open(Job& job, std::string& why);
  ~ZipContainer();
  ZipContainer(const ZipContainer&) = delete;
  ZipContainer& operator=(const ZipContainer&) = delete;

  ts_status list();
  ts_status extract(std::uint32_t first, std::uint32_t count);

 private:
  struct Source;
  struct Entry {
    std::uint64_t size = 0, packed = 0;
    std::uint32_t crc = 0;
    bool is_directory = false, is_encrypted = false, admitted = false;
    bool is_deflate64 = false;  // which libzip does not unpack
    std::string refusal{};      // why its bytes are not given, where they are not
    bool is_unsupported = false;
  };

  explicit ZipContainer(Job& job);
  void read_entries();
  void fill_time(std::uint64_t index, ts_member& member) const;
  bool extract_member(std::uint32_t index);
  void tell(std::uint32_t index, const char* kind, const std::string& reason);
  void report();

  Job& job_;
  std::unique_ptr<Source> source_;
  zip* zip_ = nullptr;
  std::vector<Entry> entries_;
  std::uint64_t in_all_ = 0;       // entries of the directory, of which `entries_` has the first kMaxMembers
  std::uint64_t refused_ = 0;      // not unpacked: they would expand to too much
  std::uint64_t overlapping_ = 0;  // not unpacked: the packed sizes before them already fill the file
  std::uint64_t encrypted_ = 0;
  std::map<std::uint16_t, std::uint64_t> unsupported_;  // members by method that nothing here unpacks
};

}  // namespace touchstone::archives
