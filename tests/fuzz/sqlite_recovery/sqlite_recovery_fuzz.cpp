// The page reader and the carver of deleted rows over hostile bytes. Input: two bytes each (big-endian) for
// the lengths of the write-ahead log and of the journal, then the database, the log and the journal.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <vector>

#include "content/sqlite/recovery.hpp"

namespace {

using namespace touchstone;

std::unique_ptr<ByteSource> take(const std::uint8_t*& data, std::size_t& size, std::size_t length) {
  length = std::min(length, size);
  std::vector<std::byte> bytes(length);
  std::transform(data, data + length, bytes.begin(), [](std::uint8_t b) { return std::byte{b}; });
  data += length;
  size -= length;
  return make_memory_source(std::move(bytes));
}

void check(const sqlite::Recovery& recovery) {
  for (const sqlite::RecoveredRow& row : recovery.rows) {
    if (row.shape >= recovery.shapes.size()) std::abort();
    const std::size_t columns = recovery.shapes[row.shape].columns.size();
    if (row.values.size() != columns || row.known.size() != columns) std::abort();
    if (row.confidence < 0 || row.confidence > 1000 || (row.certain && row.partial)) std::abort();
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 4 || size > 200'000) return 0;
  const std::size_t wal_size = data[0] * 256U + data[1], journal_size = data[2] * 256U + data[3];
  data += 4;
  size -= 4;
  const std::size_t rest = std::min(size, wal_size + journal_size);
  const auto main = take(data, size, size - rest);
  const auto wal = take(data, size, wal_size);
  const auto journal = take(data, size, journal_size);
  sqlite::RecoverySettings settings;
  settings.memory_bytes = 1 << 20;
  settings.candidates = 10'000;
  if (const auto recovery = sqlite::recover_rows({main.get(), wal.get(), journal.get()}, settings))
    check(*recovery);
  if (const auto recovery = sqlite::recover_pages(*main, 0, {}, settings)) check(*recovery);
  return 0;
}
