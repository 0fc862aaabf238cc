#include "evidence/raw_source.hpp"

#include <algorithm>
#include <cctype>
#include <cstring>

#include "evidence/gap_list.hpp"

namespace touchstone {
namespace {

constexpr std::uint32_t kMaxParts = 20'000;
constexpr std::uint32_t kLookAhead = 20;

class RawExhibit : public ExhibitSource {
 public:
  RawExhibit(std::unique_ptr<ByteSource> bytes, ImageInfo info)
      : bytes_(std::move(bytes)), info_(std::move(info)) {}
  const ImageInfo& info() const override { return info_; }
  std::uint64_t size() const override { return bytes_->size(); }
  Result<std::size_t> read_at(std::uint64_t offset, std::span<std::byte> out) override {
    return bytes_->read_at(offset, out);
  }
  std::vector<Gap> gaps() const override { return bytes_->gaps(); }

 private:
  std::unique_ptr<ByteSource> bytes_;
  ImageInfo info_;
};

/// Sources one after the other; a null one is a hole.
class JoinedSource : public ByteSource {
 public:
  struct Part {
    std::unique_ptr<ByteSource> bytes;
    std::uint64_t size = 0;
    std::string name;
    std::uint64_t at = 0;
  };

  explicit JoinedSource(std::vector<Part> parts) : parts_(std::move(parts)) {
    for (Part& part : parts_) {
      part.at = size_;
      size_ += part.size;
    }
  }
  std::uint64_t size() const override { return size_; }

  Result<std::size_t> read_at(std::uint64_t offset, std::span<std::byte> out) override {
    if (offset >= size_) return std::size_t{0};
    out = out.first(std::min<std::uint64_t>(out.size(), size_ - offset));
    auto part = std::upper_bound(parts_.begin(), parts_.end(), offset,
                                 [](std::uint64_t at, const Part& one) { return at < one.at; });
    --part;
    for (std::size_t done = 0; done < out.size(); ++part) {
      const std::uint64_t within = offset + done - part->at;
      const std::size_t length = std::min<std::uint64_t>(out.size() - done, part->size - within);
      const auto piece = out.subspan(done, length);
      if (part->bytes) {
        const auto got = part->bytes->read_at(within, piece);
        if (!got) return got.error();
        std::memset(piece.data() + *got, 0, length - *got);
      } else {
        std::memset(piece.data(), 0, length);
        holes_.add(offset + done, length, "part " + part->name + " is missing");
      }
      done += length;
    }
    return out.size();
  }

  std::vector<Gap> gaps() const override {
    std::vector<Gap> all = holes_.list();
    for (const Part& part : parts_) {
      if (!part.bytes) continue;
      for (Gap gap : part.bytes->gaps()) {
        gap.offset += part.at;
        all.push_back(std::move(gap));
      }
    }
    std::sort(all.begin(), all.end(), [](const Gap& a, const Gap& b) { return a.offset < b.offset; });
    if (all.size() > kMaxGaps) {
      all.resize(kMaxGaps);
      all.push_back({all.back().offset, 0, "more unreadable ranges than are listed"});
    }
    return all;
  }

 private:
  std::vector<Part> parts_;
  std::uint64_t size_ = 0;
  GapList holes_;
};

struct Numbering {
  std::string stem;  ///< with the dot
  std::size_t width = 0;
  bool letters = false;
  char letter = 'a';  ///< the least
  std::uint32_t number = 0;
};

/// Of the last extension: digits (.001, .00, .0001), or two to four letters of which only the last two or
/// three count up from "a" (.aa, .aaa).
std::optional<Numbering> numbering_of(const std::string& name) {
  const auto dot = name.find_last_of('.');
  if (dot == std::string::npos || dot == 0) return std::nullopt;
  const std::string ending = name.substr(dot + 1);
  Numbering found;
  found.stem = name.substr(0, dot + 1);
  found.width = ending.size();
  if (ending.size() < 2 || ending.size() > 4) return std::nullopt;
  const auto all = [&](auto test) { return std::all_of(ending.begin(), ending.end(), test); };
  if (all([](char c) { return c >= '0' && c <= '9'; })) {
    found.number = static_cast<std::uint32_t>(std::stoul(ending));
    return found;
  }
  const bool lower = all([](char c) { return c >= 'a' && c <= 'z'; });
  if (ending.size() > 3 || (!lower && !all([](char c) { return c >= 'A' && c <= 'Z'; }))) return std::nullopt;
  found.letters = true;
  found.letter = lower ? 'a' : 'A';
  for (const char c : ending) found.number = found.number * 26 + static_cast<std::uint32_t>(c - found.letter);
  return found;
}

std::optional<std::string> name_of(const Numbering& numbering, std::uint32_t number) {
  std::string ending;
  if (numbering.letters) {
    for (std::size_t i = 0; i < numbering.width; ++i, number /= 26)
      ending.insert(ending.begin(), static_cast<char>(numbering.letter + static_cast<char>(number % 26)));
    if (number > 0) return std::nullopt;
  } else {
    ending = std::to_string(number);
    if (ending.size() < numbering.width) ending.insert(0, numbering.width - ending.size(), '0');
  }
  return numbering.stem + ending;
}

class PartJoiner {
 public:
  PartJoiner(ImageInput& input, const Numbering& numbering) : input_(input), numbering_(numbering) {}

  RawParts run() {
    take(input_.name, std::move(input_.bytes));
    std::vector<std::string> hole;
    for (std::uint32_t step = 1; step < kMaxParts; ++step) {
      const auto name = name_of(numbering_, numbering_.number + step);
      if (!name || hole.size() >= kLookAhead) break;
      auto bytes = input_.open_sibling(*name);
      if (!bytes) {
        hole.push_back(*name);
        // Nothing says that a lone disk.001 has further parts.
        if (parts_.size() == 1 && hole.size() > 3) break;
        continue;
      }
      if (!hole.empty() && !fill(hole, *name)) break;
      hole.clear();
      take(*name, std::move(bytes));
    }
    return finish();
  }

 private:
  void take(const std::string& name, std::unique_ptr<ByteSource> bytes) {
    const std::uint64_t size = bytes->size();
    result_.info.files.push_back(name);
    parts_.push_back({std::move(bytes), size, name, 0});
  }

  /// A hole is as long as its parts would be; that is known where all before it are alike.
  bool fill(const std::vector<std::string>& hole, const std::string& next) {
    const std::uint64_t size = parts_.front().size;
    const bool alike =
        std::all_of(parts_.begin(), parts_.end(), [&](const auto& part) { return part.size == size; });
    const std::string names = hole.size() == 1 ? hole.front() + " is missing"
                                               : hole.front() + " to " + hole.back() + " are missing";
    if (!alike) {
      add_problem(result_.info, ProblemKind::unreadable,
                  names + " from the split image, and the parts before differ in size: " + next +
                      " and what comes after it cannot be placed and are not used");
      return false;
    }
    add_problem(result_.info, ProblemKind::unreadable,
                names + " from the split image: their place, " + std::to_string(hole.size() * size) +
                    " bytes if they were as long as the others, is left empty");
    for (const std::string& name : hole) parts_.push_back({nullptr, size, name, 0});
    return true;
  }

  RawParts finish() {
    for (std::size_t i = 1; i < parts_.size(); ++i) {
      const bool last = i + 1 == parts_.size();
      const std::uint64_t usual = parts_.front().size;
      if (parts_[i].size == usual || (last && parts_[i].size < usual)) continue;
      add_problem(result_.info, ProblemKind::integrity,
                  "part " + parts_[i].name + " of the split image has " + std::to_string(parts_[i].size) +
                      " bytes, " + parts_.front().name + " has " + std::to_string(usual) +
                      ": one of them may be cut short");
      break;
    }
    if (parts_.size() == 1) {
      result_.bytes = std::move(parts_.front().bytes);
    } else {
      result_.info.metadata["parts"] = std::to_string(result_.info.files.size());
      result_.bytes = std::make_unique<JoinedSource>(std::move(parts_));
    }
    return std::move(result_);
  }

  ImageInput& input_;
  Numbering numbering_;
  RawParts result_;
  std::vector<JoinedSource::Part> parts_;
};

}  // namespace

std::optional<std::string> raw_part_name(const std::string& first, std::uint32_t index) {
  const auto numbering = numbering_of(first);
  if (!numbering || numbering->number > (numbering->letters ? 0U : 1U)) return std::nullopt;
  return name_of(*numbering, numbering->number + index);
}

Result<RawParts> join_raw_parts(ImageInput& input) {
  const auto numbering = numbering_of(input.name);
  if (!numbering) return RawParts{std::move(input.bytes), {}};
  if (numbering->number > 0) {
    // The part before is there: then this one is not the first.
    const auto before = name_of(*numbering, numbering->number - 1);
    std::string first;
    for (std::uint32_t number = 0; number < 2 && before && input.open_sibling(*before); ++number) {
      const auto name = name_of(*numbering, number);
      if (first.empty() && number < numbering->number && name && input.open_sibling(*name)) first = *name;
    }
    if (!first.empty()) {
      return Error{ErrorCode::invalid, "is a later part of a split image: give the first, " + first};
    }
  }
  if (numbering->number > (numbering->letters ? 0U : 1U)) return RawParts{std::move(input.bytes), {}};
  return PartJoiner(input, *numbering).run();
}

std::unique_ptr<ExhibitSource> make_raw_exhibit(std::unique_ptr<ByteSource> bytes, ImageInfo info,
                                                const std::string& format) {
  info.format = format;
  info.size = bytes->size();
  return std::make_unique<RawExhibit>(std::move(bytes), std::move(info));
}

}  // namespace touchstone
