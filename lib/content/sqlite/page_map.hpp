// What each page of the current database is used for and which table owns it: the b-trees are walked as
// SQLite walks them (in order, depth at most 20, up to the first damage), then the freelist and the pointer
// maps. What nobody claims is what deleted rows may lie in. 3 bytes a page. One thread; borrows the store.
#pragma once

#include <cstdint>
#include <functional>
#include <unordered_map>
#include <vector>

#include "content/sqlite/page_store.hpp"
#include "content/sqlite/record.hpp"

namespace touchstone::sqlite {

enum class PageUse : std::uint8_t {
  unclaimed,
  table_leaf,
  table_interior,
  index,
  overflow,
  trunk,
  free_leaf,
  pointer_map
};

/// What the live cells of a table look like, for rebuilding cells whose start is gone.
struct CellHabits {
  std::uint32_t first_types = 0;     ///< bit n: serial type n was seen in the first column, bit 31: a text
  std::uint32_t row_id_lengths = 0;  ///< bit n: a row id of n bytes was seen
};

void note_habits(CellHabits& habits, const Cell& cell, Bytes page);

class PageMap {
 public:
  static constexpr std::uint16_t kNobody = 0xffff;

  explicit PageMap(PageStore& store, Problems& problems) : store_(&store), problems_(&problems) {}
  /// Reads the schema and walks everything. `cancelled` may be empty.
  void build(const std::function<bool()>& cancelled);

  /// Tables of the schema as it stands now; sqlite_schema is the first.
  std::vector<TableShape>& shapes() { return shapes_; }
  const std::vector<TableShape>& shapes() const { return shapes_; }
  std::vector<CellHabits>& habits() { return habits_; }
  PageUse use(std::uint32_t page) const { return page < use_.size() ? use_[page] : PageUse::unclaimed; }
  std::uint16_t owner(std::uint32_t page) const { return page < owner_.size() ? owner_[page] : kNobody; }
  void set_owner(std::uint32_t page, std::uint16_t shape) {
    if (page < owner_.size()) owner_[page] = shape;
  }
  /// Whether an overflow chain of a deleted record may still run through the page.
  bool is_free(std::uint32_t page) const;
  std::uint32_t pages() const { return store_->page_count(); }
  /// Leaf pages that a trunk names; their place in the trunk follows its first 8 bytes.
  static std::size_t trunk_leaves(Bytes page, std::uint32_t usable);
  /// Every row of the live tables: shape, cell and page. In the order of the pages.
  void each_live_cell(const std::function<void(std::size_t shape, const PageImage&, const Cell&)>& each,
                      const std::function<bool()>& cancelled);
  /// The first cell of a live leaf page that SQLite can't read on from, since its overflow chain breaks off.
  std::size_t first_broken_cell(std::uint32_t page) const {
    const auto found = broken_.find(page);
    return found == broken_.end() ? SIZE_MAX : found->second;
  }
  /// Reads an overflow page of the current state.
  OverflowReader overflow_reader();

 private:
  bool claim(std::uint32_t page, PageUse use, std::uint16_t owner, const char* what);
  void walk(std::uint32_t root, std::uint16_t owner, bool table);
  bool walk_page(std::uint32_t page, std::uint16_t owner, bool table, int depth,
                 std::vector<std::uint32_t>& children);
  bool claim_overflow(const Cell& cell, std::uint16_t owner);
  void read_schema(std::vector<std::uint32_t>& index_roots);
  void walk_freelist();
  void claim_pointer_maps();

  PageStore* store_;
  Problems* problems_;
  std::vector<PageUse> use_;
  std::vector<std::uint16_t> owner_;
  std::vector<TableShape> shapes_;
  std::vector<CellHabits> habits_;
  std::unordered_map<std::uint32_t, std::size_t> broken_;  ///< page → first such cell
};

}  // namespace touchstone::sqlite
