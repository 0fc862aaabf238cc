#include "evidence/yal_input.hpp"

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <utility>

namespace touchstone::detail {

// No exception may pass through the libraries' C code: only exhausted memory throws here, and that ends a
// read.
struct YalInput::Calls {
  static YalInput& of(std::intptr_t* handle) { return *reinterpret_cast<YalInput*>(handle); }

  static int free_handle(std::intptr_t** handle, YalError** /*error*/) {
    *handle = nullptr;
    return 1;
  }
  static int clone(std::intptr_t** /*to*/, std::intptr_t* /*from*/, YalError** /*error*/) { return -1; }
  static int open(std::intptr_t* handle, int access_flags, YalError** /*error*/) {
    constexpr int kRead = 1;
    if (access_flags != kRead) return -1;
    of(handle).open_ = true;
    of(handle).position_ = 0;
    return 1;
  }
  static int close(std::intptr_t* handle, YalError** /*error*/) {
    of(handle).open_ = false;
    return 0;
  }
  static ssize_t read(std::intptr_t* handle, std::uint8_t* buffer, std::size_t size, YalError** /*error*/) {
    try {
      return of(handle).read(buffer, size);
    } catch (...) {
      return -1;
    }
  }
  static ssize_t write(std::intptr_t* /*handle*/, const std::uint8_t* /*buffer*/, std::size_t /*size*/,
                       YalError** /*error*/) {
    return -1;
  }
  static std::int64_t seek(std::intptr_t* handle, std::int64_t offset, int whence, YalError** /*error*/) {
    YalInput& input = of(handle);
    std::int64_t base = 0, target = 0;
    if (whence == SEEK_CUR) base = static_cast<std::int64_t>(input.position_);
    if (whence == SEEK_END) base = static_cast<std::int64_t>(input.source_.size());
    if (__builtin_add_overflow(base, offset, &target) || target < 0) return -1;
    input.position_ = static_cast<std::uint64_t>(target);
    return target;
  }
  static int exists(std::intptr_t* /*handle*/, YalError** /*error*/) { return 1; }
  static int is_open(std::intptr_t* handle, YalError** /*error*/) { return of(handle).open_ ? 1 : 0; }
  static int size(std::intptr_t* handle, std::uint64_t* size, YalError** /*error*/) {
    *size = of(handle).source_.size();
    return 1;
  }
};

YalInput::YalInput(const BfioFunctions& functions, ByteSource& source)
    : functions_(functions), source_(source), blocks_(kBlocks) {
  constexpr std::uint8_t kNotManaged = 0;
  functions_.initialize(&handle_, reinterpret_cast<std::intptr_t*>(this), Calls::free_handle, Calls::clone,
                        Calls::open, Calls::close, Calls::read, Calls::write, Calls::seek, Calls::exists,
                        Calls::is_open, Calls::size, kNotManaged, nullptr);
}

YalInput::~YalInput() {
  if (handle_ != nullptr) functions_.release(&handle_, nullptr);
}

ssize_t YalInput::read(std::uint8_t* buffer, std::size_t size) {
  std::size_t done = 0;
  while (done < size && position_ < source_.size()) {
    const std::uint64_t number = position_ / kBlockSize;
    Block& block = blocks_[number % kBlocks];
    if (block.number != number) {
      block.number = UINT64_MAX;
      block.bytes.resize(kBlockSize);
      const auto got = source_.read_at(number * kBlockSize, block.bytes);
      if (!got) return -1;
      block.bytes.resize(*got);
      block.number = number;
    }
    const std::size_t skip = position_ % kBlockSize;
    if (skip >= block.bytes.size()) break;
    const std::size_t count = std::min(size - done, block.bytes.size() - skip);
    std::memcpy(buffer + done, block.bytes.data() + skip, count);
    for (const Gap& gap : source_.gaps()) {
      const std::uint64_t from = std::max(gap.offset, position_);
      const std::uint64_t to = std::min(gap.offset + gap.length, position_ + count);
      if (from < to) touched_.add(from, to - from, gap.reason, gap.place_of(from));
    }
    done += count;
    position_ += count;
  }
  return static_cast<ssize_t>(done);
}

std::vector<Gap> YalInput::take_touched_gaps() {
  return std::exchange(touched_, {}).list();
}

}  // namespace touchstone::detail
