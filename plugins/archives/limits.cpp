#include "limits.hpp"

#include <algorithm>

namespace touchstone::archives {

std::uint64_t allowed_bytes(std::uint64_t container_size) {
  // Larger containers than this would overflow, and are far beyond any bomb.
  const std::uint64_t size = std::min(container_size, UINT64_MAX / kMaxRatio);
  return std::min(std::max(kMaxExpandedBytes, size * kLargeContainerRatio),
                  std::max(kFreeBytes, size * kMaxRatio));
}

std::string limit_text(std::uint64_t container_size) {
  return std::to_string(allowed_bytes(container_size)) + " bytes, the limit for a container of " +
         std::to_string(container_size) + " bytes";
}

bool Names::fit(std::string_view path, std::uint32_t ordinal, std::string& out) {
  while (path.ends_with('/')) path.remove_suffix(1);
  if (path.size() > kMaxPathBytes) {
    ++cut_;
    path = path.substr(0, kMaxPathBytes);
  }
  out = path.empty() ? "unnamed-" + std::to_string(ordinal) : std::string(path);
  bytes_ += out.size();
  return bytes_ <= kMaxPathBytesInAll;
}

void Names::report(Job& job) const {
  if (cut_ > 0) {
    job.emit_problem("limit", std::to_string(cut_) + " member names are longer than " +
                                  std::to_string(kMaxPathBytes) + " bytes and were cut");
  }
}

}  // namespace touchstone::archives
