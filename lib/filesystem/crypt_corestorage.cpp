#include "filesystem/crypt_corestorage.hpp"

#include <fmt/format.h>
#include <libfvde.h>

#include <algorithm>
#include <array>
#include <cstring>

#include "evidence/gap_list.hpp"
#include "evidence/yal_input.hpp"
#include "filesystem/crypt_bytes.hpp"

// The copy of libbfio inside the isolated libfvde.
extern "C" {
touchstone::detail::BfioInitialise fvde_bfio_initialize;
touchstone::detail::BfioFree fvde_bfio_free;
}

namespace touchstone::crypt {
namespace {

constexpr std::uint16_t kPhysicalVolumeHeader = 0x0010;

struct VolumeCloser {
  void operator()(libfvde_volume_t* volume) const { libfvde_volume_free(&volume, nullptr); }
};
using VolumeHandle = std::unique_ptr<libfvde_volume_t, VolumeCloser>;

std::string message_of(libfvde_error_t* error) {
  std::array<char, 512> text = {};
  if (error != nullptr) {
    libfvde_error_sprint(error, text.data(), text.size());
    libfvde_error_free(&error);
  }
  return text.data();
}

std::string uuid_text(std::span<const std::byte> bytes, std::size_t at) {
  std::string text;
  for (std::size_t i = 0; i < 16; ++i) {
    if (i == 4 || i == 6 || i == 8 || i == 10) text += '-';
    text += fmt::format("{:02X}", std::to_integer<unsigned>(bytes[at + i]));
  }
  return text;
}

/// FileVault's recovery key: six groups of four.
bool is_recovery_form(const std::string& text) {
  if (text.size() != 29) return false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (i % 5 == 4 ? c != '-' : !((c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9'))) return false;
  }
  return true;
}

class CoreStorageSource : public ByteSource {
 public:
  CoreStorageSource(std::unique_ptr<ByteSource> base, std::unique_ptr<detail::YalInput> input,
                    VolumeHandle volume, std::uint64_t size)
      : base_(std::move(base)), input_(std::move(input)), volume_(std::move(volume)), size_(size) {}
  std::uint64_t size() const override { return size_; }
  Result<std::size_t> read_at(std::uint64_t offset, std::span<std::byte> out) override {
    if (offset >= size_) return std::size_t{0};
    out = out.first(std::min<std::uint64_t>(out.size(), size_ - offset));
    for (std::size_t done = 0; done < out.size();) {
      const std::span<std::byte> part = out.subspan(done, std::min<std::size_t>(out.size() - done, 4096));
      input_->take_touched_gaps();
      if (libfvde_volume_read_buffer_at_offset(volume_.get(), part.data(), part.size(),
                                               static_cast<off64_t>(offset + done),
                                               nullptr) != static_cast<ssize_t>(part.size())) {
        std::memset(part.data(), 0, part.size());
        gaps_.add(offset + done, part.size(), "the FileVault volume cannot be decrypted here");
      }
      for (const Gap& gap : input_->take_touched_gaps())
        gaps_.add(offset + done, part.size(), gap.reason, gap.place);
      done += part.size();
    }
    return out.size();
  }
  std::vector<Gap> gaps() const override { return gaps_.list(); }

 private:
  std::unique_ptr<ByteSource> base_;
  std::unique_ptr<detail::YalInput> input_;
  VolumeHandle volume_;  // goes first
  std::uint64_t size_;
  GapList gaps_;
};

}  // namespace

bool is_corestorage(ByteSource& volume) {
  const auto head = read_exactly(volume, 0, 512);
  return !head.empty() && little16(head, 8) == 1 && little16(head, 10) == kPhysicalVolumeHeader &&
         std::memcmp(head.data() + 88, "CS", 2) == 0;
}

VolumeSignature describe_corestorage(ByteSource& volume) {
  const auto head = read_exactly(volume, 0, 512);
  VolumeSignature found;
  found.filesystem = "corestorage";
  found.state = VolumeState::encrypted;
  found.reason = "FileVault 2 (CoreStorage)";
  if (!head.empty()) {
    found.reason += fmt::format(", {}, physical volume {}, volume group {}",
                                little32(head, 172) == 2 ? "AES-XTS" : "unknown method", uuid_text(head, 304),
                                uuid_text(head, 320));
  }
  return found;
}

Result<Unlocked> open_corestorage(std::unique_ptr<ByteSource> base, const Secrets& secrets) {
  const std::string what = describe_corestorage(*base).reason;
  // Without a candidate it is opened all the same: the volume may not be encrypted.
  for (std::size_t i = 0; i <= secrets.candidates.size(); ++i) {
    auto input = std::make_unique<detail::YalInput>(
        detail::BfioFunctions{fvde_bfio_initialize, fvde_bfio_free}, *base);
    libfvde_volume_t* raw = nullptr;
    libfvde_error_t* error = nullptr;
    if (libfvde_volume_initialize(&raw, &error) != 1)
      return Error{ErrorCode::corrupt, what + "; " + message_of(error)};
    VolumeHandle volume(raw);
    bool by_recovery = false;
    if (i > 0) {
      const std::string& candidate = secrets.candidates[i - 1];
      const auto* text = reinterpret_cast<const std::uint8_t*>(candidate.data());
      by_recovery = is_recovery_form(candidate);
      if (by_recovery)
        libfvde_volume_set_utf8_recovery_password(raw, text, candidate.size(), nullptr);
      else
        libfvde_volume_set_utf8_password(raw, text, candidate.size(), nullptr);
    }
    const int opened = libfvde_volume_open_file_io_handle(raw, input->handle(), LIBFVDE_OPEN_READ, &error);
    if (opened < 0) return Error{ErrorCode::corrupt, what + "; it cannot be opened: " + message_of(error)};
    size64_t size = 0;
    if (libfvde_volume_is_locked(raw, nullptr) != 0 ||
        libfvde_volume_get_logical_volume_size(raw, &size, nullptr) != 1)
      continue;
    Unlocked unlocked;
    unlocked.how = std::string("FileVault 2 (CoreStorage), opened ") + (i == 0        ? "without a secret"
                                                                        : by_recovery ? "with a recovery key"
                                                                                      : "with a password");
    unlocked.bytes =
        std::make_unique<CoreStorageSource>(std::move(base), std::move(input), std::move(volume), size);
    return unlocked;
  }
  return Error{ErrorCode::encrypted,
               what + (secrets.candidates.empty()
                           ? "; needs its password or recovery key"
                           : fmt::format("; none of {} candidates opens it", secrets.candidates.size()))};
}

}  // namespace touchstone::crypt
