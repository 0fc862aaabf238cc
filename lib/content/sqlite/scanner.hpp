// Walks every place where deleted rows of one database may lie and hands over what it finds as decoded rows.
// Behind recover_rows(). Borrows store and map; one thread.
#pragma once

#include <functional>
#include <unordered_map>
#include <vector>

#include "content/sqlite/carver.hpp"
#include "content/sqlite/recovery.hpp"

namespace touchstone::sqlite {

class Scanner {
 public:
  using Each = std::function<void(RecoveredRow&&)>;
  Scanner(PageStore& store, PageMap& map, const std::function<bool()>& cancelled)
      : store_(&store), map_(&map), cancelled_(cancelled) {}
  /// For loose pages only.
  Scanner() = default;

  /// Shapes that rows may have: indices into `shapes`, which outlives the scanner.
  void set_shapes(const std::vector<TableShape>& shapes, const std::vector<std::size_t>& wanted);
  void scan(const Each& each);
  /// One page that belongs to no database at hand.
  void scan_loose_page(const PageImage& image, std::uint32_t usable, TextEncoding encoding, const Each& each);

 private:
  struct Place {
    const PageImage* image;
    RowSource source;
    std::uint32_t usable;
    TextEncoding encoding;
  };
  const std::vector<ShapeChoice>& choices(std::uint16_t owner);
  std::uint16_t vote(const std::vector<Cell>& cells, std::uint16_t owner, bool table, bool& ambiguous);
  void scan_current(std::uint32_t page, const PageImage& image);
  void scan_misplaced(const Place& place, const BtreePage& page, std::uint16_t owner);
  void scan_whole_page(const Place& place, std::uint16_t owner);
  void scan_free_space(const Place& place, const BtreePage& page, std::uint16_t owner);
  void scan_stretch(const Place& place, std::size_t begin, std::size_t end, std::uint16_t owner,
                    bool cells_page);
  void give_listed(const Place& place, const Cell& cell, std::uint16_t shape, bool ambiguous);
  void give_carved(const Place& place, const CarvedCell& carved);
  void give(const Place& place, const Cell& cell, std::uint16_t shape, std::size_t available_end,
            RecoveredRow row);
  OverflowReader overflow_reader();

  PageStore* store_ = nullptr;
  PageMap* map_ = nullptr;
  std::function<bool()> cancelled_;
  const std::vector<TableShape>* shapes_ = nullptr;
  std::vector<ShapeChoice> all_;
  std::unordered_map<std::uint16_t, std::vector<ShapeChoice>> owned_;
  const Each* each_ = nullptr;
};

}  // namespace touchstone::sqlite
