// What lies within the streams of compound files. Pure functions over a stream; nothing is kept.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "content/compound_file.hpp"

namespace touchstone::archives {

/// A range of a stream.
struct StreamPart {
  std::uint64_t offset = 0, length = 0;
};

/// A picture that a thumbnail was made of, as Thumbs.db remembers it.
struct CatalogEntry {
  std::string name;
  std::optional<std::int64_t> modified;  ///< microseconds since 1970 UTC
};
/// By name of the stream that holds the thumbnail: the digits of its number, last first.
std::map<std::string, CatalogEntry> parse_catalog(const std::vector<std::uint8_t>& bytes);

/// Where the JPEG, PNG or BMP begins in the stream of a thumbnail; nothing: none.
std::optional<std::uint64_t> thumbnail_offset(const CompoundFile::Stream& stream);
/// "jpg", "png", "bmp", "gif", or empty.
std::string_view picture_ending(std::span<const std::uint8_t> head);

/// A file put into a document as a package ("\x01Ole10Native"): its name and its bytes.
struct Package {
  std::string name;
  StreamPart bytes;
};
std::optional<Package> parse_package(const CompoundFile::Stream& stream);

/// Records of a workbook that hold its drawings, without their headers: a picture is spread over many.
std::vector<StreamPart> drawing_records(const CompoundFile::Stream& stream,
                                        const std::function<bool()>& stop);
/// Whether a workbook has a FILEPASS record.
bool has_file_pass(const CompoundFile::Stream& stream);

/// Reads parts of a stream as if they stood one behind the other.
class JoinedParts {
 public:
  JoinedParts(const CompoundFile::Stream& stream, const std::vector<StreamPart>& parts);
  std::uint64_t size() const { return size_; }
  std::int64_t read_at(std::uint64_t offset, std::span<std::uint8_t> out) const;

 private:
  const CompoundFile::Stream& stream_;
  const std::vector<StreamPart>& parts_;
  std::vector<std::uint64_t> starts_;
  std::uint64_t size_ = 0;
};

/// A JPEG or PNG that the record of a drawing ([MS-ODRAW] 2.2.27, 2.2.28) holds.
struct FoundPicture {
  std::uint64_t offset = 0, length = 0;
  std::string_view ending;
};
/// In order, none within another; at most `most`.
std::vector<FoundPicture> find_pictures(const JoinedParts& bytes, std::size_t most,
                                        const std::function<bool()>& stop);

}  // namespace touchstone::archives
