#include "content/sqlite/scanner.hpp"

#include <algorithm>

namespace touchstone::sqlite {

void Scanner::set_shapes(const std::vector<TableShape>& shapes, const std::vector<std::size_t>& wanted) {
  shapes_ = &shapes;
  all_.clear();
  owned_.clear();
  for (const std::size_t i : wanted) {
    const bool has_habits = map_ && i < map_->habits().size();
    all_.push_back(
        {static_cast<std::uint16_t>(i), &shapes[i], has_habits ? &map_->habits()[i] : nullptr, false});
  }
}

const std::vector<ShapeChoice>& Scanner::choices(std::uint16_t owner) {
  const auto is_owner = [&](const ShapeChoice& c) { return c.shape == owner; };
  if (std::none_of(all_.begin(), all_.end(), is_owner)) return all_;
  const auto [entry, is_new] = owned_.try_emplace(owner, all_);
  if (is_new) {
    const auto found = std::find_if(entry->second.begin(), entry->second.end(), is_owner);
    found->owner = true;
    std::rotate(entry->second.begin(), found, found + 1);
  }
  return entry->second;
}

/// Which table all these cells belong to; kNobody if none fits them all.
std::uint16_t Scanner::vote(const std::vector<Cell>& cells, std::uint16_t owner, bool table,
                            bool& ambiguous) {
  std::uint16_t best = PageMap::kNobody;
  std::int64_t best_score = -1;
  ambiguous = false;
  for (const ShapeChoice& choice : choices(owner)) {
    if (choice.table->without_rowid == table) continue;
    std::int64_t score = 0;
    for (const Cell& cell : cells) {
      const int one = fit(*choice.table, cell.types);
      if (one < 0) {
        score = -1;
        break;
      }
      score += one;
    }
    if (score < 0) continue;
    if (choice.owner) return choice.shape;
    if (score == best_score) ambiguous = true;
    if (score > best_score) {
      best_score = score;
      best = choice.shape;
      ambiguous = false;
    }
  }
  return best;
}

void Scanner::scan(const Each& each) {
  each_ = &each;
  std::vector<std::byte> storage;
  PageImage image;
  for (std::uint32_t page = 1; page <= map_->pages(); ++page) {
    if (page % 64 == 0 && cancelled_ && cancelled_()) return;
    if (store_->read_current(page, storage, image)) scan_current(page, image);
  }
  store_->each_old_image([&](const PageImage& old) {
    if (cancelled_ && cancelled_()) return false;
    const RowSource source = old.file == PageFile::wal       ? RowSource::wal_frame
                             : old.file == PageFile::journal ? RowSource::journal
                             : old.page > map_->pages()      ? RowSource::unreachable
                                                             : RowSource::main_file;
    const Place place{&old, source, store_->usable(), store_->header().encoding};
    scan_whole_page(place, map_->owner(old.page));
    return true;
  });
}

void Scanner::scan_loose_page(const PageImage& image, std::uint32_t usable, TextEncoding encoding,
                              const Each& each) {
  each_ = &each;
  scan_whole_page({&image, RowSource::carved_pages, usable, encoding}, PageMap::kNobody);
}

void Scanner::scan_current(std::uint32_t number, const PageImage& image) {
  Place place{&image, RowSource::unallocated, store_->usable(), store_->header().encoding};
  const std::uint16_t owner = map_->owner(number);
  switch (map_->use(number)) {
    case PageUse::table_leaf:
    case PageUse::table_interior:
    case PageUse::index:
      if (const auto page = parse_btree_page(image.bytes, number, place.usable)) {
        scan_free_space(place, *page, owner);
        if (page->flag == kLeafTable)
          scan_misplaced({&image, RowSource::unreachable, place.usable, place.encoding}, *page, owner);
        for (std::size_t i = map_->first_broken_cell(number); i < page->cells && page->is_table(); ++i)
          if (const auto cell = parse_cell(image.bytes, at16(image.bytes, page->pointers + 2 * i),
                                           place.usable, place.usable, true))
            give_listed({&image, RowSource::unreachable, place.usable, place.encoding}, *cell, owner, false);
      }
      return;
    case PageUse::trunk:
      place.source = RowSource::freelist;
      scan_stretch(place, 8 + 4 * PageMap::trunk_leaves(image.bytes, place.usable), place.usable, owner,
                   false);
      return;
    case PageUse::free_leaf:
      place.source = RowSource::freelist;
      scan_whole_page(place, owner);
      return;
    case PageUse::unclaimed:
      place.source = RowSource::unreachable;
      scan_whole_page(place, owner);
      return;
    case PageUse::overflow:
    case PageUse::pointer_map:
      return;
  }
}

/// A page that a table was made to lead to, though its rows have more values than the table has columns: as
/// rows of the table that they fit.
void Scanner::scan_misplaced(const Place& place, const BtreePage& page, std::uint16_t owner) {
  const auto is_owner = [&](const ShapeChoice& c) { return c.shape == owner; };
  if (page.cells == 0 || std::none_of(all_.begin(), all_.end(), is_owner)) return;
  const std::size_t columns = (*shapes_)[owner].columns.size();
  std::vector<Cell> cells;
  for (std::size_t i = 0; i < page.cells; ++i) {
    auto cell = parse_cell(place.image->bytes, at16(place.image->bytes, page.pointers + 2 * i), place.usable,
                           place.usable, true);
    if (!cell || cell->types.size() <= columns) return;
    cells.push_back(std::move(*cell));
  }
  bool ambiguous = false;
  const std::uint16_t table = vote(cells, PageMap::kNobody, true, ambiguous);
  if (table == PageMap::kNobody) return;
  for (const Cell& cell : cells) give_listed(place, cell, table, ambiguous);
}

/// A page of which the rows it lists are not live.
void Scanner::scan_whole_page(const Place& place, std::uint16_t owner) {
  const Bytes bytes = place.image->bytes;
  const auto page = parse_btree_page(bytes, place.image->page, place.usable);
  if (!page) {
    if (place.source != RowSource::wal_frame && place.source != RowSource::journal)
      scan_stretch(place, 0, place.usable, owner, false);
    return;
  }
  std::vector<Cell> cells;
  if (page->is_leaf()) {
    for (std::size_t i = 0; i < page->cells; ++i)
      if (auto cell = parse_cell(bytes, at16(bytes, page->pointers + 2 * i), place.usable, place.usable,
                                 page->is_table()))
        cells.push_back(std::move(*cell));
  }
  if (!cells.empty()) {
    bool ambiguous = false;
    const std::uint16_t table = vote(cells, owner, page->is_table(), ambiguous);
    if (table != PageMap::kNobody) {
      for (const Cell& cell : cells) give_listed(place, cell, table, ambiguous);
      if (!ambiguous) owner = table;
    }
  }
  scan_free_space(place, *page, owner);
}

/// What lies between the cells, whatever the chain of freeblocks says.
void Scanner::scan_free_space(const Place& place, const BtreePage& page, std::uint16_t owner) {
  const Bytes bytes = place.image->bytes;
  std::vector<std::pair<std::size_t, std::size_t>> taken;
  for (std::size_t i = 0; i < page.cells; ++i) {
    const std::size_t at = at16(bytes, page.pointers + 2 * i);
    std::size_t end = at + 4;
    if (page.flag == kInteriorTable) {
      end = at + 4 + read_varint(bytes, at + 4, place.usable).length;
    } else if (const auto cell = parse_cell(bytes, at + (page.is_leaf() ? 0 : 4), place.usable, place.usable,
                                            page.is_table())) {
      end = cell->end;
    }
    taken.emplace_back(at, end);
  }
  std::sort(taken.begin(), taken.end());
  // Pages of indexes are full of what was moved on: to rebuild cells of every table from it finds none and
  // takes minutes. Whole ones are found there all the same, and with them the tables that may be rebuilt.
  const bool cells_page = page.is_table() || owner != PageMap::kNobody;
  std::size_t from = page.pointers_end();
  for (const auto& [begin, end] : taken) {
    if (from < begin) scan_stretch(place, from, begin, owner, cells_page);
    from = std::max(from, end);
  }
  if (from < place.usable) scan_stretch(place, from, place.usable, owner, cells_page);
}

void Scanner::scan_stretch(const Place& place, std::size_t begin, std::size_t end, std::uint16_t owner,
                           bool cells_page) {
  // In a page of a table that is not looked for, only whole cells of others can be told.
  const bool looked_for =
      owner == PageMap::kNobody ||
      std::any_of(all_.begin(), all_.end(), [&](const ShapeChoice& c) { return c.shape == owner; });
  const CarvePlace where{place.image->bytes, begin,          end,
                         place.usable,       place.encoding, cells_page && looked_for};
  for (const CarvedCell& carved : carve(where, choices(owner))) give_carved(place, carved);
}

void Scanner::give_listed(const Place& place, const Cell& cell, std::uint16_t shape, bool ambiguous) {
  RecoveredRow row;
  row.mapped = !ambiguous;
  row.confidence = place.image->verified ? 1000 : 950;
  row.certain = !ambiguous && cell.end <= place.usable;
  give(place, cell, shape, std::min<std::size_t>(cell.end, place.usable), std::move(row));
}

void Scanner::give_carved(const Place& place, const CarvedCell& carved) {
  const TableShape& table = (*shapes_)[carved.shape];
  const Agreement agreed = agreement(table, carved.cell.types);
  RecoveredRow row;
  row.mapped = carved.owner || !carved.ambiguous;
  switch (carved.how) {
    case CarvedCell::How::whole:
      row.confidence = 900;
      row.certain = row.mapped && !carved.overlapped && agreed.percent >= 90 && agreed.values >= 3 &&
                    carved.cell.types.size() == table.columns.size();
      break;
    case CarvedCell::How::cut:
      row.confidence = 300;
      break;
    case CarvedCell::How::rebuilt:
      row.confidence = 700;
      break;
    case CarvedCell::How::rebuilt_loosely:
      row.confidence = 450;
      break;
  }
  Cell cell = carved.cell;
  give(place, cell, carved.shape, carved.available_end, std::move(row));
}

void Scanner::give(const Place& place, const Cell& cell, std::uint16_t shape, std::size_t available_end,
                   RecoveredRow row) {
  const TableShape& table = (*shapes_)[shape];
  const Payload payload =
      read_payload(place.image->bytes, cell, available_end, place.usable, overflow_reader());
  DecodedRow decoded = decode_row(table, cell.types, payload.bytes, cell.header_length,
                                  table.without_rowid ? std::nullopt : cell.row_id, place.encoding);
  row.shape = shape;
  if (!table.without_rowid) row.row_id = cell.row_id;
  row.values = std::move(decoded.values);
  row.known = std::move(decoded.known);
  row.partial = std::find(row.known.begin(), row.known.end(), false) != row.known.end();
  if (payload.through_overflow) {
    row.confidence = std::min(row.confidence, payload.whole ? 850 : 300);
    row.certain = false;
  }
  // A row id that is lost is no loss of the row, unless a column shows it.
  if (row.partial) row.certain = false;
  row.confidence = std::max(0, row.confidence - 2 * (100 - agreement(table, cell.types).percent));
  row.source = place.source;
  row.file = place.image->file;
  row.page = place.image->page;
  row.offset = static_cast<std::uint32_t>(cell.start);
  row.file_offset = place.image->file_offset + cell.start;
  (*each_)(std::move(row));
}

/// Freed pages keep what they held until they are used again, but for those that list others; a page in use
/// holds something else.
OverflowReader Scanner::overflow_reader() {
  return [this](std::uint32_t page, std::vector<std::byte>& storage) {
    PageImage image;
    return map_ && map_->is_free(page) && map_->use(page) != PageUse::trunk &&
           store_->read_current(page, storage, image);
  };
}

}  // namespace touchstone::sqlite
