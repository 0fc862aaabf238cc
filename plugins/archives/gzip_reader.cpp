#include "gzip_reader.hpp"

#include <cstring>
#include <new>

namespace touchstone::archives {
namespace {

constexpr std::size_t kInputBytes = 256 * 1024;
constexpr int kGzipWindow = 15 + 16;  // zlib's way to ask for a gzip header

}  // namespace

GzipReader::GzipReader(Job& job) : job_(job), input_(kInputBytes) {
  if (inflateInit2(&stream_, kGzipWindow) != Z_OK) throw std::bad_alloc();
  header_.name = name_.data();
  header_.name_max = static_cast<uInt>(name_.size() - 1);
  inflateGetHeader(&stream_, &header_);
}

GzipReader::~GzipReader() {
  inflateEnd(&stream_);
}

bool GzipReader::refill() {
  const auto got = job_.read_at(offset_, input_);
  if (got < 0) error_ = "the bytes at " + std::to_string(offset_) + " cannot be read";
  if (got <= 0) return false;
  offset_ += static_cast<std::uint64_t>(got);
  stream_.next_in = input_.data();
  stream_.avail_in = static_cast<uInt>(got);
  return true;
}

/// A gzip file may be several, one after the other (RFC 1952 2.2); what follows and is none is padding.
bool GzipReader::next_stream() {
  if (stream_.avail_in == 0 && !refill()) return false;
  return stream_.next_in[0] == 0x1F && inflateReset(&stream_) == Z_OK;
}

std::int64_t GzipReader::read(std::span<std::uint8_t> out) {
  if (!error_.empty()) return -1;
  stream_.next_out = out.data();
  stream_.avail_out = static_cast<uInt>(out.size());
  while (!ended_ && error_.empty() && stream_.avail_out > 0) {
    if (stream_.avail_in == 0 && !refill()) {
      if (error_.empty()) error_ = "ends within its packed data";
      break;
    }
    const int rc = inflate(&stream_, Z_NO_FLUSH);
    if (rc == Z_STREAM_END) {
      ended_ = !next_stream();
    } else if (rc != Z_OK && rc != Z_BUF_ERROR) {
      error_ = std::string("damaged packed data: ") + (stream_.msg ? stream_.msg : "unknown");
    }
  }
  const std::size_t filled = out.size() - stream_.avail_out;
  produced_ += filled;
  return filled > 0 || error_.empty() ? static_cast<std::int64_t>(filled) : -1;
}

std::string GzipReader::name() const {
  return header_.done == 1 ? std::string(reinterpret_cast<const char*>(name_.data())) : std::string();
}

std::optional<std::int64_t> GzipReader::modified() const {
  if (header_.done != 1 || header_.time == 0) return std::nullopt;
  return static_cast<std::int64_t>(header_.time);
}

}  // namespace touchstone::archives
