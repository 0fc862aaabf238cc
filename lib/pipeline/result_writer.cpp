#include <fmt/format.h>

#include <algorithm>

#include "model/locator.hpp"
#include "pipeline/place.hpp"
#include "pipeline/triage_state.hpp"

namespace touchstone {
namespace {

Value value_of(const wire::Value& value) {
  switch (value.of_case()) {
    case wire::Value::kInteger:
      return value.integer();
    case wire::Value::kReal:
      return value.real();
    case wire::Value::kText:
      return value.text();
    default:
      return std::monostate{};
  }
}

/// Into a value that held another record's: text takes the place of text.
void set_value(Value& out, const wire::Value& value) {
  auto* text = std::get_if<std::string>(&out);
  if (text && value.of_case() == wire::Value::kText) {
    *text = value.text();
  } else {
    out = value_of(value);
  }
}

Item item_of(const wire::NewItem& in, const std::string& slot) {
  Item item;
  item.locator = in.locator();
  item.volume_slot = slot;
  item.path = in.path();
  item.name = in.name();
  item.kind = parse_item_kind(in.kind()).value_or(ItemKind::file);
  item.allocated = in.allocated();
  item.size = in.size();
  if (in.has_created()) item.times.created = in.created();
  if (in.has_modified()) item.times.modified = in.modified();
  if (in.has_accessed()) item.times.accessed = in.accessed();
  if (in.has_changed()) item.times.changed = in.changed();
  item.times.basis = parse_time_basis(in.time_basis()).value_or(TimeBasis::utc);
  item.detail = in.detail();
  return item;
}

Volume volume_of(const wire::VolumeFound& in) {
  Volume volume;
  volume.slot = in.volume().slot();
  volume.parent_slot = in.parent_slot();
  volume.offset = in.volume().offset();
  volume.size = in.volume().size();
  volume.kind = in.kind();
  volume.filesystem = in.volume().filesystem();
  volume.label = in.label();
  for (const VolumeState each : {VolumeState::read, VolumeState::partly_read, VolumeState::encrypted,
                                 VolumeState::unsupported, VolumeState::corrupt, VolumeState::unallocated}) {
    if (in.state() == to_text(each)) volume.state = each;
  }
  volume.reason = in.reason();
  return volume;
}

/// The root directory of a volume is no item.
bool is_root(const wire::Unit& spec) {
  return spec.kind() == wire::UNIT_DIRECTORY && spec.place().path().empty() && spec.place().address().empty();
}

}  // namespace

ResultWriter::NewUnit ResultWriter::add_unit(std::int64_t exhibit_id, const wire::Unit& spec,
                                             std::int64_t item_id, std::int64_t priority) {
  UnitRow row;
  row.exhibit_id = exhibit_id;
  row.kind = spec.kind();
  row.level = depth_of(spec.place()) + (spec.kind() == wire::UNIT_MEMBERS ? 1 : 0);
  if (spec.last()) row.level = kLastLevel;
  row.priority = priority;
  row.item_id = item_id;
  row.spec = spec.SerializeAsString();
  NewUnit unit{writer_.add_unit(row), row.level, priority, {}};
  if (spec.kind() == wire::UNIT_DIRECTORY) unit.directory = directory_of(exhibit_id, spec, item_id);
  return unit;
}

ResultWriter::Directory ResultWriter::directory_of(std::int64_t exhibit_id, const wire::Unit& spec,
                                                   std::int64_t item_id) {
  Directory directory;
  directory.exhibit = exhibit_id;
  directory.volume = fmt::format("{}:{}", exhibit_id, volume_slot(spec.place()));
  directory.item = item_id;
  if (is_root(spec)) return directory;
  directory.depth = spec.ancestors_size() + 1;
  directory.identity = spec.identity();
  if (spec.deleted() && !spec.identity().empty()) directory.identity.insert(0, kDeletedDirectory);
  return directory;
}

void ResultWriter::add_volumes(const UnitRow& unit, const wire::Unit& spec, const wire::Result& result,
                               std::vector<NewUnit>& next) {
  for (const wire::VolumeFound& found : result.volumes()) {
    wire::Place place = spec.place();
    Volume volume = volume_of(found);
    for (std::string* slot : {&volume.slot, &volume.parent_slot}) {
      if (slot->empty()) continue;
      place.mutable_volume()->set_slot(*slot);
      *slot = volume_slot(place);
    }
    writer_.add_volume(unit.exhibit_id, volume, unit.id);
    if (!found.metadata().empty()) writer_.add_exhibit_metadata(unit.exhibit_id, found.metadata());
    if (found.has_follow())
      next.push_back(add_unit(unit.exhibit_id, found.follow(), unit.item_id, INT32_MAX));
  }
}

std::vector<ResultWriter::NewUnit> ResultWriter::add_items(const UnitRow& unit, const wire::Unit& spec,
                                                           const wire::Result& result) {
  std::vector<NewUnit> next;
  std::vector<std::int64_t> ids;
  // Members hang on the container; entries on the directory that the unit listed.
  const bool from_group = spec.kind() == wire::UNIT_MEMBERS;
  for (const wire::NewItem& in : result.new_items()) {
    std::int64_t parent = unit.item_id;
    if (from_group) parent = parent_of(unit, spec, in.locator());
    const ItemState item_state = parse_item_state(in.state()).value_or(ItemState::failed);
    const std::int64_t id = writer_.add_item(item_of(in, volume_slot(spec.place())), unit.exhibit_id, parent,
                                             item_state, in.reason(), unit.id);
    ids.push_back(id);
    ++progress_.items;
    if (item_state != ItemState::pending) ++progress_.items_done;
    if (in.has_follow()) next.push_back(add_unit(unit.exhibit_id, in.follow(), id, in.priority()));
  }
  for (const wire::Group& group : result.groups()) {
    if (group.first_item() >= ids.size()) continue;
    next.push_back(add_unit(unit.exhibit_id, group.unit(), ids[group.first_item()], group.priority()));
  }
  return next;
}

std::int64_t ResultWriter::parent_of(const UnitRow& unit, const wire::Unit& spec,
                                     const std::string& locator) const {
  // Items of a group have rows in one run; the container is the one whose locator the new item's begins with.
  for (int i = 0; i < spec.members_size(); ++i) {
    const std::string& member = spec.members(i).locator();
    const bool inside = locator.starts_with(member) && locator.size() > member.size();
    if (inside && (locator[member.size()] == '!' || locator[member.size()] == '@')) return unit.item_id + i;
  }
  return unit.item_id;
}

void ResultWriter::add_problem(CaseWriter& writer, const wire::Problem& in, std::int64_t item_id,
                               std::int64_t exhibit_id, std::int64_t content_id, std::int64_t unit_id) {
  Problem problem;
  problem.key = in.key();
  problem.plugin = in.plugin();
  problem.kind = parse_problem_kind(in.kind()).value_or(ProblemKind::corrupt);
  problem.message = to_valid_utf8(in.message());
  writer.add_problem(problem, item_id, exhibit_id, content_id, unit_id);
}

ResultWriter::Fates ResultWriter::add_examined(const UnitRow& unit, const wire::Unit& spec,
                                               const wire::Result& result) {
  Fates fates;
  std::map<std::uint32_t, std::pair<std::uint64_t, std::uint64_t>> runs;
  for (const wire::Examined& in : result.examined()) {
    Fate& fate = fates[in.index()];
    const std::int64_t item_id = unit.item_id + in.index();
    const ItemState item_state = parse_item_state(in.state()).value_or(ItemState::failed);
    if (!in.sha256().empty()) {
      const ContentRef content =
          writer_.content({in.md5(), in.sha1(), in.sha256()}, in.size(), in.media_type());
      fate.content_id = content.id;
      // Equal bytes were analysed in an earlier unit: their rows stand already.
      fate.keep_content_rows = !content.analysed && !in.reused();
      if (fate.keep_content_rows)
        writer_.set_analysed(content.id, in.sha256(), item_state, in.reason(), unit.id);
      if (spec.kind() == wire::UNIT_MEMBERS) writer_.set_item_size(item_id, in.size());
    }
    const bool worse = !in.item_state().empty();
    const ItemState place_state =
        worse ? parse_item_state(in.item_state()).value_or(ItemState::failed) : item_state;
    const std::string& reason = worse ? in.item_reason() : in.reason();
    if (is_root(spec)) {
      if (item_state != ItemState::examined) root_not_listed(unit, spec, item_state, reason);
      continue;
    }
    if (unit.item_id != 0) writer_.set_item(item_id, fate.content_id, place_state, reason);
    ++progress_.items_done;
    for (const std::uint32_t plugin : in.ran()) ++runs[plugin].first;
    for (const std::uint32_t plugin : in.not_run()) ++runs[plugin].second;
  }
  for (const auto& [plugin, counts] : runs) {
    if (plugin < state_.plugins.size())
      writer_.add_plugin_run(unit.exhibit_id, state_.plugins[plugin]->name, counts.first, counts.second);
  }
  return fates;
}

void ResultWriter::add_rows(const UnitRow& unit, const wire::Result& result, const Fates& fates) {
  const auto content_of = [&](std::uint32_t index) {
    const auto found = fates.find(index);
    return found == fates.end() ? Fate{} : found->second;
  };
  Record record;
  for (const wire::Record& in : result.records()) {
    record.kind = in.kind();
    record.key = in.key();
    record.fields.resize(static_cast<std::size_t>(in.fields_size()));
    for (std::size_t i = 0; i < record.fields.size(); ++i) {
      const wire::Field& field = in.fields(static_cast<int>(i));
      record.fields[i].first = field.name();
      set_value(record.fields[i].second, field.value());
    }
    const bool of_content = record.kind == "picture" || record.kind == "video" || record.kind == "document";
    const Fate fate = content_of(in.index());
    if (of_content && !fate.keep_content_rows) continue;
    writer_.add_record(record, unit.item_id + in.index(), fate.content_id, in.plugin(), unit.id);
  }
  for (const wire::Finding& in : result.findings()) {
    const Fate fate = content_of(in.index());
    if (in.of_content() && !fate.keep_content_rows) continue;
    Finding finding;
    finding.key = in.key();
    finding.plugin = in.plugin();
    finding.plugin_version = in.plugin_version();
    finding.rule = in.rule();
    finding.category = in.category();
    finding.title = to_valid_utf8(in.title());
    finding.detail = to_valid_utf8(in.detail());
    finding.position = to_valid_utf8(in.position());
    finding.record_kind = in.record_kind();
    finding.record_key = in.record_key();
    finding.confidence = in.confidence();
    writer_.add_finding(finding, in.of_content() ? 0 : unit.item_id + in.index(),
                        in.of_content() ? fate.content_id : 0, unit.id);
    ++progress_.findings;
  }
  for (const wire::Problem& in : result.problems()) {
    const Fate fate = content_of(in.index());
    if (in.of_content() && fate.content_id != 0 && !fate.keep_content_rows) continue;
    const bool of_item = !in.of_exhibit() && unit.item_id != 0;
    const bool of_content = in.of_content() && fate.content_id != 0;
    add_problem(writer_, in, of_item && !of_content ? unit.item_id + in.index() : 0, unit.exhibit_id,
                of_content ? fate.content_id : 0, unit.id);
    ++progress_.problems;
  }
}

void ResultWriter::add_damages(const UnitRow& unit, const wire::Result& result) {
  for (const wire::Damage& in : result.damages()) {
    CaseWriter::Damage damage;
    damage.exhibit_id = unit.exhibit_id;
    if (!in.of_exhibit()) damage.item_id = unit.item_id + in.index();
    if (in.has_place()) damage.offset = in.place();
    if (in.has_offset()) damage.item_offset = in.offset();
    damage.length = in.length();
    damage.reason = to_valid_utf8(in.reason());
    writer_.add_damage(damage, unit.id);
  }
}

void ResultWriter::root_not_listed(const UnitRow& unit, const wire::Unit& spec, ItemState state,
                                   const std::string& reason) {
  // The root directory is no item: what became of it is the volume's state.
  writer_.set_volume_state(
      unit.exhibit_id, volume_slot(spec.place()),
      state == ItemState::partly_examined ? VolumeState::partly_read : VolumeState::corrupt,
      "its root directory: " + reason);
}

bool ResultWriter::is_sound(const wire::Unit& spec, const wire::Result& result) {
  const auto items = static_cast<std::uint32_t>(spec.kind() == wire::UNIT_MEMBERS ? spec.members_size() : 1);
  const auto sound = [&](const auto& rows) {
    return std::all_of(rows.begin(), rows.end(), [&](const auto& row) { return row.index() < items; });
  };
  return sound(result.examined()) && sound(result.records()) && sound(result.findings()) &&
         sound(result.problems()) && sound(result.damages());
}

std::vector<ResultWriter::NewUnit> ResultWriter::apply(const UnitRow& unit, const wire::Unit& spec,
                                                       const wire::Result& result) {
  std::vector<NewUnit> next = add_items(unit, spec, result);
  add_volumes(unit, spec, result, next);
  for (const wire::Examined& examined : result.examined()) {
    if (examined.has_follow())
      next.push_back(
          add_unit(unit.exhibit_id, examined.follow(), unit.item_id + examined.index(), INT32_MAX));
  }
  add_rows(unit, result, add_examined(unit, spec, result));
  add_damages(unit, result);
  for (const wire::OutOfScope& out : result.out_of_scope()) {
    writer_.add_out_of_scope(unit.exhibit_id, out.volume_slot(), out.rule(), out.items(), unit.id);
  }
  for (const wire::Timing& timing : result.timings()) {
    writer_.add_timing(state_.run_id, timing.stage(), timing.calls(), timing.cpu_us(), timing.bytes());
  }
  if (result.has_verified()) {
    const wire::Verified& verified = result.verified();
    writer_.set_exhibit(unit.exhibit_id, "md5", verified.md5());
    writer_.set_exhibit(unit.exhibit_id, "sha1", verified.sha1());
    writer_.set_exhibit(unit.exhibit_id, "sha256", verified.sha256());
    if (verified.compared())
      writer_.set_exhibit(unit.exhibit_id, "verified", static_cast<std::int64_t>(verified.matches() ? 1 : 0));
  }
  if (result.has_preview()) {
    const wire::Preview& preview = result.preview();
    writer_.add_preview(preview.sha256(), preview.width(), preview.height(), preview.blurred(),
                        preview.clear());
  }
  progress_.bytes += result.bytes_read();
  return next;
}

void ResultWriter::fail(const UnitRow& unit, const wire::Unit& spec, ItemState item_state, ProblemKind kind,
                        const std::string& message) {
  Problem problem;
  const std::string& where =
      spec.place().locator().empty() ? spec.place().volume().slot() : spec.place().locator();
  problem.key = join_key(
      {"problem", "content", to_text(kind), state_.exhibits[spec.place().exhibit()].ref, where, message});
  problem.plugin = "content";
  problem.kind = kind;
  problem.message = message;
  writer_.add_problem(problem, unit.item_id, unit.exhibit_id, 0, unit.id);
  ++progress_.problems;
  if (is_root(spec)) root_not_listed(unit, spec, item_state, message);
  // What an image holds may fail; the image itself was examined.
  if (is_root(spec) || spec.kind() == wire::UNIT_VOLUMES) return;
  const int count = spec.kind() == wire::UNIT_MEMBERS ? spec.members_size() : 1;
  for (int i = 0; i < count && unit.item_id != 0; ++i) {
    writer_.set_item(unit.item_id + i, 0, item_state, message);
    ++progress_.items_done;
  }
}

void ResultWriter::ready(const wire::Ready& ready) {
  for (int i = 0; i < ready.exhibits_size() && i < static_cast<int>(state_.exhibits.size()); ++i) {
    const wire::ExhibitReady& in = ready.exhibits(i);
    ExhibitPlan& exhibit = state_.exhibits[static_cast<std::size_t>(i)];
    exhibit.error = in.error();
    if (in.format().starts_with("tar.") || in.format().starts_with("adb")) exhibit.packed_bytes = in.size();
    for (const auto& [column, text] : {std::pair<const char*, const std::string&>{"format", in.format()},
                                       {"stored_md5", in.stored_md5()},
                                       {"stored_sha1", in.stored_sha1()},
                                       {"metadata", in.metadata()}}) {
      // What volumes have added to the metadata since the first run stays.
      const bool kept = std::string_view(column) == "metadata" && writer_.setting("ready");
      if (!text.empty() && !kept) writer_.set_exhibit(exhibit.id, column, text);
    }
    if (in.error().empty()) writer_.set_exhibit(exhibit.id, "size", static_cast<std::int64_t>(in.size()));
    if (writer_.setting("ready")) continue;  // problems of opening were recorded by the first run
    for (const wire::Problem& problem : in.problems()) add_problem(writer_, problem, 0, exhibit.id, 0, 0);
    if (!in.error().empty()) {
      Problem problem;
      problem.key = join_key({"problem", "evidence", "unreadable", exhibit.ref});
      problem.plugin = "evidence";
      problem.kind = ProblemKind::unreadable;
      problem.message = in.error();
      writer_.add_problem(problem, 0, exhibit.id, 0, 0);
    }
  }
  for (const wire::DeclaredRule& rule : ready.rules())
    writer_.declare_rule(rule.plugin(), rule.rule(), rule.version(), rule.title());
  writer_.set_setting("ready", "1");
}

}  // namespace touchstone
