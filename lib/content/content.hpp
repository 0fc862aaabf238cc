// One item's bytes on their way through a worker: read once, digested in the same pass, kept in memory when
// small, so that every facet and plugin shares them. One thread; owns its source.
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <string>

#include "evidence/byte_source.hpp"
#include "evidence/digest.hpp"
#include "filesystem/filesystem.hpp"
#include "model/types.hpp"

namespace touchstone {

/// Media types by libmagic, judged from the first kMagicBytes. One per worker; loads its database when made,
/// so make it before the sandbox closes.
class MediaTyper {
 public:
  static Result<std::unique_ptr<MediaTyper>> load();
  ~MediaTyper();
  MediaTyper(const MediaTyper&) = delete;
  MediaTyper& operator=(const MediaTyper&) = delete;
  /// "image/jpeg", "application/x-sqlite3" …; "application/x-empty" for no bytes.
  std::string detect(std::span<const std::byte> head) const;
  static std::string library_version();

  static constexpr std::size_t kMagicBytes = 256 * 1024;

 private:
  MediaTyper() = default;
  struct Handle;
  std::unique_ptr<Handle> handle_;
};

class Content {
 public:
  /// Content up to this size is kept in memory after its one read; larger is read again from its source.
  static constexpr std::uint64_t kInMemory = 64ULL << 20;
  static constexpr std::size_t kBlock = 256 * 1024;

  explicit Content(std::unique_ptr<ByteSource> source);

  std::uint64_t size() const { return size_; }
  /// Reads all bytes once: digests them, finds the media type from the first block, and gives each block to
  /// `sink` (which may be empty; returning false ends the giving, not the digesting). To be called once,
  /// first. `sink` is called after the media type is known.
  Status read(Hasher& hasher, const MediaTyper& typer,
              const std::function<bool(std::uint64_t offset, std::span<const std::byte>)>& sink);
  const Digests& digests() const { return digests_; }
  const std::string& media_type() const { return media_type_; }
  /// For content that is opened again without being read whole: what read() found before. Given before
  /// read(), it is kept.
  void assume_media_type(const std::string& media_type) { media_type_ = media_type; }
  /// The digest of these bytes, known from an earlier read. Empty: not known.
  void assume_sha256(const std::string& sha256) { digests_.sha256 = sha256; }
  /// Whether all bytes are given as they stand and could be read, so that the digests stand for them.
  bool is_exact() const { return hidden_.empty() && gaps().empty(); }
  /// To be called before read(): bytes that are not of this content, though they stand in it (a deleted
  /// file's blocks that others use now). They are digested, so that other tools find the same, and then
  /// zeros; without `digest` they are zeros for the digests as well.
  void hide(std::vector<ByteRange> ranges, bool digest) {
    hidden_ = std::move(ranges), digest_hidden_ = digest;
  }
  /// Ranges that could not be read: the digests are then of zeros there, and never stand for the true
  /// content.
  std::vector<Gap> gaps() const { return origin_->gaps(); }
  bool in_memory() const { return memory_ != nullptr; }
  /// The bytes by offset: memory if they are there, else the source.
  ByteSource& source() { return memory_ ? *memory_ : masked_ ? *masked_ : *origin_; }
  /// From the content's end on: of a window of free space, what the windows that follow hold; else nothing.
  Result<std::size_t> read_behind(std::uint64_t offset, std::span<std::byte> out);
  /// The bytes when in memory.
  std::span<const std::byte> bytes() const { return bytes_; }

 private:
  std::unique_ptr<ByteSource> origin_;
  std::unique_ptr<ByteSource> memory_;
  std::unique_ptr<ByteSource> masked_;  ///< origin_ with zeros for what is hidden
  std::vector<ByteRange> hidden_;
  bool digest_hidden_ = true;
  std::span<const std::byte> bytes_;
  std::uint64_t size_ = 0;
  Digests digests_;
  std::string media_type_;
};

}  // namespace touchstone
