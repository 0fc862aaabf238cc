#include "pipeline/directory_gate.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "model/locator.hpp"

namespace touchstone {

void DirectoryGate::load() {
  auto query = state_.writer->database().prepare(
      "SELECT id, exhibit_id, level, priority, state, item_id, spec FROM unit WHERE kind = ?1 ORDER BY id");
  query.bind(1, static_cast<int>(wire::UNIT_DIRECTORY));
  while (query.step()) {
    wire::Unit spec;
    if (!spec.ParseFromString(query.blob(6))) continue;
    ResultWriter::NewUnit unit{query.integer(0), static_cast<int>(query.integer(2)), query.integer(3),
                               ResultWriter::directory_of(query.integer(1), spec, query.integer(5))};
    if (static_cast<UnitState>(query.integer(4)) != UnitState::done) {
      add(unit);
    } else if (!unit.directory->identity.empty()) {
      volumes_[unit.directory->volume].listed.emplace_back(unit.directory->identity, unit.directory->item);
    }
  }
  for (auto& [slot, volume] : volumes_) std::sort(volume.listed.begin(), volume.listed.end());
}

void DirectoryGate::add(const ResultWriter::NewUnit& unit) {
  const auto& directory = *unit.directory;
  Volume& volume = volumes_[directory.volume];
  volume.exhibit = directory.exhibit;
  waiting_[unit.id] = directory.volume;
  volume.by_depth[directory.depth].push_back(
      {{unit.id, unit.level, unit.priority, {}}, directory.identity, directory.item});
}

void DirectoryGate::done(std::int64_t unit) {
  const auto found = open_.find(unit);
  if (found == open_.end()) return;
  --volumes_[found->second].open;
  open_.erase(found);
}

std::vector<ResultWriter::NewUnit> DirectoryGate::take_open() {
  if (waiting_.empty()) return {};
  for (auto& [slot, volume] : volumes_) {
    while (volume.open == 0 && !volume.by_depth.empty()) release(slot, volume);
  }
  return std::exchange(released_, {});
}

std::optional<std::int64_t> DirectoryGate::listed_before(const Volume& volume, const std::string& identity) {
  const auto at =
      std::lower_bound(volume.listed.begin(), volume.listed.end(), std::pair(identity, INT64_MIN));
  if (at == volume.listed.end() || at->first != identity) return std::nullopt;
  return at->second;
}

void DirectoryGate::release(const std::string& slot, Volume& volume) {
  const int depth = volume.by_depth.begin()->first;
  std::vector<Waiting> candidates = std::move(volume.by_depth.begin()->second);
  volume.by_depth.erase(volume.by_depth.begin());
  std::stable_sort(candidates.begin(), candidates.end(),
                   [](const Waiting& a, const Waiting& b) { return a.identity < b.identity; });
  std::vector<std::pair<std::string, std::int64_t>> fresh;
  std::size_t dropped = 0;
  std::string example;
  for (std::size_t from = 0, to = 0; from < candidates.size(); from = to) {
    const std::string& identity = candidates[from].identity;
    to = from + 1;
    while (!identity.empty() && to < candidates.size() && candidates[to].identity == identity) ++to;
    std::optional<std::int64_t> first = identity.empty() ? std::nullopt : listed_before(volume, identity);
    std::size_t chosen = from;
    if (!first && to - from > 1) {
      std::string smallest = locator(candidates[from].item);
      for (std::size_t i = from + 1; i < to; ++i) {
        std::string other = locator(candidates[i].item);
        if (other < smallest) {
          smallest = std::move(other);
          chosen = i;
        }
      }
    }
    for (std::size_t i = from; i < to; ++i) {
      waiting_.erase(candidates[i].unit.id);
      if (!first && i == chosen) continue;
      drop(candidates[i], first ? *first : candidates[chosen].item);
      if (identity.starts_with(ResultWriter::kDeletedDirectory)) continue;  // to be expected
      if (++dropped == 1)
        example = locator(candidates[i].item) + " is " + locator(first ? *first : candidates[chosen].item);
    }
    if (first) continue;
    const Waiting& one = candidates[chosen];
    ++volume.open;
    open_[one.unit.id] = slot;
    released_.push_back(one.unit);
    if (!identity.empty()) fresh.emplace_back(identity, one.item);
  }
  const auto middle = static_cast<std::ptrdiff_t>(volume.listed.size());
  volume.listed.insert(volume.listed.end(), fresh.begin(), fresh.end());
  std::inplace_merge(volume.listed.begin(), volume.listed.begin() + middle, volume.listed.end());
  if (dropped > 0) report(slot, volume, depth, dropped, example);
}

void DirectoryGate::drop(const Waiting& twin, std::int64_t first) {
  CaseWriter& writer = *state_.writer;
  writer.begin();
  writer.set_item(twin.item, 0, ItemState::examined,
                  "the same directory as " + (first == 0 ? "the root" : locator(first)) +
                      ", where its entries are listed");
  writer.database().prepare("DELETE FROM unit WHERE id = ?1").bind(1, twin.unit.id).run();
  ++progress_.items_done;
  --progress_.units_open;
}

void DirectoryGate::report(const std::string& slot, const Volume& volume, int depth, std::size_t count,
                           const std::string& example) {
  Problem problem;
  problem.key = join_key({"problem", "filesystem", "limit", slot, "directories", std::to_string(depth)});
  problem.plugin = "filesystem";
  problem.kind = ProblemKind::limit;
  problem.message = fmt::format(
      "volume {}: {} name{} at depth {} lead{} to directories that stand elsewhere too and are listed there "
      "alone: {}",
      slot.substr(slot.find(':') + 1), count, count == 1 ? "" : "s", depth, count == 1 ? "s" : "", example);
  state_.writer->add_problem(problem, 0, volume.exhibit, 0, 0);
  ++progress_.problems;
}

std::string DirectoryGate::locator(std::int64_t item) {
  auto query = state_.writer->database().prepare("SELECT locator FROM item_row WHERE id = ?1");
  query.bind(1, item);
  return query.step() ? query.text(0) : std::string();
}

}  // namespace touchstone
