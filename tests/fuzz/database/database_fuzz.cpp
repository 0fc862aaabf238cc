// The database facet over hostile bytes. Input: one byte for the state, two bytes each (big-endian) for the
// lengths of the write-ahead log and of the journal, then the database, the log and the journal.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

#include "content/database.hpp"

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

void read_all(EvidenceDatabase& database, const std::string& sql) {
  auto query = database.query(sql, {});
  if (!query) return;
  for (;;) {
    auto row = (*query)->step();
    if (!row || !*row) return;
    for (std::size_t column = 0; column < (*query)->columns(); ++column) {
      const std::string_view bytes = (*query)->bytes(column);
      // Every byte is looked at, so that a sanitizer sees a view that reaches too far.
      volatile unsigned sum = 0;
      for (const char c : bytes) sum = sum + static_cast<unsigned char>(c);
    }
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 5) return 0;
  const auto state = static_cast<DatabaseState>(data[0] % 3);
  const std::size_t wal_size = data[1] * 256U + data[2], journal_size = data[3] * 256U + data[4];
  data += 5;
  size -= 5;
  const std::size_t rest = std::min(size, wal_size + journal_size);
  const auto main = take(data, size, size - rest);
  const auto wal = take(data, size, wal_size);
  const auto journal = take(data, size, journal_size);
  DatabaseLimits limits;
  limits.overlay_bytes = 1 << 20;
  limits.rows = 2000;
  limits.steps = 500'000;
  limits.value_bytes = 1 << 20;
  auto database = EvidenceDatabase::open({main.get(), wal.get(), journal.get()}, state, limits);
  if (!database) return 0;
  read_all(**database, "SELECT type, name, tbl_name, rootpage, sql FROM sqlite_schema");
  const auto& tables = (*database)->facts().tables;
  for (std::size_t i = 0; i < tables.size() && i < 8; ++i) {
    std::string quoted = "\"";
    for (const char c : tables[i]) quoted += c == '"' ? std::string("\"\"") : std::string(1, c);
    quoted += '"';
    read_all(**database, "SELECT * FROM " + quoted);
    read_all(**database, "SELECT count(*), max(rowid) FROM " + quoted + " ORDER BY 1");
  }
  return 0;
}
