// Markers and headers; the entropy-coded data is in jpeg_entropy.cpp.
#include "jpeg_decoder.hpp"

#include <algorithm>

namespace touchstone::carving {
namespace {

// A progressive picture keeps eight bytes for each block of 64 pixels: 200 million pixels in three planes.
constexpr std::uint64_t kMaxBlocks = 10'000'000;
constexpr std::size_t kMaxSegments = 4096;
constexpr std::uint32_t kMaxScans = 1000;
constexpr std::uint64_t kWorkPerByte = 8;  // decoding costs more than looking

}  // namespace

bool HuffmanTable::make(const std::uint8_t* counts, const std::uint8_t* values, std::size_t value_count) {
  *this = {};
  std::copy_n(values, value_count, symbols.begin());
  std::int32_t code = 0;
  std::int32_t index = 0;
  for (int length = 1; length <= 16; ++length) {
    const int count = counts[length - 1];
    offset[static_cast<std::size_t>(length)] = index - code;
    for (int i = 0; i < count; ++i, ++code, ++index) {
      if (length > kQuickBits) continue;
      const int spare = kQuickBits - length;
      for (int j = 0; j < 1 << spare; ++j) {
        const auto place = static_cast<std::size_t>(code << spare) + static_cast<std::size_t>(j);
        if (place >= quick.size()) return false;
        quick[place] = static_cast<std::uint16_t>(length << 8 | symbols[static_cast<std::size_t>(index)]);
      }
    }
    max_code[static_cast<std::size_t>(length)] = count ? code - 1 : -1;
    if (code > 1 << length) return false;
    code <<= 1;
  }
  max_code[17] = INT32_MAX;
  return defined = true;
}

JpegDecoder::JpegDecoder(View& view, std::vector<Run> runs) : view_(view), runs_(std::move(runs)) {
  state_.tables = std::make_shared<JpegTables>();
}

bool JpegDecoder::fill_chunk(std::uint64_t at) {
  chunk_ = nullptr;
  chunk_size_ = 0;
  std::uint64_t start = 0;
  for (const Run& run : runs_) {
    if (at - start < run.length) {
      const std::uint64_t inside = at - start;
      const Bytes bytes = view_.uncounted(
          run.offset + inside, static_cast<std::size_t>(std::min<std::uint64_t>(8192, run.length - inside)));
      chunk_ = bytes.data();
      chunk_size_ = bytes.size();
      chunk_at_ = at;
      return !bytes.empty();
    }
    start += run.length;
  }
  return false;
}

int JpegDecoder::peek(std::uint64_t ahead) {
  const std::uint64_t at = state_.at + ahead;
  if (at - chunk_at_ >= chunk_size_ && !fill_chunk(at)) return -1;
  return chunk_[at - chunk_at_];
}

int JpegDecoder::byte() {
  const int value = peek(0);
  if (value >= 0) ++state_.at;
  return value;
}

void JpegDecoder::undo_to(std::size_t length) {
  while (undo_.size() > length) {
    nonzero_[undo_.back().first] = undo_.back().second;
    undo_.pop_back();
  }
}

const JpegDecoder::State& JpegDecoder::nearest_before(std::uint64_t offset, const State& snapshot,
                                                      std::vector<Run> runs) {
  resume(snapshot, std::move(runs));
  nearest_ = state_;
  nearest_undo_ = undo_.size();
  follow_to_ = offset;
  run();
  follow_to_ = UINT64_MAX;
  return nearest_;
}

void JpegDecoder::resume(const State& state, std::vector<Run> runs) {
  for (std::size_t i = 0; i < snapshots_.size(); ++i) {
    if (&snapshots_[i] == &state) undo_to(snapshot_undo_[i]);
  }
  if (&state == &nearest_) undo_to(nearest_undo_);
  state_ = state;
  accounted_ = state_.at;
  runs_ = std::move(runs);
  chunk_size_ = 0;
  failed_ = complete_ = undecodable_ = false;
}

const JpegDecoder::State* JpegDecoder::snapshot_before(std::uint64_t offset) const {
  const auto after = std::upper_bound(snapshots_.begin(), snapshots_.end(), offset,
                                      [](std::uint64_t o, const State& s) { return o < s.at; });
  return after == snapshots_.begin() ? nullptr : &*std::prev(after);
}

std::uint32_t JpegDecoder::share() const {
  std::uint64_t all = 0;
  for (const Component& c : components_) all += std::uint64_t{c.blocks_x} * c.blocks_y;
  return all == 0 ? 0
                  : static_cast<std::uint32_t>(std::min<std::uint64_t>(1000, state_.decoded * 1000 / all));
}

bool JpegDecoder::all_received() const {
  for (std::size_t i = 0; i < components_.size(); ++i) {
    if (state_.exact[i] != ~0ULL) return false;
  }
  return true;
}

JpegEnd JpegDecoder::run() {
  journal_ = keep_snapshots_ || journal_;
  bool paused = false;
  while (!failed_ && !complete_ && !undecodable_ && !paused) {
    paused = view_.exhausted() || !(state_.in_scan ? scan() : markers());
  }
  account();
  position_ = state_.at;
  if (paused && !failed_) return JpegEnd::paused;
  if (complete_) return JpegEnd::complete;
  return undecodable_ && !failed_ ? JpegEnd::not_decoded : JpegEnd::broken;
}

void JpegDecoder::account() {
  if (state_.at > accounted_) view_.spend((state_.at - accounted_) * kWorkPerByte);
  accounted_ = std::max(accounted_, state_.at);
}

bool JpegDecoder::markers() {
  for (std::size_t count = 0; count < kMaxSegments; ++count) {
    if (peek(0) != 0xFF) return fail();
    int marker = 0xFF;
    while (marker == 0xFF && peek(0) >= 0) {
      marker = byte();
      if (marker == 0xFF) marker = peek(0) == 0xFF ? 0xFF : byte();
    }
    if (marker == 0xD8) {
      if (state_.at != 2) return fail();
      continue;
    }
    if (marker == 0xD9) {
      if (state_.scans == 0) return fail();
      complete_ = true;
      return true;
    }
    // Stand-alone markers do not come between segments; reserved ones do not come at all.
    if (marker < 0xC0 || (marker >= 0xD0 && marker < 0xDA)) return fail();
    const int high = peek(0), low = peek(1);
    if (high < 0 || low < 0) return fail();
    const std::size_t length = static_cast<std::size_t>(high << 8 | low);
    if (length < 2) return fail();
    const std::uint64_t body = state_.at + 2;
    if (!segment(marker, body, length - 2)) return false;
    if (state_.in_scan || undecodable_) return true;
    state_.at = body + length - 2;
  }
  return fail();
}

bool JpegDecoder::segment(int marker, std::uint64_t body_at, std::size_t length) {
  std::vector<std::uint8_t> copy;  // a segment may lie across two runs
  const bool wanted = marker == 0xC4 || marker == 0xDB || marker == 0xDA || marker == 0xDD ||
                      marker == 0xE2 || (marker >= 0xC0 && marker <= 0xCF);
  if (!wanted) {
    // The rest of the markers: APPn, COM, DNL, DHP, EXP and extensions.
    const std::uint64_t before = state_.at;
    state_.at = body_at + length;
    const bool there = length == 0 || peek(static_cast<std::uint64_t>(-1)) >= 0;
    state_.at = before;
    return there || fail();
  }
  const std::uint64_t before = std::exchange(state_.at, body_at);
  copy.reserve(length);
  for (std::size_t i = 0; i < length; ++i) {
    const int value = byte();
    if (value < 0) return fail();
    copy.push_back(static_cast<std::uint8_t>(value));
  }
  state_.at = before;
  switch (marker) {
    case 0xC4:
      return huffman(copy) || fail();
    case 0xDB:
      return quantisation(copy) || fail();
    case 0xDD:
      if (length != 2) return fail();
      state_.restart_interval = get_be16(copy.data());
      return true;
    case 0xDA:
      if (!scan_header(copy)) return fail();
      state_.at = body_at + length;
      if (first_scan_ == 0) first_scan_ = state_.at;
      return true;
    case 0xE2:
      multi_picture(copy, body_at);
      return true;
    case 0xCC:  // conditioning of arithmetic coding
    case 0xC8:
      return true;
    default:
      return frame(marker, copy) || fail();
  }
}

bool JpegDecoder::quantisation(Bytes body) {
  auto tables = std::make_shared<JpegTables>(*state_.tables);
  while (!body.empty()) {
    const std::size_t wide = body[0] >> 4U, id = body[0] & 15U;
    const std::size_t size = wide ? 128 : 64;
    if (wide > 1 || id > 3 || body.size() < 1 + size) return false;
    tables->quant_dc[id] = wide ? get_be16(body.data() + 1) : body[1];
    if (tables->quant_dc[id] == 0) return false;
    body = body.subspan(1 + size);
  }
  state_.tables = std::move(tables);
  return true;
}

bool JpegDecoder::huffman(Bytes body) {
  auto tables = std::make_shared<JpegTables>(*state_.tables);
  while (!body.empty()) {
    if (body.size() < 17) return false;
    const std::size_t kind = body[0] >> 4U, id = body[0] & 15U;
    std::size_t count = 0;
    for (std::size_t i = 1; i <= 16; ++i) count += body[i];
    if (kind > 1 || id > 3 || count > 256 || body.size() < 17 + count) return false;
    HuffmanTable& table = kind ? tables->ac[id] : tables->dc[id];
    if (kind) tables->ac_steps[id] = nullptr;
    if (!table.make(body.data() + 1, body.data() + 17, count)) return false;
    body = body.subspan(17 + count);
  }
  state_.tables = std::move(tables);
  return true;
}

bool JpegDecoder::frame(int marker, Bytes body) {
  if (frame_seen_ || body.size() < 6) return false;
  precision_ = body[0];
  height_ = get_be16(body.data() + 1);
  width_ = get_be16(body.data() + 3);
  const std::size_t count = body[5];
  if (count == 0 || count > 4 || body.size() < 6 + 3 * count || width_ == 0) return false;
  if (precision_ != 8 && precision_ != 12 && marker < 0xC3) return false;
  for (std::size_t i = 0; i < count; ++i) {
    const std::uint8_t* p = body.data() + 6 + 3 * i;
    Component c;
    c.id = p[0];
    c.h = p[1] >> 4U;
    c.v = p[1] & 15U;
    c.quant = p[2];
    if (c.h == 0 || c.h > 4 || c.v == 0 || c.v > 4 || c.quant > 3) return false;
    h_max_ = std::max<std::uint32_t>(h_max_, c.h);
    v_max_ = std::max<std::uint32_t>(v_max_, c.v);
    components_.push_back(c);
  }
  frame_seen_ = true;
  // Lossless, hierarchical or arithmetic; or a height that only a later DNL tells.
  if (marker > 0xC2 || height_ == 0) return undecodable_ = true;
  progressive_ = marker == 0xC2;
  units_x_ = (width_ + 8 * h_max_ - 1) / (8 * h_max_);
  units_y_ = (height_ + 8 * v_max_ - 1) / (8 * v_max_);
  std::uint64_t stored = 0;
  for (Component& c : components_) {
    const std::uint32_t samples_x = (width_ * c.h + h_max_ - 1) / h_max_;
    const std::uint32_t samples_y = (height_ * c.v + v_max_ - 1) / v_max_;
    c.blocks_x = (samples_x + 7) / 8;
    c.blocks_y = (samples_y + 7) / 8;
    c.stored_x = units_x_ * c.h;
    c.stored_y = units_y_ * c.v;
    c.first_block = static_cast<std::uint32_t>(stored);
    stored += std::uint64_t{c.stored_x} * c.stored_y;
    if (stored > UINT32_MAX) return false;
  }
  if (progressive_) {
    if (stored > kMaxBlocks) return undecodable_ = true;
    nonzero_.assign(stored, 0);
    view_.spend(stored * 8);
  }
  return true;
}

bool JpegDecoder::scan_header(Bytes body) {
  if (!frame_seen_ || body.empty() || ++state_.scans > kMaxScans) return false;
  const std::size_t count = body[0];
  if (count == 0 || count > 4 || body.size() != 4 + 2 * count) return false;
  std::uint32_t blocks = 0;
  for (std::size_t i = 0; i < count; ++i) {
    const auto found = std::find_if(components_.begin(), components_.end(),
                                    [&](const Component& c) { return c.id == body[1 + 2 * i]; });
    if (found == components_.end()) return false;
    const std::uint8_t tables = body[2 + 2 * i];
    if ((tables >> 4U) > 3 || (tables & 15U) > 3) return false;
    state_.parts[i] = {static_cast<std::uint8_t>(found - components_.begin()),
                       static_cast<std::uint8_t>(tables >> 4U), static_cast<std::uint8_t>(tables & 15U)};
    blocks += std::uint32_t{found->h} * found->v;
  }
  if (count > 1 && blocks > 16) return false;
  state_.part_count = static_cast<std::uint8_t>(count);
  const std::uint8_t* tail = body.data() + 1 + 2 * count;
  state_.spectral_from = tail[0];
  state_.spectral_to = tail[1];
  state_.high = tail[2] >> 4U;
  state_.low = tail[2] & 15U;
  if (progressive_) {
    if (state_.spectral_from > state_.spectral_to || state_.spectral_to > 63 || state_.low > 13) return false;
    if (state_.spectral_from == 0 ? state_.spectral_to != 0 : count != 1) return false;
    if (state_.high != 0 && state_.high != state_.low + 1) return false;
  } else if (state_.spectral_from != 0 || (state_.spectral_to != 63 && state_.spectral_to != 0)) {
    return false;
  }
  for (std::size_t i = 0; i < count && state_.low == 0; ++i) {
    const std::uint64_t up_to = ~0ULL >> (63U - (progressive_ ? state_.spectral_to : 63U));
    state_.exact[state_.parts[i].component] |= up_to & ~0ULL << state_.spectral_from;
  }
  const Component& first = components_[state_.parts[0].component];
  state_.units = count > 1 ? units_x_ * units_y_ : first.blocks_x * first.blocks_y;
  state_.unit = state_.end_of_band = state_.next_restart = 0;
  state_.restart_left = state_.restart_interval;
  state_.predictor = {};
  state_.bits = 0;
  state_.bit_count = 0;
  state_.at_marker = false;
  state_.in_scan = true;
  return true;
}

void JpegDecoder::multi_picture(Bytes body, std::uint64_t body_at) {
  // CIPA DC-007: "MPF\0", then a TIFF whose tag 0xB002 lists size and offset (from that TIFF) of each
  // picture.
  if (body.size() < 16 || get_be32(body.data()) != 0x4D504600) return;
  const Bytes tiff = body.subspan(4);
  const bool little = tiff[0] == 'I';
  const auto u16 = [&](std::size_t at) -> std::uint32_t {
    if (at + 2 > tiff.size()) return 0;
    return little ? get_le16(tiff.data() + at) : get_be16(tiff.data() + at);
  };
  const auto u32 = [&](std::size_t at) -> std::uint32_t {
    if (at + 4 > tiff.size()) return 0;
    return little ? get_le32(tiff.data() + at) : get_be32(tiff.data() + at);
  };
  const std::size_t directory = u32(4);
  const std::uint32_t entries = u16(directory);
  for (std::uint32_t i = 0; i < std::min<std::uint32_t>(entries, 64); ++i) {
    const std::size_t entry = directory + 2 + 12 * std::size_t{i};
    if (u16(entry) != 0xB002) continue;
    const std::uint32_t bytes = u32(entry + 4);
    const std::size_t list = u32(entry + 8);
    for (std::size_t at = 0; at + 16 <= bytes && at < 16 * 16; at += 16) {
      const std::uint32_t size = u32(list + at + 4), offset = u32(list + at + 8);
      if (size != 0 && offset != 0) further_.emplace_back(body_at + 4 + offset, size);
    }
  }
}

}  // namespace touchstone::carving
