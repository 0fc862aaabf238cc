#include "filesystem/tsk_file_source.hpp"

#include <algorithm>
#include <cstring>

namespace touchstone::detail {

void add_image_gaps(const TSK_FS_INFO& fs, const TSK_FS_ATTR& attribute, const std::vector<Gap>& image_gaps,
                    GapList& gaps) {
  if (image_gaps.empty() || (attribute.flags & TSK_FS_ATTR_NONRES) == 0) return;
  const std::uint64_t block = fs.block_size;
  const auto volume = static_cast<std::uint64_t>(fs.offset);
  for (const TSK_FS_ATTR_RUN* run = attribute.nrd.run; run != nullptr && !gaps.full(); run = run->next) {
    if ((run->flags & (TSK_FS_ATTR_RUN_FLAG_SPARSE | TSK_FS_ATTR_RUN_FLAG_FILLER)) != 0) continue;
    const std::uint64_t from = volume + run->addr * block;
    const std::uint64_t to = from + run->len * block;
    for (const Gap& gap : image_gaps) {
      // A gap without length says that the image has more than it lists: then any run may be in one.
      const std::uint64_t a = gap.length == 0 ? from : std::max(gap.offset, from);
      const std::uint64_t b = gap.length == 0 ? to : std::min(gap.offset + gap.length, to);
      if (a >= b) continue;
      const std::uint64_t at = run->offset * block + (a - from);
      const auto size = static_cast<std::uint64_t>(std::max<TSK_OFF_T>(attribute.size, 0));
      if (at < size)
        gaps.add(at, std::min(b - a, size - at), gap.reason,
                 gap.length == 0 ? std::nullopt : gap.place_of(a));
    }
  }
}

TskFileSource::TskFileSource(const TskImage& image, FileHandle file, const TSK_FS_ATTR& attribute,
                             std::vector<ByteRange> overwritten)
    : image_(image),
      file_(std::move(file)),
      attribute_(attribute),
      size_(static_cast<std::uint64_t>(std::max<TSK_OFF_T>(attribute.size, 0))),
      overwritten_(std::move(overwritten)) {}

Result<std::size_t> TskFileSource::read_at(std::uint64_t offset, std::span<std::byte> out) {
  if (offset >= size_) return std::size_t{0};
  out = out.first(std::min<std::uint64_t>(out.size(), size_ - offset));
  const std::uint64_t block = std::max<std::uint64_t>(512, file_->fs_info->block_size);
  std::size_t done = 0;
  std::size_t ask = out.size();
  while (done < out.size()) {
    const std::uint64_t at = offset + done;
    ask = std::min(ask, out.size() - done);
    const ssize_t got =
        tsk_fs_attr_read(&attribute_, static_cast<TSK_OFF_T>(at), reinterpret_cast<char*>(out.data() + done),
                         ask, TSK_FS_FILE_READ_FLAG_NONE);
    if (got > 0) {
      done += std::min(static_cast<std::size_t>(got), ask);
      ask = out.size() - done;
      continue;
    }
    // The Sleuth Kit's detail in brackets names each place anew: without it neighbouring gaps become one.
    const std::string error = got < 0 ? tsk_error() : "";
    const std::string reason =
        got < 0 ? error.substr(0, error.find(" (")) : "the file's data ends before its size";
    // After a failed read only the block in which it failed is given up.
    const std::size_t rest = std::min<std::uint64_t>(out.size() - done, block - at % block);
    if (got < 0 && ask > rest) {
      ask = rest;
      continue;
    }
    const std::size_t lost = got < 0 ? rest : out.size() - done;
    std::memset(out.data() + done, 0, lost);
    gaps_.add(at, lost, reason);
    done += lost;
    ask = std::min<std::uint64_t>(out.size() - done, block);
  }
  return out.size();
}

std::vector<Gap> TskFileSource::gaps() const {
  GapList all = gaps_;
  add_image_gaps(*file_->fs_info, attribute_, image_.source().gaps(), all);
  return all.list();
}

}  // namespace touchstone::detail
