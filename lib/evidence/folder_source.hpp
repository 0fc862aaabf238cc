// A folder given as an exhibit. It has no bytes of its own: its files are opened one by one, read-only,
// through the descriptor kept here, component by component and never through a symbolic link, so that nothing
// outside it can be reached. One thread.
#pragma once

#include <sys/stat.h>

#include <string_view>

#include "evidence/exhibit_source.hpp"

namespace touchstone {

/// A file descriptor that closes itself.
class Descriptor {
 public:
  explicit Descriptor(int number = -1) : number_(number) {}
  ~Descriptor();
  Descriptor(Descriptor&& other) noexcept;
  Descriptor& operator=(Descriptor&& other) noexcept;
  int get() const { return number_; }
  int release();

 private:
  int number_;
};

class FolderSource : public ExhibitSource {
 public:
  /// Error io: cannot be opened, is no directory. The last component may be a link: the user named it.
  static Result<std::unique_ptr<FolderSource>> open(const std::string& path);

  const ImageInfo& info() const override { return info_; }
  std::uint64_t size() const override { return 0; }
  Result<std::size_t> read_at(std::uint64_t, std::span<std::byte>) override { return std::size_t{0}; }

  /// A directory inside; `path` is of raw bytes, components by "/", "" is the folder itself. Errors:
  /// not_found (also where a component is a link, "..", or too long), io.
  Result<Descriptor> open_directory(std::string_view path) const;
  /// A regular file inside, by path; the access time is left alone where the system allows it.
  Result<std::unique_ptr<ByteSource>> open_file(std::string_view path) const;

 private:
  FolderSource(Descriptor folder, ImageInfo info) : folder_(std::move(folder)), info_(std::move(info)) {}

  Descriptor folder_;
  ImageInfo info_;
};

}  // namespace touchstone
