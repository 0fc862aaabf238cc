#include "filesystem/tsk_handles.hpp"

#include <tsk/fs/tsk_ext2fs.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <string_view>

#include "filesystem/ext_layout.hpp"
#include "model/locator.hpp"

namespace touchstone::detail {
namespace {

void close_external(TSK_IMG_INFO*) {}
void describe_external(TSK_IMG_INFO*, FILE*) {}

// TSK accepts only multiples of 512.
std::uint32_t usable_sector(std::uint32_t size) {
  return size >= 512 && size % 512 == 0 && size <= 65536 ? size : 512;
}

/// Ext of the first revision has inodes of 128 bytes and says nothing of their size (Linux kernel
/// documentation, ext4: s_rev_level, s_inode_size). TSK reads that field all the same, and with zero there
/// sees a volume without a single file.
void mend_first_revision(const TskImage& image, std::uint64_t offset) {
  constexpr std::uint64_t kSuperblock = 1024, kInodeSize = 88;
  constexpr std::size_t kMagic = 56, kRevision = 76;
  std::array<std::byte, 90> block{};
  const auto got = image.source().read_at(offset + kSuperblock, block);
  if (!got || *got != block.size()) return;
  const auto number = [&](std::size_t at, std::size_t size) {
    std::uint32_t value = 0;
    for (std::size_t i = 0; i < size; ++i) value |= std::to_integer<std::uint32_t>(block[at + i]) << 8 * i;
    return value;
  };
  if (number(kMagic, 2) != 0xEF53 || number(kRevision, 4) != 0 || number(kInodeSize, 2) != 0) return;
  image.overlay(offset + kSuperblock + kInodeSize, {128, 0});
}

}  // namespace

TskImage::TskImage(ByteSource& source, std::uint32_t sector_size) : external_(std::make_unique<External>()) {
  external_->source = &source;
  handle_.reset(tsk_img_open_external(external_.get(), static_cast<TSK_OFF_T>(source.size()),
                                      usable_sector(sector_size), &TskImage::read, close_external,
                                      describe_external));
}

ssize_t TskImage::read(TSK_IMG_INFO* image, TSK_OFF_T offset, char* buffer, size_t length) {
  auto* external = reinterpret_cast<External*>(image);
  if (offset < 0) return -1;
  const auto at = static_cast<std::uint64_t>(offset);
  if (external->appended_at != 0 && at >= external->appended_at) {
    const std::uint64_t from = std::min<std::uint64_t>(at - external->appended_at, external->appended.size());
    const std::size_t count = std::min<std::size_t>(length, external->appended.size() - from);
    std::copy_n(external->appended.begin() + static_cast<std::ptrdiff_t>(from), count,
                std::as_writable_bytes(std::span(buffer, count)).begin());
    return static_cast<ssize_t>(count);
  }
  const auto got = external->source->read_at(at, std::as_writable_bytes(std::span(buffer, length)));
  if (!got) {
    tsk_error_set_errno(TSK_ERR_IMG_READ);
    tsk_error_set_errstr("%s", got.error().message.c_str());
    return -1;
  }
  for (const auto& [from, bytes] : external->overlays) {
    for (std::size_t i = 0; i < bytes.size(); ++i) {
      if (from + i >= at && from + i - at < *got) buffer[from + i - at] = static_cast<char>(bytes[i]);
    }
  }
  for (const Gap& gap : external->source->gaps()) {
    const std::uint64_t from = std::max(gap.offset, at);
    const std::uint64_t to = std::min(gap.offset + gap.length, at + *got);
    if (from < to) external->touched.add(from, to - from, gap.reason, gap.place_of(from));
  }
  return static_cast<ssize_t>(*got);
}

void TskImage::overlay(std::uint64_t offset, std::vector<std::uint8_t> bytes) const {
  external_->overlays.emplace_back(offset, std::move(bytes));
}

std::uint64_t TskImage::append(std::vector<std::byte> bytes) const {
  constexpr std::uint64_t kGrain = 65536;  // The Sleuth Kit reads ahead by as much
  external_->appended_at = (external_->source->size() + kGrain - 1) / kGrain * kGrain;
  external_->appended = std::move(bytes);
  external_->info.size = static_cast<TSK_OFF_T>(external_->appended_at + external_->appended.size());
  return external_->appended_at;
}

std::vector<Gap> TskImage::take_touched_gaps() {
  std::vector<Gap> gaps = external_->touched.list();
  external_->touched = GapList();
  return gaps;
}

std::string tsk_error(std::uint32_t* code) {
  if (code != nullptr) *code = tsk_error_get_errno();
  const char* text = tsk_error_get();
  std::string line = text == nullptr ? "The Sleuth Kit gives no reason" : to_valid_utf8(text);
  tsk_error_reset();
  std::replace_if(
      line.begin(), line.end(), [](unsigned char c) { return c < 0x20 || c == 0x7f; }, ' ');
  while (!line.empty() && (line.back() == ' ' || line.back() == '.')) line.pop_back();
  return line;
}

bool tsk_saw_several() {
  const std::uint32_t code = tsk_error_get_errno();
  if (code != TSK_ERR_FS_UNKTYPE && code != TSK_ERR_VS_UNKTYPE) return false;
  // TSK tells it apart from "nothing found" by its text alone: "NTFS or FAT".
  const char* text = tsk_error_get_errstr();
  return text != nullptr && std::string_view(text).find(" or ") != std::string_view::npos;
}

namespace {

/// With meta_bg each block of group descriptors lies in the groups that it describes; The Sleuth Kit looks
/// for all of them behind the superblock. False if they cannot be brought there.
bool gather_descriptors(const TskImage& image, std::uint64_t offset, TSK_FS_INFO& fs) {
  const auto layout = TSK_FS_TYPE_ISEXT(fs.ftype) ? ExtLayout::open(image.source(), offset) : std::nullopt;
  if (!layout || !layout->has_scattered_descriptors()) return true;
  auto table = layout->descriptors();
  if (table.empty() || fs.last_block_act < fs.last_block) return false;
  const std::uint64_t size = table.size();
  const std::uint64_t begins = image.append(std::move(table)) - offset;
  // NOLINTNEXTLINE(cppcoreguidelines-pro-type-reinterpret-cast): TSK's own way to its file systems' parts
  auto& ext = reinterpret_cast<EXT2FS_INFO&>(fs);
  ext.groups_offset = static_cast<TSK_OFF_T>(begins);
  ext.grp_num = ext.bmap_grp_num = ext.imap_grp_num = UINT32_MAX;  // nothing of what was read before is kept
  fs.last_block_act = (begins + size) / fs.block_size;
  return true;
}

}  // namespace

FsHandle open_any_file_system(const TskImage& image, std::uint64_t offset) {
  const auto at = static_cast<TSK_OFF_T>(offset);
  mend_first_revision(image, offset);
  FsHandle fs(tsk_fs_open_img(image.get(), at, TSK_FS_TYPE_DETECT));
  if (fs && !gather_descriptors(image, offset, *fs)) {
    fs.reset();
    tsk_error_set_errno(TSK_ERR_FS_CORRUPT);
    tsk_error_set_errstr("descriptors of its block groups (meta_bg) are missing");
  }
  if (fs || !tsk_saw_several()) return fs;
  constexpr std::array kOrder = {TSK_FS_TYPE_NTFS_DETECT,  TSK_FS_TYPE_EXT_DETECT, TSK_FS_TYPE_FAT_DETECT,
                                 TSK_FS_TYPE_HFS_DETECT,   TSK_FS_TYPE_FFS_DETECT, TSK_FS_TYPE_ISO9660_DETECT,
                                 TSK_FS_TYPE_YAFFS2_DETECT};
  for (const TSK_FS_TYPE_ENUM type : kOrder) {
    tsk_error_reset();
    fs.reset(tsk_fs_open_img(image.get(), at, type));
    if (fs) break;
  }
  return fs;
}

std::string file_system_name(const TSK_FS_INFO& fs) {
  if (fs.ftype == TSK_FS_TYPE_HFS) return "hfs+";
  const char* name = tsk_fs_type_toname(fs.ftype);
  return name == nullptr ? "unknown" : name;
}

}  // namespace touchstone::detail
