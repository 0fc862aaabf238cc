// Entropy-coded data of ITU-T T.81, annexes F and G: the stream is followed, coefficients are not kept.
#include <endian.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>

#include "jpeg_decoder.hpp"

namespace touchstone::carving {
namespace {

constexpr std::uint64_t kSnapshotEvery = 512;
// The last 2 to 4 MiB: faults show long before that.
constexpr std::size_t kMaxSnapshots = 8192;
// Blocks of a progressive picture that were come to, whose changes can be undone: 64 MiB of them at most;
// without them it is not pieced together.
constexpr std::uint64_t kMaxVisited = 4U << 20U;
// A DC coefficient of 8-bit samples is at most 1024 in size; encoders that overshoot white stay below this.
constexpr std::int32_t kMaxDc = 1536;
// Bytes that some encoders leave between a scan and the next marker.
constexpr int kMaxPadding = 16;
// Of a coefficient: what 8-bit samples have at most.
constexpr int kMaxQuickSize = 10;
constexpr std::uint64_t kEachByte = 0x0101'0101'0101'0101;

}  // namespace

/// Most often none of the next bytes is 0xFF, and they are taken at once.
bool JpegDecoder::fill_whole_bytes() {
  const std::uint64_t inside = state_.at - chunk_at_;
  if (inside >= chunk_size_ || chunk_size_ - inside < 8 || state_.at_marker) return false;
  std::uint64_t next = 0;
  std::memcpy(&next, chunk_ + inside, sizeof next);
  next = be64toh(next);
  const int bytes = (56 - state_.bit_count) / 8;
  next >>= static_cast<unsigned>(64 - 8 * bytes);
  // 0xFF is a zero byte of the complement, which borrows when 1 is taken from each.
  const std::uint64_t inverse = ~next;
  if (((inverse - kEachByte) & next & kEachByte << 7U) != 0) return false;
  state_.bits = state_.bits << static_cast<unsigned>(8 * bytes) | next;
  state_.bit_count += 8 * bytes;
  state_.at += static_cast<std::uint64_t>(bytes);
  return true;
}

void JpegDecoder::fill_by_byte() {
  while (state_.bit_count <= 48 && !state_.at_marker) {
    const int value = peek(0);
    if (value < 0) {
      state_.at_marker = true;
      return;
    }
    if (value == 0xFF) {
      const int next = peek(1);
      if (next != 0) {
        state_.at_marker = true;
        return;
      }
      ++state_.at;
    }
    ++state_.at;
    state_.bits = state_.bits << 8U | static_cast<std::uint64_t>(value);
    state_.bit_count += 8;
  }
}

/// Codes that are longer than the quick table has, and those at the end of a scan.
int JpegDecoder::long_symbol(const HuffmanTable& table) {
  // At the end of a scan fewer than 16 bits may be left: missing ones count as 1, and must not be used.
  const int have = std::min(state_.bit_count, 16);
  const auto window = static_cast<std::uint32_t>(
      state_.bit_count >= 16 ? state_.bits >> static_cast<unsigned>(state_.bit_count - 16) & 0xFFFFU
                             : ((state_.bits << static_cast<unsigned>(16 - state_.bit_count)) |
                                ((1U << static_cast<unsigned>(16 - state_.bit_count)) - 1U)) &
                                   0xFFFFU);
  if (const std::uint16_t quick = table.quick[window >> (16U - HuffmanTable::kQuickBits)]; quick != 0) {
    const int length = quick >> 8U;
    if (length > have) return -1;
    state_.bit_count -= length;
    return quick & 0xFF;
  }
  for (int length = HuffmanTable::kQuickBits + 1; length <= 16; ++length) {
    const auto code = static_cast<std::int32_t>(window >> static_cast<unsigned>(16 - length));
    if (code > table.max_code[static_cast<std::size_t>(length)]) continue;
    const std::int32_t index = code + table.offset[static_cast<std::size_t>(length)];
    if (length > have || index < 0 || index > 255) return -1;
    state_.bit_count -= length;
    return table.symbols[static_cast<std::size_t>(index)];
  }
  return -1;
}

bool JpegDecoder::receive(int count, std::int32_t& value) {
  value = 0;
  if (count == 0) return true;
  if (!need(count)) return false;
  state_.bit_count -= count;
  const auto raw = static_cast<std::int32_t>(state_.bits >> static_cast<unsigned>(state_.bit_count) &
                                             ((1U << static_cast<unsigned>(count)) - 1U));
  value = raw < 1 << (count - 1) ? raw - (1 << count) + 1 : raw;
  return true;
}

bool JpegDecoder::bit(int& value) {
  if (!need(1)) return false;
  --state_.bit_count;
  value = static_cast<int>(state_.bits >> static_cast<unsigned>(state_.bit_count) & 1U);
  return true;
}

bool JpegDecoder::dc_difference(const State::ScanPart& part, std::size_t slot) {
  const int category = symbol(state_.tables->dc[part.dc]);
  if (category < 0 || category > (precision_ == 8 ? 11 : 15)) return false;
  std::int32_t difference = 0;
  if (!receive(category, difference)) return false;
  std::int32_t& predictor = state_.predictor[slot];
  predictor += difference;
  if (precision_ != 8) return std::abs(predictor) < 1 << 20;
  const std::int32_t step =
      std::max<std::int32_t>(1, state_.tables->quant_dc[components_[part.component].quant]);
  return std::abs(static_cast<std::int64_t>(predictor) << state_.low) * step <= kMaxDc + 2 * step;
}

AcSteps::AcSteps(const HuffmanTable& table) {
  constexpr unsigned kMask = (1U << kBits) - 1U;
  for (unsigned window = 0; window < step.size(); ++window) {
    unsigned bits = 0, advance = 0, end = 0;
    while (bits < kBits && end == 0) {
      // Behind the window are zeros: a code must lie in what is known of it.
      const unsigned quick = table.quick[(window << bits & kMask) >> (kBits - HuffmanTable::kQuickBits)];
      const unsigned length = quick >> 8U, run = quick >> 4U & 15U, size = quick & 15U;
      const bool last = size == 0 && run == 0;
      if (quick == 0 || bits + length > kBits || (size == 0 && !last) || size > kMaxQuickSize) break;
      // Only one value may go on behind the window, so that the bits held are known to be enough.
      if (bits != 0 && bits + length + size > kBits) break;
      if (advance + run + 1 > 63) break;
      bits += length + size;
      if (last) {
        end = kEnd;
      } else {
        advance += run + 1;
      }
    }
    step[window] = static_cast<std::uint16_t>(bits << 8U | end | advance);
  }
}

void JpegDecoder::make_steps(std::size_t ac) {
  auto tables = std::make_shared<JpegTables>(*state_.tables);
  tables->ac_steps[ac] = std::make_shared<const AcSteps>(tables->ac[ac]);
  state_.tables = std::move(tables);
}

/// Goes by steps while more bits are held than they need: true at the end of the block, else `k` is where
/// code by code goes on. Bits are taken as if it had been code by code, where bytes are fetched below 16
/// bits.
bool JpegDecoder::whole_steps(const AcSteps& steps, int& k) {
  const std::uint64_t bits = state_.bits;
  int count = state_.bit_count;
  bool end = false;
  while (!end && count >= 16 + AcSteps::kBits) {
    const unsigned step =
        steps.step[bits >> static_cast<unsigned>(count - AcSteps::kBits) & (steps.step.size() - 1)];
    end = (step & AcSteps::kEnd) != 0;
    const int after = k + static_cast<int>(step & 0x7FU);
    // The code of the end is not there when the last coefficient is.
    if (step == 0 || after > (end ? 63 : 64)) {
      end = false;
      break;
    }
    k = after;
    count -= static_cast<int>(step >> 8U);
    if (k == 64) end = true;
  }
  state_.bit_count = count;
  return end;
}

/// As far as `last`, the coefficients whose codes are short, whose values are all here and which are no ends
/// of blocks: most. Leaves `k` where anything else stands: false; or where bytes are to be fetched: true.
template <typename Each>
bool JpegDecoder::short_codes(const HuffmanTable& table, int& k, int last, Each each) {
  // The loop's own copies: they stay in registers.
  const std::uint64_t bits = state_.bits;
  int count = state_.bit_count;
  bool other = count < 16;
  while (count >= 16 && k <= last) {
    const unsigned quick = table.quick[quick_window(bits, count)];
    const int size = static_cast<int>(quick & 15U);
    const int at = k + static_cast<int>(quick >> 4U & 15U);
    const int left = count - static_cast<int>(quick >> 8U) - size;
    other = size == 0 || size > kMaxQuickSize || at > last || left < 0;
    if (other) break;
    each(at);
    k = at + 1;
    count = left;
  }
  state_.bit_count = count;
  return !other;
}

bool JpegDecoder::block_sequential(const State::ScanPart& part, std::size_t slot) {
  if (!dc_difference(part, slot)) return false;
  const HuffmanTable& table = state_.tables->ac[part.ac];
  const AcSteps& steps = *state_.tables->ac_steps[part.ac];
  const int most = precision_ == 8 ? 10 : 14;
  for (int k = 1; k < 64;) {
    if (state_.bit_count < 16) fill_bits();
    if (whole_steps(steps, k)) return true;
    if (short_codes(table, k, 63, [](int) {})) continue;
    const int value = symbol(table);
    if (value < 0) return false;
    const int run = value >> 4, size = value & 15;
    if (size == 0) {
      if (run != 15) return run == 0;
      k += 16;
      if (k > 63) return false;
      continue;
    }
    k += run;
    if (k > 63 || size > most || !need(size)) return false;
    state_.bit_count -= size;
    ++k;
  }
  return true;
}

bool JpegDecoder::block_dc(const State::ScanPart& part, std::size_t slot) {
  if (state_.high == 0) return dc_difference(part, slot);
  int ignored = 0;
  return bit(ignored);
}

bool JpegDecoder::block_ac_first(const State::ScanPart& part, std::uint64_t& nonzero) {
  const HuffmanTable& table = state_.tables->ac[part.ac];
  for (int k = state_.spectral_from; k <= state_.spectral_to;) {
    if (state_.bit_count < 16) fill_bits();
    const auto each = [&](int at) { nonzero |= 1ULL << static_cast<unsigned>(at); };
    if (short_codes(table, k, state_.spectral_to, each)) continue;
    const int value = symbol(table);
    if (value < 0) return false;
    const int run = value >> 4, size = value & 15;
    if (size == 0) {
      if (run == 15) {
        k += 16;
        if (k - 1 > state_.spectral_to) return false;
        continue;
      }
      if (!need(run)) return false;
      state_.bit_count -= run;
      const auto extra = static_cast<std::uint32_t>(state_.bits >> static_cast<unsigned>(state_.bit_count) &
                                                    ((1U << static_cast<unsigned>(run)) - 1U));
      state_.end_of_band = (1U << static_cast<unsigned>(run)) + extra - 1;
      return true;
    }
    k += run;
    if (k > state_.spectral_to || size > 14 || !need(size)) return false;
    state_.bit_count -= size;
    nonzero |= 1ULL << static_cast<unsigned>(k++);
  }
  return true;
}

/// Passes `skip` coefficients that are still zero, taking a correction bit for each that is not.
bool JpegDecoder::refine_passed(std::uint64_t& nonzero, int& k, int skip) {
  for (; k <= state_.spectral_to; ++k) {
    if (nonzero >> static_cast<unsigned>(k) & 1U) {
      int ignored = 0;
      if (!bit(ignored)) return false;
    } else if (skip-- == 0) {
      return true;
    }
  }
  return true;
}

bool JpegDecoder::block_ac_refine(const State::ScanPart& part, std::uint64_t& nonzero) {
  const HuffmanTable& table = state_.tables->ac[part.ac];
  int k = state_.spectral_from;
  while (state_.end_of_band == 0 && k <= state_.spectral_to) {
    const int value = symbol(table);
    if (value < 0) return false;
    const int run = value >> 4, size = value & 15;
    bool fresh = false;
    if (size == 0) {
      if (run < 15) {
        if (!need(run)) return false;
        state_.bit_count -= run;
        const auto extra = static_cast<std::uint32_t>(state_.bits >> static_cast<unsigned>(state_.bit_count) &
                                                      ((1U << static_cast<unsigned>(run)) - 1U));
        state_.end_of_band = (1U << static_cast<unsigned>(run)) + extra;
        break;
      }
    } else {
      int sign = 0;
      if (size != 1 || !bit(sign)) return false;
      fresh = true;
    }
    if (!refine_passed(nonzero, k, run)) return false;
    if (k > state_.spectral_to) return !fresh;
    if (fresh) nonzero |= 1ULL << static_cast<unsigned>(k);
    ++k;
  }
  if (state_.end_of_band > 0) {
    if (!refine_passed(nonzero, k, 64)) return false;
    --state_.end_of_band;
  }
  return true;
}

std::size_t JpegDecoder::stored_index(const Component& component) const {
  if (component.stored_x == component.blocks_x) return component.first_block + std::size_t{state_.unit};
  const std::size_t y = state_.unit / component.blocks_x, x = state_.unit % component.blocks_x;
  return component.first_block + y * component.stored_x + x;
}

bool JpegDecoder::unit_ac() {
  ++state_.decoded;
  visited_ += journal_ ? 1 : 0;
  if (state_.high == 0 && state_.end_of_band > 0) {
    --state_.end_of_band;
    return true;
  }
  const std::size_t index = stored_index(components_[state_.parts[0].component]);
  const std::uint64_t before = nonzero_[index];
  std::uint64_t nonzero = before;
  const bool sound =
      state_.high == 0 ? block_ac_first(state_.parts[0], nonzero) : block_ac_refine(state_.parts[0], nonzero);
  if (nonzero != before) {
    if (journal_) undo_.emplace_back(index, before);
    nonzero_[index] = nonzero;
  }
  return sound;
}

/// One MCU, or one block of a scan of a single component.
bool JpegDecoder::unit() {
  if (progressive_ && state_.spectral_from > 0) return unit_ac();
  for (std::size_t i = 0; i < state_.part_count; ++i) {
    const State::ScanPart& part = state_.parts[i];
    const Component& c = components_[part.component];
    const int blocks = state_.part_count == 1 ? 1 : c.h * c.v;
    for (int b = 0; b < blocks; ++b, ++state_.decoded) {
      if (!(progressive_ ? block_dc(part, i) : block_sequential(part, i))) return false;
    }
  }
  return true;
}

bool JpegDecoder::restart() {
  if (state_.bit_count >= 8) return false;
  state_.bit_count = 0;
  if (peek(0) != 0xFF) return false;
  std::uint64_t ahead = 1;
  while (peek(ahead) == 0xFF && ahead < kMaxPadding) ++ahead;
  if (peek(ahead) != static_cast<int>(0xD0 + state_.next_restart)) return false;
  state_.at += ahead + 1;
  state_.next_restart = (state_.next_restart + 1) & 7U;
  state_.restart_left = state_.restart_interval;
  state_.predictor = {};
  state_.end_of_band = 0;
  state_.at_marker = false;
  return true;
}

bool JpegDecoder::end_scan() {
  // What is left of the last byte is padding. More than that was taken ahead, and is no part of a scan that
  // ended here; a few stray bytes before the marker are.
  if (state_.bit_count >= 8 * kMaxPadding) return false;
  state_.bit_count = 0;
  for (int i = 0; i < kMaxPadding && !state_.at_marker; ++i) {
    if (peek(0) == 0xFF && peek(1) != 0) break;
    if (byte() < 0) return false;
  }
  if (peek(0) != 0xFF) return false;
  // A restart marker may stand here too.
  if (const int next = peek(1); next >= 0xD0 && next <= 0xD7) state_.at += 2;
  state_.in_scan = false;
  return true;
}

void JpegDecoder::snapshot() {
  if (visited_ > kMaxVisited) {
    keep_snapshots_ = journal_ = false;
    undo_.clear();
    snapshots_.clear();
    snapshot_undo_.clear();
    return;
  }
  if (snapshots_.size() >= kMaxSnapshots) {
    snapshots_.erase(snapshots_.begin(), snapshots_.begin() + kMaxSnapshots / 2);
    snapshot_undo_.erase(snapshot_undo_.begin(), snapshot_undo_.begin() + kMaxSnapshots / 2);
  }
  snapshots_.push_back(state_);
  snapshot_undo_.push_back(undo_.size());
}

bool JpegDecoder::scan() {
  const auto tables = state_.tables;  // as the scan began
  for (std::size_t i = 0; i < state_.part_count; ++i) {
    const bool needs_dc = state_.spectral_from == 0 && state_.high == 0;
    const bool needs_ac = !progressive_ || state_.spectral_from > 0;
    if ((needs_dc && !tables->dc[state_.parts[i].dc].defined) ||
        (needs_ac && !tables->ac[state_.parts[i].ac].defined)) {
      return fail();
    }
    if (!progressive_ && !tables->ac_steps[state_.parts[i].ac]) make_steps(state_.parts[i].ac);
  }
  std::uint64_t next_snapshot = 0;
  for (; state_.unit < state_.units; ++state_.unit) {
    if (state_.at >= stop_at_) return false;
    if (follow_to_ != UINT64_MAX) {
      // A marker is told by the byte behind 0xFF, which may be another one there.
      if (state_.at > follow_to_ || (state_.at_marker && state_.at + 1 >= follow_to_)) return false;
      nearest_ = state_;
      nearest_undo_ = undo_.size();
    }
    if (keep_snapshots_ && state_.at >= next_snapshot) {
      snapshot();
      next_snapshot = state_.at + kSnapshotEvery;
    }
    if (state_.restart_interval != 0) {
      if (state_.restart_left == 0 && !restart()) return fail();
      --state_.restart_left;
    }
    if (!unit()) return fail();
    if ((state_.unit & 0xFFFU) == 0) {
      account();
      if (view_.exhausted()) {
        ++state_.unit;
        return false;
      }
    }
  }
  return end_scan() || fail();
}

}  // namespace touchstone::carving
