#include "content/sqlite/format.hpp"

#include <algorithm>
#include <cstring>

namespace touchstone::sqlite {

std::size_t varint_length(std::uint64_t value) {
  std::size_t length = 1;
  while (length < 9 && (value >>= 7) != 0) ++length;
  return length;
}

Result<DatabaseHeader> parse_header(Bytes bytes) {
  if (bytes.size() < 100 || std::memcmp(bytes.data(), "SQLite format 3", 16) != 0)
    return Error{ErrorCode::corrupt, "no SQLite header"};
  DatabaseHeader header;
  header.page_size = at16(bytes, 16) == 1 ? 65536U : at16(bytes, 16);
  if (!is_page_size(header.page_size)) return Error{ErrorCode::corrupt, "the page size is none"};
  header.usable = header.page_size - at8(bytes, 20);
  if (header.usable < 480) return Error{ErrorCode::corrupt, "too many reserved bytes in a page"};
  header.page_count = at32(bytes, 28);
  header.page_count_valid = header.page_count > 0 && at32(bytes, 24) == at32(bytes, 92);
  header.first_trunk = at32(bytes, 32);
  header.free_pages = at32(bytes, 36);
  header.auto_vacuum = at32(bytes, 52) != 0;
  const std::uint32_t encoding = at32(bytes, 56);
  if (encoding == 2 || encoding == 3) header.encoding = static_cast<TextEncoding>(encoding);
  return header;
}

std::uint32_t local_payload(std::uint64_t payload, std::uint32_t usable, bool table) {
  const std::uint32_t most = table ? usable - 35 : (usable - 12) * 64 / 255 - 23;
  if (payload <= most) return static_cast<std::uint32_t>(payload);
  const std::uint32_t least = (usable - 12) * 32 / 255 - 23;
  const auto kept = static_cast<std::uint32_t>(least + (payload - least) % (usable - 4));
  return kept <= most ? kept : least;
}

}  // namespace touchstone::sqlite
