#include "evidence/inflate_decoder.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <new>

namespace touchstone {
namespace {

constexpr std::size_t kWindow = 32768;
constexpr int kRaw = -15;

Error corrupt(std::string message) {
  return {ErrorCode::corrupt, std::move(message)};
}

std::vector<std::byte> pack(std::span<const std::byte> bytes) {
  uLongf size = ::compressBound(bytes.size());
  std::vector<std::byte> packed(size);
  ::compress2(reinterpret_cast<Bytef*>(packed.data()), &size, reinterpret_cast<const Bytef*>(bytes.data()),
              bytes.size(), 1);
  packed.resize(size);
  packed.shrink_to_fit();
  return packed;
}

}  // namespace

InflateDecoder::InflateDecoder(std::unique_ptr<ByteSource> base, Wrapper wrapper, std::size_t budget)
    : base_(std::move(base)), wrapper_(wrapper), budget_(budget) {
  if (::inflateInit2(&stream_, kRaw) != Z_OK) throw std::bad_alloc();
  at_ = wrapper_ == Wrapper::gzip ? At::header : At::data;
}

InflateDecoder::~InflateDecoder() {
  ::inflateEnd(&stream_);
}

std::vector<Gap> InflateDecoder::gaps() const {
  return gaps_.list();
}

Status InflateDecoder::seek(std::uint64_t offset) {
  const auto after = std::upper_bound(points_.begin(), points_.end(), offset,
                                      [](std::uint64_t at, const Point& point) { return at < point.out; });
  const bool forward = position_ <= offset;
  if (after == points_.begin()) {
    if (forward) return {};
    Point start;
    start.header = wrapper_ == Wrapper::gzip;
    return restore(start);
  }
  const Point& point = *(after - 1);
  if (forward && point.out <= position_) return {};
  return restore(point);
}

Status InflateDecoder::restore(const Point& point) {
  ::inflateReset2(&stream_, kRaw);
  stream_.avail_in = 0;
  input_next_ = point.bits > 0 ? point.in - 1 : point.in;
  position_ = point.out;
  crc_valid_ = false;
  at_ = point.header ? At::header : At::data;
  if (point.bits > 0) {
    const int before = take_byte();
    if (before < 0) return Error{ErrorCode::io, "the compressed bytes cannot be read again"};
    ::inflatePrime(&stream_, point.bits, before >> (8 - point.bits));
  }
  if (!point.window.empty()) {
    std::vector<std::byte> window(kWindow);
    uLongf size = window.size();
    ::uncompress(reinterpret_cast<Bytef*>(window.data()), &size,
                 reinterpret_cast<const Bytef*>(point.window.data()), point.window.size());
    ::inflateSetDictionary(&stream_, reinterpret_cast<const Bytef*>(window.data()), static_cast<uInt>(size));
  }
  return {};
}

Result<bool> InflateDecoder::refill() {
  const auto got = base_->read_at(input_next_, input_);
  if (!got) return got.error();
  stream_.next_in = reinterpret_cast<Bytef*>(input_.data());
  stream_.avail_in = static_cast<uInt>(*got);
  input_next_ += *got;
  // How far damage of the compressed bytes reaches in the decoded ones cannot be told.
  const auto gaps = base_->gaps();
  if (gaps.size() > base_gaps_) {
    base_gaps_ = gaps.size();
    gaps_.add(position_, UINT64_MAX - position_, "compressed bytes: " + gaps.back().reason);
  }
  return *got > 0;
}

void InflateDecoder::remember(bool header) {
  const std::uint64_t last = points_.empty() ? 0 : points_.back().out;
  if (position_ < last + spacing_) return;
  Point point;
  point.out = position_;
  point.in = input_position();
  point.header = header;
  if (!header) {
    point.bits = stream_.data_type & 7;
    std::vector<std::byte> window(kWindow);
    uInt size = 0;
    if (::inflateGetDictionary(&stream_, reinterpret_cast<Bytef*>(window.data()), &size) != Z_OK) return;
    point.window = pack(std::span(window).first(size));
  }
  point_bytes_ += point.window.size() + sizeof(Point);
  points_.push_back(std::move(point));
  if (point_bytes_ > budget_) thin_out();
}

void InflateDecoder::thin_out() {
  std::size_t kept = 0;
  for (std::size_t i = 1; i < points_.size(); i += 2) points_[kept++] = std::move(points_[i]);
  points_.resize(kept);
  point_bytes_ = 0;
  for (const Point& point : points_) point_bytes_ += point.window.size() + sizeof(Point);
  spacing_ *= 2;
}

int InflateDecoder::take_byte() {
  if (stream_.avail_in == 0) {
    const auto more = refill();
    if (!more || !*more) return -1;
  }
  --stream_.avail_in;
  return *stream_.next_in++;
}

Status InflateDecoder::read_header() {
  constexpr int kHeaderCrc = 2, kExtra = 4, kName = 8, kComment = 16, kReserved = 0xE0;
  remember(true);
  std::array<int, 10> head{};
  for (std::size_t i = 0; i < head.size(); ++i) {
    head[i] = take_byte();
    const bool wrong = (i == 0 && head[i] != 0x1f) || (i == 1 && head[i] != 0x8b);
    if (position_ > 0 && (wrong || (i == 0 && head[i] < 0))) {
      // After the last member, zeros or anything else may follow: gzip ignores it too.
      at_ = At::end;
      return {};
    }
    if (wrong || head[i] < 0) return corrupt("the gzip header is damaged");
  }
  if (head[2] != 8 || (head[3] & kReserved) != 0) return corrupt("the gzip header is of no known kind");
  int last = 0;
  if ((head[3] & kExtra) != 0) {
    const int low = take_byte();
    const int high = take_byte();
    for (int left = low + 256 * high; left > 0 && last >= 0; --left) last = take_byte();
  }
  for (const int text : {kName, kComment}) {
    if ((head[3] & text) == 0) continue;
    do last = take_byte();
    while (last > 0);
  }
  if ((head[3] & kHeaderCrc) != 0) {
    take_byte();
    last = take_byte();
  }
  if (last < 0) return corrupt("the gzip header is cut off");
  ::inflateReset2(&stream_, kRaw);
  at_ = At::data;
  crc_valid_ = true;
  crc_ = 0;
  member_start_ = position_;
  return {};
}

Status InflateDecoder::read_trailer() {
  std::uint32_t stored = 0;
  for (unsigned i = 0; i < 8; ++i) {
    const int byte = take_byte();
    if (byte < 0) {
      at_ = At::end;
      gaps_.add(member_start_, position_ - member_start_, "the gzip checksum is missing");
      return {};
    }
    if (i < 4) stored |= static_cast<std::uint32_t>(byte) << (8 * i);
  }
  if (crc_valid_ && stored != crc_) {
    gaps_.add(member_start_, position_ - member_start_,
              fmt::format("CRC-32 of the gzip member is {:08x}, stored is {:08x}", crc_, stored));
  }
  crc_valid_ = false;
  at_ = At::header;
  return {};
}

Result<std::size_t> InflateDecoder::next(std::span<std::byte> out) {
  std::size_t done = 0;
  while (done < out.size() && at_ != At::end) {
    if (at_ == At::header) {
      if (auto read = read_header(); !read) {
        if (done > 0) break;
        return read.error();
      }
      continue;
    }
    if (stream_.avail_in == 0) {
      const auto more = refill();
      if (!more) return more.error();
    }
    const std::size_t room = std::min<std::size_t>(out.size() - done, std::size_t{1} << 30);
    stream_.next_out = reinterpret_cast<Bytef*>(out.data() + done);
    stream_.avail_out = static_cast<uInt>(room);
    const int status = ::inflate(&stream_, Z_BLOCK);
    const std::size_t got = room - stream_.avail_out;
    if (crc_valid_) {
      crc_ =
          static_cast<std::uint32_t>(::crc32_z(crc_, reinterpret_cast<const Bytef*>(out.data() + done), got));
    }
    done += got;
    position_ += got;
    if (status == Z_STREAM_END) {
      at_ = At::end;
      if (wrapper_ == Wrapper::gzip) {
        if (auto read = read_trailer(); !read) return read.error();
      }
    } else if (status == Z_BUF_ERROR && stream_.avail_in == 0 && got == 0) {
      // The input is at its end. What was decoded is given first; the same call comes again.
      if (done > 0) break;
      return corrupt("the compressed data is cut off");
    } else if (status == Z_MEM_ERROR) {
      throw std::bad_alloc();
    } else if (status != Z_OK && status != Z_BUF_ERROR) {
      if (done > 0) break;
      return corrupt(fmt::format("the compressed data is damaged ({})",
                                 stream_.msg != nullptr ? stream_.msg : "no deflate data"));
    } else if ((stream_.data_type & 128) != 0 && (stream_.data_type & 64) == 0) {
      remember(false);
    }
  }
  return done;
}

}  // namespace touchstone
