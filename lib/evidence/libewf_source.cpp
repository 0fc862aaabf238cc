#include "evidence/libewf_source.hpp"

#include <libewf.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstring>

#include "evidence/gap_list.hpp"
#include "model/locator.hpp"

// libewf carries libbfio in itself and exports it, but its headers leave these functions out unless the
// separate libbfio is used. They are declared here as libbfio's documentation gives them, with types that
// only ever pass through as pointers: linking against a second libbfio would mix two versions in one process.
extern "C" {
struct touchstone_bfio_handle;
struct touchstone_bfio_pool;
int libbfio_handle_initialize(
    touchstone_bfio_handle** handle, std::intptr_t* io_handle,
    int (*free_io_handle)(std::intptr_t**, libewf_error_t**),
    int (*clone_io_handle)(std::intptr_t**, std::intptr_t*, libewf_error_t**),
    int (*open)(std::intptr_t*, int, libewf_error_t**), int (*close)(std::intptr_t*, libewf_error_t**),
    ssize_t (*read)(std::intptr_t*, std::uint8_t*, std::size_t, libewf_error_t**),
    ssize_t (*write)(std::intptr_t*, const std::uint8_t*, std::size_t, libewf_error_t**),
    off64_t (*seek_offset)(std::intptr_t*, off64_t, int, libewf_error_t**),
    int (*exists)(std::intptr_t*, libewf_error_t**), int (*is_open)(std::intptr_t*, libewf_error_t**),
    int (*get_size)(std::intptr_t*, size64_t*, libewf_error_t**), std::uint8_t flags, libewf_error_t** error);
int libbfio_handle_free(touchstone_bfio_handle** handle, libewf_error_t** error);
int libbfio_pool_initialize(touchstone_bfio_pool** pool, int number_of_handles,
                            int maximum_number_of_open_handles, libewf_error_t** error);
int libbfio_pool_append_handle(touchstone_bfio_pool* pool, int* entry, touchstone_bfio_handle* handle,
                               int access_flags, libewf_error_t** error);
int libbfio_pool_free(touchstone_bfio_pool** pool, libewf_error_t** error);
int libewf_handle_open_file_io_pool(libewf_handle_t* handle, touchstone_bfio_pool* file_io_pool,
                                    int access_flags, libewf_error_t** error);
}

namespace touchstone {
namespace {

// Values of libbfio's public definitions.
constexpr int kBfioOpenRead = 1;
constexpr std::uint8_t kBfioNotManaged = 0;
constexpr int kUnlimitedOpenHandles = 0;

struct SourceFile {
  std::unique_ptr<ByteSource> file;
  std::uint64_t position = 0;
  bool open = false;
};

SourceFile& of(std::intptr_t* io_handle) {
  return *reinterpret_cast<SourceFile*>(io_handle);
}

// The library leaves the handle's memory to us.
int free_file(std::intptr_t** io_handle, libewf_error_t** /*error*/) {
  *io_handle = nullptr;
  return 1;
}
int refuse_clone(std::intptr_t** /*destination*/, std::intptr_t* /*source*/, libewf_error_t** /*error*/) {
  return -1;
}
int open_file(std::intptr_t* io_handle, int access_flags, libewf_error_t** /*error*/) {
  if (access_flags != kBfioOpenRead) return -1;
  of(io_handle).open = true;
  of(io_handle).position = 0;
  return 1;
}
int close_file(std::intptr_t* io_handle, libewf_error_t** /*error*/) {
  of(io_handle).open = false;
  return 0;
}
ssize_t read_file(std::intptr_t* io_handle, std::uint8_t* buffer, std::size_t size,
                  libewf_error_t** /*error*/) {
  SourceFile& file = of(io_handle);
  const std::span<std::byte> out(reinterpret_cast<std::byte*>(buffer), size);
  const auto got = file.file->read_at(file.position, out);
  if (!got) return -1;
  file.position += *got;
  return static_cast<ssize_t>(*got);
}
ssize_t refuse_write(std::intptr_t* /*io_handle*/, const std::uint8_t* /*buffer*/, std::size_t /*size*/,
                     libewf_error_t** /*error*/) {
  return -1;
}
off64_t seek_file(std::intptr_t* io_handle, off64_t offset, int whence, libewf_error_t** /*error*/) {
  SourceFile& file = of(io_handle);
  off64_t base = 0;
  if (whence == SEEK_CUR) base = static_cast<off64_t>(file.position);
  if (whence == SEEK_END) base = static_cast<off64_t>(file.file->size());
  off64_t target = 0;
  if (__builtin_add_overflow(base, offset, &target) || target < 0) return -1;
  file.position = static_cast<std::uint64_t>(target);
  return target;
}
int file_exists(std::intptr_t* /*io_handle*/, libewf_error_t** /*error*/) {
  return 1;
}
int file_is_open(std::intptr_t* io_handle, libewf_error_t** /*error*/) {
  return of(io_handle).open ? 1 : 0;
}
int file_size(std::intptr_t* io_handle, size64_t* size, libewf_error_t** /*error*/) {
  *size = of(io_handle).file->size();
  return 1;
}

/// libewf's error object and the first line of its message, which says the cause.
class EwfError {
 public:
  ~EwfError() { libewf_error_free(&error_); }
  EwfError() = default;
  EwfError(const EwfError&) = delete;
  EwfError& operator=(const EwfError&) = delete;
  libewf_error_t** out() {
    libewf_error_free(&error_);
    return &error_;
  }
  std::string text() {
    std::array<char, 1024> buffer{};
    if (error_ == nullptr || libewf_error_backtrace_sprint(error_, buffer.data(), buffer.size() - 1) <= 0) {
      return "libewf gives no reason";
    }
    std::string_view all(buffer.data());
    all = all.substr(0, all.find('\n'));
    while (!all.empty() && (all.back() == '.' || all.back() == '\r')) all.remove_suffix(1);
    return to_valid_utf8(all);
  }

 private:
  libewf_error_t* error_ = nullptr;
};

class LibewfSource : public ExhibitSource {
 public:
  explicit LibewfSource(std::unique_ptr<ByteSource> file) { file_.file = std::move(file); }
  ~LibewfSource() override {
    if (handle_ != nullptr) {
      libewf_handle_close(handle_, nullptr);
      libewf_handle_free(&handle_, nullptr);
    }
    if (pool_ != nullptr) libbfio_pool_free(&pool_, nullptr);
  }
  LibewfSource(const LibewfSource&) = delete;
  LibewfSource& operator=(const LibewfSource&) = delete;

  Status open(const std::string& name) {
    if (!open_handle()) return Error{ErrorCode::unsupported, error_.text()};
    std::uint64_t size = 0;
    std::uint32_t sector = 0;
    if (libewf_handle_get_media_size(handle_, &size, error_.out()) != 1 || size == 0 || size > kMaxMedia)
      return Error{ErrorCode::unsupported, "libewf finds no media in it"};
    if (libewf_handle_get_bytes_per_sector(handle_, &sector, error_.out()) != 1 || sector == 0) sector = 512;
    info_.format = "ewf2";
    info_.size = size;
    info_.sector_size = sector;
    info_.files = {name};
    info_.stored_md5 = hash<16>(libewf_handle_get_md5_hash);
    info_.stored_sha1 = hash<20>(libewf_handle_get_sha1_hash);
    return {};
  }

  const ImageInfo& info() const override { return info_; }
  std::uint64_t size() const override { return info_.size; }
  std::vector<Gap> gaps() const override { return gaps_.list(); }

  Result<std::size_t> read_at(std::uint64_t offset, std::span<std::byte> out) override {
    if (offset >= info_.size) return std::size_t{0};
    out = out.first(std::min<std::uint64_t>(out.size(), info_.size - offset));
    for (std::size_t done = 0; done < out.size();) {
      const auto part = out.subspan(done, std::min(out.size() - done, kStep));
      const auto got = libewf_handle_read_random(handle_, part.data(), part.size(),
                                                 static_cast<off64_t>(offset + done), error_.out());
      const std::size_t filled = got > 0 ? std::min(static_cast<std::size_t>(got), part.size()) : 0;
      if (filled < part.size()) {
        std::memset(part.data() + filled, 0, part.size() - filled);
        gaps_.add(offset + done + filled, part.size() - filled, "cannot be read: " + error_.text());
      }
      done += part.size();
    }
    return out.size();
  }

 private:
  static constexpr std::uint64_t kMaxMedia = std::uint64_t{1} << 50;
  static constexpr std::size_t kStep = 32 * 1024;

  bool open_handle() {
    if (libewf_handle_initialize(&handle_, error_.out()) != 1) return false;
    if (libbfio_pool_initialize(&pool_, 0, kUnlimitedOpenHandles, error_.out()) != 1) return false;
    touchstone_bfio_handle* entry = nullptr;
    int index = 0;
    if (libbfio_handle_initialize(&entry, reinterpret_cast<std::intptr_t*>(&file_), free_file, refuse_clone,
                                  open_file, close_file, read_file, refuse_write, seek_file, file_exists,
                                  file_is_open, file_size, kBfioNotManaged, error_.out()) != 1) {
      return false;
    }
    if (libbfio_pool_append_handle(pool_, &index, entry, kBfioOpenRead, error_.out()) != 1) {
      libbfio_handle_free(&entry, nullptr);
      return false;
    }
    return libewf_handle_open_file_io_pool(handle_, pool_, LIBEWF_OPEN_READ, error_.out()) == 1;
  }

  template <std::size_t kSize, typename Getter>
  std::string hash(Getter getter) {
    static constexpr char kDigits[] = "0123456789abcdef";
    std::array<std::uint8_t, kSize> raw{};
    std::string text;
    if (getter(handle_, raw.data(), raw.size(), error_.out()) != 1) return text;
    for (const std::uint8_t byte : raw) {
      text.push_back(kDigits[byte >> 4]);
      text.push_back(kDigits[byte & 15]);
    }
    return text;
  }

  SourceFile file_;
  libewf_handle_t* handle_ = nullptr;
  touchstone_bfio_pool* pool_ = nullptr;
  ImageInfo info_;
  GapList gaps_;
  EwfError error_;
};

}  // namespace

Result<std::unique_ptr<ExhibitSource>> open_with_libewf(ImageInput input) {
  auto source = std::make_unique<LibewfSource>(std::move(input.bytes));
  if (Status opened = source->open(input.name); !opened) return opened.error();
  return std::unique_ptr<ExhibitSource>(std::move(source));
}

}  // namespace touchstone
