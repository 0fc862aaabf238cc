// Units over the members of a container, and the listing that makes them.
#include "pipeline/worker_members.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <nlohmann/json.hpp>
#include <utility>

#include "evidence/gap_list.hpp"
#include "model/locator.hpp"
#include "pipeline/worker_windows.hpp"

namespace touchstone {

PulledMember pull_member(const PluginSession::Pull& pull, Hasher& hasher) {
  PulledMember member;
  std::vector<std::uint8_t> block(256 * 1024);
  while (true) {
    const std::int64_t got = pull(block);
    if (got < 0) member.damaged = true;
    if (got <= 0) break;
    const auto part =
        std::as_bytes(std::span(block).first(std::min(block.size(), static_cast<std::size_t>(got))));
    hasher.update(part);
    member.size += part.size();
    if (member.size <= kMaxMemberInMemory) {
      member.bytes.insert(member.bytes.end(), part.begin(), part.end());
    } else {
      member.cut = true;
      member.bytes.clear();
      member.bytes.shrink_to_fit();
    }
  }
  member.digests = hasher.finish();
  return member;
}

PluginSession::Pull pull_runs(ByteSource& container,
                              const google::protobuf::RepeatedField<std::uint64_t>& runs) {
  return [&container, &runs, run = 0,
          done = std::uint64_t{0}](std::span<std::uint8_t> out) mutable -> std::int64_t {
    while (run + 1 < runs.size() && done >= runs[run + 1]) {
      run += 2;
      done = 0;
    }
    if (run + 1 >= runs.size()) return 0;
    const std::uint64_t want = std::min<std::uint64_t>(out.size(), runs[run + 1] - done);
    const auto got = read_on(container, runs[run] + done,
                             std::as_writable_bytes(out.first(static_cast<std::size_t>(want))));
    if (!got || *got == 0) return -1;
    done += *got;
    return static_cast<std::int64_t>(*got);
  };
}

bool is_pages_name(std::string_view name) {
  return name.ends_with(".sqlite-pages");
}

void ReasonSink::problem(const std::string&, ProblemKind kind, std::string_view message, bool) {
  constexpr std::string_view kStart = "member ", kMiddle = ": ";
  std::uint32_t ordinal = 0;
  const char* const end = message.data() + message.size();
  const auto number = message.starts_with(kStart)
                          ? std::from_chars(message.data() + kStart.size(), end, ordinal)
                          : std::from_chars_result{end, std::errc::invalid_argument};
  const std::string_view rest(number.ptr, static_cast<std::size_t>(end - number.ptr));
  if (number.ec == std::errc() && rest.starts_with(kMiddle)) {
    members_.try_emplace(ordinal, Reason{kind, std::string(rest.substr(kMiddle.size()))});
  } else {
    last_ = Reason{kind, std::string(message)};
  }
}

const ReasonSink::Reason* ReasonSink::of_member(std::uint32_t ordinal) const {
  const auto found = members_.find(ordinal);
  return found == members_.end() ? nullptr : &found->second;
}

int reader_index(const PluginSession& session, std::string_view name) {
  for (std::size_t i = 0; i < session.count(); ++i) {
    if (name == session.table(i).name) return static_cast<int>(i);
  }
  return -1;
}

namespace {

/// The name without what would make it look like another: leading "/" and "./", trailing "/".
std::string member_path(std::string raw) {
  while (raw.starts_with('/') || raw.starts_with("./")) raw.erase(0, raw[0] == '/' ? 1 : 2);
  while (raw.ends_with('/')) raw.pop_back();
  return raw;
}

/// Turns the members that a container names into items, and runs of them into units.
class MemberListing {
 public:
  /// `window`: where the container's bytes lie, if it is a window of free space or slack.
  MemberListing(Worker::State& state, const wire::Unit& unit, const wire::Place& place, std::string reader,
                const Content& content, const RunMap* window, UnitOutput& output)
      : state_(state),
        unit_(unit),
        place_(place),
        reader_(std::move(reader)),
        window_(window),
        output_(output),
        base_(place) {
    base_.set_media_type(content.media_type());
    if (content.is_exact() && window == nullptr) base_.set_sha256(content.digests().sha256);
    same_place_[place.locator()] = 1;  // a carved file may be all that a window holds
  }

  bool take(const MemberInfo& member) {
    const std::string raw = member_path(member.path);
    const std::string path = "/" + escape_path(raw);
    std::string locator = member.carved ? carved_locator(*member.carved) : place_.locator() + "!" + path;
    if (const std::uint32_t ordinal = ++same_place_[locator]; ordinal > 1)
      locator += "#" + std::to_string(ordinal);
    const bool known_size = member.size != UINT64_MAX;
    const std::uint64_t weight = known_size ? member.size : kGroupBytes;
    const bool grouped = !member.directory && !member.encrypted;
    const bool pages = member.carved && is_pages_name(path);
    if (!grouped || pages ||
        (group_ && (group_->unit().members_size() >= kGroupMembers || group_bytes_ + weight > kGroupBytes))) {
      group_ = nullptr;  // a group is a run of items without a gap
      output_.grew(std::exchange(announced_, 0));
    }
    announced_ += locator.size() * 4 + 256;
    const int items_before = output_.result().new_items_size();
    wire::NewItem& out = *output_.result().add_new_items();
    fill_item(out, member, raw, path, locator);
    if (!grouped) {
      out.set_state(to_text(member.encrypted ? ItemState::encrypted : ItemState::examined));
      if (member.encrypted) out.set_reason("encrypted inside its container");
      return true;
    }
    out.set_state(to_text(ItemState::pending));
    out.set_in_group(true);
    if (!group_) begin_group(items_before);
    group_bytes_ += weight;
    wire::Member& entry = *group_->mutable_unit()->add_members();
    entry.set_ordinal(member.ordinal);
    entry.set_path(path);
    entry.set_locator(std::move(locator));
    entry.set_name(out.name());
    entry.set_size(out.size());
    entry.set_carved(member.carved.has_value());
    if (member.carved) set_runs(entry, *member.carved, member.size);
    const ItemKind kind = member.carved ? ItemKind::carved : ItemKind::member;
    group_->set_priority(std::max<std::int64_t>(
        group_->priority(), state_.order.priority(path, out.name(), out.size(), kind, !member.carved)));
    // Whose rows they are is known when all databases were seen.
    if (pages) {
      group_->mutable_unit()->set_last(true);
      group_ = nullptr;
    }
    return true;
  }

 private:
  void fill_item(wire::NewItem& out, const MemberInfo& member, const std::string& raw,
                 const std::string& path, const std::string& locator) const {
    out.set_locator(locator);
    out.set_path(path);
    const std::size_t slash = raw.rfind('/');
    out.set_name(to_valid_utf8(slash == std::string::npos ? raw : raw.substr(slash + 1)));
    out.set_kind(to_text(member.directory ? ItemKind::directory
                         : member.carved  ? ItemKind::carved
                                          : ItemKind::member));
    out.set_allocated(!member.carved);
    out.set_size(member.size != UINT64_MAX ? member.size : 0);
    if (member.times.modified) out.set_modified(*member.times.modified);
    out.set_time_basis(to_text(member.times.basis));
    if (member.carved) out.set_detail(carved_detail(*member.carved));
  }

  /// The carver's runs, or its one range, in the bytes of the container.
  static std::vector<ByteRange> runs_of(const nlohmann::json& detail, const CarvedInfo& carved) {
    std::vector<ByteRange> runs = {{carved.offset, carved.length}};
    if (const auto listed = detail.find("runs"); listed != detail.end() && listed->is_array()) {
      runs.clear();
      for (const auto& run : *listed) {
        if (run.is_array() && run.size() == 2 && run[0].is_number_unsigned() && run[1].is_number_unsigned())
          runs.push_back({run[0].get<std::uint64_t>(), run[1].get<std::uint64_t>()});
      }
    }
    return runs;
  }

  /// Where the bytes are, if the runs make up the whole file: searching for them again would cost as much as
  /// the first time.
  static void set_runs(wire::Member& entry, const CarvedInfo& carved, std::uint64_t size) {
    constexpr std::size_t kMostRuns = 4096;
    const auto runs = runs_of(nlohmann::json::parse(carved.detail, nullptr, false), carved);
    std::uint64_t bytes = 0;
    for (const ByteRange& run : runs) bytes += run.length;
    if (bytes != size || runs.size() > kMostRuns) return;
    for (const ByteRange& run : runs) {
      entry.add_runs(run.offset);
      entry.add_runs(run.length);
    }
  }

  /// The runs as ranges of the volume.
  nlohmann::json places_of(const nlohmann::json& detail, const CarvedInfo& carved) const {
    constexpr std::size_t kMostPlaces = 64;
    nlohmann::json places = nlohmann::json::array();
    for (const ByteRange& run : runs_of(detail, carved)) {
      for (const ByteRange& place : window_->place_of(run.offset, run.length)) {
        if (places.size() < kMostPlaces) places.push_back({place.offset, place.length});
      }
    }
    return places;
  }

  /// A byte range of the container; of a window, of the volume that it is a window of.
  std::string carved_locator(const CarvedInfo& carved) const {
    if (window_ == nullptr) return fmt::format("{}@{}+{}", place_.locator(), carved.offset, carved.length);
    const std::vector<ByteRange> places = window_->place_of(carved.offset, carved.length);
    return inside_outer(
        place_, window_locator(state_.exhibits[place_.exhibit()].ref, place_.volume().slot(),
                               place_.kind() == to_text(ItemKind::slack), window_->owner_of(carved.offset),
                               places.empty() ? ByteRange{} : places.front()));
  }

  /// What the carver said, and its confidence.
  std::string carved_detail(const CarvedInfo& carved) const {
    nlohmann::json detail = nlohmann::json::parse(carved.detail, nullptr, false);
    if (!detail.is_object()) detail = nlohmann::json::object();
    detail["confidence"] = carved.confidence;
    if (window_ != nullptr) detail["places"] = places_of(detail, carved);
    return detail.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  }

  void begin_group(int first_item) {
    group_ = output_.result().add_groups();
    group_->set_first_item(static_cast<std::uint32_t>(first_item));
    group_->mutable_unit()->set_kind(wire::UNIT_MEMBERS);
    *group_->mutable_unit()->mutable_place() = base_;
    group_->mutable_unit()->set_reader(reader_);
    // Its reader may need what lies beside the container, a key for example.
    if (place_.steps_size() == 0) *group_->mutable_unit()->mutable_ancestors() = unit_.ancestors();
    group_->set_priority(0);
    group_bytes_ = 0;
  }

  Worker::State& state_;
  const wire::Unit& unit_;
  const wire::Place& place_;
  std::string reader_;
  const RunMap* window_;
  UnitOutput& output_;
  wire::Place base_;
  std::map<std::string, std::uint32_t> same_place_;
  wire::Group* group_ = nullptr;
  std::uint64_t group_bytes_ = 0;
  std::size_t announced_ = 0;
};

}  // namespace

bool Worker::State::announce_members(const wire::Unit& unit, const wire::Place& place, int reader,
                                     const ItemContext& item, Content& content, const RunMap* window,
                                     ItemSink& sink, UnitOutput& output, Examination& examination) {
  const std::string reader_name = session->table(static_cast<std::size_t>(reader)).name;
  if (place.steps_size() >= kMaxContainerDepth) {
    sink.problem(reader_name, ProblemKind::limit,
                 fmt::format("containers nested more than {} deep are not opened", kMaxContainerDepth),
                 false);
    examination.state = ItemState::partly_examined;
    examination.reason = "nested too deep";
    return true;
  }
  MemberListing listing(*this, unit, place, reader_name, content, window, output);
  const ItemState before = examination.state;
  bool has_members = false;
  session->list_members(
      reader, item, content, sink,
      [&](MemberInfo&& member) {
        has_members = true;
        return listing.take(member);
      },
      examination);
  return has_members || examination.state != before;
}

namespace {

/// What lies in unreadable or doubtful ranges of the bytes in which a file was carved.
void tell_damage(const wire::Unit& unit, int i, const std::vector<Gap>& gaps, UnitOutput& output) {
  const auto& runs = unit.members(i).runs();
  GapList inside;
  std::uint64_t at = 0;
  for (int run = 0; run + 1 < runs.size(); run += 2) {
    for (const Gap& gap : gaps) {
      const std::uint64_t from = std::max(gap.offset, runs[run]);
      const std::uint64_t to = std::min(gap.offset + gap.length, runs[run] + runs[run + 1]);
      if (from < to) inside.add(at + (from - runs[run]), to - from, gap.reason, gap.place_of(from));
    }
    at += runs[run + 1];
  }
  if (inside.empty()) return;
  add_damage(output, static_cast<std::uint32_t>(i), inside.list());
  ItemSink sink(output, static_cast<std::uint32_t>(i), unit.members(i).locator());
  for (const Gap& gap : inside.list()) sink.problem("content", ProblemKind::unreadable, text_of(gap), false);
  wire::Examined& examined = *output.result().mutable_examined(output.result().examined_size() - 1);
  if (examined.state() != to_text(ItemState::examined)) return;
  examined.set_item_state(to_text(ItemState::partly_examined));
  examined.set_item_reason("content: " + text_of(inside.list().front()));
}

/// A member of which no byte came out.
void fail_member(const wire::Unit& unit, int i, const ReasonSink& reasons, UnitOutput& output) {
  const wire::Member& member = unit.members(i);
  const ReasonSink::Reason* const told = reasons.of_member(member.ordinal());
  const ReasonSink::Reason why = told != nullptr
                                     ? *told
                                     : reasons.last().value_or(ReasonSink::Reason{
                                           ProblemKind::corrupt, "the container gave no bytes for it"});
  ItemSink sink(output, static_cast<std::uint32_t>(i), member.locator());
  sink.problem(unit.reader(), why.kind, why.text, false);
  wire::Examined& examined = *output.result().add_examined();
  examined.set_index(static_cast<std::uint32_t>(i));
  set_failed(examined, {why.kind == ProblemKind::unsupported ? ErrorCode::unsupported
                        : why.kind == ProblemKind::encrypted ? ErrorCode::encrypted
                                                             : ErrorCode::corrupt,
                        why.text});
}

}  // namespace

void Worker::State::examine_members(const wire::Unit& unit, UnitOutput& output) {
  const wire::Place& place = unit.place();
  const auto fail_from = [&](int first, const Error& error) {
    for (int i = first; i < unit.members_size(); ++i) {
      ItemSink sink(output, static_cast<std::uint32_t>(i), unit.members(i).locator());
      sink.problem(unit.reader(), problem_kind(error.code), error.message, false);
      wire::Examined& examined = *output.result().add_examined();
      examined.set_index(static_cast<std::uint32_t>(i));
      set_failed(examined, error);
    }
  };
  if (!container || container_locator != place.locator()) {
    auto source = open(place, output);
    if (!source) return fail_from(0, source.error());
    container = std::make_unique<Content>(source.take());
    container->assume_media_type(place.media_type());
    container->assume_sha256(place.sha256());
    container_locator = place.locator();
  }
  const int reader = reader_index(*session, unit.reader());
  if (reader < 0 || std::find(unit.skip().begin(), unit.skip().end(), unit.reader()) != unit.skip().end()) {
    return fail_from(
        0, {ErrorCode::unsupported, "the plugin " + unit.reader() + " was left out for this container"});
  }
  std::map<std::uint32_t, int> index_of;
  for (int i = 0; i < unit.members_size(); ++i) index_of[unit.members(i).ordinal()] = i;
  std::map<int, PulledMember> pulled;
  ItemContext item;
  item.locator = place.locator();
  item.path = place.path();
  if (place.steps_size() == 0) {
    item.neighbour = [this, &unit](std::string_view relative) {
      return neighbour(unit.place(), unit.ancestors(), relative);
    };
  }
  Examination examination;
  ReasonSink reason;
  for (int i = 0; i < unit.members_size(); ++i) {
    const wire::Member& member = unit.members(i);
    if (member.runs_size() == 0) continue;
    pulled[i] = pull_member(pull_runs(container->source(), member.runs()), hasher);
    index_of.erase(member.ordinal());
  }
  const std::uint32_t first = unit.members(0).ordinal();
  const std::uint32_t last = unit.members(unit.members_size() - 1).ordinal();
  if (!index_of.empty())
    session->extract_members(
        reader, item, *container, reason, first, last - first + 1,
        [&](std::uint32_t ordinal, const PluginSession::Pull& pull) {
          if (const auto found = index_of.find(ordinal); found != index_of.end())
            pulled[found->second] = pull_member(pull, hasher);
          return ordinal < last;
        },
        examination);
  for (int i = 0; i < unit.members_size(); ++i) {
    const auto found = pulled.find(i);
    if (found == pulled.end()) {
      fail_member(unit, i, reason, output);
      continue;
    }
    const ReasonSink::Reason* const told = reason.of_member(unit.members(i).ordinal());
    // Damaged before its first byte: there is no content, and that of an empty file is another one.
    if (found->second.damaged && found->second.size == 0 && told != nullptr) {
      fail_member(unit, i, reason, output);
    } else {
      examine_member(unit, i, std::move(found->second), told != nullptr ? told->text : "", output);
      if (unit.only_size() == 0) tell_damage(unit, i, container->gaps(), output);
    }
    pulled.erase(found);
  }
}

void Worker::State::examine_member(const wire::Unit& unit, int i, PulledMember pulled, const std::string& why,
                                   UnitOutput& output) {
  const wire::Member& member = unit.members(i);
  const auto index = static_cast<std::uint32_t>(i);
  if (pulled.cut) {
    ItemSink sink(output, index, member.locator());
    const std::string limit =
        fmt::format("{} bytes inside a container: only digested, not examined (limit {} MiB)", pulled.size,
                    kMaxMemberInMemory >> 20);
    sink.problem("content", ProblemKind::limit, limit, false);
    wire::Examined& examined = *output.result().add_examined();
    examined.set_index(index);
    examined.set_size(pulled.size);
    examined.set_md5(pulled.digests.md5);
    examined.set_sha1(pulled.digests.sha1);
    examined.set_sha256(pulled.digests.sha256);
    examined.set_media_type("application/octet-stream");
    examined.set_state(to_text(ItemState::partly_examined));
    examined.set_reason(limit);
    examined.set_reused(true);
    return;
  }
  wire::Place place = unit.place();
  wire::Step& step = *place.add_steps();
  step.set_plugin(unit.reader());
  step.set_ordinal(member.ordinal());
  *step.mutable_runs() = member.runs();
  step.set_media_type(unit.place().media_type());
  step.set_sha256(unit.place().sha256());
  place.clear_sha256();
  place.set_path(member.path());
  place.set_locator(member.locator());
  place.set_name(member.name());
  place.set_kind(to_text(member.carved() ? ItemKind::carved : ItemKind::member));
  examine(unit, place, index, make_memory_source(std::move(pulled.bytes)), output);
  if (!pulled.damaged) return;
  ItemSink sink(output, index, member.locator());
  sink.problem(unit.reader(), ProblemKind::corrupt,
               "the container is damaged here; what came out may be short" + (why.empty() ? "" : ": " + why),
               false);
  wire::Examined& examined = *output.result().mutable_examined(output.result().examined_size() - 1);
  if (examined.state() == to_text(ItemState::examined)) {
    // Of this place alone: equal bytes elsewhere are sound.
    examined.set_item_state(to_text(ItemState::partly_examined));
    examined.set_item_reason("damaged inside its container" + (why.empty() ? "" : ": " + why));
  }
}

}  // namespace touchstone
