#include "png_writer.hpp"

#include <zlib.h>

#include <algorithm>

namespace touchstone::documents {
namespace {

void put_number(std::string& out, std::uint32_t value) {
  for (int shift = 24; shift >= 0; shift -= 8)
    out += static_cast<char>((value >> static_cast<unsigned>(shift)) & 0xFFU);
}

void put_chunk(std::string& out, std::string_view name, std::string_view data) {
  put_number(out, static_cast<std::uint32_t>(data.size()));
  const std::size_t from = out.size();
  out += name;
  out += data;
  const auto* bytes = reinterpret_cast<const Bytef*>(out.data() + from);
  put_number(out, static_cast<std::uint32_t>(crc32(0, bytes, static_cast<uInt>(out.size() - from))));
}

}  // namespace

std::uint64_t row_bytes(const PixelForm& form) {
  return (static_cast<std::uint64_t>(form.width) * form.channels * form.bits + 7) / 8;
}

std::optional<std::string> write_png(const PixelForm& form, std::string_view pixels) {
  const std::uint64_t row = row_bytes(form);
  if (row == 0 || form.height == 0 || pixels.size() < row) return std::nullopt;
  std::string rows;
  rows.reserve(static_cast<std::size_t>((row + 1) * form.height));
  for (std::uint32_t y = 0; y < form.height; ++y) {
    const std::uint64_t at = y * row;
    const std::string_view there =
        at < pixels.size() ? pixels.substr(static_cast<std::size_t>(at), row) : std::string_view();
    rows += '\0';  // no filter
    rows += there;
    rows.append(static_cast<std::size_t>(row) - there.size(), '\0');
  }
  uLongf size = compressBound(static_cast<uLong>(rows.size()));
  std::string packed(size, '\0');
  constexpr int kFast = 1;
  if (compress2(reinterpret_cast<Bytef*>(packed.data()), &size, reinterpret_cast<const Bytef*>(rows.data()),
                static_cast<uLong>(rows.size()), kFast) != Z_OK)
    return std::nullopt;
  packed.resize(size);
  std::string out("\x89PNG\r\n\x1a\n", 8), header;
  put_number(header, form.width);
  put_number(header, form.height);
  header += static_cast<char>(form.bits);
  header += static_cast<char>(!form.palette.empty() ? 3 : form.channels == 3 ? 2 : 0);
  header.append(3, '\0');
  put_chunk(out, "IHDR", header);
  if (!form.palette.empty()) {
    const std::size_t most = std::size_t{3} << form.bits;
    put_chunk(out, "PLTE",
              std::string_view(form.palette).substr(0, std::min(most, form.palette.size() / 3 * 3)));
  }
  put_chunk(out, "IDAT", packed);
  put_chunk(out, "IEND", {});
  return out;
}

}  // namespace touchstone::documents
