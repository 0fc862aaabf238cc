#include "evidence/inflate64_decoder.hpp"

#include <algorithm>

namespace touchstone {
namespace {

constexpr int kEndOfBlock = 256, kFirstLength = 257, kLengths = 29, kDistances = 32;

struct Extra {
  std::uint32_t base;
  int bits;
};

constexpr std::array<Extra, kLengths> kLengthExtra = {
    {{3, 0},  {4, 0},  {5, 0},  {6, 0},   {7, 0},   {8, 0},   {9, 0},   {10, 0},  {11, 1}, {13, 1},
     {15, 1}, {17, 1}, {19, 2}, {23, 2},  {27, 2},  {31, 2},  {35, 3},  {43, 3},  {51, 3}, {59, 3},
     {67, 4}, {83, 4}, {99, 4}, {115, 4}, {131, 5}, {163, 5}, {195, 5}, {227, 5}, {3, 16}}};

/// Pairs of codes that double their reach, from 1, 2, 3, 4 on.
constexpr Extra distance_extra(int symbol) {
  if (symbol < 4) return {static_cast<std::uint32_t>(symbol) + 1, 0};
  const int bits = symbol / 2 - 1;
  return {(std::uint32_t{2} + (static_cast<std::uint32_t>(symbol) & 1U)) * (std::uint32_t{1} << bits) + 1,
          bits};
}
static_assert(distance_extra(29).base == 24577 && distance_extra(31).base == 49153 &&
              distance_extra(31).bits == 14);

constexpr std::array<std::uint8_t, 19> kOrderOfLengths = {16, 17, 18, 0, 8,  7, 9,  6, 10, 5,
                                                          11, 4,  12, 3, 13, 2, 14, 1, 15};

}  // namespace

bool Inflate64Decoder::Code::build(std::span<const std::uint8_t> lengths) {
  count.fill(0);
  for (const std::uint8_t length : lengths) ++count[length];
  std::array<std::uint16_t, kMaxBits + 2> first{};
  int left = 1;
  for (std::size_t length = 1; length <= kMaxBits; ++length) {
    left = left * 2 - count[length];
    if (left < 0) return false;
    first[length + 1] = static_cast<std::uint16_t>(first[length] + count[length]);
  }
  const std::size_t used = lengths.size() - count[0];
  for (std::size_t i = 0; i < lengths.size(); ++i) {
    if (lengths[i] != 0) symbol[first[lengths[i]]++] = static_cast<std::uint16_t>(i);
  }
  count[0] = 0;
  quick.fill(0);
  // Codes come with their highest bit first, the input with its lowest.
  std::uint32_t code = 0;
  std::size_t at = 0;
  for (int length = 1; length <= kQuickBits; ++length, code <<= 1) {
    for (int i = 0; i < count[static_cast<std::size_t>(length)]; ++i, ++code, ++at) {
      std::uint32_t turned = 0;
      for (int bit = 0; bit < length; ++bit) turned |= (code >> bit & 1) << (length - 1 - bit);
      for (std::uint32_t low = turned; low < quick.size(); low += std::uint32_t{1} << length)
        quick[low] = static_cast<std::uint16_t>(symbol[at] << 4 | length);
    }
  }
  // A single code of one bit is complete by habit: blocks with one distance have it.
  return left == 0 || used <= 1;
}

Inflate64Decoder::Inflate64Decoder(std::unique_ptr<ByteSource> base)
    : base_(std::move(base)), input_(kInput), window_(kWindow) {}

std::vector<Gap> Inflate64Decoder::gaps() const {
  return gaps_.list();
}

Error Inflate64Decoder::broken() const {
  return {input_failed_ ? ErrorCode::io : ErrorCode::corrupt,
          input_failed_ ? "the compressed bytes end or cannot be read" : "the Deflate64 stream is damaged"};
}

void Inflate64Decoder::go_to(const Point& point) {
  input_at_ = input_size_ = 0;
  input_next_ = point.input;
  position_ = point.position;
  held_ = point.held;
  held_count_ = point.held_count;
  input_failed_ = is_last_ = false;
  at_ = At::header;
  stored_left_ = match_left_ = 0;
  if (!point.window.empty()) window_ = point.window;
}

void Inflate64Decoder::remember() {
  const std::uint64_t last = points_.empty() ? 0 : points_.back().position;
  if (position_ < last + spacing_) return;
  if (points_.size() == kMaxPoints) {
    std::size_t kept = 0;
    for (std::size_t i = 1; i < points_.size(); i += 2) points_[kept++] = std::move(points_[i]);
    points_.resize(kept);
    spacing_ *= 2;
    return;
  }
  points_.push_back({position_, input_next_ - (input_size_ - input_at_), held_, held_count_, window_});
}

Status Inflate64Decoder::seek(std::uint64_t offset) {
  const auto after =
      std::upper_bound(points_.begin(), points_.end(), offset,
                       [](std::uint64_t at, const Point& point) { return at < point.position; });
  const bool is_ahead = offset >= position_;
  if (after == points_.begin()) {
    if (!is_ahead) go_to({});
  } else if (const Point& point = *(after - 1); !is_ahead || point.position > position_) {
    go_to(point);
  }
  return {};
}

void Inflate64Decoder::refill() {
  const auto got = base_->read_at(input_next_, input_);
  input_at_ = 0;
  input_size_ = got ? *got : 0;
  input_next_ += input_size_;
  // How far damage of the compressed bytes reaches in the decoded ones cannot be told.
  const auto gaps = base_->gaps();
  if (gaps.size() <= base_gaps_) return;
  base_gaps_ = gaps.size();
  gaps_.add(position_, UINT64_MAX - position_, "compressed bytes: " + gaps.back().reason);
}

void Inflate64Decoder::hold(int count) {
  while (held_count_ < count) {
    if (input_at_ == input_size_) refill();
    if (input_at_ == input_size_) return;
    held_ |= std::to_integer<std::uint64_t>(input_[input_at_++]) << held_count_;
    held_count_ += 8;
  }
}

std::int64_t Inflate64Decoder::bits(int count) {
  hold(count);
  input_failed_ = held_count_ < count;
  if (input_failed_) return -1;
  const auto value = static_cast<std::int64_t>(held_ & ((std::uint64_t{1} << count) - 1));
  held_ >>= count;
  held_count_ -= count;
  return value;
}

int Inflate64Decoder::decode(const Code& code) {
  hold(kMaxBits);
  const std::uint16_t quick = code.quick[held_ & ((1U << kQuickBits) - 1)];
  const int length = quick & 15;
  if (quick == 0 || length > held_count_) return decode_slowly(code);
  held_ >>= length;
  held_count_ -= length;
  return quick >> 4;
}

int Inflate64Decoder::decode_slowly(const Code& code) {
  int value = 0, first = 0, index = 0;
  for (std::size_t length = 1; length <= kMaxBits; ++length) {
    const std::int64_t next = bits(1);
    if (next < 0) return -1;
    value |= static_cast<int>(next);
    const int count = code.count[length];
    if (value - count < first) return code.symbol[static_cast<std::size_t>(index + value - first)];
    index += count;
    first = (first + count) << 1;
    value <<= 1;
  }
  return -1;
}

Status Inflate64Decoder::read_header() {
  if (is_last_) {
    at_ = At::end;
    return {};
  }
  remember();
  const std::int64_t last = bits(1), kind = bits(2);
  if (last < 0 || kind < 0 || kind == 3) return broken();
  is_last_ = last == 1;
  if (kind == 0) return read_stored_length();
  at_ = At::codes;
  if (kind == 2) return read_code_lengths();
  std::array<std::uint8_t, 288> lengths{};
  std::fill_n(lengths.begin(), 144, std::uint8_t{8});
  std::fill_n(lengths.begin() + 144, 112, std::uint8_t{9});
  std::fill_n(lengths.begin() + 256, 24, std::uint8_t{7});
  std::fill_n(lengths.begin() + 280, 8, std::uint8_t{8});
  lengths_.build(lengths);
  std::array<std::uint8_t, kDistances> distances{};
  distances.fill(5);
  distances_.build(distances);
  return {};
}

Status Inflate64Decoder::read_stored_length() {
  bits(held_count_ % 8);
  const std::int64_t length = bits(16), inverted = bits(16);
  if (length < 0 || inverted < 0 || length + inverted != 0xffff) return broken();
  stored_left_ = static_cast<std::uint32_t>(length);
  at_ = At::stored;
  return {};
}

Status Inflate64Decoder::read_code_lengths() {
  const std::int64_t literals = bits(5), distances = bits(5), kinds = bits(4);
  if (literals < 0 || distances < 0 || kinds < 0 || literals > 29) return broken();
  const auto literal_count = static_cast<std::size_t>(literals) + 257;
  const std::size_t all = literal_count + static_cast<std::size_t>(distances) + 1;
  std::array<std::uint8_t, 19> kind_lengths{};
  for (std::size_t i = 0; i < static_cast<std::size_t>(kinds) + 4; ++i) {
    const std::int64_t length = bits(3);
    if (length < 0) return broken();
    kind_lengths[kOrderOfLengths[i]] = static_cast<std::uint8_t>(length);
  }
  Code kind_code;
  if (!kind_code.build(kind_lengths)) return broken();
  std::array<std::uint8_t, 288 + kDistances> lengths{};
  for (std::size_t i = 0; i < all;) {
    const int kind = decode(kind_code);
    if (kind < 0) return broken();
    if (kind < 16) {
      lengths[i++] = static_cast<std::uint8_t>(kind);
      continue;
    }
    const std::int64_t extra = bits(kind == 16 ? 2 : kind == 17 ? 3 : 7);
    const std::size_t repeat = static_cast<std::size_t>(extra) + (kind == 18 ? 11 : 3);
    if (extra < 0 || (kind == 16 && i == 0) || i + repeat > all) return broken();
    std::fill_n(lengths.begin() + static_cast<std::ptrdiff_t>(i), repeat,
                kind == 16 ? lengths[i - 1] : std::uint8_t{0});
    i += repeat;
  }
  const std::span<const std::uint8_t> both(lengths);
  const bool sound = both[kEndOfBlock] != 0 && lengths_.build(both.first(literal_count)) &&
                     distances_.build(both.subspan(literal_count, all - literal_count));
  return sound ? Status() : Status(broken());
}

void Inflate64Decoder::put(std::byte byte, std::span<std::byte> out, std::size_t& done) {
  window_[position_ % kWindow] = byte;
  out[done++] = byte;
  ++position_;
}

Status Inflate64Decoder::begin_match(int symbol) {
  if (symbol >= kFirstLength + kLengths) return broken();
  const Extra& length = kLengthExtra[static_cast<std::size_t>(symbol - kFirstLength)];
  const std::int64_t more = bits(length.bits);
  const int distance_symbol = more < 0 ? -1 : decode(distances_);
  if (distance_symbol < 0 || distance_symbol >= kDistances) return broken();
  const Extra distance = distance_extra(distance_symbol);
  const std::int64_t further = bits(distance.bits);
  if (further < 0) return broken();
  match_left_ = length.base + static_cast<std::uint32_t>(more);
  match_distance_ = distance.base + static_cast<std::uint32_t>(further);
  return match_distance_ > position_ ? Status(broken()) : Status();
}

Status Inflate64Decoder::copy_codes(std::span<std::byte> out, std::size_t& done) {
  while (done < out.size()) {
    if (match_left_ > 0) {
      --match_left_;
      put(window_[(position_ - match_distance_) % kWindow], out, done);
      continue;
    }
    const int symbol = decode(lengths_);
    if (symbol < 0) return broken();
    if (symbol == kEndOfBlock) {
      at_ = At::header;
      return {};
    }
    if (symbol < kEndOfBlock) {
      put(static_cast<std::byte>(symbol), out, done);
    } else if (Status begun = begin_match(symbol); !begun) {
      match_left_ = 0;
      return begun;
    }
  }
  return {};
}

Status Inflate64Decoder::copy_stored(std::span<std::byte> out, std::size_t& done) {
  for (; stored_left_ > 0 && done < out.size(); --stored_left_) {
    const std::int64_t byte = bits(8);
    if (byte < 0) return broken();
    put(static_cast<std::byte>(byte), out, done);
  }
  if (stored_left_ == 0) at_ = At::header;
  return {};
}

Result<std::size_t> Inflate64Decoder::next(std::span<std::byte> out) {
  std::size_t done = 0;
  while (done < out.size() && at_ != At::end) {
    const Status went = at_ == At::header   ? read_header()
                        : at_ == At::stored ? copy_stored(out, done)
                                            : copy_codes(out, done);
    // What was decoded before the fault is given; the next call says what is wrong.
    if (!went) {
      if (done > 0) return done;
      return went.error();
    }
  }
  return done;
}

}  // namespace touchstone
