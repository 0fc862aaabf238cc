#include "filesystem/recovered_note.hpp"

#include <nlohmann/json.hpp>

namespace touchstone::detail {
namespace {

void add_detail(Entry& entry, const nlohmann::json& more) {
  auto detail = entry.detail.empty() ? nlohmann::json::object() : nlohmann::json::parse(entry.detail);
  detail.update(more);
  entry.detail = detail.dump();
}

}  // namespace

void note_overwritten(Entry& entry, const std::vector<ByteRange>& overwritten) {
  std::uint64_t bytes = 0;
  for (const ByteRange& range : overwritten) bytes += range.length;
  if (bytes == 0) return;
  const bool all = bytes >= entry.size;
  add_detail(entry, {{"overwritten", all ? "all" : "part"}, {"overwritten_bytes", bytes}});
  entry.note = all ? "overwritten: its blocks belong to another file now"
                   : "overwritten in part: " + std::to_string(bytes) + " of " + std::to_string(entry.size) +
                         " bytes lie in blocks that belong to another file now";
}

void note_cleared(Entry& entry, const std::string& file_system) {
  add_detail(entry, {{"cleared", true}});
  entry.note = "only the metadata is left: " + file_system +
               " clears size and block list of a deleted file, so that nothing leads to its bytes";
}

}  // namespace touchstone::detail
