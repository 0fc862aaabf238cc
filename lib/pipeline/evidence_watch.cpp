#include "pipeline/evidence_watch.hpp"

#include <fmt/format.h>
#include <sys/stat.h>

namespace touchstone {

EvidenceStamp stamp_of(const std::string& path) {
  struct stat info {};
  if (stat(path.c_str(), &info) != 0) return {path, "gone"};
  // Of a folder that other programs use, only that it is still the same one.
  if (S_ISDIR(info.st_mode)) return {path, fmt::format("folder {}:{}", info.st_dev, info.st_ino)};
  return {path, fmt::format("{} bytes, content {}.{:09}, entry {}.{:09}", info.st_size, info.st_mtim.tv_sec,
                            info.st_mtim.tv_nsec, info.st_ctim.tv_sec, info.st_ctim.tv_nsec)};
}

std::vector<std::string> changed_since(const std::vector<EvidenceStamp>& before) {
  std::vector<std::string> changed;
  for (const EvidenceStamp& each : before) {
    if (stamp_of(each.path).text != each.text) changed.push_back(each.path);
  }
  return changed;
}

}  // namespace touchstone
