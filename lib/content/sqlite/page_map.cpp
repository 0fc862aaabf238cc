#include "content/sqlite/page_map.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace touchstone::sqlite {
namespace {

/// SQLite's own bound on the depth of a tree.
constexpr int kMaxDepth = 20;
constexpr std::size_t kMaxShapes = 4000;

/// An interior cell of an index carries a record behind its child pointer.
std::optional<Cell> cell_of(Bytes bytes, const BtreePage& page, std::size_t number, std::uint32_t usable) {
  const std::size_t at = at16(bytes, page.pointers + 2 * number);
  return parse_cell(bytes, at + (page.is_leaf() ? 0 : 4), usable, usable, page.is_table());
}

}  // namespace

bool PageMap::claim(std::uint32_t page, PageUse use, std::uint16_t owner, const char* what) {
  if (page == 0 || page >= use_.size()) {
    problems_->add(ErrorCode::corrupt, fmt::format("{} names page {}, which is not there", what, page));
    return false;
  }
  if (use_[page] != PageUse::unclaimed) {
    problems_->add(ErrorCode::corrupt,
                   fmt::format("{} leads to page {}, which is in use elsewhere", what, page));
    return false;
  }
  use_[page] = use;
  owner_[page] = owner;
  return true;
}

bool PageMap::is_free(std::uint32_t page) const {
  const PageUse now = use(page);
  return page > 0 && page < use_.size() &&
         (now == PageUse::free_leaf || now == PageUse::trunk || now == PageUse::unclaimed);
}

OverflowReader PageMap::overflow_reader() {
  return [this](std::uint32_t page, std::vector<std::byte>& storage) {
    PageImage image;
    return store_->read_current(page, storage, image);
  };
}

void note_habits(CellHabits& habits, const Cell& cell, Bytes page) {
  if (cell.types.empty() || !cell.row_id) return;
  const std::uint64_t type = cell.types[0];
  habits.first_types |= 1U << (type < 12 ? type : 31);
  const std::size_t payload = read_varint(page, cell.start, page.size()).length;
  habits.row_id_lengths |= 1U << (cell.header - cell.start - payload);
}

/// False: the chain leads nowhere. One that leads into a page in use is read all the same, by SQLite too.
bool PageMap::claim_overflow(const Cell& cell, std::uint16_t owner) {
  if (cell.local >= cell.payload) return true;
  std::uint64_t left = cell.payload - cell.local;
  std::vector<std::byte> storage;
  for (std::uint32_t page = cell.overflow; left > 0;) {
    PageImage image;
    if (!claim(page, PageUse::overflow, owner, "an overflow chain")) return page != 0 && page < use_.size();
    if (!store_->read_current(page, storage, image)) return false;
    const std::uint64_t held = store_->usable() - 4U;
    left -= std::min(left, held);
    page = at32(image.bytes, 0);
  }
  return true;
}

/// False: damage, at which SQLite stops reading the tree.
bool PageMap::walk_page(std::uint32_t number, std::uint16_t owner, bool table, int depth,
                        std::vector<std::uint32_t>& children) {
  std::vector<std::byte> storage;
  PageImage image;
  if (depth > kMaxDepth) {
    problems_->add(ErrorCode::corrupt, "a tree is deeper than any can be");
    return false;
  }
  if (!claim(number, table ? PageUse::table_leaf : PageUse::index, owner, "a tree"))
    return number != 0 && number < use_.size();
  if (!store_->read_current(number, storage, image)) return false;
  const auto page = parse_btree_page(image.bytes, number, store_->usable());
  if (!page || page->is_table() != table) {
    problems_->add(ErrorCode::corrupt, fmt::format("page {} of a tree is damaged", number));
    use_[number] = PageUse::unclaimed;
    return false;
  }
  if (table && !page->is_leaf()) use_[number] = PageUse::table_interior;
  for (std::size_t i = 0; i < page->cells; ++i) {
    if (!page->is_leaf()) children.push_back(at32(image.bytes, at16(image.bytes, page->pointers + 2 * i)));
    if (table && !page->is_leaf()) continue;
    const auto cell = cell_of(image.bytes, *page, i, store_->usable());
    if (!cell) continue;
    if (!claim_overflow(*cell, owner) && page->is_leaf()) {
      broken_[number] = i;
      return false;
    }
    if (table && owner < habits_.size()) note_habits(habits_[owner], *cell, image.bytes);
  }
  if (!page->is_leaf()) children.push_back(page->right_child);
  return true;
}

void PageMap::walk(std::uint32_t root, std::uint16_t owner, bool table) {
  struct Step {
    std::uint32_t page;
    int depth;
  };
  std::vector<Step> stack{{root, 0}};
  std::vector<std::uint32_t> path;
  while (!stack.empty()) {
    const Step step = stack.back();
    stack.pop_back();
    path.resize(std::min(path.size(), static_cast<std::size_t>(step.depth)));
    if (std::find(path.begin(), path.end(), step.page) != path.end()) {
      problems_->add(ErrorCode::corrupt, fmt::format("page {} of a tree leads back to itself", step.page));
      return;
    }
    path.push_back(step.page);
    std::vector<std::uint32_t> children;
    if (!walk_page(step.page, owner, table, step.depth, children)) return;
    for (auto child = children.rbegin(); child != children.rend(); ++child)
      stack.push_back({*child, step.depth + 1});
  }
}

std::size_t PageMap::trunk_leaves(Bytes page, std::uint32_t usable) {
  return std::min<std::size_t>(at32(page, 4), usable / 4 - 2);
}

void PageMap::walk_freelist() {
  std::vector<std::byte> storage;
  PageImage image;
  for (std::uint32_t trunk = store_->header().first_trunk; trunk != 0;) {
    if (!claim(trunk, PageUse::trunk, kNobody, "the freelist") ||
        !store_->read_current(trunk, storage, image))
      return;
    const std::size_t leaves = trunk_leaves(image.bytes, store_->usable());
    if (at32(image.bytes, 4) > leaves)
      problems_->add(ErrorCode::corrupt,
                     fmt::format("freelist page {} names more pages than it can hold", trunk));
    for (std::size_t i = 0; i < leaves; ++i)
      claim(at32(image.bytes, 8 + 4 * i), PageUse::free_leaf, kNobody, "the freelist");
    trunk = at32(image.bytes, 0);
  }
}

/// Of an auto-vacuum database: page 2 and every (usable / 5 + 1)-th after it,
/// https://www.sqlite.org/fileformat2.html#pointer_map_or_ptrmap_pages
void PageMap::claim_pointer_maps() {
  if (!store_->header().auto_vacuum) return;
  const std::uint32_t every = store_->usable() / 5 + 1;
  for (std::uint64_t page = 2; page < use_.size(); page += every)
    if (use_[page] == PageUse::unclaimed) use_[page] = PageUse::pointer_map;
}

void PageMap::read_schema(std::vector<std::uint32_t>& index_roots) {
  shapes_.push_back(schema_table_shape());
  habits_.resize(1);
  walk(1, 0, true);
  const TableShape& schema = shapes_[0];
  const OverflowReader overflow = overflow_reader();
  std::vector<TableShape> found;
  each_live_cell(
      [&](std::size_t, const PageImage& image, const Cell& cell) {
        const Payload payload =
            read_payload(image.bytes, cell, image.bytes.size(), store_->usable(), overflow);
        const DecodedRow row = decode_row(schema, cell.types, payload.bytes, cell.header_length, cell.row_id,
                                          store_->header().encoding);
        const std::int64_t root = row.values[3].integer;
        if (row.values[3].kind != SqlValue::Kind::integer || root <= 0 || root > 0xffffffffLL) return;
        auto shape = parse_create_table(row.values[4].bytes);
        if (!shape) {
          index_roots.push_back(static_cast<std::uint32_t>(root));
        } else if (found.size() < kMaxShapes) {
          // The row's own name counts: the statement keeps what a rename left.
          if (row.values[1].kind == SqlValue::Kind::text) shape->name = row.values[1].bytes;
          shape->root = static_cast<std::uint32_t>(root);
          found.push_back(std::move(*shape));
        } else {
          problems_->add(
              ErrorCode::limit,
              fmt::format("more than {} tables; deleted rows of the rest are not looked for", kMaxShapes));
        }
      },
      {});
  for (TableShape& shape : found) shapes_.push_back(std::move(shape));
  habits_.resize(shapes_.size());
}

void PageMap::build(const std::function<bool()>& cancelled) {
  use_.assign(store_->page_count() + 1ULL, PageUse::unclaimed);
  owner_.assign(use_.size(), kNobody);
  claim_pointer_maps();
  std::vector<std::uint32_t> index_roots;
  read_schema(index_roots);
  for (std::size_t i = 1; i < shapes_.size(); ++i) {
    if (cancelled && cancelled()) return;
    walk(shapes_[i].root, static_cast<std::uint16_t>(i), !shapes_[i].without_rowid);
  }
  for (const std::uint32_t root : index_roots) walk(root, kNobody, false);
  walk_freelist();
}

void PageMap::each_live_cell(const std::function<void(std::size_t, const PageImage&, const Cell&)>& each,
                             const std::function<bool()>& cancelled) {
  std::vector<std::byte> storage;
  PageImage image;
  for (std::uint32_t number = 1; number < use_.size(); ++number) {
    if (owner_[number] == kNobody || (use_[number] != PageUse::table_leaf && use_[number] != PageUse::index))
      continue;
    if (number % 256 == 0 && cancelled && cancelled()) return;
    if (!store_->read_current(number, storage, image)) continue;
    const auto page = parse_btree_page(image.bytes, number, store_->usable());
    if (!page) continue;
    for (std::size_t i = 0; i < page->cells; ++i)
      if (const auto cell = cell_of(image.bytes, *page, i, store_->usable()))
        each(owner_[number], image, *cell);
  }
}

}  // namespace touchstone::sqlite
