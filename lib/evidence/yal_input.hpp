// A ByteSource as the file handle that libvshadow, libfvde and libpff read from. Each of them is linked with
// its own copy of libbfio (see lib/cmake/TouchstoneYal.cmake), whose two functions are passed in. For those
// that wrap these libraries only.
#pragma once

#include <cstdint>
#include <vector>

#include "evidence/byte_source.hpp"
#include "evidence/gap_list.hpp"

namespace touchstone::detail {

// The types of libbfio and of the libraries' errors are opaque and pass through as pointers only.
using YalHandle = std::intptr_t;
using YalError = std::intptr_t;

/// libbfio_handle_initialize() and libbfio_handle_free(), under the name that one copy of them has.
using BfioInitialise =
    int(YalHandle** handle, std::intptr_t* io_handle, int (*free_io_handle)(std::intptr_t**, YalError**),
        int (*clone_io_handle)(std::intptr_t**, std::intptr_t*, YalError**),
        int (*open)(std::intptr_t*, int, YalError**), int (*close)(std::intptr_t*, YalError**),
        ssize_t (*read)(std::intptr_t*, std::uint8_t*, std::size_t, YalError**),
        ssize_t (*write)(std::intptr_t*, const std::uint8_t*, std::size_t, YalError**),
        std::int64_t (*seek_offset)(std::intptr_t*, std::int64_t, int, YalError**),
        int (*exists)(std::intptr_t*, YalError**), int (*is_open)(std::intptr_t*, YalError**),
        int (*get_size)(std::intptr_t*, std::uint64_t*, YalError**), std::uint8_t flags, YalError** error);
using BfioFree = int(YalHandle** handle, YalError** error);
struct BfioFunctions {
  BfioInitialise* initialize;
  BfioFree* release;
};

class YalInput {
 public:
  /// `source` outlives it, and it outlives every library handle that was opened on handle().
  YalInput(const BfioFunctions& functions, ByteSource& source);
  ~YalInput();
  YalInput(const YalInput&) = delete;
  YalInput& operator=(const YalInput&) = delete;

  /// Null if libbfio gave none.
  YalHandle* handle() const { return handle_; }
  /// Ranges of the source that the library read and that lie in gaps, since the last call.
  std::vector<Gap> take_touched_gaps();

 private:
  struct Calls;

  /// The libraries read structures of a few bytes each: blocks are kept, found by their number.
  struct Block {
    std::uint64_t number = UINT64_MAX;
    std::vector<std::byte> bytes;
  };
  static constexpr std::size_t kBlockSize = 64 * 1024, kBlocks = 16;

  ssize_t read(std::uint8_t* buffer, std::size_t size);

  BfioFunctions functions_;
  ByteSource& source_;
  std::uint64_t position_ = 0;
  bool open_ = false;
  std::vector<Block> blocks_;
  GapList touched_;
  YalHandle* handle_ = nullptr;
};

}  // namespace touchstone::detail
