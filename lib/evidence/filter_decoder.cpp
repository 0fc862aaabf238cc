#include "evidence/filter_decoder.hpp"

#include <archive.h>
#include <archive_entry.h>

#include <algorithm>
#include <cerrno>
#include <new>

#include "model/locator.hpp"

namespace touchstone {
namespace {

struct ArchiveCloser {
  void operator()(archive* handle) const { archive_read_free(handle); }
};

int filter_code(StreamFilter filter) {
  switch (filter) {
    case StreamFilter::bzip2:
      return ARCHIVE_FILTER_BZIP2;
    case StreamFilter::xz:
      return ARCHIVE_FILTER_XZ;
    case StreamFilter::lzma:
      return ARCHIVE_FILTER_LZMA;
    case StreamFilter::zstd:
      return ARCHIVE_FILTER_ZSTD;
  }
  return ARCHIVE_FILTER_NONE;
}

class FilterDecoder : public StreamDecoder {
 public:
  FilterDecoder(std::unique_ptr<ByteSource> base, StreamFilter filter)
      : base_(std::move(base)), filter_(filter), input_(kInput) {}

  std::uint64_t position() const override { return position_; }

  Status seek(std::uint64_t offset) override {
    if (position_ <= offset && handle_) return {};
    position_ = 0;
    input_position_ = 0;
    ended_ = false;
    return open();
  }

  Result<std::size_t> next(std::span<std::byte> out) override {
    if (!handle_) {
      if (auto opened = open(); !opened) return opened.error();
    }
    std::size_t done = 0;
    while (done < out.size() && !ended_) {
      const la_ssize_t got = archive_read_data(handle_.get(), out.data() + done, out.size() - done);
      if (got < 0) {
        // libarchive gives no more after an error, so the good bytes before it come first.
        failure_ = text();
        ended_ = true;
      }
      if (got == 0) ended_ = true;
      if (got <= 0) break;
      done += static_cast<std::size_t>(got);
      position_ += static_cast<std::uint64_t>(got);
    }
    if (done == 0 && !failure_.empty()) return Error{ErrorCode::corrupt, failure_};
    return done;
  }

  std::vector<Gap> gaps() const override {
    std::vector<Gap> gaps;
    for (const Gap& gap : base_->gaps()) gaps.push_back({0, UINT64_MAX, "compressed bytes: " + gap.reason});
    return gaps;
  }

 private:
  static constexpr std::size_t kInput = std::size_t{64} << 10;

  static la_ssize_t on_read(archive* handle, void* data, const void** buffer) {
    auto& self = *static_cast<FilterDecoder*>(data);
    const auto got = self.base_->read_at(self.input_position_, self.input_);
    if (!got) {
      archive_set_error(handle, EIO, "%s", got.error().message.c_str());
      return -1;
    }
    self.input_position_ += *got;
    *buffer = self.input_.data();
    return static_cast<la_ssize_t>(*got);
  }

  std::string text() const {
    const char* message = archive_error_string(handle_.get());
    return "the compressed data is damaged: " +
           to_valid_utf8(message != nullptr ? message : "no reason given");
  }

  Status open() {
    failure_.clear();
    handle_.reset(archive_read_new());
    if (!handle_) throw std::bad_alloc();
    archive_read_append_filter(handle_.get(), filter_code(filter_));
    archive_read_support_format_raw(handle_.get());
    archive_entry* entry = nullptr;
    if (archive_read_open(handle_.get(), this, nullptr, &FilterDecoder::on_read, nullptr) != ARCHIVE_OK) {
      failure_ = text();
      ended_ = true;
      return {};
    }
    const int status = archive_read_next_header(handle_.get(), &entry);
    if (status == ARCHIVE_EOF) ended_ = true;
    if (status < ARCHIVE_WARN) {
      failure_ = text();
      ended_ = true;
    }
    return {};
  }

  std::unique_ptr<ByteSource> base_;
  StreamFilter filter_;
  std::unique_ptr<archive, ArchiveCloser> handle_;
  std::vector<std::byte> input_;
  std::uint64_t input_position_ = 0;
  std::uint64_t position_ = 0;
  bool ended_ = false;
  std::string failure_;
};

}  // namespace

std::unique_ptr<StreamDecoder> make_filter_decoder(std::unique_ptr<ByteSource> base, StreamFilter filter) {
  return std::make_unique<FilterDecoder>(std::move(base), filter);
}

}  // namespace touchstone
