#include "evidence/folder_source.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <utility>

#include "evidence/file_source.hpp"

namespace touchstone {
namespace {

Error io(std::string what) {
  const int error = errno;
  const bool absent = error == ENOENT || error == ELOOP || error == ENOTDIR;
  return {absent ? ErrorCode::not_found : ErrorCode::io, std::move(what) + ": " + std::strerror(error)};
}

/// Evidence is not to change by being read; only its owner may ask for that, so it is asked for and done
/// without where that is refused.
int open_at(int directory, const char* name, int flags) {
  const int common = O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY | O_NONBLOCK | flags;
  int number = ::openat(directory, name, common | O_NOATIME);
  if (number < 0 && errno == EPERM) number = ::openat(directory, name, common);
  return number;
}

}  // namespace

Descriptor::~Descriptor() {
  if (number_ >= 0) ::close(number_);
}

Descriptor::Descriptor(Descriptor&& other) noexcept : number_(other.release()) {}

Descriptor& Descriptor::operator=(Descriptor&& other) noexcept {
  if (this != &other) {
    if (number_ >= 0) ::close(number_);
    number_ = other.release();
  }
  return *this;
}

int Descriptor::release() {
  return std::exchange(number_, -1);
}

Result<std::unique_ptr<FolderSource>> FolderSource::open(const std::string& path) {
  int number = ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOATIME);
  if (number < 0 && errno == EPERM) number = ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (number < 0) return Error{ErrorCode::io, path + ": cannot be opened: " + std::strerror(errno)};
  ImageInfo info;
  info.format = "folder";
  info.metadata["verification"] = "a folder is no image: there is nothing to verify it by";
  info.files = {std::filesystem::absolute(path).string()};
  return std::unique_ptr<FolderSource>(new FolderSource(Descriptor(number), std::move(info)));
}

Result<Descriptor> FolderSource::open_directory(std::string_view path) const {
  Descriptor at(open_at(folder_.get(), ".", O_DIRECTORY));
  if (at.get() < 0) return io("the folder cannot be listed");
  while (!path.empty()) {
    const std::size_t slash = path.find('/');
    const std::string name(path.substr(0, slash));
    path = slash == std::string_view::npos ? std::string_view() : path.substr(slash + 1);
    if (name.empty()) continue;
    if (name == ".." || name.find('\0') != std::string::npos) {
      return Error{ErrorCode::not_found, "no such directory in the folder"};
    }
    at = Descriptor(open_at(at.get(), name.c_str(), O_DIRECTORY));
    if (at.get() < 0) return io("a directory cannot be opened");
  }
  return at;
}

Result<std::unique_ptr<ByteSource>> FolderSource::open_file(std::string_view path) const {
  const std::size_t slash = path.rfind('/');
  const std::string name(slash == std::string_view::npos ? path : path.substr(slash + 1));
  if (name.empty() || name == ".." || name == "." || name.find('\0') != std::string::npos) {
    return Error{ErrorCode::not_found, "no such file in the folder"};
  }
  auto directory = open_directory(slash == std::string_view::npos ? "" : path.substr(0, slash));
  if (!directory) return directory.error();
  Descriptor file(open_at(directory->get(), name.c_str(), 0));
  if (file.get() < 0) return io("the file cannot be opened");
  struct stat status {};
  if (::fstat(file.get(), &status) != 0) return io("the file cannot be looked at");
  if (!S_ISREG(status.st_mode)) return Error{ErrorCode::io, "it is no regular file any more"};
  return std::unique_ptr<ByteSource>(
      std::make_unique<FileSource>(file.release(), static_cast<std::uint64_t>(status.st_size)));
}

}  // namespace touchstone
