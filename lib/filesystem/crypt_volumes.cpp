#include "filesystem/crypt_volumes.hpp"

#include <fmt/format.h>

#include <charconv>

#include "filesystem/crypt.hpp"
#include "filesystem/crypt_phone.hpp"
#include "filesystem/snapshots.hpp"
#include "filesystem/tsk_volumes.hpp"
#include "filesystem/volume_layers.hpp"

namespace touchstone::detail {
namespace {

constexpr std::string_view kLayer = "crypt";
constexpr std::uint32_t kSectorSize = 512;

class OwningFileSystem : public FileSystem {
 public:
  OwningFileSystem(std::unique_ptr<ByteSource> bytes, std::unique_ptr<FileSystem> files)
      : bytes_(std::move(bytes)), files_(std::move(files)) {}
  const std::string& type() const override { return files_->type(); }
  Status list(const DirectoryRef& directory, const std::function<bool(Entry&&)>& sink,
              std::vector<Problem>& problems) override {
    return files_->list(directory, sink, problems);
  }
  Result<std::unique_ptr<ByteSource>> open(const std::string& address) override {
    return files_->open(address);
  }
  Status unallocated(const std::function<bool(ByteRange)>& sink, std::vector<Problem>& problems) override {
    return files_->unallocated(sink, problems);
  }
  Status slack(const std::function<bool(ByteRange, const std::string&)>& sink,
               std::vector<Problem>& problems) override {
    return files_->slack(sink, problems);
  }

 private:
  std::unique_ptr<ByteSource> bytes_;  // goes last
  std::unique_ptr<FileSystem> files_;
};

/// The first part of a layer and what follows it.
struct Layer {
  bool has_place = false;
  std::uint64_t offset = 0, size = 0;  ///< of the encrypted volume, if has_place
  std::string rest;
};

std::optional<Layer> parse_layer(std::string_view text) {
  if (!text.starts_with(kLayer)) return std::nullopt;
  text.remove_prefix(kLayer.size());
  Layer layer;
  const std::size_t slash = std::min(text.find('/'), text.size());
  if (slash < text.size()) layer.rest = text.substr(slash + 1);
  const std::string_view place = text.substr(0, slash);
  if (place.empty()) return layer;
  const char* const end = place.data() + place.size();
  const auto [middle, bad] = std::from_chars(place.data() + 1, end, layer.offset);
  if (place[0] != '@' || bad != std::errc() || middle == end || *middle != '+') return std::nullopt;
  const auto [last, wrong] = std::from_chars(middle + 1, end, layer.size);
  if (wrong != std::errc() || last != end) return std::nullopt;
  layer.has_place = true;
  return layer;
}

/// Which of them are is told of each entry.
void note_encrypted_directories(ByteSource& window, Volume& holder) {
  if (holder.state != VolumeState::read || !holder.filesystem.starts_with("ext") ||
      !crypt::has_fscrypt(window))
    return;
  holder.reason +=
      (holder.reason.empty() ? "" : "; ") +
      std::string(
          "made for encrypted directories (fscrypt): names in them are listed as they stand, files "
          "are encrypted");
}

/// Where nothing is recognised, the look of the bytes is all there is. The Sleuth Kit has a guess of its own,
/// by one sample, which is not kept.
bool suspect(ByteSource& window, Volume& holder) {
  const bool unknown = holder.state == VolumeState::unsupported || holder.state == VolumeState::encrypted;
  if (!unknown || !holder.filesystem.empty()) return false;
  const auto suspected = suspect_encryption(window);
  if (suspected) {
    holder.state = suspected->state;
    holder.reason = suspected->reason;
    return true;
  }
  if (holder.state == VolumeState::encrypted) {
    holder.state = VolumeState::unsupported;
    holder.reason = "no file system is recognised";
  }
  return false;
}

/// What lies in the plain bytes becomes what the holder is.
void describe_plain(ByteSource& plain, const std::string& how, Volume& holder, std::vector<Volume>& inner,
                    std::vector<Problem>& problems, const VolumeOptions& options) {
  Volume whole;
  whole.slot = holder.slot;
  whole.size = plain.size();
  const TskImage tsk(plain, kSectorSize);
  if (tsk.get() == nullptr) {
    whole.state = VolumeState::unsupported;
    whole.reason = "its plain bytes are not accepted: " + tsk_error();
  } else {
    examine_volume(tsk, whole);
    if (is_locked(plain)) {
      whole.state = VolumeState::unsupported;
      whole.reason = "holds another encrypted volume, which is not opened";
    } else {
      inner = list_layer(plain, tsk, whole, problems, options);
    }
  }
  // The Sleuth Kit's guess by entropy would be taken for the volume around it.
  if (const std::size_t guess = whole.reason.find(": Possible encryption"); guess != std::string::npos)
    whole.reason.resize(guess);
  const bool holds_whole_bytes = !inner.empty() && inner.front().slot.starts_with(whole.slot + "~");
  for (Volume& each : inner) {
    const std::string rest = each.layer.empty() ? "" : "/" + each.layer;
    if (holds_whole_bytes) {
      each.layer = std::string(kLayer) + rest;
      each.offset = holder.offset;
      each.size = holder.size;
    } else {
      each.layer = fmt::format("{}@{}+{}{}", kLayer, holder.offset, holder.size, rest);
    }
  }
  holder.layer = kLayer;
  holder.filesystem = whole.filesystem;
  holder.label = whole.label;
  holder.state = whole.state;
  holder.reason = whole.reason;
  holder.kind += (holder.kind.empty() ? "" : "; ") + how;
}

}  // namespace

std::unique_ptr<FileSystem> own_source(std::unique_ptr<ByteSource> bytes, std::unique_ptr<FileSystem> files) {
  return std::make_unique<OwningFileSystem>(std::move(bytes), std::move(files));
}

bool list_locked(ByteSource& image, Volume& holder, std::vector<Volume>& inner,
                 std::vector<Problem>& problems, const VolumeOptions& options) {
  const auto window = make_window(image, holder.offset, holder.size);
  const auto known = recognise_locked(*window);
  if (!known) {
    note_encrypted_directories(*window, holder);
    return suspect(*window, holder);
  }
  holder.filesystem = known->filesystem;
  holder.label = known->label;
  holder.state = known->state;
  holder.reason = known->reason;
  if (known->state != VolumeState::encrypted || !is_locked(*window)) return true;
  auto opened = open_locked(image, holder, options.secrets);
  if (opened) {
    describe_plain(*opened->bytes, opened->how, holder, inner, problems, options);
  } else {
    holder.reason = opened.error().message;
  }
  return true;
}

Result<std::unique_ptr<FileSystem>> open_in_locked(ByteSource& image, const Volume& volume,
                                                   const VolumeOptions& options) {
  const auto layer = parse_layer(volume.layer);
  if (!layer) return Error{ErrorCode::invalid, "\"" + volume.layer + "\" is no layer"};
  Volume holder = volume;
  if (layer->has_place) {
    holder.offset = layer->offset;
    holder.size = layer->size;
  }
  auto opened = open_locked(image, holder, options.secrets);
  if (!opened) return opened.error();
  Volume inside = volume;
  inside.layer = layer->rest;
  if (!layer->has_place) {
    inside.offset = 0;
    inside.size = opened->bytes->size();
  }
  auto files = open_file_system(*opened->bytes, kSectorSize, inside, options);
  if (!files) return files.error();
  return own_source(std::move(opened->bytes), files.take());
}

}  // namespace touchstone::detail
