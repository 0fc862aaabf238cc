// Units that enumerate: volumes of an exhibit, entries of a directory, and the verification of an image.
#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

#include "model/locator.hpp"
#include "pipeline/worker_state.hpp"
#include "pipeline/worker_windows.hpp"

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
  out.set_layer(volume.layer);
  out.set_state(to_text(volume.state));
}

Volume volume_of(const wire::VolumeRef& ref) {
  Volume volume;
  volume.slot = ref.slot();
  volume.offset = ref.offset();
  volume.size = ref.size();
  volume.filesystem = ref.filesystem();
  volume.layer = ref.layer();
  volume.state = VolumeState::read;
  for (const VolumeState each : {VolumeState::partly_read, VolumeState::encrypted, VolumeState::unsupported,
                                 VolumeState::corrupt, VolumeState::unallocated}) {
    if (ref.state() == to_text(each)) volume.state = each;
  }
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

/// Free space and slack are windows of the volume and hang on a directory that is nobody's.
bool is_free_space(const Entry& entry) {
  return entry.window || (entry.kind == ItemKind::virtual_ && entry.address.ends_with('@'));
}

std::string locator_of(const std::string& exhibit, const std::string& slot, const Entry& entry,
                       std::uint32_t ordinal) {
  if (!entry.window) {
    return locator_of(exhibit, slot, entry.path, entry.address_in_locator ? entry.address : "", ordinal);
  }
  return window_locator(exhibit, slot, entry.kind == ItemKind::slack, "", *entry.window);
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
      out.set_volume_slot(volume_slot(unit_.place()));
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
    const ItemKind kind = is_free_space(entry) ? ItemKind::unallocated : entry.kind;
    const ScopeVerdict verdict = exhibit_.gate->decide(entry.path, entry.times.modified, kind);
    if (verdict.decision == ScopeDecision::none) {
      ++left_out_[verdict.rule];
      // By whatever names it is reached, a hidden directory is walked through once.
      const bool fresh = entry.identity.empty() || walked_.insert(entry.identity).second;
      if (entry.descend && fresh && kind == entry.kind && exhibit_.gate->may_descend(entry.path))
        hidden_.emplace_back(directory.child(entry), ordinal_below);
      return;
    }
    wire::NewItem& item = *output_.result().add_new_items();
    const std::string& slot = unit_.place().volume().slot();
    item.set_locator(inside_outer(unit_.place(), locator_of(exhibit_.ref, slot, entry, ordinal)));
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
    *place.mutable_outer() = unit_.place().outer();
    *place.mutable_volume() = unit_.place().volume();
    place.set_path(entry.path);
    place.set_address(entry.address);
    place.set_locator(item.locator());
    place.set_name(entry.name_raw);
    place.set_kind(item.kind());
    place.set_note(entry.note);
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
    next.set_identity(entry.identity);
    next.set_deleted(unit_.deleted() || !entry.allocated);
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
  std::set<std::string> walked_;  ///< identities of hidden directories
  std::map<std::string, std::uint64_t> left_out_;
};

/// What is not or not wholly read, one problem a volume; of more than three alike one for all.
std::vector<Problem> unread_volumes(const std::vector<Volume>& volumes) {
  constexpr std::size_t kEach = 3;
  std::vector<std::pair<Problem, std::vector<std::string>>> alike;
  for (const Volume& volume : volumes) {
    if (volume.state == VolumeState::read || volume.state == VolumeState::unallocated) continue;
    Problem problem;
    problem.plugin = "filesystem";
    problem.kind = volume.state == VolumeState::encrypted     ? ProblemKind::encrypted
                   : volume.state == VolumeState::unsupported ? ProblemKind::unsupported
                                                              : ProblemKind::corrupt;
    problem.message = volume.reason;
    const auto same = std::find_if(alike.begin(), alike.end(), [&](const auto& other) {
      return other.first.kind == problem.kind && other.first.message == problem.message;
    });
    if (same != alike.end()) {
      same->second.push_back(volume.slot);
    } else {
      alike.emplace_back(std::move(problem), std::vector{volume.slot});
    }
  }
  std::vector<Problem> problems;
  for (auto& [problem, slots] : alike) {
    const std::string reason = problem.message;
    if (slots.size() > kEach) {
      problem.message =
          fmt::format("{} volumes ({}, {} … {}): {}", slots.size(), slots[0], slots[1], slots.back(), reason);
      problems.push_back(problem);
      continue;
    }
    for (const std::string& slot : slots) {
      problem.message = fmt::format("volume {}: {}", slot, reason);
      problems.push_back(problem);
    }
  }
  return problems;
}

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
  const auto image = image_of(place);
  if (!image) return image.error();
  OpenExhibit& exhibit = exhibits[place.exhibit()];
  auto& open = place.outer_size() == 0 ? exhibit.file_systems
                                       : exhibit.nested[place.outer().rbegin()->locator()].file_systems;
  auto& files = open[place.volume().slot()];
  if (!files) {
    auto opened = open_file_system(**image, (*image)->info().sector_size, volume_of(place.volume()),
                                   exhibit.volume_options);
    if (!opened) return opened.error();
    files = opened.take();
  }
  return files.get();
}

void Worker::State::list_volumes_of(const wire::Unit& unit, UnitOutput& output) {
  OpenExhibit& exhibit = exhibits[unit.place().exhibit()];
  const bool nested = unit.place().outer_size() > 0;
  if (!exhibit.source && !nested) return;  // said when it was opened
  std::vector<Problem> problems;
  std::vector<Volume> volumes;
  if (const auto image = image_of(unit.place())) {
    volumes = list_volumes(**image, (*image)->info().sector_size, problems, exhibit.volume_options);
    if (nested)
      problems.insert(problems.end(), (*image)->info().problems.begin(), (*image)->info().problems.end());
  } else {
    Problem problem;
    problem.kind = problem_kind(image.error().code);
    problem.plugin = "evidence";
    problem.message = image.error().message;
    problems.push_back(std::move(problem));
  }
  for (Problem& problem : unread_volumes(volumes)) problems.push_back(std::move(problem));
  for (const Problem& problem : problems) add_problem(output, unit, problem, !nested);
  for (const Volume& volume : volumes) {
    wire::VolumeFound& found = *output.result().add_volumes();
    set_volume(*found.mutable_volume(), volume);
    found.set_parent_slot(volume.parent_slot);
    found.set_kind(volume.kind);
    found.set_label(volume.label);
    found.set_state(to_text(volume.state));
    found.set_reason(volume.reason);
    if (!volume.metadata.empty() && !nested) {
      found.set_metadata(
          nlohmann::json(volume.metadata).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
    }
    // A file system of which only part is there is listed as far as it goes; of a volume that nothing reads,
    // its bytes are windows.
    const bool raw = exhibit.volume_options.free_space && volume.layer.empty() && volume.size > 0 &&
                     (volume.state == VolumeState::unsupported || volume.state == VolumeState::corrupt ||
                      volume.state == VolumeState::unallocated);
    if (volume.state != VolumeState::read && volume.state != VolumeState::partly_read && !raw) continue;
    wire::Unit& next = *found.mutable_follow();
    next.set_kind(wire::UNIT_DIRECTORY);
    next.mutable_place()->set_exhibit(unit.place().exhibit());
    *next.mutable_place()->mutable_outer() = unit.place().outer();
    set_volume(*next.mutable_place()->mutable_volume(), volume);
  }
}

void Worker::State::verify(const wire::Unit& unit, UnitOutput& output) {
  OpenExhibit& exhibit = exhibits[unit.place().exhibit()];
  if (!exhibit.source) return;
  // A folder has no bytes of its own; its metadata say that nothing was verified.
  if (exhibit.source->info().format == "folder") return;
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
  // All of it was read: whatever reading could tell is known now, whoever read it before.
  const std::vector<Problem>& told = exhibit.source->info().problems;
  for (std::size_t i = exhibit.problems_at_opening; i < told.size(); ++i)
    add_problem(output, unit, told[i], true);
  for (const Gap& gap : done->gaps) {
    problem.message = fmt::format("{} bytes at offset {}: {}", gap.length, gap.offset, gap.reason);
    add_problem(output, unit, problem, true);
    wire::Damage& damage = *output.result().add_damages();
    damage.set_of_exhibit(true);
    damage.set_place(gap.offset);
    damage.set_length(gap.length);
    damage.set_reason(gap.reason);
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
  add_directory_damage(unit, **files, output);
}

/// The directory's own bytes; those of the root belong to no item.
void Worker::State::add_directory_damage(const wire::Unit& unit, FileSystem& files, UnitOutput& output) {
  const auto image = image_of(unit.place());
  if (unit.place().address().empty() || !image || (*image)->gaps().empty()) return;
  if (const auto bytes = files.open(unit.place().address())) add_damage(output, 0, (*bytes)->gaps());
}

}  // namespace touchstone
