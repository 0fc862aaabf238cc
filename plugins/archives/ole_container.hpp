// Compound files (OLE 2) as containers: each stream is a member, and so are what only lies within a stream:
// the JPEG of a thumbnail in Thumbs.db under the name of its picture, pictures of Word, Excel and PowerPoint
// documents, files put into a document as a package. Encrypted documents are told. Bounds are in limits.hpp.
// Sources: [MS-CFB], [MS-DOC], [MS-XLS], [MS-PPT], [MS-ODRAW], [MS-OFFCRYPTO], and what is published of
// Thumbs.db. Borrows the job; lives no longer than the call it was made in.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <touchstone/plugin.hpp>
#include <vector>

#include "content/compound_file.hpp"
#include "ole_streams.hpp"

namespace touchstone::archives {

class OleContainer {
 public:
  static bool is_ole(const Job& job);
  explicit OleContainer(Job& job) : job_(job) {}

  ts_status list();
  ts_status extract(std::uint32_t first, std::uint32_t count);

 private:
  struct Member {
    std::string path;
    std::uint32_t entry = 0;
    bool is_directory = false, is_encrypted = false, is_admitted = true;
    bool is_part = false;                    // of the joined records of its stream
    std::uint64_t offset = 0, size = 0;      // in the stream
    std::optional<std::int64_t> modified{};  // microseconds since 1970
  };

  ts_status open();
  void add_members();
  void add_stream(std::uint32_t index);
  bool add_thumbnail(std::uint32_t index);
  void add_package(std::uint32_t index);
  void add_pictures(std::uint32_t index);
  void find_encryption();
  bool is_locked(const CompoundEntry& entry) const;
  std::string path_of(const CompoundEntry& entry) const;
  bool extract_member(std::uint32_t ordinal);
  void report();

  Job& job_;
  std::optional<CompoundFile> file_;
  std::map<std::string, CatalogEntry> catalog_;              // by stream
  std::map<std::uint32_t, std::vector<StreamPart>> joined_;  // by entry: drawing records of a workbook
  std::vector<Member> members_;
  std::string lock_;  // how the document is encrypted
  bool is_installer_ = false, too_many_ = false;
  std::uint64_t streamed_ = 0, overlapping_ = 0;
};

}  // namespace touchstone::archives
