// JPEG files, in one piece or two. A picture is taken when its whole stream decodes; where it breaks off, the
// rest is looked for in other clusters of the window, and otherwise its beginning is given. Keeps what it
// learned of the window's sectors; one for each window, which outlives it.
#pragma once

#include <functional>
#include <vector>

#include "carved.hpp"
#include "jpeg_decoder.hpp"

namespace touchstone::carving {

class JpegCarver {
 public:
  /// `covered`: whether a place belongs to a file already found.
  JpegCarver(View& view, std::function<bool(std::uint64_t)> covered);

  /// The picture that begins at `offset`, or its beginning.
  Found carve(std::uint64_t offset);
  /// The picture in two fragments, if carve() gave only a beginning: best asked when all other files are
  /// known, since none of their clusters is tried.
  Found piece_together(std::uint64_t offset);
  /// Whether tries for second fragments were given up for the bound on them.
  bool gave_up() const { return gave_up_; }

 private:
  Found pieced_on_grid(JpegDecoder& decoder, std::uint64_t offset, std::uint64_t grid, std::uint64_t fault);
  /// A beginning that is cut at `cut`, and what is known of where it may go on.
  struct Cut {
    JpegDecoder& decoder;
    const JpegDecoder::State& from;
    std::uint64_t offset, cut, grid;
    std::vector<Run> dead{};  // ends of JPEGs that do not fit
    bool early = false;       // the last try met an EOI too early, here:
    std::uint64_t early_end = 0;
  };
  Found try_at(Cut& cut, std::uint64_t place);
  Found decode_at(Cut& cut, std::uint64_t place);
  Found narrow(Cut& cut, std::uint64_t place);
  Found by_markers(std::uint64_t offset, std::uint64_t from);
  std::uint64_t with_further_pictures(const JpegDecoder& decoder, std::uint64_t offset);
  bool may_continue(std::uint64_t place);

  View& view_;
  std::function<bool(std::uint64_t)> covered_;
  std::vector<std::uint8_t> sectors_;  // 0 unknown, 1 may hold entropy-coded data, 2 not
  std::uint64_t tries_left_, long_work_left_, file_work_ = 0;
  bool gave_up_ = false;
};

}  // namespace touchstone::carving
