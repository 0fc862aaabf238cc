#include "evidence/exhibit_source.hpp"

#include <algorithm>
#include <cctype>
#include <filesystem>

#include "evidence/digest.hpp"
#include "evidence/ewf_segments.hpp"
#include "evidence/ewf_source.hpp"
#include "evidence/file_source.hpp"
#include "evidence/image_format.hpp"
#include "model/locator.hpp"

namespace touchstone {
namespace {

namespace fs = std::filesystem;

class RawImage : public ExhibitSource {
 public:
  RawImage(std::unique_ptr<FileSource> file, ImageInfo info)
      : file_(std::move(file)), info_(std::move(info)) {}
  const ImageInfo& info() const override { return info_; }
  std::uint64_t size() const override { return file_->size(); }
  Result<std::size_t> read_at(std::uint64_t offset, std::span<std::byte> out) override {
    return file_->read_at(offset, out);
  }
  std::vector<Gap> gaps() const override { return file_->gaps(); }

 private:
  std::unique_ptr<FileSource> file_;
  ImageInfo info_;
};

struct Candidate {
  std::unique_ptr<FileSource> file;
  DetectedFormat format;
};

/// Opens and recognises; refuses what is empty or of a kind that nothing here reads.
Result<Candidate> recognise(const std::string& path) {
  auto file = FileSource::open(path);
  if (!file) return file.error();
  if ((*file)->size() == 0) return Error{ErrorCode::io, path + " is empty"};
  auto format = detect_image_format(**file);
  if (!format) return Error{format.error().code, path + ": " + format.error().message};
  if (format->format == ImageFormat::unsupported) {
    return Error{ErrorCode::unsupported, path + ": " + format->name + " is not read yet: " + format->advice};
  }
  return Candidate{file.take(), *format};
}

/// photo.001 beside photo.002: a split raw image of which only the first piece would be seen.
std::string next_raw_piece(const std::string& path) {
  const auto dot = path.find_last_of('.');
  if (dot == std::string::npos || path.find('/', dot) != std::string::npos) return "";
  std::string digits = path.substr(dot + 1);
  const bool numeric =
      digits.size() >= 2 && digits.size() <= 6 &&
      std::all_of(digits.begin(), digits.end(), [](unsigned char c) { return std::isdigit(c) != 0; });
  if (!numeric) return "";
  std::string next = std::to_string(std::stoul(digits) + 1);
  if (next.size() < digits.size()) next.insert(0, digits.size() - next.size(), '0');
  std::string name = path.substr(0, dot + 1) + next;
  std::error_code ignored;
  return fs::exists(name, ignored) ? name : "";
}

std::unique_ptr<ExhibitSource> make_raw_image(const std::string& path, std::unique_ptr<FileSource> file) {
  ImageInfo info;
  info.format = "raw";
  info.size = file->size();
  info.files = {fs::absolute(path).string()};
  if (const std::string next = next_raw_piece(path); !next.empty()) {
    Problem problem;
    problem.plugin = "evidence";
    problem.kind = ProblemKind::unsupported;
    problem.message =
        to_valid_utf8(fs::path(next).filename().string() +
                      " lies beside it: if this is a split raw image, only its first piece was opened "
                      "(join the pieces into one file)");
    info.problems.push_back(std::move(problem));
  }
  return std::make_unique<RawImage>(std::move(file), std::move(info));
}

}  // namespace

Result<std::vector<std::string>> list_exhibit_files(const std::string& path) {
  auto candidate = recognise(path);
  if (!candidate) return candidate.error();
  std::vector<std::string> files = {path};
  if (candidate->format.format == ImageFormat::ewf) {
    auto set = find_ewf_set(path);
    if (!set) return set.error();
    files = set->files;
  }
  for (std::string& file : files) file = fs::absolute(file).string();
  return files;
}

Result<std::unique_ptr<ExhibitSource>> open_exhibit(const std::string& path, const Secrets& /*secrets*/) {
  auto candidate = recognise(path);
  if (!candidate) return candidate.error();
  if (candidate->format.format == ImageFormat::ewf) return open_ewf(path);
  return make_raw_image(path, std::move(candidate->file));
}

Result<Verification> verify_image(ExhibitSource& image, const std::function<bool(std::uint64_t)>& progress) {
  constexpr std::size_t kBlock = std::size_t{1} << 20;
  constexpr std::uint64_t kReportEvery = std::uint64_t{64} << 20;
  std::vector<std::byte> block(kBlock);
  Hasher hasher;
  std::uint64_t done = 0;
  std::uint64_t reported = 0;
  while (done < image.size()) {
    const auto got = image.read_at(done, block);
    if (!got) return got.error();
    if (*got == 0)
      return Error{ErrorCode::io, "the image ends at byte " + std::to_string(done) + " before its size"};
    hasher.update(std::span(block).first(*got));
    done += *got;
    if (done - reported >= kReportEvery || done >= image.size()) {
      reported = done;
      if (progress && !progress(done)) return Error{ErrorCode::cancelled, "verification was stopped"};
    }
  }
  Verification result;
  result.computed = hasher.finish();
  result.gaps = image.gaps();
  const ImageInfo& info = image.info();
  if (!info.stored_md5.empty() || !info.stored_sha1.empty()) {
    result.matches = (info.stored_md5.empty() || info.stored_md5 == result.computed.md5) &&
                     (info.stored_sha1.empty() || info.stored_sha1 == result.computed.sha1);
  }
  return result;
}

}  // namespace touchstone
