// Files that nothing on the exhibit names any more, found by their form in unallocated space, slack and page
// files. The search and its order are in search.cpp, one file for each family of formats. Members are byte
// ranges of the item: nothing is copied.
#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <touchstone/plugin.hpp>

#include "search.hpp"

namespace {

using touchstone::carving::Carved;
using touchstone::carving::Run;
using touchstone::carving::Search;
using touchstone::carving::SearchResult;
using touchstone::carving::View;

// What the host calls space that no file uses, slack, and files of memory.
constexpr const char* kTypes[] = {"application/x-touchstone-unallocated", nullptr};

std::string detail_of(const Carved& carved) {
  std::string json =
      carved.complete ? R"({"complete":true,"media_type":")" : R"({"complete":false,"media_type":")";
  json += carved.media_type + '"';
  if (!carved.note.empty()) json += R"(,"note":")" + carved.note + '"';
  if (carved.page_size != 0) json += R"(,"page_size":)" + std::to_string(carved.page_size);
  json += R"(,"runs":[)";
  for (std::size_t i = 0; i < carved.runs.size(); ++i) {
    json += (i > 0 ? ",[" : "[") + std::to_string(carved.runs[i].offset) + ',' +
            std::to_string(carved.runs[i].length) + ']';
  }
  return json + "]}";
}

/// A file's bytes, run by run.
struct Reader {
  const touchstone::Job& job;
  const Carved& carved;
  std::size_t run = 0;
  std::uint64_t done = 0;

  static std::int64_t pull(void* context, std::uint8_t* out, std::size_t capacity) {
    Reader& self = *static_cast<Reader*>(context);
    while (self.run < self.carved.runs.size() && self.done == self.carved.runs[self.run].length) {
      ++self.run;
      self.done = 0;
    }
    if (self.run == self.carved.runs.size()) return 0;
    const Run& run = self.carved.runs[self.run];
    const auto wanted = static_cast<std::size_t>(std::min<std::uint64_t>(capacity, run.length - self.done));
    const std::int64_t got = self.job.read_at(run.offset + self.done, {out, wanted});
    if (got <= 0) return -1;
    self.done += static_cast<std::uint64_t>(got);
    return got;
  }
};

class Carving final : public touchstone::Plugin {
 public:
  static constexpr touchstone::Manifest kManifest{
      .name = "carving",
      .version = "1.0",
      .summary = "Finds files by their form in unallocated space, slack and page files",
      .licence = "Apache-2.0",
      .roles = TS_ROLE_EXTRACTOR,
      .scope = TS_SCOPE_ITEM,
      .inputs = TS_INPUT_MEMBERS,
      .media_types = kTypes,
      .min_size = 16};

  explicit Carving(touchstone::Setup&) {}

  ts_status list(touchstone::Job& job) override {
    const SearchResult& result = search(job);
    std::uint32_t ordinal = 0;
    for (const Carved& carved : result.files) {
      const std::string path = std::to_string(carved.runs[0].offset) + '.' + carved.extension;
      const std::string detail = detail_of(carved);
      ts_member member{};
      member.struct_size = sizeof(member);
      member.ordinal = ordinal++;
      member.path = touchstone::to_abi(path);
      member.size = member.packed_size = carved.size();
      member.is_carved = 1;
      member.confidence = carved.confidence;
      member.offset = carved.runs[0].offset;
      member.length = carved.runs[0].length;
      member.detail = touchstone::to_abi(detail);
      if (!job.emit_member(member)) break;
    }
    if (result.limit.empty()) return TS_OK;
    job.fail(result.limit);
    return TS_LIMIT;
  }

  ts_status extract(touchstone::Job& job, std::uint32_t first, std::uint32_t count) override {
    const auto& files = search(job).files;
    for (std::size_t i = first; i < files.size() && i - first < count; ++i) {
      Reader reader{job, files[i]};
      if (!job.emit_member_data(static_cast<std::uint32_t>(i), Reader::pull, &reader)) break;
    }
    return TS_OK;
  }

 private:
  /// Groups of members are asked for one after the other: the last search is kept.
  const SearchResult& search(touchstone::Job& job) {
    const std::string key = std::string(job.locator()) + '\n' + std::string(job.digest("sha256")) + '\n' +
                            std::to_string(job.size());
    if (key == key_ && !job.digest("sha256").empty()) return result_;
    key_.clear();
    View view(
        job.size(),
        [&](std::uint64_t offset, std::span<std::uint8_t> out) { return job.read_at(offset, out); },
        [&] { return job.cancelled(); });
    result_ = search_.run(view);
    if (!view.cancelled()) key_ = key;
    return result_;
  }

  Search search_;
  std::string key_;
  SearchResult result_;
};

}  // namespace

TOUCHSTONE_PLUGIN(Carving)
