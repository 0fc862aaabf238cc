#include "content/sqlite/carver.hpp"

#include <algorithm>
#include <array>
#include <unordered_map>

namespace touchstone::sqlite {
namespace {

/// Offsets tried per stretch while rebuilding; a page of 64 KiB full of remnants stays well below.
constexpr std::size_t kMaxAttempts = 400'000;
/// Bytes that may lie unused between two cells, too few for a freeblock.
constexpr std::size_t kMaxFragment = 3;
/// Where the table is not known, cells are rebuilt for at most so many shapes.
constexpr std::size_t kMaxRebuildShapes = 16;

bool all_zero(Bytes bytes, std::size_t from, std::size_t to) {
  for (std::size_t at = from; at < to; ++at)
    if (at8(bytes, at) != 0) return false;
  return true;
}

class Carver {
 public:
  Carver(const CarvePlace& place, const std::vector<ShapeChoice>& shapes) : place_(place), shapes_(shapes) {
    for (const ShapeChoice& choice : shapes_) (choice.table->without_rowid ? index_ : table_) = true;
  }

  std::vector<CarvedCell> run() {
    if (place_.end > place_.usable || place_.begin + 5 > place_.end || shapes_.empty()) return {};
    find_whole();
    resolve_overlaps();
    rebuild_between();
    std::sort(found_.begin(), found_.end(),
              [](const CarvedCell& a, const CarvedCell& b) { return a.cell.start < b.cell.start; });
    return std::move(found_);
  }

 private:
  /// Where a cell that is rebuilt has to end: where the next begins, anywhere before, or even behind it.
  enum class Ending { exact, open, cut };
  struct Candidate {
    const ShapeChoice* choice;
    CellHabits habits;  ///< of the table's live cells and of the whole ones here
  };
  struct Hypothesis {
    std::size_t payload_length, row_id_length;
  };

  void find_whole() {
    for (std::size_t at = place_.begin; at + 4 <= place_.end; ++at) {
      if (at8(place_.page, at) == 0) continue;
      for (const bool table : {true, false})
        if (table ? table_ : index_) try_whole(at, table);
    }
  }

  void try_whole(std::size_t at, bool table) {
    auto cell = parse_cell(place_.page, at, place_.end, place_.usable, table);
    if (!cell) return;
    CarvedCell carved;
    const auto choice = best_choice(shapes_, cell->types, table, carved.fit, carved.ambiguous);
    if (!choice) return;
    // Two columns without types fit nearly anything.
    if (carved.fit < (shapes_[*choice].owner ? 40 : shapes_[*choice].table->columns.size() < 3 ? 90 : 75))
      return;
    carved.shape = shapes_[*choice].shape;
    carved.owner = shapes_[*choice].owner;
    carved.how = cell->end <= place_.end ? CarvedCell::How::whole : CarvedCell::How::cut;
    carved.available_end = std::min(cell->end, place_.end);
    carved.cell = std::move(*cell);
    if (!plausible(carved, *shapes_[*choice].table)) return;
    found_.push_back(std::move(carved));
  }

  /// What stands of the text must be text, and there must be something to say at all.
  bool plausible(const CarvedCell& carved, const TableShape& table) const {
    const DecodedRow row = decode(carved, table);
    if (!row.clean_text) return false;
    std::size_t said = 0;
    for (std::size_t i = 0; i < carved.cell.types.size(); ++i)
      if (row.known[i] && row.values[i].kind != SqlValue::Kind::null) ++said;
    if (carved.how == CarvedCell::How::cut) return row.text_bytes >= 3 && said >= 2;
    return said >= 2 || row.text_bytes >= 3;
  }

  DecodedRow decode(const CarvedCell& carved, const TableShape& table) const {
    const Payload payload = read_payload(place_.page, carved.cell, carved.available_end, place_.usable,
                                         [](std::uint32_t, std::vector<std::byte>&) { return false; });
    return decode_row(table, carved.cell.types, payload.bytes, carved.cell.header_length, carved.cell.row_id,
                      place_.encoding);
  }

  /// An inner cell that ends where the outer one does was written into the outer one's place later. One that
  /// ends elsewhere is chance, but then the outer one is not beyond doubt.
  void resolve_overlaps() {
    std::vector<CarvedCell> kept;
    std::size_t outer_end = 0;
    for (std::size_t i = 0; i < found_.size(); ++i) {
      CarvedCell cell = std::move(found_[i]);
      if (cell.cell.start < outer_end) continue;
      std::size_t first_inner = 0, closing = 0;
      for (std::size_t j = i + 1; j < found_.size() && found_[j].cell.start < cell.cell.end; ++j) {
        if (first_inner == 0) first_inner = found_[j].cell.start;
        if (found_[j].how == CarvedCell::How::whole && found_[j].cell.end == cell.cell.end) closing = j;
        cell.overlapped = true;
      }
      if (closing > 0) {
        cell.how = CarvedCell::How::cut;
        cell.available_end = std::min(cell.available_end, first_inner);
        outer_end = first_inner;
      } else if (cell.how == CarvedCell::How::cut && first_inner > 0) {
        cell.available_end = std::min(cell.available_end, first_inner);
        outer_end = first_inner;
      } else {
        outer_end = cell.cell.end;
      }
      kept.push_back(std::move(cell));
    }
    found_ = std::move(kept);
  }

  void rebuild_between() {
    // The tables of the whole cells here are the likely ones where the page's owner is not known.
    for (const ShapeChoice& choice : shapes_) {
      const bool seen = std::any_of(found_.begin(), found_.end(),
                                    [&](const CarvedCell& c) { return c.shape == choice.shape; });
      if (choice.owner || seen) rebuild_.push_back({&choice, {}});
    }
    if (rebuild_.empty() && place_.cells_page && shapes_.size() <= kMaxRebuildShapes)
      for (const ShapeChoice& choice : shapes_) rebuild_.push_back({&choice, {}});
    if (rebuild_.empty()) return;
    for (const CarvedCell& carved : found_) note_habits(habits_[carved.shape], carved.cell, place_.page);
    for (Candidate& candidate : rebuild_) candidate.habits = habits_of(*candidate.choice);
    count_zeros();
    std::vector<CarvedCell> rebuilt;
    std::size_t low = place_.begin;
    for (std::size_t i = 0; i <= found_.size(); ++i) {
      const std::size_t high = i < found_.size() ? found_[i].cell.start : place_.end;
      if (low + 5 < high) rebuild_interval(low, high, rebuilt);
      if (i < found_.size()) low = std::max(low, found_[i].available_end);
    }
    for (CarvedCell& cell : rebuilt) found_.push_back(std::move(cell));
  }

  /// From the end backwards: what ends where the next cell begins.
  void rebuild_interval(std::size_t low, std::size_t high, std::vector<CarvedCell>& out) {
    while (low + 5 < high && !all_zero(place_.page, low, high)) {
      std::optional<CarvedCell> best;
      for (std::size_t at = high - 5 + 1; at-- > low;) {
        if (++attempts_ > kMaxAttempts) return;
        for (const Candidate& candidate : rebuild_)
          if (auto cell = rebuild(at, high, candidate, Ending::exact))
            if (!best || better(*cell, *best)) best = std::move(cell);
        // A cell is no longer than this in a page of that size.
        if (best && best->cell.start - at > 512) break;
      }
      if (!best) break;
      high = best->cell.start;
      out.push_back(std::move(*best));
    }
    if (low + 5 < high && rebuild_chain(low, high, out)) return;
    // A freeblock that was merged from several begins with a cell, whatever follows it.
    if (low + 5 >= high) return;
    for (const Candidate& candidate : rebuild_) {
      if (auto cell = rebuild(low, high, candidate, Ending::open)) {
        out.push_back(std::move(*cell));
        return;
      }
    }
  }

  /// Where the last cell before `high` has lost its end, the ones before it still follow each other.
  bool rebuild_chain(std::size_t low, std::size_t high, std::vector<CarvedCell>& out) {
    std::vector<CarvedCell> links;
    for (std::size_t at = low; at + 8 <= high; ++at) {
      for (const Candidate& candidate : rebuild_) {
        if (candidate.habits.first_types == 0) continue;
        if (++attempts_ > kMaxAttempts) return false;
        if (auto cell = rebuild(at, high, candidate, Ending::cut); cell && cell->habitual && cell->fit >= 90)
          links.push_back(std::move(*cell));
      }
    }
    bool any = false;
    std::size_t expected = 0;  // where a cell begins for certain, after the first pair
    for (std::size_t i = 0; i < links.size(); ++i) {
      const CarvedCell& link = links[i];
      if (link.cell.start < expected) continue;
      const bool follows = expected > 0 && link.cell.start <= expected + kMaxFragment;
      const auto is_next = [&](const CarvedCell& c) {
        return c.cell.start >= link.cell.end && c.cell.start <= link.cell.end + kMaxFragment;
      };
      const bool followed = std::any_of(links.begin() + static_cast<std::ptrdiff_t>(i), links.end(), is_next);
      if (!follows && !followed) continue;
      expected = link.cell.end;
      out.push_back(link);
      if (followed && out.back().how == CarvedCell::How::rebuilt_loosely)
        out.back().how = CarvedCell::How::rebuilt;
      any = true;
    }
    return any;
  }

  /// Free space is zeros mostly, and zeros are types of any number of NULLs: the slowest places to refuse.
  void count_zeros() {
    zeros_from_.assign(place_.end + 1, 0);
    for (std::size_t at = place_.end; at-- > place_.begin;)
      zeros_from_[at] = at8(place_.page, at) == 0 ? zeros_from_[at + 1] + 1 : 0;
  }

  /// Whether a cell at `at` could say no more than what its lost first column held.
  bool says_nothing(std::size_t at, const TableShape& table) const {
    const std::size_t stands = at + 4;
    return table.row_id_column.value_or(0) == 0 && stands < zeros_from_.size() &&
           zeros_from_[stands] >= table.columns.size();
  }

  /// Of the table's live cells and of the whole ones here.
  CellHabits habits_of(const ShapeChoice& choice) const {
    CellHabits habits = choice.habits ? *choice.habits : CellHabits{};
    if (const auto here = habits_.find(choice.shape); here != habits_.end()) {
      habits.first_types |= here->second.first_types;
      habits.row_id_lengths |= here->second.row_id_lengths;
    }
    return habits;
  }
  static bool is_habitual(const Candidate& candidate, std::uint64_t type) {
    return ((candidate.habits.first_types >> (type < 12 ? type : 31)) & 1U) != 0;
  }

  static bool better(const CarvedCell& a, const CarvedCell& b) {
    const auto rank = [](const CarvedCell& c) {
      return c.fit * 100 - (c.first_unknown ? 30 : 0) + (c.owner ? 10 : 0) + (c.habitual ? 2000 : 0) -
             static_cast<int>(c.slack) * 50;
    };
    return rank(a) > rank(b);
  }

  /// A cell at `at` of which the first four bytes are gone. `exact`: it must end at `end`, else before it.
  std::optional<CarvedCell> rebuild(std::size_t at, std::size_t end, const Candidate& candidate,
                                    Ending ending) {
    if (candidate.choice->table->without_rowid || says_nothing(at, *candidate.choice->table))
      return std::nullopt;
    static constexpr std::array<Hypothesis, 9> kHypotheses{
        {{1, 1}, {1, 2}, {2, 1}, {1, 3}, {2, 2}, {2, 3}, {1, 4}, {3, 1}, {3, 2}}};
    std::optional<CarvedCell> best;
    for (const Hypothesis& hypothesis : kHypotheses) {
      const std::uint32_t habits = candidate.habits.row_id_lengths;
      if (habits != 0 &&
          !(habits & (0xfU << (hypothesis.row_id_length > 1 ? hypothesis.row_id_length - 1 : 1))))
        continue;
      auto cell = rebuild_as(at, end, candidate, ending, hypothesis);
      if (cell && (!best || better(*cell, *best))) best = std::move(cell);
    }
    return best;
  }

  std::optional<CarvedCell> rebuild_as(std::size_t at, std::size_t end, const Candidate& candidate,
                                       Ending ending, const Hypothesis& hypothesis) {
    const TableShape& table = *candidate.choice->table;
    const std::size_t columns = table.columns.size();
    const std::size_t header = at + hypothesis.payload_length + hypothesis.row_id_length;
    const std::size_t lost = at + 4;  // the first byte that stands
    if (std::max(header + 1, lost) >= end) return std::nullopt;
    std::size_t next = header + 1;
    if (header >= lost && at8(place_.page, header) >= 0x80) return std::nullopt;
    // A row id's last byte, where it stands, ends a varint.
    if (header > lost && at8(place_.page, header - 1) >= 0x80) return std::nullopt;
    const bool first_lost = next < lost;
    next = std::max(next, lost);
    if (first_lost && columns < 2) return std::nullopt;
    // Nearly every place fails at its first types: nothing is allocated for it.
    types_.clear();
    if (first_lost) types_.push_back(0);
    std::uint64_t body = 0;
    for (std::size_t i = types_.size(); i < columns; ++i) {
      const Varint type = read_varint(place_.page, next, end);
      const auto length = type.length > 0 ? serial_length(type.value) : std::nullopt;
      if (!length || *length > kMaxPayload || fit_column(table, i, type.value) < 0) return std::nullopt;
      types_.push_back(type.value);
      body += *length;
      next += type.length;
    }
    if (types_.empty() || next - header > 127) return std::nullopt;
    if (header >= lost && at8(place_.page, header) != next - header) return std::nullopt;
    CarvedCell carved;
    Cell& cell = carved.cell;
    cell.start = at;
    cell.header = header;
    cell.header_length = next - header;
    cell.types = types_;
    if (first_lost) return with_first_type(std::move(carved), end, candidate, ending, hypothesis, body);
    carved.habitual = is_habitual(candidate, cell.types[0]);
    return finish(std::move(carved), end, candidate, ending, hypothesis, body);
  }

  /// Tries the serial types that the first column may have had.
  std::optional<CarvedCell> with_first_type(CarvedCell carved, std::size_t end, const Candidate& candidate,
                                            Ending ending, const Hypothesis& hypothesis, std::uint64_t body) {
    const TableShape& table = *candidate.choice->table;
    if (table.row_id_column == 0U) {
      carved.habitual = true;
      return finish(std::move(carved), end, candidate, ending, hypothesis, body);
    }
    std::optional<CarvedCell> best;
    std::size_t empty_types = 0;
    const std::uint32_t seen = candidate.habits.first_types;
    const auto attempt = [&](std::uint64_t type) {
      CarvedCell copy = carved;
      copy.cell.types[0] = type;
      auto cell = finish(std::move(copy), end, candidate, ending, hypothesis, body + *serial_length(type));
      if (!cell) return;
      cell->habitual = is_habitual(candidate, type);
      // Two guesses at once are one too many.
      if (seen != 0 && !cell->habitual && cell->slack > 0) return;
      if (*serial_length(type) == 0) ++empty_types;
      if (!best || better(*cell, *best)) best = std::move(cell);
    };
    for (const std::uint64_t type : {1ULL, 2ULL, 3ULL, 4ULL, 5ULL, 6ULL, 7ULL, 0ULL, 8ULL, 9ULL})
      if (ending == Ending::exact || (seen >> type) & 1U) attempt(type);
    if (ending == Ending::exact && table.columns[0].affinity != Affinity::integer &&
        table.columns[0].affinity != Affinity::real) {
      const std::size_t fixed =
          carved.cell.header + carved.cell.header_length + static_cast<std::size_t>(body);
      for (std::size_t slack = 0; slack <= kMaxFragment; ++slack) {
        const std::size_t length = end > fixed + slack ? end - fixed - slack : 0;
        if (length == 0 || length >= 58) continue;
        attempt(13 + 2 * length);
        attempt(12 + 2 * length);
      }
    }
    // NULL, 0 and 1 take no bytes: which of them it was, nobody can say.
    if (best && empty_types > 0 && *serial_length(best->cell.types[0]) == 0) best->first_unknown = true;
    return best;
  }

  std::optional<CarvedCell> finish(CarvedCell carved, std::size_t end, const Candidate& candidate,
                                   Ending ending, const Hypothesis& hypothesis, std::uint64_t body) {
    Cell& cell = carved.cell;
    cell.payload = cell.header_length + body;
    if (cell.payload > kMaxPayload || varint_length(cell.payload) != hypothesis.payload_length)
      return std::nullopt;
    cell.local = local_payload(cell.payload, place_.usable, true);
    if (cell.local < cell.header_length) return std::nullopt;
    const std::size_t stop = cell.header + cell.local;
    cell.end = std::max(stop, cell.start + 4);
    if (cell.local < cell.payload) {
      cell.end = stop + 4;
      if (cell.end <= place_.end) cell.overflow = at32(place_.page, stop);
    }
    if (ending != Ending::cut && cell.end > end) return std::nullopt;
    if (ending == Ending::exact) {
      if (cell.end + kMaxFragment < end) return std::nullopt;
      carved.slack = end - cell.end;
    }
    carved.fit = fit(*candidate.choice->table, cell.types);
    if (carved.fit < 50) return std::nullopt;
    carved.how = ending == Ending::exact ? CarvedCell::How::rebuilt
                 : cell.end <= end       ? CarvedCell::How::rebuilt_loosely
                                         : CarvedCell::How::cut;
    carved.shape = candidate.choice->shape;
    carved.owner = candidate.choice->owner;
    carved.available_end = std::min(cell.end, end);
    const DecodedRow row = decode(carved, *candidate.choice->table);
    std::size_t said = 0;
    for (std::size_t i = 0; i < row.values.size(); ++i)
      if (row.known[i] && row.values[i].kind != SqlValue::Kind::null) ++said;
    if (!row.clean_text || said < 2 || row.text_bytes < (ending == Ending::exact ? 2U : 4U))
      return std::nullopt;
    return carved;
  }

  CarvePlace place_;
  const std::vector<ShapeChoice>& shapes_;
  std::vector<Candidate> rebuild_;
  std::vector<CarvedCell> found_;
  std::unordered_map<std::uint16_t, CellHabits> habits_;
  std::vector<std::uint64_t> types_;     ///< of the cell that is being tried
  std::vector<std::size_t> zeros_from_;  ///< how many zeros begin at a place
  std::size_t attempts_ = 0;
  bool table_ = false, index_ = false;
};

}  // namespace

std::optional<std::size_t> best_choice(const std::vector<ShapeChoice>& shapes,
                                       const std::vector<std::uint64_t>& types, bool table, int& score,
                                       bool& ambiguous) {
  std::optional<std::size_t> best;
  score = -1;
  ambiguous = false;
  for (std::size_t i = 0; i < shapes.size(); ++i) {
    if (shapes[i].table->without_rowid == table) continue;
    int one = fit(*shapes[i].table, types);
    if (one < 0) continue;
    // The page's own table wins unless another fits far better.
    if (shapes[i].owner) one += 30;
    if (one > score) {
      score = one;
      best = i;
      ambiguous = false;
    } else if (one == score) {
      ambiguous = true;
    }
  }
  if (best && shapes[*best].owner) score -= 30;
  return best;
}

std::vector<CarvedCell> carve(const CarvePlace& place, const std::vector<ShapeChoice>& shapes) {
  return Carver(place, shapes).run();
}

}  // namespace touchstone::sqlite
