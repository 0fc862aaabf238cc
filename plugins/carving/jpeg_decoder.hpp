// Decodes a JPEG's entropy-coded data as far as numbers of coefficients, without making pixels of them: where
// the stream stops being a JPEG is where the file is fragmented, overwritten or over. Sequential and
// progressive Huffman coding (ITU-T T.81); arithmetic coding and lossless are told apart, not decoded. The
// bytes come from runs of a view, so that a second fragment can be tried from a snapshot without reading the
// first again.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "view.hpp"

namespace touchstone::carving {

struct HuffmanTable {
  bool defined = false;
  static constexpr int kQuickBits = 9;
  static constexpr std::size_t kQuickSize = std::size_t{1} << kQuickBits;
  std::array<std::uint16_t, kQuickSize> quick{};  ///< by the next bits: length << 8 | symbol; 0: longer
  std::array<std::int32_t, 18> max_code{};
  std::array<std::int32_t, 17> offset{};
  std::array<std::uint8_t, 256> symbols{};
  /// False if the lengths make no code.
  bool make(const std::uint8_t* counts, const std::uint8_t* values, std::size_t value_count);
};

/// What the next bits of a sequential picture's AC coefficients are, as many codes with their values as they
/// hold: bits << 8 | advance of the coefficient; 0: read code by code. Made for the tables that a scan uses.
struct AcSteps {
  static constexpr int kBits = 11;
  static constexpr std::uint16_t kEnd = 0x80;  ///< the block ends behind them
  std::array<std::uint16_t, std::size_t{1} << kBits> step{};
  explicit AcSteps(const HuffmanTable& table);
};

struct JpegTables {
  std::array<HuffmanTable, 4> dc, ac;
  std::array<std::shared_ptr<const AcSteps>, 4> ac_steps;
  std::array<std::uint16_t, 4> quant_dc{};  ///< first step of each quantisation table, 0: undefined
};

enum class JpegEnd {
  complete,     ///< EOI after all of the picture
  broken,       ///< the stream stops making sense at `error_at`
  not_decoded,  ///< a coding that is not decoded; the markers are sound so far
  paused,       ///< stop_at() was reached, or the budget is used up: run() goes on from here
};

class JpegDecoder {
 public:
  /// `runs`: where the file may lie; the last one may be open-ended (length UINT64_MAX).
  JpegDecoder(View& view, std::vector<Run> runs);

  /// Everything that changes while decoding; cheap to copy.
  struct State {
    std::uint64_t at = 0;  ///< logical offset of the next byte
    std::uint64_t bits = 0;
    int bit_count = 0;
    bool at_marker = false;  ///< no more bits: a marker or the end comes next
    bool in_scan = false;
    std::shared_ptr<const JpegTables> tables;
    struct ScanPart {
      std::uint8_t component = 0, dc = 0, ac = 0;
    };
    std::array<ScanPart, 4> parts{};
    std::uint8_t part_count = 0, spectral_from = 0, spectral_to = 0, high = 0, low = 0;
    std::uint32_t restart_interval = 0, unit = 0, units = 0, restart_left = 0, next_restart = 0;
    std::uint32_t end_of_band = 0;
    std::array<std::int32_t, 4> predictor{};
    std::uint32_t scans = 0;
    std::array<std::uint64_t, 4> exact{};  ///< for each component, the coefficients known to their last bit
    std::uint64_t decoded = 0;             ///< blocks, of all scans
  };

  /// From the state to the end of the picture or to the first fault.
  JpegEnd run();

  State& state() { return state_; }
  /// Offset in the file: behind EOI, or where the fault was seen.
  std::uint64_t position() const { return position_; }
  /// Whether the fault was that EOI came too early: what follows is a JPEG's end, entered in its middle.
  bool ended_early() {
    return failed_ && state_.in_scan && state_.at_marker && peek(0) == 0xFF && peek(1) == 0xD9;
  }
  /// How much of the picture the blocks decoded so far are, in thousandths (of the first scan if
  /// progressive).
  std::uint32_t share() const;
  std::uint64_t blocks() const { return state_.decoded; }
  bool progressive() const { return progressive_; }
  /// Whether all coefficients of all components came: EOI alone may stand behind the first of several scans.
  bool all_received() const;
  /// Where the first scan's data begins; 0: none did.
  std::uint64_t first_scan() const { return first_scan_; }
  /// Logical extents that APP2 "MPF" names behind the first picture: offset, length.
  const std::vector<std::pair<std::uint64_t, std::uint64_t>>& further_pictures() const { return further_; }

  /// Logical offset at which run() pauses inside a scan.
  void stop_at(std::uint64_t offset) { stop_at_ = offset; }
  /// Snapshots taken about every 512 bytes of a scan; the last at or before `offset`.
  const State* snapshot_before(std::uint64_t offset) const;
  void keep_snapshots(bool keep) { keep_snapshots_ = keep; }
  /// Decodes on from a snapshot as far as no byte from `offset` on is needed, so that tries with other runs
  /// behind it do not decode what is before again. Valid until the next call.
  const State& nearest_before(std::uint64_t offset, const State& snapshot, std::vector<Run> runs);
  /// Goes back to `state`, a snapshot or the nearest, with other runs, undoing what came after it.
  void resume(const State& state, std::vector<Run> runs);

 private:
  struct Component {
    std::uint8_t id = 0, h = 1, v = 1, quant = 0;
    std::uint32_t blocks_x = 0, blocks_y = 0;     // what a scan of this component alone has
    std::uint32_t stored_x = 0, first_block = 0;  // in nonzero_
    std::uint32_t stored_y = 0;
  };

  int byte();                     // the next raw byte, -1 at the end
  int peek(std::uint64_t ahead);  // without moving
  bool fill_chunk(std::uint64_t at);
  bool markers();  // up to and into a scan, or to EOI
  bool segment(int marker, std::uint64_t body, std::size_t length);
  bool frame(int marker, Bytes body);
  bool huffman(Bytes body);
  bool quantisation(Bytes body);
  bool scan_header(Bytes body);
  void multi_picture(Bytes body, std::uint64_t body_at);
  bool scan();
  void snapshot();
  void undo_to(std::size_t length);
  void account();
  bool unit();
  bool unit_ac();
  bool restart();
  bool end_scan();
  /// Takes bytes until more than 48 bits are held. Called with fewer than 17.
  void fill_bits() {
    if (!fill_whole_bytes()) fill_by_byte();
  }
  bool fill_whole_bytes();
  void fill_by_byte();
  bool need(int count) {
    if (state_.bit_count < count) fill_bits();
    return state_.bit_count >= count;
  }
  int symbol(const HuffmanTable& table) {
    if (state_.bit_count < 16) fill_bits();
    if (state_.bit_count >= 16) {
      const std::uint16_t quick = table.quick[quick_window(state_.bits, state_.bit_count)];
      if (quick != 0) {
        state_.bit_count -= quick >> 8U;
        return quick & 0xFF;
      }
    }
    return long_symbol(table);
  }
  static std::size_t quick_window(std::uint64_t bits, int count) {
    return bits >> static_cast<unsigned>(count - HuffmanTable::kQuickBits) & (HuffmanTable::kQuickSize - 1);
  }
  int long_symbol(const HuffmanTable& table);
  bool receive(int count, std::int32_t& value);
  bool bit(int& value);
  void make_steps(std::size_t ac);
  bool whole_steps(const AcSteps& steps, int& k);
  template <typename Each>
  bool short_codes(const HuffmanTable& table, int& k, int last, Each each);
  bool block_sequential(const State::ScanPart& part, std::size_t slot);
  bool block_dc(const State::ScanPart& part, std::size_t slot);
  bool dc_difference(const State::ScanPart& part, std::size_t slot);
  bool block_ac_first(const State::ScanPart& part, std::uint64_t& nonzero);
  bool block_ac_refine(const State::ScanPart& part, std::uint64_t& nonzero);
  bool refine_passed(std::uint64_t& nonzero, int& k, int skip);
  std::size_t stored_index(const Component& component) const;
  bool fail() {
    failed_ = true;
    return false;
  }

  View& view_;
  std::vector<Run> runs_;
  State state_;
  const std::uint8_t* chunk_ = nullptr;  // logical [chunk_at_, chunk_at_ + chunk_size_)
  std::uint64_t chunk_at_ = 0;
  std::size_t chunk_size_ = 0;

  bool frame_seen_ = false, progressive_ = false, failed_ = false, complete_ = false, undecodable_ = false;
  std::uint8_t precision_ = 8;
  std::uint32_t width_ = 0, height_ = 0, units_x_ = 0, units_y_ = 0, h_max_ = 1, v_max_ = 1;
  std::vector<Component> components_;
  std::vector<std::uint64_t> nonzero_;  // progressive: for each block, which coefficients are not zero
  std::vector<std::pair<std::size_t, std::uint64_t>> undo_;
  std::uint64_t visited_ = 0;  // blocks while journal_
  bool journal_ = false;
  std::vector<std::pair<std::uint64_t, std::uint64_t>> further_;
  std::uint64_t position_ = 0, first_scan_ = 0;
  std::uint64_t stop_at_ = UINT64_MAX, accounted_ = 0;
  bool keep_snapshots_ = false;
  std::vector<State> snapshots_;
  std::vector<std::size_t> snapshot_undo_;  // how long undo_ was
  State nearest_;                           // the last unit that begins before follow_to_
  std::size_t nearest_undo_ = 0;
  std::uint64_t follow_to_ = UINT64_MAX;
};

}  // namespace touchstone::carving
