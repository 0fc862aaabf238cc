// Which reader opens a volume.
#include "filesystem/filesystem.hpp"
#include "filesystem/tsk_open.hpp"

namespace touchstone {

Status FileSystem::unallocated(const std::function<bool(ByteRange)>& /*sink*/,
                               std::vector<Problem>& /*problems*/) {
  return {};
}

Status FileSystem::slack(const std::function<bool(ByteRange, const std::string&)>& /*sink*/,
                         std::vector<Problem>& /*problems*/) {
  return {};
}

Result<std::unique_ptr<FileSystem>> open_file_system(ByteSource& image, std::uint32_t sector_size,
                                                     const Volume& volume, const VolumeOptions& options) {
  if (volume.state == VolumeState::encrypted) return Error{ErrorCode::encrypted, volume.reason};
  if (volume.state == VolumeState::corrupt) return Error{ErrorCode::corrupt, volume.reason};
  if (volume.state != VolumeState::read && volume.state != VolumeState::partly_read) {
    return Error{ErrorCode::unsupported, volume.reason.empty() ? "holds no file system" : volume.reason};
  }
  return open_tsk_file_system(image, sector_size, volume, options);
}

}  // namespace touchstone
