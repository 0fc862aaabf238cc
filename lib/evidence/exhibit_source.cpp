#include "evidence/exhibit_source.hpp"

#include <sys/resource.h>

#include <algorithm>
#include <filesystem>

#include "evidence/aff_source.hpp"
#include "evidence/digest.hpp"
#include "evidence/dmg_source.hpp"
#include "evidence/ewf2_source.hpp"
#include "evidence/ewf_source.hpp"
#include "evidence/file_source.hpp"
#include "evidence/folder_source.hpp"
#include "evidence/image_format.hpp"
#include "evidence/image_input.hpp"
#include "evidence/parallels_source.hpp"
#include "evidence/qcow_source.hpp"
#include "evidence/raw_source.hpp"
#include "evidence/tree_format.hpp"
#include "evidence/vdi_source.hpp"
#include "evidence/vhd_source.hpp"
#include "evidence/vhdx_source.hpp"
#include "evidence/vmdk_source.hpp"
#include "model/locator.hpp"

namespace touchstone {
namespace {

namespace fs = std::filesystem;

/// The files beside an exhibit, by name. All that were opened are remembered.
class Folder {
 public:
  explicit Folder(const std::string& path) : path_(fs::absolute(path)) {}

  std::string full(const std::string& name) const { return (path_.parent_path() / name).string(); }
  std::string name() const { return path_.filename().string(); }
  const std::optional<Error>& trouble() const { return trouble_; }

  std::unique_ptr<ByteSource> open(const std::string& name) {
    if (name.empty() || name == "." || name == ".." || name.find('/') != std::string::npos || trouble_)
      return nullptr;
    const std::string path = full(name);
    std::error_code ignored;
    if (!fs::exists(path, ignored)) return nullptr;
    if (!allow_one_more()) return nullptr;
    auto file = FileSource::open(path);
    if (!file) {
      trouble_ = file.error();
      return nullptr;
    }
    ++opened_;
    return std::unique_ptr<ByteSource>(file.take());
  }

 private:
  // Each segment keeps its descriptor, so that reading works in the sandbox; the usual soft limit of 1024 is
  // less than a set of 2 TB has.
  bool allow_one_more() {
    constexpr rlim_t kSpare = 256;
    const rlim_t needed = opened_ + kSpare;
    struct rlimit limit {};
    if (::getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= needed) return true;
    const rlim_t soft = limit.rlim_cur;
    limit.rlim_cur = std::min<rlim_t>(limit.rlim_max, needed * 2);
    if (limit.rlim_cur >= needed && ::setrlimit(RLIMIT_NOFILE, &limit) == 0) return true;
    trouble_ = Error{ErrorCode::limit, "the image has more files than the " + std::to_string(soft) +
                                           " that may be open: raise the limit with ulimit -n"};
    return false;
  }

  fs::path path_;
  rlim_t opened_ = 0;
  std::optional<Error> trouble_;
};

/// Opens `path` and reads it as what it is; names of files become absolute paths.
Result<std::unique_ptr<ExhibitSource>> open_path(const std::string& path, const Secrets& secrets) {
  auto file = FileSource::open(path);
  if (!file) return file.error();
  if ((*file)->size() == 0) return Error{ErrorCode::io, path + " is empty"};
  Folder folder(path);
  const SiblingOpener sibling = [&](const std::string& name) { return folder.open(name); };
  auto image = open_image_input({file.take(), folder.name(), sibling, secrets});
  if (folder.trouble()) return Error{folder.trouble()->code, path + ": " + folder.trouble()->message};
  if (!image) return Error{image.error().code, path + " " + image.error().message};
  return image;
}

class Renamed : public ExhibitSource {
 public:
  Renamed(std::unique_ptr<ExhibitSource> image, const std::string& path) : image_(std::move(image)) {
    info_ = image_->info();
    const Folder folder(path);
    for (std::string& name : info_.files) name = folder.full(name);
  }
  const ImageInfo& info() const override {
    // Troubles met while reading are the image's.
    const std::vector<Problem>& now = image_->info().problems;
    if (now.size() != info_.problems.size()) info_.problems = now;
    return info_;
  }
  std::uint64_t size() const override { return image_->size(); }
  Result<std::size_t> read_at(std::uint64_t offset, std::span<std::byte> out) override {
    return image_->read_at(offset, out);
  }
  std::vector<Gap> gaps() const override {
    std::vector<Gap> gaps = image_->gaps();
    // Sources made from this one pass these places on.
    for (Gap& gap : gaps) gap.place = gap.length == 0 ? std::nullopt : std::optional(gap.offset);
    return gaps;
  }
  ByteSource* file_list() override { return image_->file_list(); }

 private:
  std::unique_ptr<ExhibitSource> image_;
  mutable ImageInfo info_;
};

/// For formats whose signature a raw disk may happen to end with: what they do not take is raw.
Result<std::unique_ptr<ExhibitSource>> or_raw(Result<std::unique_ptr<ExhibitSource>> image, ImageInput& input,
                                              ImageInfo info) {
  if (image || image.error().code != ErrorCode::invalid) return image;
  return make_raw_exhibit(std::move(input.bytes), std::move(info));
}

}  // namespace

void add_problem(ImageInfo& info, ProblemKind kind, const std::string& message) {
  Problem problem;
  problem.plugin = "evidence";
  problem.kind = kind;
  problem.message = to_valid_utf8(message);
  info.problems.push_back(std::move(problem));
}

std::string last_component(const std::string& path) {
  const std::size_t slash = path.find_last_of("/\\");
  return slash == std::string::npos ? path : path.substr(slash + 1);
}

Result<std::unique_ptr<ExhibitSource>> open_parent(const ImageInput& child, const std::string& wanted,
                                                   bool raw) {
  const std::string name = last_component(wanted);
  std::vector<std::string> chain = child.chain;
  chain.push_back(child.name);
  if (std::find(chain.begin(), chain.end(), name) != chain.end())
    return Error{ErrorCode::corrupt, "builds on " + to_valid_utf8(name) +
                                         ", which builds on it: the chain of parents has no end"};
  if (chain.size() > kMaxParents)
    return Error{ErrorCode::limit,
                 "builds on more than " + std::to_string(kMaxParents) + " images, one on the other"};
  auto bytes = child.open_sibling(name);
  if (!bytes)
    return Error{ErrorCode::not_found, "builds on " + to_valid_utf8(wanted) + ", but no file " +
                                           to_valid_utf8(name) + " lies beside it"};
  ImageInput input{std::move(bytes), name, child.sibling, child.secrets, std::move(chain)};
  auto parent = raw ? open_raw_input(std::move(input)) : open_image_input(std::move(input));
  if (parent) return parent;
  return Error{parent.error().code, "builds on " + to_valid_utf8(name) + ", which " + parent.error().message};
}

Result<std::unique_ptr<ExhibitSource>> open_raw_input(ImageInput input) {
  auto parts = join_raw_parts(input);
  if (!parts) return parts.error();
  if (parts->info.files.empty()) parts->info.files = {input.name};
  return make_raw_exhibit(std::move(parts->bytes), std::move(parts->info));
}

Result<std::unique_ptr<ExhibitSource>> open_image_input(ImageInput input) {
  auto parts = join_raw_parts(input);
  if (!parts) return parts.error();
  ImageInfo info = std::move(parts->info);
  if (info.files.empty()) info.files = {input.name};
  input.bytes = std::move(parts->bytes);
  const auto format = detect_image_format(*input.bytes);
  // An archive whose members are the exhibit's files: its bytes as they are, and what they are. A zip may
  // begin with other bytes.
  if (format && (format->format == ImageFormat::archive || format->format == ImageFormat::raw)) {
    if (const std::string tree = tree_format(*input.bytes); !tree.empty())
      return make_raw_exhibit(std::move(input.bytes), std::move(info), tree);
  }
  if (!format) return Error{format.error().code, "cannot be read: " + format.error().message};
  switch (format->format) {
    case ImageFormat::ewf:
      return open_ewf(std::move(input));
    case ImageFormat::ewf2:
      return open_ewf2(std::move(input));
    case ImageFormat::vmdk:
      return open_vmdk(std::move(input));
    case ImageFormat::qcow:
      return open_qcow(std::move(input));
    case ImageFormat::vhd:
      return or_raw(open_vhd(input), input, std::move(info));
    case ImageFormat::vhdx:
      return open_vhdx(std::move(input));
    case ImageFormat::vdi:
      return open_vdi(std::move(input));
    case ImageFormat::parallels:
      return open_parallels(std::move(input));
    case ImageFormat::dmg:
      return or_raw(open_dmg(input), input, std::move(info));
    case ImageFormat::aff:
      return open_aff(std::move(input));
    case ImageFormat::archive:
    case ImageFormat::unsupported:
      break;
    case ImageFormat::raw:
      return make_raw_exhibit(std::move(input.bytes), std::move(info));
  }
  return Error{ErrorCode::unsupported, "is " + format->name + ", which is not read: " + format->advice};
}

Result<std::vector<std::string>> list_exhibit_files(const std::string& path) {
  std::error_code ignored;
  if (fs::is_directory(path, ignored)) {
    auto folder = FolderSource::open(path);
    if (!folder) return folder.error();
    return (*folder)->info().files;
  }
  auto image = open_exhibit(path);
  if (!image) return image.error();
  return (*image)->info().files;
}

Result<std::unique_ptr<ExhibitSource>> open_exhibit(const std::string& path, const Secrets& secrets) {
  std::error_code ignored;
  if (fs::is_directory(path, ignored)) {
    auto folder = FolderSource::open(path);
    if (!folder) return folder.error();
    return std::unique_ptr<ExhibitSource>(folder.take());
  }
  auto image = open_path(path, secrets);
  if (!image) return image.error();
  return std::unique_ptr<ExhibitSource>(std::make_unique<Renamed>(image.take(), path));
}

Result<std::unique_ptr<ExhibitSource>> open_image(std::unique_ptr<ByteSource> bytes, const std::string& name,
                                                  const SiblingOpener& sibling, const Secrets& secrets) {
  if (bytes->size() == 0) return Error{ErrorCode::corrupt, name + " is empty"};
  auto image = open_image_input({std::move(bytes), name, sibling, secrets});
  if (!image) return Error{image.error().code, name + " " + image.error().message};
  return image;
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
