#include "content/content.hpp"

#include <magic.h>

#include <algorithm>

#include "filesystem/free_space.hpp"

namespace touchstone {

struct MediaTyper::Handle {
  magic_t cookie = nullptr;
};

MediaTyper::~MediaTyper() {
  if (handle_ && handle_->cookie) magic_close(handle_->cookie);
}

Result<std::unique_ptr<MediaTyper>> MediaTyper::load() {
  std::unique_ptr<MediaTyper> typer(new MediaTyper);
  typer->handle_ = std::make_unique<Handle>();
  // Containers are opened by plugins, never by libmagic: no look inside compressed files, no device or link
  // following.
  typer->handle_->cookie = magic_open(MAGIC_MIME_TYPE | MAGIC_NO_CHECK_COMPRESS | MAGIC_NO_CHECK_ELF);
  if (!typer->handle_->cookie || magic_load(typer->handle_->cookie, nullptr) != 0) {
    return Error{ErrorCode::io, "libmagic cannot load its database: install the package libmagic-mgc"};
  }
  return typer;
}

std::string MediaTyper::detect(std::span<const std::byte> head) const {
  const char* type = magic_buffer(handle_->cookie, head.data(), std::min(head.size(), kMagicBytes));
  if (!type) return "application/octet-stream";
  // Targa pictures have no signature: libmagic takes tables such as NTFS's $UpCase for one.
  return std::string_view(type) == "image/x-tga" ? "application/octet-stream" : type;
}

std::string MediaTyper::library_version() {
  return std::to_string(magic_version());
}

Content::Content(std::unique_ptr<ByteSource> source) : origin_(std::move(source)), size_(origin_->size()) {}

Result<std::size_t> Content::read_behind(std::uint64_t offset, std::span<std::byte> out) {
  if (run_map(*origin_) == nullptr) return std::size_t{0};
  return read_on(*origin_, offset, out);
}

namespace {

/// Keeps what is read in one buffer when that is small enough; the buffer grows with what really comes, so
/// that a false size in evidence allocates nothing.
class Keeper {
 public:
  explicit Keeper(std::uint64_t size) : keep_(size <= Content::kInMemory) {
    if (keep_) bytes_.reserve(static_cast<std::size_t>(std::min<std::uint64_t>(size, Content::kBlock)));
  }
  void add(std::span<const std::byte> block) {
    if (keep_) bytes_.insert(bytes_.end(), block.begin(), block.end());
  }
  bool keeps() const { return keep_; }
  std::vector<std::byte> take() { return std::move(bytes_); }

 private:
  bool keep_;
  std::vector<std::byte> bytes_;
};

void put_zeros(const std::vector<ByteRange>& ranges, std::uint64_t offset, std::span<std::byte> bytes) {
  for (const ByteRange& range : ranges) {
    const std::uint64_t from = std::max(range.offset, offset);
    const std::uint64_t to = std::min(range.offset + range.length, offset + bytes.size());
    if (from < to)
      std::fill_n(bytes.begin() + static_cast<std::ptrdiff_t>(from - offset), to - from, std::byte{0});
  }
}

class MaskedSource final : public ByteSource {
 public:
  MaskedSource(ByteSource& origin, const std::vector<ByteRange>& hidden) : origin_(origin), hidden_(hidden) {}
  std::uint64_t size() const override { return origin_.size(); }
  Result<std::size_t> read_at(std::uint64_t offset, std::span<std::byte> out) override {
    auto got = origin_.read_at(offset, out);
    if (got) put_zeros(hidden_, offset, out.first(*got));
    return got;
  }
  std::vector<Gap> gaps() const override { return origin_.gaps(); }

 private:
  ByteSource& origin_;
  const std::vector<ByteRange>& hidden_;
};

}  // namespace

Status Content::read(Hasher& hasher, const MediaTyper& typer,
                     const std::function<bool(std::uint64_t, std::span<const std::byte>)>& sink) {
  std::vector<std::byte> block(
      static_cast<std::size_t>(std::min<std::uint64_t>(std::max<std::uint64_t>(size_, 1), kBlock)));
  Keeper keeper(size_);
  bool giving = static_cast<bool>(sink);
  std::uint64_t offset = 0;
  const bool typed = !media_type_.empty();
  if (size_ == 0 && !typed) media_type_ = typer.detect({});
  if (!hidden_.empty()) masked_ = std::make_unique<MaskedSource>(*origin_, hidden_);
  while (offset < size_) {
    const auto want = static_cast<std::size_t>(std::min<std::uint64_t>(block.size(), size_ - offset));
    auto got = origin_->read_at(offset, std::span(block).first(want));
    if (!got) return got.error();
    if (*got == 0) break;
    const auto part = std::span<const std::byte>(block).first(*got);
    if (!digest_hidden_) put_zeros(hidden_, offset, std::span(block).first(*got));
    if (offset == 0 && !typed) media_type_ = typer.detect(part);
    hasher.update(part);
    if (digest_hidden_) put_zeros(hidden_, offset, std::span(block).first(*got));
    keeper.add(part);
    if (giving) giving = sink(offset, part);
    offset += *got;
  }
  size_ = offset;
  digests_ = hasher.finish();
  if (keeper.keeps()) {
    auto bytes = keeper.take();
    const std::span<const std::byte> view(bytes);
    memory_ = make_memory_source(std::move(bytes));
    bytes_ = view;
  }
  return {};
}

}  // namespace touchstone
