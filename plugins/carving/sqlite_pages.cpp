#include "sqlite_pages.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace touchstone::carving {
namespace {

// Between two leaf pages of one item lie at most so many bytes: pages of indexes, overflow, other tables.
constexpr std::uint64_t kMaxGap = 256U << 10U;
constexpr std::size_t kMaxRuns = 1000;
constexpr std::array<std::uint32_t, 8> kSizes = {512, 1024, 2048, 4096, 8192, 16384, 32768, 65536};

/// A number of 1 to 9 bytes; false at the end of the page.
bool varint(Bytes page, std::size_t& at, std::uint64_t& value) {
  value = 0;
  for (int i = 0; i < 9; ++i) {
    if (at >= page.size()) return false;
    const std::uint8_t byte = page[at++];
    if (i == 8) {
      value = value << 8U | byte;
      return true;
    }
    value = value << 7U | (byte & 0x7FU);
    if ((byte & 0x80U) == 0) return true;
  }
  return false;
}

std::uint64_t serial_size(std::uint64_t type) {
  constexpr std::array<std::uint64_t, 10> kSmall = {0, 1, 2, 3, 4, 6, 8, 8, 0, 0};
  if (type < kSmall.size()) return kSmall[type];
  return type < 12 ? UINT64_MAX : (type - 12) / 2;
}

/// A record's header: its serial types have to add up to the payload.
bool record_fits(Bytes page, std::size_t at, std::uint64_t payload, std::uint64_t local) {
  const std::size_t start = at;
  std::uint64_t header = 0, sum = 0;
  if (!varint(page, at, header) || header < 1 || header > payload) return false;
  if (header > local) return true;  // goes on in an overflow page
  sum = header;
  while (at < start + header) {
    std::uint64_t type = 0;
    if (!varint(page, at, type)) return false;
    const std::uint64_t size = serial_size(type);
    if (size > payload) return false;
    sum += size;
  }
  return at == start + header && sum == payload;
}

/// Behind the cell at `at`; 0 if it is none.
std::size_t cell_end(Bytes page, std::size_t at, std::uint64_t& row) {
  std::uint64_t payload = 0;
  if (!varint(page, at, payload) || payload < 2 || payload > 1U << 30U || !varint(page, at, row)) return 0;
  const std::uint64_t usable = page.size();
  const std::uint64_t most = usable - 35;
  std::uint64_t local = payload;
  if (payload > most) {
    const std::uint64_t least = (usable - 12) * 32 / 255 - 23;
    const std::uint64_t kept = least + (payload - least) % (usable - 4);
    local = kept <= most ? kept : least;
  }
  const std::uint64_t end = at + local + (payload > most ? 4 : 0);
  if (end > page.size() || !record_fits(page, at, payload, local)) return 0;
  return static_cast<std::size_t>(end);
}

bool leaf_of_size(Bytes page) {
  const std::size_t cells = get_be16(page.data() + 3);
  std::size_t content = get_be16(page.data() + 5);
  if (content == 0) content = 65536;
  if (8 + 2 * cells > content || content >= page.size() || get_be16(page.data() + 1) >= page.size())
    return false;
  std::size_t last = 0, used = 0;
  std::int64_t row_before = INT64_MIN;
  for (std::size_t i = 0; i < cells; ++i) {
    const std::size_t at = get_be16(page.data() + 8 + 2 * i);
    std::uint64_t row = 0;
    if (at < content || at >= page.size()) return false;
    const std::size_t end = cell_end(page, at, row);
    if (end == 0 || (i > 0 && static_cast<std::int64_t>(row) <= row_before)) return false;
    row_before = static_cast<std::int64_t>(row);
    last = std::max(last, end);
    used += end - at;
  }
  // Cells fill a page from its end.
  return used <= page.size() - content && last > page.size() / 2;
}

}  // namespace

std::uint32_t leaf_page_at(View& view, std::uint64_t offset) {
  const Bytes head = view.uncounted(offset, 8);
  if (head.size() < 8 || head[0] != 0x0D || head[7] > 60) return 0;
  const std::uint32_t cells = get_be16(head.data() + 3), content = get_be16(head.data() + 5);
  if (cells == 0 || (content != 0 && content < 8 + 2 * cells) || content == 0) return 0;
  for (const std::uint32_t size : kSizes) {
    if (size <= content) continue;
    const Bytes page = view.exactly(offset, size);
    if (page.empty()) return 0;
    if (leaf_of_size(page)) return size;
  }
  return 0;
}

void PageGroups::add(std::uint64_t offset, std::uint32_t page_size) {
  if (page_size != page_size_ || runs_.size() >= kMaxRuns) finish();
  pass(offset);
  page_size_ = page_size;
  ++pages_;
  if (!runs_.empty() && runs_.back().offset + runs_.back().length == offset) {
    runs_.back().length += page_size;
  } else {
    runs_.push_back({offset, page_size});
  }
}

void PageGroups::pass(std::uint64_t offset) {
  if (!runs_.empty() && offset > runs_.back().offset + runs_.back().length + kMaxGap) finish();
}

void PageGroups::finish() {
  if (!runs_.empty()) {
    Carved carved;
    carved.runs = std::exchange(runs_, {});
    carved.confidence = pages_ > 1 ? kSize + kNotAligned : kSize;
    carved.extension = "sqlite-pages";
    carved.media_type = "application/x-sqlite3-pages";
    carved.note = "leaf pages of tables; their database's header was not found";
    carved.page_size = page_size_;
    done_.push_back(std::move(carved));
  }
  runs_.clear();
  pages_ = 0;
}

std::vector<Carved> PageGroups::take() {
  return std::exchange(done_, {});
}

}  // namespace touchstone::carving
