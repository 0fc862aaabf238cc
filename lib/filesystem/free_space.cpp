#include "filesystem/free_space.hpp"

#include <algorithm>
#include <charconv>
#include <nlohmann/json.hpp>
#include <optional>

#include "evidence/gap_list.hpp"
#include "filesystem/free_space_runs.hpp"

namespace touchstone {
namespace {

using detail::RunList;

// Addresses of what is added: no file system has an "@" in its own. The directories are these alone, a window
// has "offset+length" behind it.
constexpr std::string_view kFree = "@";
constexpr std::string_view kSlack = "slack@";
constexpr std::string_view kBehind = "end@";
/// A window's ranges stand in its detail up to this number; beyond it only their count.
constexpr std::size_t kRangesInDetail = 64;

/// Some bytes of a RunList, read from the image.
class WindowOfRuns final : public ByteSource, public RunMap {
 public:
  WindowOfRuns(ByteSource& image, std::uint64_t volume_offset, const RunList& runs, RunList::Window window)
      : image_(image), volume_offset_(volume_offset), runs_(runs), window_(window) {}

  std::uint64_t size() const override { return window_.length; }

  Result<std::size_t> read_at(std::uint64_t offset, std::span<std::byte> out) override {
    if (offset >= size()) return std::size_t{0};
    return read_on(offset,
                   out.first(static_cast<std::size_t>(std::min<std::uint64_t>(out.size(), size() - offset))));
  }

  Result<std::size_t> read_on(std::uint64_t offset, std::span<std::byte> out) override {
    if (offset >= reach()) return std::size_t{0};
    const std::uint64_t left = std::min<std::uint64_t>(out.size(), reach() - offset);
    std::size_t done = 0;
    std::optional<Error> error;
    runs_.parts(window_.from + offset, left, [&](ByteRange part, std::string_view) {
      auto got = image_.read_at(volume_offset_ + part.offset,
                                out.subspan(done, static_cast<std::size_t>(part.length)));
      if (!got) {
        error = got.error();
        return false;
      }
      done += *got;
      return *got == part.length;
    });
    if (error && done == 0) return *error;
    return done;
  }

  std::vector<Gap> gaps() const override {
    GapList inside;
    for (const Gap& gap : image_.gaps()) {
      // A gap without length says that the list of the image is not complete.
      const std::uint64_t end = gap.length == 0 ? UINT64_MAX : gap.offset + gap.length;
      if (end <= volume_offset_) continue;
      const std::uint64_t from = std::max(gap.offset, volume_offset_) - volume_offset_;
      runs_.parts_of_volume({from, end - volume_offset_ - from}, [&](ByteRange part, std::uint64_t place) {
        const std::uint64_t a = std::max(part.offset, window_.from);
        const std::uint64_t b = std::min(part.offset + part.length, window_.from + window_.length);
        if (a < b)
          inside.add(a - window_.from, b - a, gap.reason,
                     gap.place_of(volume_offset_ + place + (a - part.offset)));
      });
    }
    return inside.list();
  }

  std::vector<ByteRange> place_of(std::uint64_t offset, std::uint64_t length) const override {
    std::vector<ByteRange> places;
    if (offset >= reach()) return places;
    runs_.parts(window_.from + offset, std::min(length, reach() - offset),
                [&](ByteRange part, std::string_view) {
                  places.push_back(part);
                  return true;
                });
    return places;
  }

  std::string owner_of(std::uint64_t offset) const override {
    std::string owner;
    if (offset >= reach()) return owner;
    runs_.parts(window_.from + offset, 1, [&](ByteRange, std::string_view address) {
      owner = address;
      return false;
    });
    return owner;
  }

 private:
  /// From the window's start to the end of the last one.
  std::uint64_t reach() const { return runs_.total() - window_.from; }

  ByteSource& image_;
  std::uint64_t volume_offset_;
  const RunList& runs_;
  RunList::Window window_;
};

Entry directory_entry(const char* name, std::string_view address, const char* what) {
  Entry entry;
  entry.name_raw = entry.name = name;
  entry.path = std::string("/") + name;
  entry.address = address;
  entry.address_in_locator = false;
  entry.kind = ItemKind::virtual_;
  entry.allocated = true;
  entry.descend = true;
  entry.identity = address;
  entry.detail = nlohmann::json{{"made_of", what}}.dump();
  return entry;
}

Problem limit_problem(const std::string& path) {
  Problem problem;
  problem.plugin = "filesystem";
  problem.kind = ProblemKind::limit;
  problem.message = path + ": more than " + std::to_string(kMaxRuns) + " ranges: the rest is left out";
  return problem;
}

class WithFreeSpace final : public FileSystem {
 public:
  /// `inner` is null for a volume that nothing reads.
  WithFreeSpace(std::unique_ptr<FileSystem> inner, ByteSource& image, ByteRange volume, std::string type)
      : inner_(std::move(inner)), image_(image), offset_(volume.offset), type_(std::move(type)) {
    size_ = std::min(volume.length, image.size() - std::min(image.size(), volume.offset));
  }

  const std::string& type() const override { return type_; }

  Status list(const DirectoryRef& directory, const std::function<bool(Entry&&)>& sink,
              std::vector<Problem>& problems) override {
    if (directory.address == kFree) return list_free(directory.path, sink, problems);
    if (directory.address == kSlack) return list_slack(directory.path, sink, problems);
    if (!directory.path.empty() || !directory.address.empty()) return inner_->list(directory, sink, problems);
    return list_root(directory, sink, problems);
  }

  Result<std::unique_ptr<ByteSource>> open(const std::string& address) override {
    const std::size_t at = address.find('@');
    if (at == std::string::npos) {
      if (inner_) return inner_->open(address);
      return Error{ErrorCode::not_found, "the volume holds no files that are read here"};
    }
    const std::string_view prefix = std::string_view(address).substr(0, at + 1);
    std::vector<Problem> known;  // told when the directory was listed
    const RunList* runs = nullptr;
    Status status;
    if (prefix == kFree) {
      status = fill_free(known);
      runs = &*free_;
    } else {
      status = fill_slack(known);
      runs = prefix == kSlack ? &*slack_ : &*behind_;
    }
    std::uint64_t offset = 0;
    const char* const end = address.data() + address.size();
    const auto [rest, error] = std::from_chars(address.data() + at + 1, end, offset);
    const std::size_t number = error == std::errc() ? runs->window_at(offset) : runs->windows();
    if (number >= runs->windows()) {
      if (!status) return status.error();
      return Error{ErrorCode::not_found, "no window of free space begins at \"" + address + "\""};
    }
    const RunList::Window window = runs->window(number);
    if (address != address_of(prefix, window)) {
      return Error{ErrorCode::not_found, "\"" + address + "\" is no window of free space"};
    }
    return std::unique_ptr<ByteSource>(std::make_unique<WindowOfRuns>(image_, offset_, *runs, window));
  }

  Status unallocated(const std::function<bool(ByteRange)>& sink, std::vector<Problem>& problems) override {
    if (inner_) return inner_->unallocated(sink, problems);
    sink({0, size_});
    return {};
  }

  Status slack(const std::function<bool(ByteRange, const std::string&)>& sink,
               std::vector<Problem>& problems) override {
    if (inner_) return inner_->slack(sink, problems);
    return {};
  }

 private:
  Status list_root(const DirectoryRef& root, const std::function<bool(Entry&&)>& sink,
                   std::vector<Problem>& problems) {
    std::vector<Entry> added;
    added.push_back(directory_entry("$Unallocated", kFree, inner_ ? "free space" : "the whole volume"));
    if (!inner_) {
      sink(std::move(added.front()));
      return {};
    }
    added.insert(added.begin(), directory_entry("$Slack", kSlack, "slack"));
    auto next = added.begin();
    bool going = true;
    Status status = inner_->list(
        root,
        [&](Entry&& entry) {
          // A stream follows its file at once.
          while (going && next != added.end() && entry.kind != ItemKind::stream &&
                 next->name_raw < entry.name_raw) {
            going = sink(std::move(*next++));
          }
          going = going && sink(std::move(entry));
          return going;
        },
        problems);
    // Also where the root itself cannot be listed: then free space is all that can be looked at.
    while (going && next != added.end()) going = sink(std::move(*next++));
    return status;
  }

  Status list_free(const std::string& path, const std::function<bool(Entry&&)>& sink,
                   std::vector<Problem>& problems) {
    Status status = fill_free(problems);
    give(*free_, path, kFree, ItemKind::unallocated, sink);
    return status;
  }

  Status list_slack(const std::string& path, const std::function<bool(Entry&&)>& sink,
                    std::vector<Problem>& problems) {
    Status status = fill_slack(problems);
    if (give(*slack_, path, kSlack, ItemKind::slack, sink)) {
      give(*behind_, path, kBehind, ItemKind::slack, sink);
    }
    return status;
  }

  static std::string address_of(std::string_view prefix, const RunList::Window& window) {
    return std::string(prefix) + std::to_string(window.span.offset) + "+" +
           std::to_string(window.span.length);
  }

  bool give(const RunList& runs, const std::string& path, std::string_view prefix, ItemKind kind,
            const std::function<bool(Entry&&)>& sink) const {
    for (std::size_t i = 0; i < runs.windows(); ++i) {
      const RunList::Window window = runs.window(i);
      Entry entry;
      entry.name = std::to_string(window.span.offset) + "-" +
                   std::to_string(window.span.offset + window.span.length - 1);
      entry.name_raw = entry.name;
      entry.path = path + "/" + entry.name;
      entry.address = address_of(prefix, window);
      entry.address_in_locator = false;
      entry.window = window.span;
      entry.kind = kind;
      entry.allocated = false;
      entry.has_content = true;
      entry.size = window.length;
      nlohmann::json detail = {{"ranges", window.runs}};
      if (prefix == kBehind)
        detail["made_of"] = "between the end of the file system and that of the partition";
      if (window.runs <= kRangesInDetail) {
        nlohmann::json places = nlohmann::json::array();
        runs.parts(window.from, window.length, [&](ByteRange part, std::string_view owner) {
          nlohmann::json place = {part.offset, part.length};
          if (!owner.empty()) place.push_back(std::string(owner));
          places.push_back(std::move(place));
          return true;
        });
        detail["places"] = std::move(places);
      }
      entry.detail = detail.dump();
      if (!sink(std::move(entry))) return false;
    }
    return true;
  }

  Status fill_free(std::vector<Problem>& problems) {
    if (free_) return free_status_;
    free_.emplace();
    bool full = false;
    free_status_ = unallocated(
        [&](ByteRange range) {
          full = !free_->add(range);
          return !full;
        },
        problems);
    if (full) problems.push_back(limit_problem("/$Unallocated"));
    free_->finish(size_);
    return free_status_;
  }

  Status fill_slack(std::vector<Problem>& problems) {
    if (slack_) return slack_status_;
    slack_.emplace();
    behind_.emplace();
    bool full = false;
    slack_status_ = slack(
        [&](ByteRange range, const std::string& address) {
          full = !(address.empty() ? *behind_ : *slack_).add(range, address);
          return !full;
        },
        problems);
    if (full) problems.push_back(limit_problem("/$Slack"));
    slack_->finish(size_);
    behind_->finish(size_);
    return slack_status_;
  }

  std::unique_ptr<FileSystem> inner_;
  ByteSource& image_;
  std::uint64_t offset_, size_ = 0;
  std::string type_;
  std::optional<RunList> free_, slack_, behind_;
  Status free_status_, slack_status_;
};

}  // namespace

const RunMap* run_map(const ByteSource& source) {
  return dynamic_cast<const RunMap*>(&source);
}

Result<std::size_t> read_on(ByteSource& source, std::uint64_t offset, std::span<std::byte> out) {
  auto* const window = dynamic_cast<RunMap*>(&source);
  return window == nullptr ? source.read_at(offset, out) : window->read_on(offset, out);
}

std::vector<ByteRange> overwritten_of(const ByteSource& source) {
  const auto* recovered = dynamic_cast<const Recovered*>(&source);
  return recovered == nullptr ? std::vector<ByteRange>() : recovered->overwritten();
}

std::unique_ptr<FileSystem> with_free_space(std::unique_ptr<FileSystem> inner, ByteSource& image,
                                            ByteRange volume) {
  const std::string type = inner->type();
  return std::make_unique<WithFreeSpace>(std::move(inner), image, volume, type);
}

std::unique_ptr<FileSystem> open_raw_volume(ByteSource& image, const Volume& volume) {
  return std::make_unique<WithFreeSpace>(nullptr, image, ByteRange{volume.offset, volume.size},
                                         volume.filesystem);
}

}  // namespace touchstone
