#include "filesystem/free_space_runs.hpp"

#include <algorithm>

namespace touchstone::detail {

bool RunList::add(ByteRange range, std::string_view owner) {
  if (range.length == 0) return true;
  if (runs_.size() >= kMaxRuns || owners_.size() > UINT32_MAX - 64) return false;
  Run run{range.offset, range.length, 0, 0};
  if (!owner.empty()) {
    run.owner = static_cast<std::uint32_t>(owners_.size());
    owners_.append(owner).push_back('\0');
  }
  runs_.push_back(run);
  return true;
}

void RunList::finish(std::uint64_t end) {
  std::stable_sort(runs_.begin(), runs_.end(),
                   [](const Run& a, const Run& b) { return a.offset < b.offset; });
  std::uint64_t reached = 0;
  total_ = 0;
  for (Run& run : runs_) {
    const std::uint64_t length = std::min(run.length, end - std::min(end, run.offset));
    const std::uint64_t to = std::min(end, run.offset) + length;
    run.offset = std::min(std::max(run.offset, reached), to);
    run.length = to - run.offset;
    run.begin = total_;
    total_ += run.length;
    reached = std::max(reached, to);
  }
  std::erase_if(runs_, [](const Run& run) { return run.length == 0; });
  runs_.shrink_to_fit();
}

std::size_t RunList::index_of(std::uint64_t stream_offset) const {
  const auto after = std::upper_bound(runs_.begin(), runs_.end(), stream_offset,
                                      [](std::uint64_t at, const Run& run) { return at < run.begin; });
  return after == runs_.begin() ? 0 : static_cast<std::size_t>(after - runs_.begin()) - 1;
}

std::size_t RunList::first_ending_after(std::uint64_t volume_offset) const {
  const auto first =
      std::upper_bound(runs_.begin(), runs_.end(), volume_offset,
                       [](std::uint64_t at, const Run& run) { return at < run.offset + run.length; });
  return static_cast<std::size_t>(first - runs_.begin());
}

RunList::Window RunList::window(std::size_t number) const {
  Window window;
  window.from = number * kWindowBytes;
  window.length = std::min(kWindowBytes, total_ - std::min(total_, window.from));
  if (window.length == 0) return window;
  const std::size_t first = index_of(window.from);
  const std::uint64_t last_byte = window.from + window.length - 1;
  const std::size_t last = index_of(last_byte);
  window.runs = last - first + 1;
  window.span.offset = runs_[first].offset + (window.from - runs_[first].begin);
  window.span.length = runs_[last].offset + (last_byte - runs_[last].begin) + 1 - window.span.offset;
  return window;
}

std::size_t RunList::window_at(std::uint64_t volume_offset) const {
  const std::size_t run = first_ending_after(volume_offset);
  if (run >= runs_.size() || runs_[run].offset > volume_offset) return windows();
  const std::uint64_t at = runs_[run].begin + (volume_offset - runs_[run].offset);
  return at % kWindowBytes == 0 ? static_cast<std::size_t>(at / kWindowBytes) : windows();
}

}  // namespace touchstone::detail
