#include "evidence/ewf_view.hpp"

#include <algorithm>
#include <cstdio>
#include <cstring>

#include "evidence/byte_source.hpp"

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

struct PatchedFile {
  std::unique_ptr<ByteSource> file;
  std::vector<BytePatch> patches;  ///< later ones lie over earlier ones
  std::uint64_t position = 0;
  bool open = false;
};

PatchedFile& of(std::intptr_t* io_handle) {
  return *reinterpret_cast<PatchedFile*>(io_handle);
}

void lay_over(const BytePatch& patch, std::uint64_t offset, std::span<std::byte> out) {
  const std::uint64_t from = std::max(offset, patch.offset);
  const std::uint64_t to = std::min(offset + out.size(), patch.offset + patch.bytes.size());
  if (from >= to) return;
  std::memcpy(out.data() + (from - offset), patch.bytes.data() + (from - patch.offset), to - from);
}

// The callbacks. The view owns the files: libbfio frees nothing of ours, and closing keeps the descriptor.
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
  PatchedFile& file = of(io_handle);
  const std::span<std::byte> out(reinterpret_cast<std::byte*>(buffer), size);
  const auto got = file.file->read_at(file.position, out);
  if (!got) return -1;
  for (const BytePatch& patch : file.patches) lay_over(patch, file.position, out.first(*got));
  file.position += *got;
  return static_cast<ssize_t>(*got);
}
ssize_t refuse_write(std::intptr_t* /*io_handle*/, const std::uint8_t* /*buffer*/, std::size_t /*size*/,
                     libewf_error_t** /*error*/) {
  return -1;
}
off64_t seek_file(std::intptr_t* io_handle, off64_t offset, int whence, libewf_error_t** /*error*/) {
  PatchedFile& file = of(io_handle);
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

}  // namespace

struct EwfView::Pool {
  touchstone_bfio_pool* pool = nullptr;
  std::vector<std::unique_ptr<PatchedFile>> files;

  ~Pool() {
    if (pool != nullptr) libbfio_pool_free(&pool, nullptr);
  }
};

EwfView::EwfView() : pool_(std::make_unique<Pool>()) {}
EwfView::~EwfView() = default;

Result<std::unique_ptr<EwfView>> EwfView::open(const EwfSet& set, std::size_t files) {
  std::unique_ptr<EwfView> view(new EwfView);
  for (std::size_t i = 0; i < std::min(files, set.files.size()); ++i) {
    auto file = open_file_source(set.files[i]);
    if (!file) return file.error();
    auto patched = std::make_unique<PatchedFile>();
    patched->file = file.take();
    patched->patches = set.segments[i].patches;
    view->pool_->files.push_back(std::move(patched));
  }
  return view;
}

void EwfView::add_patch(std::size_t index, BytePatch patch) {
  pool_->files[index]->patches.push_back(std::move(patch));
}

int EwfView::open_handle(libewf_handle_t* handle, libewf_error_t** error) {
  if (libbfio_pool_initialize(&pool_->pool, 0, kUnlimitedOpenHandles, error) != 1) return -1;
  for (const auto& file : pool_->files) {
    touchstone_bfio_handle* entry = nullptr;
    int index = 0;
    if (libbfio_handle_initialize(&entry, reinterpret_cast<std::intptr_t*>(file.get()), free_file,
                                  refuse_clone, open_file, close_file, read_file, refuse_write, seek_file,
                                  file_exists, file_is_open, file_size, kBfioNotManaged, error) != 1) {
      return -1;
    }
    if (libbfio_pool_append_handle(pool_->pool, &index, entry, kBfioOpenRead, error) != 1) {
      libbfio_handle_free(&entry, nullptr);
      return -1;
    }
  }
  return libewf_handle_open_file_io_pool(handle, pool_->pool, LIBEWF_OPEN_READ, error);
}

}  // namespace touchstone
