#include "content/sqlite/record.hpp"

#include <algorithm>
#include <bit>
#include <cstring>

#include "content/utf8.hpp"

namespace touchstone::sqlite {
namespace {

std::int64_t big_endian_integer(Bytes bytes) {
  std::uint64_t value = !bytes.empty() && (at8(bytes, 0) & 0x80U) ? ~0ULL : 0;
  for (const std::byte b : bytes) value = (value << 8) | std::to_integer<std::uint64_t>(b);
  return static_cast<std::int64_t>(value);
}

void append_code_point(std::uint32_t code, std::string& out) {
  const auto put = [&](std::uint32_t byte) { out += static_cast<char>(byte); };
  if (code < 0x80) {
    put(code);
  } else if (code < 0x800) {
    put(0xc0U | (code >> 6));
    put(0x80U | (code & 0x3fU));
  } else if (code < 0x10000) {
    put(0xe0U | (code >> 12));
    put(0x80U | ((code >> 6) & 0x3fU));
    put(0x80U | (code & 0x3fU));
  } else {
    put(0xf0U | (code >> 18));
    put(0x80U | ((code >> 12) & 0x3fU));
    put(0x80U | ((code >> 6) & 0x3fU));
    put(0x80U | (code & 0x3fU));
  }
}

/// A lone surrogate becomes U+FFFD, as in SQLite.
std::string from_utf16(Bytes bytes, bool big_endian) {
  std::string out;
  out.reserve(bytes.size());
  const auto unit = [&](std::size_t at) {
    return big_endian ? static_cast<std::uint32_t>(at16(bytes, at))
                      : static_cast<std::uint32_t>(at8(bytes, at) | (at8(bytes, at + 1) << 8));
  };
  for (std::size_t at = 0; at + 2 <= bytes.size(); at += 2) {
    std::uint32_t code = unit(at);
    if (code >= 0xd800 && code < 0xdc00 && at + 4 <= bytes.size()) {
      const std::uint32_t low = unit(at + 2);
      if (low >= 0xdc00 && low < 0xe000) {
        code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
        at += 2;
      }
    }
    append_code_point(code >= 0xd800 && code < 0xe000 ? 0xfffdU : code, out);
  }
  return out;
}

bool is_clean(std::string_view text) {
  for (std::size_t at = 0; at < text.size();) {
    const auto c = static_cast<unsigned char>(text[at]);
    if (c < 0x20 && c != '\t' && c != '\n' && c != '\r') return false;
    if (c == 0x7f) return false;
    const int length = code_point_length(text.substr(at, 4));
    if (length <= 0) return false;
    at += static_cast<std::size_t>(length);
  }
  return true;
}

SqlValue value_of(std::uint64_t type, Bytes bytes, TextEncoding encoding) {
  using Kind = SqlValue::Kind;
  SqlValue value;
  if (type == 0) return value;
  if (type == 7) {
    value.kind = Kind::real;
    value.real = std::bit_cast<double>(big_endian_integer(bytes));
  } else if (type < 7) {
    value.kind = Kind::integer;
    value.integer = big_endian_integer(bytes);
  } else if (type < 10) {
    value.kind = Kind::integer;
    value.integer = type == 9 ? 1 : 0;
  } else if (type % 2 == 0 || encoding == TextEncoding::utf8) {
    value.kind = type % 2 == 0 ? Kind::blob : Kind::text;
    value.bytes.assign(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  } else {
    value.kind = Kind::text;
    value.bytes = from_utf16(bytes, encoding == TextEncoding::utf16be);
  }
  return value;
}

int fit_of(const Column& column, bool is_row_id, std::uint64_t type) {
  if (is_row_id) return type == 0 ? 100 : (type >= 1 && type <= 9 && type != 7 ? 20 : -1);
  if (type == 0) return column.not_null ? -1 : 60;
  const bool is_integer = type <= 6 || type == 8 || type == 9, is_real = type == 7;
  const bool is_text = type >= 13 && type % 2 == 1, is_blob = type >= 12 && type % 2 == 0;
  switch (column.affinity) {
    case Affinity::integer:
      return is_integer ? 100 : is_real ? 40 : 15;
    case Affinity::real:
      return is_real || is_integer ? 100 : 15;
    case Affinity::numeric:
      return is_integer || is_real ? 90 : is_text ? 50 : 15;
    case Affinity::text:
      return is_text ? 100 : is_blob ? 15 : -1;
    case Affinity::blob:
      return is_blob ? 90 : 60;
  }
  return -1;
}

}  // namespace

std::optional<BtreePage> parse_btree_page(Bytes page, std::uint32_t number, std::uint32_t usable) {
  const std::size_t start = number == 1 ? 100 : 0;
  if (page.size() < usable || usable < start + 12) return std::nullopt;
  BtreePage result;
  result.flag = at8(page, start);
  const bool leaf = result.is_leaf();
  if (!leaf && result.flag != kInteriorTable && result.flag != kInteriorIndex) return std::nullopt;
  result.cells = at16(page, start + 3);
  result.content = at16(page, start + 5) == 0 ? 65536 : at16(page, start + 5);
  result.pointers = start + (leaf ? 8 : 12);
  if (!leaf) result.right_child = at32(page, start + 8);
  if (result.content > usable && result.cells == 0) result.content = usable;
  if (result.content > usable || result.pointers_end() > result.content) return std::nullopt;
  for (std::size_t i = 0; i < result.cells; ++i) {
    const std::size_t at = at16(page, result.pointers + 2 * i);
    if (at < result.content || at + 4 > usable) return std::nullopt;
  }
  return result;
}

std::optional<Cell> parse_cell(Bytes page, std::size_t at, std::size_t limit, std::uint32_t usable,
                               bool table) {
  Cell cell;
  cell.start = at;
  const Varint payload = read_varint(page, at, limit);
  if (payload.length == 0 || payload.value < 2 || payload.value > kMaxPayload) return std::nullopt;
  at += payload.length;
  if (table) {
    const Varint row_id = read_varint(page, at, limit);
    if (row_id.length == 0) return std::nullopt;
    cell.row_id = static_cast<std::int64_t>(row_id.value);
    at += row_id.length;
  }
  cell.payload = payload.value;
  cell.header = at;
  cell.local = local_payload(payload.value, usable, table);
  const Varint header = read_varint(page, at, limit);
  if (header.length == 0 || header.value <= header.length - 1 || header.value > cell.local ||
      header.value > limit - at)
    return std::nullopt;
  cell.header_length = static_cast<std::size_t>(header.value);
  const std::size_t header_end = cell.header + cell.header_length;
  std::uint64_t body = 0;
  for (at += header.length; at < header_end;) {
    const Varint type = read_varint(page, at, header_end);
    if (type.length == 0) return std::nullopt;
    const auto length = serial_length(type.value);
    if (!length || *length > kMaxPayload || cell.types.size() >= kMaxColumns) return std::nullopt;
    body += *length;
    if (body > payload.value) return std::nullopt;
    cell.types.push_back(type.value);
    at += type.length;
  }
  if (cell.header_length + body != payload.value || cell.types.empty()) return std::nullopt;
  const std::size_t stop = cell.header + cell.local;
  cell.end = std::max(stop, cell.start + 4);
  if (cell.local < cell.payload) {
    cell.end = stop + 4;
    if (cell.end <= page.size()) cell.overflow = at32(page, stop);
  }
  return cell;
}

Payload read_payload(Bytes page, const Cell& cell, std::size_t region_end, std::uint32_t usable,
                     const OverflowReader& overflow) {
  Payload result;
  const std::size_t end = std::min({cell.header + cell.local, region_end, page.size()});
  if (end <= cell.header) return result;
  const Bytes local = page.subspan(cell.header, end - cell.header);
  result.bytes.assign(local.begin(), local.end());
  if (local.size() < cell.local) return result;
  if (cell.local == cell.payload) {
    result.whole = true;
    return result;
  }
  result.through_overflow = true;
  if (cell.end > region_end) return result;
  std::vector<std::byte> storage;
  std::vector<std::uint32_t> seen;
  std::uint32_t next = cell.overflow;
  while (result.bytes.size() < cell.payload) {
    if (next == 0 || std::find(seen.begin(), seen.end(), next) != seen.end() || !overflow(next, storage) ||
        storage.size() < usable)
      return result;
    // A chain is seldom long; a cycle shorter than this is caught, a longer one ends with the payload.
    if (seen.size() < 64) seen.push_back(next);
    const auto want =
        static_cast<std::size_t>(std::min<std::uint64_t>(usable - 4U, cell.payload - result.bytes.size()));
    result.bytes.insert(result.bytes.end(), storage.begin() + 4,
                        storage.begin() + 4 + static_cast<std::ptrdiff_t>(want));
    next = at32(storage, 0);
  }
  result.whole = next == 0;
  return result;
}

DecodedRow decode_row(const TableShape& shape, const std::vector<std::uint64_t>& types, Bytes payload,
                      std::size_t header_length, std::optional<std::int64_t> row_id, TextEncoding encoding) {
  using Kind = SqlValue::Kind;
  DecodedRow row;
  row.values.reserve(shape.columns.size());
  std::size_t at = header_length;
  for (std::size_t i = 0; i < shape.columns.size(); ++i) {
    const Column& column = shape.columns[i];
    SqlValue value;
    bool known = true;
    if (i >= types.size()) {
      value = column.default_value;
    } else {
      const auto length = static_cast<std::size_t>(serial_length(types[i]).value_or(0));
      const std::size_t there = at < payload.size() ? std::min(length, payload.size() - at) : 0;
      known = there == length;
      const bool is_text = types[i] >= 13 && types[i] % 2 == 1;
      if (known || (is_text && there > 0)) {
        value = value_of(types[i], payload.subspan(length == 0 ? 0 : at, there), encoding);
      } else {
        value.kind = Kind::unknown;
      }
      at += length;
    }
    if (value.kind == Kind::integer && column.affinity == Affinity::real) {
      value.kind = Kind::real;
      value.real = static_cast<double>(value.integer);
      value.integer = 0;
    }
    if (i == shape.row_id_column) {
      value = row_id ? SqlValue{Kind::integer, *row_id, 0, {}} : SqlValue{Kind::unknown, 0, 0, {}};
      known = row_id.has_value();
    }
    if (value.kind == Kind::text) {
      if (known) row.clean_text = row.clean_text && is_clean(value.bytes);
      row.text_bytes += value.bytes.size();
    }
    row.values.push_back(std::move(value));
    row.known.push_back(known);
  }
  return row;
}

int fit_column(const TableShape& shape, std::size_t column, std::uint64_t type) {
  return fit_of(shape.columns[column], shape.row_id_column == column, type);
}

int fit(const TableShape& shape, const std::vector<std::uint64_t>& types) {
  if (types.size() > shape.columns.size() || types.empty()) return -1;
  int sum = 0;
  for (std::size_t i = 0; i < types.size(); ++i) {
    const int one = fit_of(shape.columns[i], shape.row_id_column == i, types[i]);
    if (one < 0) return -1;
    sum += one;
  }
  int result = sum / static_cast<int>(types.size());
  // A record may end early where columns were added to the table later; it fits other tables as well.
  if (types.size() < shape.columns.size()) result = std::max(1, result - 30);
  return result;
}

Agreement agreement(const TableShape& shape, const std::vector<std::uint64_t>& types) {
  Agreement result;
  int sum = 0;
  for (std::size_t i = 0; i < types.size() && i < shape.columns.size(); ++i) {
    if (types[i] == 0) continue;
    sum += std::max(0, fit_of(shape.columns[i], shape.row_id_column == i, types[i]));
    ++result.values;
  }
  if (result.values > 0) result.percent = sum / static_cast<int>(result.values);
  return result;
}

std::uint64_t hash_row(std::size_t table, const std::vector<SqlValue>& values, const std::vector<bool>& mask,
                       std::optional<std::int64_t> row_id) {
  std::uint64_t hash = 0xcbf29ce484222325ULL;
  const auto add = [&](std::uint64_t word) {
    hash ^= word;
    hash *= 0x9e3779b97f4a7c15ULL;
    hash ^= hash >> 29;
  };
  const auto add_bytes = [&](std::string_view bytes) {
    for (std::size_t at = 0; at < bytes.size(); at += 8) {
      std::uint64_t word = 0;
      std::memcpy(&word, bytes.data() + at, std::min<std::size_t>(8, bytes.size() - at));
      add(word);
    }
    add(bytes.size());
  };
  add(table);
  add(row_id ? 1 : 0);
  if (row_id) add(static_cast<std::uint64_t>(*row_id));
  for (std::size_t i = 0; i < values.size() && i < mask.size(); ++i) {
    if (!mask[i]) continue;
    const SqlValue& value = values[i];
    add((static_cast<std::uint64_t>(i) << 8) | static_cast<std::uint64_t>(value.kind));
    add(static_cast<std::uint64_t>(value.integer));
    if (value.kind == SqlValue::Kind::real) add(std::bit_cast<std::uint64_t>(value.real));
    if (!value.bytes.empty()) add_bytes(value.bytes);
  }
  return hash;
}

}  // namespace touchstone::sqlite
