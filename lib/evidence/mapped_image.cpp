#include "evidence/mapped_image.hpp"

#include <algorithm>
#include <array>
#include <cstring>

#include "evidence/integers.hpp"

namespace touchstone {

bool PageReader::read(std::uint64_t at, std::span<std::byte> out) {
  if (at > file_.size() || out.size() > file_.size() - at) return false;
  for (std::size_t done = 0; done < out.size();) {
    const std::uint64_t number = (at + done) / kPage;
    const std::size_t within = (at + done) % kPage;
    const std::vector<std::byte>* page = pages_.find(number);
    if (page == nullptr) {
      std::vector<std::byte>& fresh = pages_.make(number, kPage);
      const auto got = file_.read_at(number * kPage, fresh);
      const std::size_t filled = got ? *got : 0;
      std::fill(fresh.begin() + static_cast<std::ptrdiff_t>(filled), fresh.end(), std::byte{0});
      page = &fresh;
    }
    const std::size_t length = std::min(out.size() - done, kPage - within);
    std::memcpy(out.data() + done, page->data() + within, length);
    done += length;
  }
  return true;
}

std::optional<std::uint64_t> PageReader::little(std::uint64_t at, std::size_t bytes) {
  std::array<std::byte, 8> raw{};
  if (!read(at, std::span(raw).first(bytes))) return std::nullopt;
  return touchstone::little(raw, 0, bytes);
}

std::optional<std::uint64_t> PageReader::big(std::uint64_t at, std::size_t bytes) {
  std::array<std::byte, 8> raw{};
  if (!read(at, std::span(raw).first(bytes))) return std::nullopt;
  return touchstone::big(raw, 0, bytes);
}

MappedImage::Piece MappedImage::Piece::stored(std::uint32_t file, std::uint64_t at, std::uint64_t length) {
  Piece piece;
  piece.kind = Kind::stored;
  piece.file = file;
  piece.at = at;
  piece.length = length;
  return piece;
}

MappedImage::Piece MappedImage::Piece::zero(std::uint64_t length) {
  Piece piece;
  piece.kind = Kind::zero;
  piece.length = length;
  return piece;
}

MappedImage::Piece MappedImage::Piece::parent(std::uint64_t length) {
  Piece piece;
  piece.kind = Kind::parent;
  piece.length = length;
  return piece;
}

MappedImage::Piece MappedImage::Piece::lost(std::uint64_t length, std::string reason) {
  Piece piece;
  piece.length = length;
  piece.reason = std::move(reason);
  return piece;
}

bool MappedImage::unpack(const Piece& /*piece*/, std::span<const std::byte> /*packed*/,
                         std::span<std::byte> /*out*/) {
  return false;
}

std::uint32_t MappedImage::add_file(std::unique_ptr<ByteSource> file) {
  files_.push_back(std::move(file));
  return static_cast<std::uint32_t>(files_.size() - 1);
}

void MappedImage::set_parent(std::unique_ptr<ExhibitSource> parent) {
  const ImageInfo& from = parent->info();
  info_.files.insert(info_.files.end(), from.files.begin(), from.files.end());
  info_.problems.insert(info_.problems.end(), from.problems.begin(), from.problems.end());
  parent_ = std::move(parent);
}

Result<std::size_t> MappedImage::read_at(std::uint64_t offset, std::span<std::byte> out) {
  if (offset >= info_.size) return std::size_t{0};
  out = out.first(std::min<std::uint64_t>(out.size(), info_.size - offset));
  for (std::size_t done = 0; done < out.size();) {
    const Piece piece = find(offset + done);
    const std::uint64_t room = std::max<std::uint64_t>(piece.length, 1);
    const auto part = out.subspan(done, std::min<std::uint64_t>(out.size() - done, room));
    switch (piece.kind) {
      case Piece::Kind::stored:
        read_stored(piece.file, piece.at, offset + done, part);
        break;
      case Piece::Kind::zero:
        std::memset(part.data(), 0, part.size());
        break;
      case Piece::Kind::parent:
        read_parent(offset + done, part);
        break;
      case Piece::Kind::packed:
        read_packed(piece, offset + done, part);
        break;
      case Piece::Kind::lost:
        lose(offset + done, part, piece.reason);
        break;
    }
    done += part.size();
  }
  return out.size();
}

void MappedImage::lose(std::uint64_t offset, std::span<std::byte> out, const std::string& reason) {
  std::memset(out.data(), 0, out.size());
  gaps_.add(offset, out.size(), reason);
}

void MappedImage::read_stored(std::uint32_t file, std::uint64_t at, std::uint64_t offset,
                              std::span<std::byte> out) {
  ByteSource& source = *files_[file];
  const auto got = source.read_at(at, out);
  const std::size_t filled = got ? *got : 0;
  if (filled < out.size())
    lose(offset + filled, out.subspan(filled), "the image file ends before the bytes that belong here");
  // Gaps of the file become gaps of the media.
  for (const Gap& gap : source.gaps()) {
    const std::uint64_t from = std::max(gap.offset, at);
    const std::uint64_t to = std::min(gap.offset + gap.length, at + filled);
    if (from < to) gaps_.add(offset + (from - at), to - from, gap.reason, gap.place_of(from));
  }
}

void MappedImage::read_parent(std::uint64_t offset, std::span<std::byte> out) {
  // A disk may have grown since its parent was made.
  if (!parent_ || offset >= parent_->size()) {
    std::memset(out.data(), 0, out.size());
    return;
  }
  const auto got = parent_->read_at(offset, out);
  const std::size_t filled = got ? *got : 0;
  if (!got) {
    lose(offset, out, "the parent image cannot be read: " + got.error().message);
    return;
  }
  std::memset(out.data() + filled, 0, out.size() - filled);
  for (const Gap& gap : parent_->gaps()) {
    const std::uint64_t from = std::max(gap.offset, offset);
    const std::uint64_t to = std::min(gap.offset + gap.length, offset + filled);
    if (from < to) gaps_.add(from, to - from, gap.reason, gap.place_of(from));
  }
}

void MappedImage::read_packed(const Piece& piece, std::uint64_t offset, std::span<std::byte> out) {
  if (piece.unit_size > kMaxUnit || piece.packed_size > kMaxUnit || offset < piece.unit_offset ||
      offset - piece.unit_offset + out.size() > piece.unit_size) {
    lose(offset, out, "a packed piece of an impossible size");
    return;
  }
  const std::size_t within = offset - piece.unit_offset;
  if (const std::vector<std::byte>* held = units_.find(piece.unit_offset)) {
    std::memcpy(out.data(), held->data() + within, out.size());
    return;
  }
  packed_.resize(piece.packed_size);
  const auto got = files_[piece.file]->read_at(piece.at, packed_);
  std::vector<std::byte> unpacked(piece.unit_size);
  if (!got || *got == 0 || !unpack(piece, std::span(packed_).first(*got), unpacked)) {
    lose(offset, out, "a packed piece is damaged");
    return;
  }
  std::memcpy(out.data(), unpacked.data() + within, out.size());
  units_.make(piece.unit_offset, piece.unit_size) = std::move(unpacked);
}

}  // namespace touchstone
