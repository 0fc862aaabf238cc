#include "filesystem/trees/l01_content.hpp"

#include <openssl/evp.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <optional>

#include "evidence/gap_list.hpp"

namespace touchstone::l01 {
namespace {

struct Run {
  std::uint64_t from = 0;   ///< of the file
  std::uint64_t place = 0;  ///< of the image
  std::uint64_t length = 0;
};

struct DigestCloser {
  void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
};

class Content : public ByteSource {
 public:
  Content(ByteSource& image, std::uint64_t size) : image_(image), size_(size) {}

  void set_runs(std::vector<Run> runs) { runs_ = std::move(runs); }
  void set_fill(std::byte value) { fill_ = value; }
  void set_missing(std::string reason) { missing_ = std::move(reason); }
  void expect(std::string md5) {
    if (md5.empty()) return;
    digest_.reset(EVP_MD_CTX_new());
    if (digest_ && EVP_DigestInit_ex(digest_.get(), EVP_md5(), nullptr) != 1) digest_.reset();
    expected_ = std::move(md5);
  }

  std::uint64_t size() const override { return size_; }
  std::vector<Gap> gaps() const override { return gaps_.list(); }

  Result<std::size_t> read_at(std::uint64_t offset, std::span<std::byte> out) override {
    if (offset >= size_) return std::size_t{0};
    out = out.first(std::min<std::uint64_t>(out.size(), size_ - offset));
    for (std::size_t done = 0; done < out.size();) {
      const auto filled = read_piece(offset + done, out.subspan(done));
      if (!filled) return filled.error();
      done += *filled;
    }
    if (digest_) check(offset, out);
    return out.size();
  }

 private:
  Result<std::size_t> read_piece(std::uint64_t at, std::span<std::byte> out) {
    if (fill_) {
      std::memset(out.data(), std::to_integer<int>(*fill_), out.size());
      return out.size();
    }
    auto run = std::upper_bound(runs_.begin(), runs_.end(), at,
                                [](std::uint64_t wanted, const Run& one) { return wanted < one.from; });
    if (run == runs_.begin() || at - std::prev(run)->from >= std::prev(run)->length) {
      std::memset(out.data(), 0, out.size());
      gaps_.add(at, out.size(), missing_.empty() ? "its runs are shorter than its size" : missing_);
      return out.size();
    }
    --run;
    const std::uint64_t within = at - run->from;
    out = out.first(std::min<std::uint64_t>(out.size(), run->length - within));
    const std::uint64_t place = run->place + within;
    auto got = image_.read_at(place, out);
    if (!got) return got;
    if (*got < out.size()) {
      std::memset(out.data() + *got, 0, out.size() - *got);
      gaps_.add(at + *got, out.size() - *got, "the image ends before");
    }
    for (const Gap& gap : image_.gaps()) {
      const std::uint64_t from = std::max(gap.offset, place);
      const std::uint64_t to = std::min(gap.offset + gap.length, place + *got);
      if (from < to) gaps_.add(at + (from - place), to - from, gap.reason);
    }
    return out.size();
  }

  void check(std::uint64_t offset, std::span<const std::byte> bytes) {
    if (offset > hashed_ || offset + bytes.size() <= hashed_) return;
    const auto fresh = bytes.subspan(static_cast<std::size_t>(hashed_ - offset));
    hashed_ += fresh.size();
    EVP_DigestUpdate(digest_.get(), fresh.data(), fresh.size());
    if (hashed_ < size_) return;
    std::array<unsigned char, EVP_MAX_MD_SIZE> sum{};
    unsigned int length = 0;
    EVP_DigestFinal_ex(digest_.get(), sum.data(), &length);
    digest_.reset();
    std::string text;
    for (unsigned int i = 0; i < length; ++i) {
      text.push_back("0123456789abcdef"[sum[i] >> 4]);
      text.push_back("0123456789abcdef"[sum[i] & 15]);
    }
    if (text != expected_ && gaps_.empty())
      gaps_.add(0, size_, "MD5 is " + text + ", stored is " + expected_);
  }

  ByteSource& image_;
  std::uint64_t size_;
  std::vector<Run> runs_;
  std::optional<std::byte> fill_;
  std::string missing_;
  GapList gaps_;
  std::string expected_;
  std::unique_ptr<EVP_MD_CTX, DigestCloser> digest_;
  std::uint64_t hashed_ = 0;
};

/// "COUNT OFFSET SIZE …" or "COUNT TYPE OFFSET SIZE …", all but the count hexadecimal. Nothing if it is
/// neither.
std::optional<std::vector<Run>> runs_of(std::string_view text) {
  std::vector<std::string_view> parts = split(text, ' ');
  while (!parts.empty() && parts.back().empty()) parts.pop_back();
  std::uint64_t count = 0;
  if (parts.empty()) return std::vector<Run>();
  if (!read_number(parts[0], 10, count) || count == 0) return std::nullopt;
  const std::size_t cells = parts.size() - 1;
  if (cells % count != 0 || (cells / count != 2 && cells / count != 3)) return std::nullopt;
  const std::size_t step = cells / count;
  std::vector<Run> runs;
  std::uint64_t from = 0;
  for (std::size_t i = 0; i < count; ++i) {
    Run run;
    run.from = from;
    const std::size_t at = 1 + i * step + (step - 2);
    if (!read_number(parts[at], 16, run.place) || !read_number(parts[at + 1], 16, run.length))
      return std::nullopt;
    // Kinds of runs other than plain ones are not documented.
    std::uint64_t kind = 0;
    if (step == 3 && !read_number(parts[at - 1], 16, kind)) return std::nullopt;
    if (run.length > UINT64_MAX - from) return std::nullopt;
    from += run.length;
    runs.push_back(run);
  }
  return runs;
}

}  // namespace

std::string stored_digest(const Values& values, std::string_view column, std::size_t size) {
  std::string text(values.text(column));
  if (text.size() != size) return "";
  for (char& c : text) c = static_cast<char>(c >= 'A' && c <= 'F' ? c - 'A' + 'a' : c);
  const bool hex = text.find_first_not_of("0123456789abcdef") == std::string::npos;
  return hex && text.find_first_not_of('0') != std::string::npos ? text : "";
}

std::unique_ptr<ByteSource> open_content(ByteSource& image, const Values& values) {
  const std::uint64_t size = values.number("ls");
  auto content = std::make_unique<Content>(image, size);
  auto runs = runs_of(values.text("be"));
  const bool sparse = (values.number("opr") & kSparse) != 0;
  std::uint64_t elsewhere = 0;
  const bool copy = sparse && read_number(values.text("du"), 10, elsewhere);
  if (copy) {
    content->set_runs({{0, elsewhere, size}});
  } else if (!runs) {
    content->set_missing("its runs are in a form that is not known");
  } else if (sparse && runs->size() == 1 && runs->front().length == 1 && size > 1) {
    std::byte value{0};
    const auto got = image.read_at(runs->front().place, std::span(&value, 1));
    if (got && *got == 1) {
      content->set_fill(value);
    } else {
      content->set_missing("the byte of which it consists lies outside the image");
    }
  } else {
    content->set_runs(std::move(*runs));
  }
  content->expect(stored_digest(values, "ha", 32));
  return content;
}

}  // namespace touchstone::l01
