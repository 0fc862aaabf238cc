#include "filesystem/trees/adb_tree.hpp"

#include <fmt/format.h>

#include <array>

#include "evidence/inflate_decoder.hpp"
#include "filesystem/trees/adb_backup.hpp"
#include "filesystem/trees/tree_file_system.hpp"
#include "filesystem/trees/trees.hpp"
#include "model/locator.hpp"

namespace touchstone {
namespace {

constexpr std::size_t kBlock = 16;
constexpr std::size_t kZlibHeader = 2;

/// The tar inside: decrypted and unpacked as it is read.
Result<std::unique_ptr<ByteSource>> open_payload(ByteSource& file, const AdbHeader& header,
                                                 const Secrets& secrets) {
  std::unique_ptr<ByteSource> payload = make_window(file, header.payload, file.size() - header.payload);
  if (header.encrypted()) {
    auto key = unlock_adb_backup(header, secrets);
    if (!key) return key.error();
    const std::size_t padding = cbc_padding(*payload, key->key.span(), key->iv);
    const std::uint64_t size = payload->size() / kBlock * kBlock - padding;
    payload = make_cbc_source(std::move(payload), std::move(key->key), key->iv, size);
  }
  return payload;
}

/// Holds what its tree reads from.
class AdbFileSystem final : public FileSystem {
 public:
  AdbFileSystem(std::unique_ptr<ByteSource> packed, std::unique_ptr<DecodedSource> unpacked,
                std::unique_ptr<FileSystem> tar)
      : packed_(std::move(packed)), unpacked_(std::move(unpacked)), tar_(std::move(tar)) {}

  const std::string& type() const override { return type_; }

  Status list(const DirectoryRef& directory, const std::function<bool(Entry&&)>& sink,
              std::vector<Problem>& problems) override {
    Status listed = tar_->list(directory, sink, problems);
    if (directory.path.empty() && unpacked_ && !unpacked_->damage().empty())
      problems.push_back(
          tree_problem(ProblemKind::corrupt, "",
                       "the packed stream of the Android backup ends too early: " + unpacked_->damage()));
    return listed;
  }
  Result<std::unique_ptr<ByteSource>> open(const std::string& address) override {
    return tar_->open(address);
  }

 private:
  std::string type_ = kAdbFileSystem;
  std::unique_ptr<ByteSource> packed_;
  std::unique_ptr<DecodedSource> unpacked_;
  std::unique_ptr<FileSystem> tar_;
};

}  // namespace

std::optional<Volume> find_adb_backup(ByteSource& file, const VolumeOptions& options) {
  if (!is_adb_backup(file)) return std::nullopt;
  Volume volume;
  volume.slot = "p0";
  volume.kind = "Android backup";
  volume.filesystem = kAdbFileSystem;
  volume.size = file.size();
  volume.state = VolumeState::read;
  const auto header = read_adb_header(file);
  if (!header) {
    volume.state =
        header.error().code == ErrorCode::corrupt ? VolumeState::corrupt : VolumeState::unsupported;
    volume.reason = header.error().message;
    return volume;
  }
  volume.metadata["backup_version"] = std::to_string(header->version);
  volume.metadata["compressed"] = header->compressed ? "yes" : "no";
  volume.metadata["encryption"] = to_valid_utf8(header->encryption);
  if (header->miui) volume.metadata["made_by"] = "MIUI";
  if (!header->package.empty()) volume.metadata["package"] = to_valid_utf8(header->package);
  if (header->encrypted()) {
    volume.kind = "Android backup, encrypted";
    if (auto key = unlock_adb_backup(*header, options.secrets); !key) {
      volume.state = VolumeState::encrypted;
      volume.reason = key.error().message;
    }
  }
  return volume;
}

Result<std::unique_ptr<FileSystem>> open_adb_backup(ByteSource& file, const VolumeOptions& options) {
  const auto header = read_adb_header(file);
  if (!header) return header.error();
  auto payload = open_payload(file, *header, options.secrets);
  if (!payload) return payload.error();
  std::unique_ptr<ByteSource> packed = payload.take();
  std::unique_ptr<DecodedSource> unpacked;
  ByteSource* tar = packed.get();
  if (header->compressed) {
    // A zlib stream: two bytes before the deflated ones, a checksum behind them.
    std::array<std::byte, kZlibHeader> head{};
    const auto got = packed->read_at(0, head);
    if (!got) return got.error();
    const unsigned first = std::to_integer<unsigned>(head[0]), second = std::to_integer<unsigned>(head[1]);
    if (*got < kZlibHeader || (first & 0xfU) != 8 || (first << 8U | second) % 31 != 0 ||
        (second & 0x20U) != 0)
      return Error{ErrorCode::corrupt, "the packed stream of the Android backup is damaged at its start"};
    unpacked = std::make_unique<DecodedSource>(
        std::make_unique<InflateDecoder>(make_window(*packed, kZlibHeader, packed->size() - kZlibHeader),
                                         InflateDecoder::Wrapper::raw, InflateDecoder::kArchiveBudget),
        std::nullopt);
    tar = unpacked.get();
  }
  auto tree = open_tar_tree(*tar, "tar");
  if (!tree) return tree.error();
  return std::unique_ptr<FileSystem>(
      std::make_unique<AdbFileSystem>(std::move(packed), std::move(unpacked), tree.take()));
}

}  // namespace touchstone
