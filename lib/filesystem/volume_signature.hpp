// Names what lies in a volume that The Sleuth Kit does not open, by the magic numbers of its format: file
// systems it does not read, encryption, volume managers, swap. A table of our own: libblkid wants a
// descriptor of the device, evidence is a ByteSource, and a sandboxed worker may not make a file to copy it
// to. To add one: a row in the table of volume_signature.cpp.
#pragma once

#include <optional>
#include <span>
#include <string>

#include "evidence/byte_source.hpp"
#include "model/types.hpp"

namespace touchstone {

struct VolumeSignature {
  std::string filesystem;  ///< "btrfs", "luks" …
  VolumeState state = VolumeState::unsupported;
  std::string reason;
  std::string label;
};

/// Reads a few kilobytes of `volume` and changes nothing. Nothing if no signature fits.
std::optional<VolumeSignature> recognise_volume(ByteSource& volume);
/// True for a UDF volume, also one that carries ISO 9660 as well.
bool is_udf(ByteSource& volume);
/// Label of a file system that TSK reads (ext, FAT, exFAT, ISO 9660), as stored in its first blocks; else
/// empty.
std::string stored_label(ByteSource& volume, const std::string& filesystem);

/// Label of the ISO 9660 volume whose primary descriptor stands at `descriptor`.
std::string iso_label(ByteSource& volume, std::uint64_t descriptor);

/// A label in UTF-16LE up to its first zero, as valid UTF-8 for display.
std::string utf16_text(std::span<const std::byte> bytes);

}  // namespace touchstone
