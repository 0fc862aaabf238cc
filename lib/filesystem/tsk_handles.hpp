// The Sleuth Kit's handles with their closers, and its image interface over a ByteSource. Private to
// tsk_*.cpp: no other file includes a TSK header. TSK keeps its error in thread-local memory; tsk_error()
// takes it away.
#pragma once

#include <tsk/libtsk.h>

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "evidence/byte_source.hpp"
#include "evidence/gap_list.hpp"

namespace touchstone::detail {

struct TskCloser {
  void operator()(TSK_FS_INFO* handle) const { tsk_fs_close(handle); }
  void operator()(TSK_FS_FILE* handle) const { tsk_fs_file_close(handle); }
  void operator()(TSK_FS_DIR* handle) const { tsk_fs_dir_close(handle); }
  void operator()(TSK_VS_INFO* handle) const { tsk_vs_close(handle); }
  void operator()(TSK_IMG_INFO* handle) const { tsk_img_close(handle); }
};
using FsHandle = std::unique_ptr<TSK_FS_INFO, TskCloser>;
using FileHandle = std::unique_ptr<TSK_FS_FILE, TskCloser>;
using DirHandle = std::unique_ptr<TSK_FS_DIR, TskCloser>;
using TableHandle = std::unique_ptr<TSK_VS_INFO, TskCloser>;

/// An image as TSK sees it. Reads that meet gaps of the source give zeros and are remembered: TSK itself must
/// never fail there, since it would lose the good bytes around the bad ones.
class TskImage {
 public:
  TskImage(ByteSource& source, std::uint32_t sector_size);
  /// Null if TSK refuses the image (then tsk_error() says why).
  TSK_IMG_INFO* get() const { return handle_.get(); }
  ByteSource& source() const { return *external_->source; }
  /// From now on reads give `bytes` at `offset` (few, at the most).
  void overlay(std::uint64_t offset, std::vector<std::uint8_t> bytes) const;
  /// From now on `bytes` can be read behind the end of the image, which they make longer; where they begin.
  std::uint64_t append(std::vector<std::byte> bytes) const;
  /// Ranges of the image that were read and lie in gaps, since the last call.
  std::vector<Gap> take_touched_gaps();

 private:
  struct External {
    TSK_IMG_INFO info;  // must be first: TSK casts
    ByteSource* source;
    GapList touched;
    std::vector<std::pair<std::uint64_t, std::vector<std::uint8_t>>> overlays;
    std::vector<std::byte> appended;
    std::uint64_t appended_at = 0;  ///< 0: nothing is appended
  };
  static ssize_t read(TSK_IMG_INFO* image, TSK_OFF_T offset, char* buffer, size_t length);

  std::unique_ptr<External> external_;
  std::unique_ptr<TSK_IMG_INFO, TskCloser> handle_;
};

/// TSK's last error as one line of valid UTF-8, and clears it; `code` receives its number.
std::string tsk_error(std::uint32_t* code = nullptr);

/// True if the last detection failed because signs of more than one type were found (the error stays).
bool tsk_saw_several();

/// Opens whatever file system lies at `offset`; null if none (see tsk_error()). Where TSK finds signs of
/// several, the first that opens in a fixed order is taken.
FsHandle open_any_file_system(const TskImage& image, std::uint64_t offset);

/// ntfs, ext4, fat16 … as in Volume::filesystem.
std::string file_system_name(const TSK_FS_INFO& fs);

}  // namespace touchstone::detail
