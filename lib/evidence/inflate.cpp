#include "evidence/inflate.hpp"

#include <archive.h>
#include <archive_entry.h>
#include <libdeflate.h>

#include <memory>
#include <new>

namespace touchstone {

Inflater::Inflater() : decompressor_(libdeflate_alloc_decompressor()) {
  if (decompressor_ == nullptr) throw std::bad_alloc();
}

Inflater::~Inflater() {
  libdeflate_free_decompressor(decompressor_);
}

std::optional<Inflater::Done> Inflater::zlib(std::span<const std::byte> packed, std::span<std::byte> out) {
  Done done;
  if (libdeflate_zlib_decompress_ex(decompressor_, packed.data(), packed.size(), out.data(), out.size(),
                                    &done.consumed, &done.produced) != LIBDEFLATE_SUCCESS) {
    return std::nullopt;
  }
  return done;
}

std::optional<Inflater::Done> Inflater::raw(std::span<const std::byte> packed, std::span<std::byte> out) {
  Done done;
  if (libdeflate_deflate_decompress_ex(decompressor_, packed.data(), packed.size(), out.data(), out.size(),
                                       &done.consumed, &done.produced) != LIBDEFLATE_SUCCESS) {
    return std::nullopt;
  }
  return done;
}

namespace {

/// Bytes of the Zstandard frame at the start, by its block headers (RFC 8878, 3.1.1); 0 if there is none.
/// libarchive would take what stands behind it for another frame.
std::size_t zstd_frame_size(std::span<const std::byte> bytes) {
  const auto byte = [&](std::size_t at) { return std::to_integer<std::size_t>(bytes[at]); };
  if (bytes.size() < 9 || byte(0) != 0x28 || byte(1) != 0xb5 || byte(2) != 0x2f || byte(3) != 0xfd) return 0;
  const std::size_t descriptor = byte(4);
  const bool single = (descriptor & 32) != 0;
  constexpr std::size_t kDictionary[] = {0, 1, 2, 4};
  constexpr std::size_t kContent[] = {0, 2, 4, 8};
  std::size_t at = 5 + (single ? 0 : 1) + kDictionary[descriptor & 3];
  at += descriptor >> 6 == 0 && single ? 1 : kContent[descriptor >> 6];
  for (bool last = false; !last;) {
    if (at + 3 > bytes.size()) return 0;
    const std::size_t header = byte(at) | byte(at + 1) << 8 | byte(at + 2) << 16;
    last = (header & 1) != 0;
    at += 3 + ((header >> 1 & 3) == 1 ? 1 : header >> 3);
  }
  if ((descriptor & 4) != 0) at += 4;
  return at <= bytes.size() ? at : 0;
}

}  // namespace

bool unpack_zstd(std::span<const std::byte> packed, std::span<std::byte> out) {
  packed = packed.first(zstd_frame_size(packed));
  if (packed.empty()) return false;
  const std::unique_ptr<archive, int (*)(archive*)> reader(archive_read_new(), archive_read_free);
  archive_entry* entry = nullptr;
  if (!reader || archive_read_support_filter_zstd(reader.get()) != ARCHIVE_OK ||
      archive_read_support_format_raw(reader.get()) != ARCHIVE_OK ||
      archive_read_open_memory(reader.get(), packed.data(), packed.size()) != ARCHIVE_OK ||
      archive_read_next_header(reader.get(), &entry) != ARCHIVE_OK) {
    return false;
  }
  std::size_t done = 0;
  while (done < out.size()) {
    const la_ssize_t got = archive_read_data(reader.get(), out.data() + done, out.size() - done);
    if (got <= 0) return false;
    done += static_cast<std::size_t>(got);
  }
  return true;
}

}  // namespace touchstone
