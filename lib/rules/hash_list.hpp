// Hash sets, read as a stream into sorted fixed-width digests. Formats, told apart line by line or by their
// header:
//   md5sum/sha1sum/sha256sum  HEX  NAME, HEX *NAME, \HEX  NAME      (GNU coreutils; md5deep with sizes
//   before) MD5 (NAME) = HEX                                                (BSD, --tag)
//   %%%% HASHDEEP-1.0                                               (columns by its second line)
//   CSV with a header that names md5, sha1 or sha256 columns        (RFC 4180, BOM; NSRL RDS, HashKeeper,
//   ICSE with ";") HEX:SIZE:NAME                                                   (ClamAV .hdb .hsb; SIZE
//   may be "*") HEX                                                             (one a line)
// The kind of a digest follows from its length. Immutable after load(); may be shared.
#pragma once

#include <array>
#include <cstdint>
#include <istream>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "model/result.hpp"

namespace touchstone {

enum class DigestKind : std::uint8_t { md5, sha1, sha256 };
constexpr std::size_t digest_size(DigestKind kind) {
  return kind == DigestKind::md5 ? 16 : kind == DigestKind::sha1 ? 20 : 32;
}
const char* to_text(DigestKind kind);

/// Sorted, unique digests of one kind in one block of memory.
class DigestSet {
 public:
  explicit DigestSet(DigestKind kind);
  /// `digest` has digest_size(kind) bytes.
  void add(const std::uint8_t* digest);
  /// Sorts and drops duplicates; to be called once after the last add().
  void finish();
  bool contains(const std::uint8_t* digest) const;
  std::size_t size() const;
  const std::uint8_t* at(std::size_t index) const;

 private:
  template <std::size_t kWidth>
  using Digests = std::vector<std::array<std::uint8_t, kWidth>>;
  std::variant<Digests<16>, Digests<20>, Digests<32>> digests_;
};

struct HashList {
  std::string path, name;  ///< name: the file's, without folder and extension
  std::string category;    ///< "known", "notable", or what the user wrote
  std::string sha256;      ///< of the file
  std::string format;      ///< "sums", "bsd", "hashdeep", "csv", "clamav", "plain": of the first valid line
  DigestSet md5{DigestKind::md5}, sha1{DigestKind::sha1}, sha256s{DigestKind::sha256};
  std::uint64_t lines = 0;    ///< lines that gave a digest
  std::uint64_t refused = 0;  ///< lines that are neither valid nor blank nor comment
  std::string first_refused;  ///< "file:line:1: reason", empty if none
  /// Whether one of the digests (lower- or upper-case hex, empty: unknown) is in the list; the kind that was
  /// found is put into `kind`. SHA-256 is asked first, then SHA-1, then MD5.
  bool contains(std::string_view md5_hex, std::string_view sha1_hex, std::string_view sha256_hex,
                DigestKind* kind = nullptr) const;
};

/// A file without a single valid line is an error (ErrorCode::invalid) that names the first bad line.
Result<HashList> load_hash_list(const std::string& path, const std::string& category);
Result<HashList> read_hash_list(std::istream& input, const std::string& name, const std::string& category);

}  // namespace touchstone
