// Units that enumerate: volumes of an exhibit, entries of a directory, and the verification of an image.
#include <fmt/format.h>

#include "model/locator.hpp"
#include "pipeline/worker_state.hpp"

namespace touchstone {
namespace {

// Directories come before items, so that the number of items is known early.
constexpr std::int64_t kDirectoryPriority = 1'000'000;
// Below a directory whose name stands twice in its parent, ordinals start here: no two items coincide.
constexpr std::uint32_t kTwinOrdinals = 1000;

void set_volume(wire::VolumeRef& out, const Volume& volume) {
  out.set_slot(volume.slot);
  out.set_offset(volume.offset);
  out.set_size(volume.size);
  out.set_filesystem(volume.filesystem);
}

Volume volume_of(const wire::VolumeRef& ref) {
  Volume volume;
  volume.slot = ref.slot();
  volume.offset = ref.offset();
  volume.size = ref.size();
  volume.filesystem = ref.filesystem();
  volume.state = VolumeState::read;
  return volume;
}

std::string locator_of(const std::string& exhibit, const std::string& slot, const std::string& path,
                       const std::string& address, std::uint32_t ordinal) {
  Locator locator;
  locator.exhibit = exhibit;
  LocatorStep step;
  step.volume = slot;
  step.path = path;
  step.address = address;
  step.ordinal = ordinal;
  locator.steps.push_back(std::move(step));
  return locator.text();
}

/// Lists one directory and, inside a limited scope, walks on through directories whose names may not be kept.
class DirectoryListing {
 public:
  DirectoryListing(Worker::State& state, const wire::Unit& unit, OpenExhibit& exhibit, FileSystem& files,
                   UnitOutput& output)
      : state_(state), unit_(unit), exhibit_(exhibit), files_(files), output_(output) {}

  void run() {
    DirectoryRef root{
        unit_.place().path(), unit_.place().address(), {unit_.ancestors().begin(), unit_.ancestors().end()}};
    list(root, unit_.ordinal_base());
    // Depth first, without recursion: hidden directories of a limited scope.
    while (!hidden_.empty()) {
      const auto [directory, ordinal_base] = std::move(hidden_.back());
      hidden_.pop_back();
      list(directory, ordinal_base);
    }
    for (const auto& [rule, count] : left_out_) {
      wire::OutOfScope& out = *output_.result().add_out_of_scope();
      out.set_volume_slot(unit_.place().volume().slot());
      out.set_rule(rule);
      out.set_items(count);
    }
  }

 private:
  void list(const DirectoryRef& directory, std::uint32_t ordinal_base) {
    std::map<std::string, std::uint32_t> same_place, same_name;
    std::vector<Problem> problems;
    const Status status = files_.list(
        directory,
        [&](Entry&& entry) {
          const std::string address = entry.address_in_locator ? entry.address : "";
          std::uint32_t ordinal = ordinal_base + ++same_place[entry.path + ';' + address];
          std::uint32_t below = ordinal_base;
          if (entry.descend) {
            const std::uint32_t twin = ++same_name[entry.path];
            if (twin > 1) below = ordinal_base + kTwinOrdinals * (twin - 1);
          }
          take(directory, std::move(entry), ordinal, below);
          return true;
        },
        problems);
    if (!status) {
      Problem problem;
      problem.kind = problem_kind(status.error().code);
      problem.message = status.error().message;
      problem.plugin = "filesystem";
      problems.push_back(std::move(problem));
    }
    const bool hidden = exhibit_.gate->limited() &&
                        exhibit_.gate->decide(directory.path, std::nullopt, ItemKind::directory).decision ==
                            ScopeDecision::none;
    for (Problem& problem : problems) {
      if (hidden) problem.message = "a directory outside the scope could not be listed whole";
      state_.add_problem(output_, unit_, problem, hidden);
    }
  }

  void take(const DirectoryRef& directory, Entry&& entry, std::uint32_t ordinal,
            std::uint32_t ordinal_below) {
    const ScopeVerdict verdict = exhibit_.gate->decide(entry.path, entry.times.modified, entry.kind);
    if (verdict.decision == ScopeDecision::none) {
      ++left_out_[verdict.rule];
      if (entry.descend && exhibit_.gate->may_descend(entry.path))
        hidden_.emplace_back(directory.child(entry), ordinal_below);
      return;
    }
    wire::NewItem& item = *output_.result().add_new_items();
    const std::string& slot = unit_.place().volume().slot();
    item.set_locator(locator_of(exhibit_.ref, slot, entry.path,
                                entry.address_in_locator ? entry.address : "", ordinal));
    item.set_path(entry.path);
    item.set_name(entry.name);
    item.set_kind(to_text(entry.kind));
    item.set_allocated(entry.allocated);
    item.set_size(entry.size);
    if (entry.times.created) item.set_created(*entry.times.created);
    if (entry.times.modified) item.set_modified(*entry.times.modified);
    if (entry.times.accessed) item.set_accessed(*entry.times.accessed);
    if (entry.times.changed) item.set_changed(*entry.times.changed);
    item.set_time_basis(to_text(entry.times.basis));
    item.set_detail(entry.detail);
    if (entry.descend) {
      follow_directory(item, directory, entry, ordinal_below);
    } else if (entry.has_content) {
      follow_item(item, directory, entry, verdict);
    } else {
      item.set_state(to_text(ItemState::examined));
      if (!entry.allocated && entry.kind == ItemKind::file)
        item.set_reason("only the name is left; nothing leads to its bytes");
    }
    output_.grew(item.locator().size() * 2 + 256);
  }

  void set_place(wire::Place& place, const wire::NewItem& item, const Entry& entry) {
    place.set_exhibit(unit_.place().exhibit());
    *place.mutable_volume() = unit_.place().volume();
    place.set_path(entry.path);
    place.set_address(entry.address);
    place.set_locator(item.locator());
    place.set_name(entry.name_raw);
    place.set_kind(item.kind());
    place.set_has_modified(entry.times.modified.has_value());
    place.set_modified(entry.times.modified.value_or(0));
  }

  void follow_directory(wire::NewItem& item, const DirectoryRef& directory, const Entry& entry,
                        std::uint32_t ordinal_below) {
    wire::Unit& next = *item.mutable_follow();
    next.set_kind(wire::UNIT_DIRECTORY);
    set_place(*next.mutable_place(), item, entry);
    for (const std::string& each : directory.child(entry).ancestors) next.add_ancestors(each);
    next.set_ordinal_base(ordinal_below);
    item.set_state(to_text(ItemState::pending));
    item.set_priority(kDirectoryPriority);
  }

  void follow_item(wire::NewItem& item, const DirectoryRef& directory, const Entry& entry,
                   const ScopeVerdict& verdict) {
    wire::Unit& next = *item.mutable_follow();
    next.set_kind(wire::UNIT_ITEM);
    set_place(*next.mutable_place(), item, entry);
    next.mutable_place()->set_rows_only(verdict.decision == ScopeDecision::rows);
    // Where to look for neighbours: the directory itself, root first.
    for (const std::string& each : directory.ancestors) next.add_ancestors(each);
    next.add_ancestors(directory.address);
    item.set_state(to_text(ItemState::pending));
    item.set_priority(state_.order.priority(entry.path, entry.name, entry.size, entry.kind, entry.allocated));
  }

  Worker::State& state_;
  const wire::Unit& unit_;
  OpenExhibit& exhibit_;
  FileSystem& files_;
  UnitOutput& output_;
  std::vector<std::pair<DirectoryRef, std::uint32_t>> hidden_;
  std::map<std::string, std::uint64_t> left_out_;
};

}  // namespace

void Worker::State::add_problem(UnitOutput& output, const wire::Unit& unit, const Problem& problem,
                                bool of_exhibit) {
  const std::string& where =
      unit.place().locator().empty() ? exhibits[unit.place().exhibit()].ref : unit.place().locator();
  wire::Problem& out = *output.result().add_problems();
  const std::string plugin = problem.plugin.empty() ? "filesystem" : problem.plugin;
  std::string key = join_key({"problem", plugin, to_text(problem.kind), where, problem.message});
  int twins = 0;
  for (const wire::Problem& other : output.result().problems()) twins += other.key().starts_with(key) ? 1 : 0;
  if (twins > 0) key += '#' + std::to_string(twins + 1);
  set_problem(out, 0, key, plugin, problem.kind, problem.message);
  out.set_of_exhibit(of_exhibit || unit.place().locator().empty());
}

Result<FileSystem*> Worker::State::file_system(const wire::Place& place) {
  OpenExhibit& exhibit = exhibits[place.exhibit()];
  if (!exhibit.source) return Error{ErrorCode::io, exhibit.error};
  auto& files = exhibit.file_systems[place.volume().slot()];
  if (!files) {
    auto opened = open_file_system(*exhibit.source, exhibit.source->info().sector_size,
                                   volume_of(place.volume()), exhibit.volume_options);
    if (!opened) return opened.error();
    files = opened.take();
  }
  return files.get();
}

void Worker::State::list_volumes_of(const wire::Unit& unit, UnitOutput& output) {
  OpenExhibit& exhibit = exhibits[unit.place().exhibit()];
  if (!exhibit.source) return;
  std::vector<Problem> problems;
  const auto volumes =
      list_volumes(*exhibit.source, exhibit.source->info().sector_size, problems, exhibit.volume_options);
  for (const Problem& problem : problems) add_problem(output, unit, problem, true);
  for (const Volume& volume : volumes) {
    wire::VolumeFound& found = *output.result().add_volumes();
    set_volume(*found.mutable_volume(), volume);
    found.set_parent_slot(volume.parent_slot);
    found.set_kind(volume.kind);
    found.set_label(volume.label);
    found.set_state(to_text(volume.state));
    found.set_reason(volume.reason);
    if (volume.state != VolumeState::read && volume.state != VolumeState::unallocated) {
      Problem problem;
      problem.plugin = "filesystem";
      problem.kind = volume.state == VolumeState::encrypted     ? ProblemKind::encrypted
                     : volume.state == VolumeState::unsupported ? ProblemKind::unsupported
                                                                : ProblemKind::corrupt;
      problem.message = fmt::format("volume {}: {}", volume.slot, volume.reason);
      add_problem(output, unit, problem, true);
    }
    // A file system of which only part is there is listed as far as it goes.
    if (volume.state != VolumeState::read && volume.state != VolumeState::partly_read) continue;
    wire::Unit& next = *found.mutable_follow();
    next.set_kind(wire::UNIT_DIRECTORY);
    next.mutable_place()->set_exhibit(unit.place().exhibit());
    set_volume(*next.mutable_place()->mutable_volume(), volume);
  }
}

void Worker::State::verify(const wire::Unit& unit, UnitOutput& output) {
  OpenExhibit& exhibit = exhibits[unit.place().exhibit()];
  if (!exhibit.source) return;
  const auto done = verify_image(*exhibit.source, [](std::uint64_t) { return true; });
  Problem problem;
  problem.plugin = "evidence";
  if (!done) {
    problem.kind = ProblemKind::unreadable;
    problem.message = "the image could not be read whole: " + done.error().message;
    add_problem(output, unit, problem, true);
    return;
  }
  output.result().set_bytes_read(exhibit.source->size());
  wire::Verified& verified = *output.result().mutable_verified();
  verified.set_md5(done->computed.md5);
  verified.set_sha1(done->computed.sha1);
  verified.set_sha256(done->computed.sha256);
  verified.set_compared(done->matches.has_value());
  verified.set_matches(done->matches.value_or(false));
  problem.kind = ProblemKind::integrity;
  if (done->matches && !*done->matches) {
    problem.message = "the image's digests differ from those stored in it";
    add_problem(output, unit, problem, true);
  }
  for (const Gap& gap : done->gaps) {
    problem.message = fmt::format("{} bytes at offset {}: {}", gap.length, gap.offset, gap.reason);
    add_problem(output, unit, problem, true);
  }
}

void Worker::State::list_directory(const wire::Unit& unit, UnitOutput& output) {
  OpenExhibit& exhibit = exhibits[unit.place().exhibit()];
  wire::Examined& examined = *output.result().add_examined();
  examined.set_state(to_text(ItemState::examined));
  const auto files = file_system(unit.place());
  if (!files) {
    Problem problem;
    problem.plugin = "filesystem";
    problem.kind = problem_kind(files.error().code);
    problem.message = files.error().message;
    add_problem(output, unit, problem, false);
    set_failed(examined, files.error());
    return;
  }
  const int before = output.result().problems_size();
  DirectoryListing(*this, unit, exhibit, **files, output).run();
  if (output.result().problems_size() > before) {
    examined.set_state(to_text(ItemState::partly_examined));
    examined.set_reason(output.result().problems(before).message());
  }
}

}  // namespace touchstone
