// Opening exhibits: what is this path, and one ByteSource over it. Detection is by content, never by
// extension. open_exhibit() and list_exhibit_files() open files: a worker calls them before its sandbox is
// closed to all but those.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "evidence/byte_source.hpp"
#include "evidence/secrets.hpp"
#include "model/types.hpp"

namespace touchstone {

/// What an image says of itself.
struct ImageInfo {
  std::string format;      ///< "raw", "ewf" (E01) …; of a tree "folder", "zip", "tar", "tar.gz", "l01" …
  std::uint64_t size = 0;  ///< bytes of the media, not of the files
  std::uint32_t sector_size = 512;
  std::string stored_md5, stored_sha1;  ///< lower-case hex; empty if none is stored
  std::map<std::string, std::string>
      metadata;                    ///< examiner, case number, notes, tool, dates … as stored (valid UTF-8)
  std::vector<std::string> files;  ///< all segment files, in order, absolute
  std::vector<Problem> problems;   ///< integrity or corrupt, found while opening (exhibit left empty)
};

/// An opened exhibit. The image outlives every source and file system made from it.
class ExhibitSource : public ByteSource {
 public:
  virtual const ImageInfo& info() const = 0;
  /// Of logical evidence (format "l01"), whose bytes are those of its files one after the other: the list of
  /// the files as it stands in the image (EWF section ltree). Null for everything else.
  virtual ByteSource* file_list() { return nullptr; }
};

/// The files an exhibit consists of: for the fingerprint, the sandbox's list and the check that the output
/// does not lie inside. Virtual disks name further files inside, so the image is opened for it: hostile bytes
/// are parsed here, and a coordinator asks a process apart. Errors: io (not there, not readable, empty, a
/// directory), unsupported, corrupt. Where a segment is missing, those before it are listed: what can be read
/// is examined, and the opened image's problems name the missing one.
Result<std::vector<std::string>> list_exhibit_files(const std::string& path);

/// Opens an image of any format of docs/formats.md (first segment given; the rest is found beside it), a tree
/// in an archive, or a folder. Errors say what the path is and why it could not be opened: a text file or
/// anything else without a partition table or file system is still a raw image (volumes will say so); a
/// damaged image opens as far as it can be read, with problems; a format that nothing here reads is refused
/// as unsupported, with what to do. Error not_found: nothing can be read without a segment that is missing.
Result<std::unique_ptr<ExhibitSource>> open_exhibit(const std::string& path, const Secrets& secrets = {});

/// Finds the further files of an image that lies inside something else: a name without any "/", as it stands
/// in the image or as its naming scheme says. Null: there is none.
using SiblingOpener = std::function<std::unique_ptr<ByteSource>(const std::string& name)>;

/// The same for an image that is itself an item (a virtual disk found on a disk): nothing is opened but
/// `bytes` and what `sibling` gives. `name` is the item's name, for messages and for schemes of segment
/// names.
Result<std::unique_ptr<ExhibitSource>> open_image(std::unique_ptr<ByteSource> bytes, const std::string& name,
                                                  const SiblingOpener& sibling, const Secrets& secrets = {});

/// What a whole read of the image found.
struct Verification {
  Digests computed;             ///< of the media, all three
  std::optional<bool> matches;  ///< against the stored digests; absent if none is stored
  std::vector<Gap> gaps;        ///< unreadable ranges and chunks with wrong checksums
};
/// Reads all of it once. `progress(bytes)` is called now and then and stops the read by returning false
/// (cancelled).
Result<Verification> verify_image(ExhibitSource& image, const std::function<bool(std::uint64_t)>& progress);

}  // namespace touchstone
