#include "evidence/byte_source.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "evidence/file_source.hpp"
#include "evidence/gap_list.hpp"

namespace touchstone {
namespace {

class MemorySource : public ByteSource {
 public:
  explicit MemorySource(std::vector<std::byte> bytes) : bytes_(std::move(bytes)) {}
  std::uint64_t size() const override { return bytes_.size(); }
  Result<std::size_t> read_at(std::uint64_t offset, std::span<std::byte> out) override {
    if (offset >= bytes_.size()) return std::size_t{0};
    const std::size_t count = std::min<std::uint64_t>(out.size(), bytes_.size() - offset);
    if (count > 0) std::memcpy(out.data(), bytes_.data() + offset, count);
    return count;
  }

 private:
  std::vector<std::byte> bytes_;
};

class WindowSource : public ByteSource {
 public:
  WindowSource(ByteSource& base, std::uint64_t offset, std::uint64_t length) : base_(base) {
    offset_ = std::min(offset, base.size());
    size_ = std::min(length, base.size() - offset_);
  }
  std::uint64_t size() const override { return size_; }
  Result<std::size_t> read_at(std::uint64_t offset, std::span<std::byte> out) override {
    if (offset >= size_) return std::size_t{0};
    const std::size_t count = std::min<std::uint64_t>(out.size(), size_ - offset);
    return base_.read_at(offset_ + offset, out.first(count));
  }
  std::vector<Gap> gaps() const override {
    std::vector<Gap> inside;
    for (const Gap& gap : base_.gaps()) {
      const std::uint64_t from = std::max(gap.offset, offset_);
      const std::uint64_t to = std::min(gap.offset + gap.length, offset_ + size_);
      // A gap without length says that the list of `base` is not complete.
      if (gap.length == 0) {
        inside.push_back(gap);
      } else if (from < to) {
        inside.push_back({from - offset_, to - from, gap.reason, gap.place_of(from)});
      }
    }
    return inside;
  }

 private:
  ByteSource& base_;
  std::uint64_t offset_ = 0;
  std::uint64_t size_ = 0;
};

}  // namespace

std::string text_of(const Gap& gap) {
  std::string text = std::to_string(gap.length) + " bytes at offset " + std::to_string(gap.offset);
  if (gap.place) text.append(" (byte ").append(std::to_string(*gap.place)).append(" of the exhibit)");
  return text.append(": ").append(gap.reason);
}

FileSource::FileSource(int descriptor, std::uint64_t size, bool sparse)
    : descriptor_(descriptor), size_(size), sparse_(sparse) {}

FileSource::~FileSource() {
  ::close(descriptor_);
}

std::vector<Gap> FileSource::gaps() const {
  return gaps_.list();
}

void FileSource::find_range(std::uint64_t offset) {
  range_from_ = offset;
  range_to_ = size_;
  is_hole_ = false;
  const auto at = static_cast<off_t>(offset);
  const off_t data = ::lseek(descriptor_, at, SEEK_DATA);
  struct stat status {};
  if (data < 0 && errno == ENXIO && ::fstat(descriptor_, &status) == 0 && status.st_size > at) {
    // No data from here on. What lies behind the end of a file that became shorter is no hole.
    is_hole_ = true;
    range_to_ = std::min(static_cast<std::uint64_t>(status.st_size), size_);
  } else if (data >= 0) {
    is_hole_ = data > at;
    const off_t end = is_hole_ ? data : ::lseek(descriptor_, at, SEEK_HOLE);
    if (end > at) range_to_ = std::min(static_cast<std::uint64_t>(end), size_);
  }
}

Result<std::size_t> FileSource::read_at(std::uint64_t offset, std::span<std::byte> out) {
  if (offset >= size_) return std::size_t{0};
  out = out.first(std::min<std::uint64_t>(out.size(), size_ - offset));
  std::size_t done = 0;
  while (done < out.size()) {
    std::size_t part = out.size() - done;
    if (sparse_) {
      const std::uint64_t at = offset + done;
      if (at < range_from_ || at >= range_to_) find_range(at);
      part = static_cast<std::size_t>(std::min<std::uint64_t>(part, range_to_ - at));
      if (is_hole_) {
        std::memset(out.data() + done, 0, part);
        done += part;
        continue;
      }
    }
    const ssize_t got = ::pread(descriptor_, out.data() + done, part, static_cast<off_t>(offset + done));
    if (got > 0) {
      done += static_cast<std::size_t>(got);
      continue;
    }
    if (got < 0 && errno == EINTR) continue;
    if (got < 0 && errno != EIO) {
      return Error{ErrorCode::io, std::string("cannot read on: ") + std::strerror(errno)};
    }
    if (got == 0) {
      std::fill(out.begin() + static_cast<std::ptrdiff_t>(done), out.end(), std::byte{0});
      gaps_.add(offset + done, out.size() - done, "the file is shorter than when it was opened");
      break;
    }
    done += skip_bad_block(offset + done, out.subspan(done));
  }
  return out.size();
}

std::size_t FileSource::skip_bad_block(std::uint64_t offset, std::span<std::byte> out) {
  // One physical sector of a current disk at a time; within it, what the 512-byte sectors still give.
  constexpr std::size_t kBlock = 4096;
  constexpr std::size_t kSector = 512;
  const std::size_t block = std::min<std::size_t>(out.size(), kBlock - offset % kBlock);
  for (std::size_t at = 0; at < block;) {
    const std::size_t length = std::min<std::size_t>(block - at, kSector - (offset + at) % kSector);
    const ssize_t got = ::pread(descriptor_, out.data() + at, length, static_cast<off_t>(offset + at));
    if (got != static_cast<ssize_t>(length)) {
      std::memset(out.data() + at, 0, length);
      gaps_.add(offset + at, length, "read error of the device or file system that holds the image");
    }
    at += length;
  }
  return block;
}

Result<std::unique_ptr<FileSource>> FileSource::open(const std::string& path) {
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
  if (descriptor < 0) return Error{ErrorCode::io, path + ": cannot be opened: " + std::strerror(errno)};
  struct stat status {};
  std::string trouble;
  std::uint64_t size = 0;
  bool sparse = false;
  if (::fstat(descriptor, &status) != 0) {
    trouble = std::strerror(errno);
  } else if (S_ISDIR(status.st_mode)) {
    trouble = "is a directory, not an image file";
  } else if (S_ISREG(status.st_mode)) {
    size = static_cast<std::uint64_t>(status.st_size);
    constexpr std::uint64_t kUnit = 512;  // of st_blocks, whatever the block size
    sparse = static_cast<std::uint64_t>(status.st_blocks) * kUnit < size;
  } else if (S_ISBLK(status.st_mode)) {
    const off_t end = ::lseek(descriptor, 0, SEEK_END);
    if (end < 0) trouble = std::string("its size cannot be found: ") + std::strerror(errno);
    size = end < 0 ? 0 : static_cast<std::uint64_t>(end);
  } else {
    trouble = "is neither a file nor a block device";
  }
  if (!trouble.empty()) {
    ::close(descriptor);
    return Error{ErrorCode::io, path + ": " + trouble};
  }
  return std::make_unique<FileSource>(descriptor, size, sparse);
}

std::unique_ptr<ByteSource> make_memory_source(std::vector<std::byte> bytes) {
  return std::make_unique<MemorySource>(std::move(bytes));
}

std::unique_ptr<ByteSource> make_window(ByteSource& base, std::uint64_t offset, std::uint64_t length) {
  return std::make_unique<WindowSource>(base, offset, length);
}

Result<std::unique_ptr<ByteSource>> open_file_source(const std::string& path) {
  auto source = FileSource::open(path);
  if (!source) return source.error();
  return std::unique_ptr<ByteSource>(source.take());
}

}  // namespace touchstone
