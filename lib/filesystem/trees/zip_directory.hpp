// The directory of a zip archive over a ByteSource, and its members at random: opening one inflates only
// that. Reads the central directory (Zip64 too) wherever it lies behind prefixed data; where it is missing or
// damaged, the local headers are looked for and a Problem says so. Nothing is kept of an entry but what the
// caller keeps: an entry is read again by its `record`.
// One thread. The ByteSource outlives the directory, the directory its members.
// Sources: PKWARE APPNOTE 6.3.10; Info-ZIP's list of extra fields (extrafld.txt); WinZip's AES description.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "evidence/byte_source.hpp"
#include "evidence/secrets.hpp"
#include "filesystem/time_zone.hpp"
#include "model/types.hpp"

namespace touchstone {

struct ZipEntry {
  /// Where its record lies in the file: of the central directory, or (scanned) its local header.
  std::uint64_t record = 0;
  bool scanned = false;
  std::uint64_t local_header = 0;  ///< place in the file, prefixed data counted

  std::string name_raw;  ///< bytes as stored in the header
  std::string name;      ///< UTF-8: by flag, Unicode extra field, else from CP437; "/" separates
  bool directory = false;
  std::string comment;  ///< UTF-8

  std::uint16_t method = 0, flags = 0;  ///< method below the encryption
  std::uint8_t host = 0;                ///< 0 FAT, 3 Unix, 10 NTFS, 19 Darwin …
  std::uint16_t dos_time = 0;
  std::uint32_t crc32 = 0;
  bool has_crc = true;  ///< AE-2 and masked headers have none
  std::uint64_t compressed_size = 0, size = 0;
  /// Scanned, and the sizes stand behind the data (bit 3) where they cannot be trusted.
  bool size_unknown = false;

  std::uint32_t mode = 0;  ///< Unix mode with its type bits; 0 where there is none
  std::optional<std::uint32_t> uid, gid;
  Times times;             ///< basis assumed where only the DOS time is there
  std::string encryption;  ///< empty, "ZipCrypto", "AES-128", "AES-192", "AES-256", "PKWARE strong"
  int aes_strength = 0;    ///< 1 to 3
};

/// "deflate", "bzip2" … or "method 97".
std::string zip_method_name(std::uint16_t method);

class ZipDirectory {
 public:
  /// `zone` turns DOS times into UTC; null leaves them out. Errors: corrupt (nothing of a zip is there),
  /// unsupported (a part of a multi-part archive; the central directory is encrypted). What is merely wrong
  /// is a Problem.
  static Result<std::unique_ptr<ZipDirectory>> open(ByteSource& file, const TimeZone* zone,
                                                    std::vector<Problem>& problems);
  virtual ~ZipDirectory() = default;

  /// All entries in the order of the directory; sink returns false to stop. Damage half-way makes the rest
  /// come from the local headers.
  virtual Status for_each(const std::function<bool(const ZipEntry&)>& sink,
                          std::vector<Problem>& problems) = 0;
  /// The entry at a `record` that for_each() gave. Error corrupt: none lies there.
  virtual Result<ZipEntry> read_entry(std::uint64_t record, bool scanned) = 0;
  /// In what the local header of an entry differs from the central directory; empty if it agrees. Times and
  /// owner that only the local header has are added to `entry`.
  virtual std::string compare_local(ZipEntry& entry) = 0;
  /// The bytes of a member. A stored one is a window, others are decoded as they are read, in bounded memory.
  /// A wrong checksum is a gap once all was read in order. Errors: encrypted (with the method; none of
  /// `secrets` opens it), unsupported (the compression method, by name), corrupt.
  virtual Result<std::unique_ptr<ByteSource>> open_member(const ZipEntry& entry,
                                                          const Secrets& secrets = {}) = 0;
  /// Bytes before the archive proper (a self-extractor, say).
  virtual std::uint64_t prefix() const = 0;
  virtual std::string comment() const = 0;
};

}  // namespace touchstone
