// Units that examine bytes: one item, the members of a container, a preview.
#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "content/picture.hpp"
#include "model/locator.hpp"
#include "pipeline/worker_state.hpp"

namespace touchstone {
namespace {

// Contents remembered as analysed, per worker: 1M × about 100 bytes.
constexpr std::size_t kAnalysedMemory = 1'000'000;

/// A member's bytes on their way out of a container: all are digested, what fits is kept.
struct PulledMember {
  std::vector<std::byte> bytes;
  Digests digests;
  std::uint64_t size = 0;
  bool cut = false, damaged = false;
};

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

/// What extraction says while a container is only opened on the way to something deeper: kept for the error.
class ReasonSink final : public ResultSink {
 public:
  void record(Record&&, const std::string&) override {}
  void finding(Finding&&, bool) override {}
  void problem(const std::string&, ProblemKind, std::string_view message, bool) override { reason = message; }
  std::string reason;
};

int reader_index(const PluginSession& session, std::string_view name) {
  for (std::size_t i = 0; i < session.count(); ++i) {
    if (name == session.table(i).name) return static_cast<int>(i);
  }
  return -1;
}

void set_content(wire::Examined& out, const Content& content) {
  out.set_size(content.size());
  out.set_md5(content.digests().md5);
  out.set_sha1(content.digests().sha1);
  out.set_sha256(content.digests().sha256);
  out.set_media_type(content.media_type());
  out.set_exact(content.gaps().empty());
}

std::string parent_path(std::string_view path) {
  const std::size_t slash = path.rfind('/');
  return std::string(slash == std::string_view::npos ? "" : path.substr(0, slash));
}

}  // namespace

Result<std::unique_ptr<ByteSource>> Worker::State::open(const wire::Place& place, UnitOutput& output) {
  if (place.steps_size() == 0) {
    const auto files = file_system(place);
    if (!files) return files.error();
    return (*files)->open(place.address());
  }
  // Through the outer containers, one after the other.
  wire::Place outer = place;
  outer.clear_steps();
  auto source = open(outer, output);
  for (int i = 0; source && i < place.steps_size(); ++i) {
    Content held(source.take());
    const int reader = reader_index(*session, place.steps(i).plugin());
    if (reader < 0)
      return Error{ErrorCode::unsupported, "the plugin " + place.steps(i).plugin() + " is not in this run"};
    held.assume_media_type(place.steps(i).media_type());
    ItemContext item;
    item.locator = place.locator();
    Examination examination;
    ReasonSink reason;
    std::optional<PulledMember> member;
    session->extract_members(
        reader, item, held, reason, place.steps(i).ordinal(), 1,
        [&](std::uint32_t ordinal, const PluginSession::Pull& pull) {
          if (ordinal == place.steps(i).ordinal()) member = pull_member(pull, hasher);
          return !member;
        },
        examination);
    if (!member || member->cut)
      return Error{ErrorCode::corrupt, "a container around it no longer gives this member"};
    source = Result<std::unique_ptr<ByteSource>>(make_memory_source(std::move(member->bytes)));
  }
  return source;
}

std::unique_ptr<ByteSource> Worker::State::neighbour(const wire::Unit& unit, std::string_view relative) {
  const wire::Place& place = unit.place();
  if (place.steps_size() > 0 || unit.ancestors_size() == 0) return nullptr;
  const auto files = file_system(place);
  if (!files) return nullptr;
  int depth = unit.ancestors_size() - 1;
  std::string directory = parent_path(place.path());
  while (relative.starts_with("../") && depth > 0) {
    relative.remove_prefix(3);
    directory = parent_path(directory);
    --depth;
  }
  if (relative.empty() || relative.find('/') != std::string_view::npos) return nullptr;
  const std::string where =
      fmt::format("{}:{}:{}", place.exhibit(), place.volume().slot(), unit.ancestors(depth)) + directory;
  if (neighbour_directory != where) {
    neighbours.clear();
    neighbour_directory = where;
    std::vector<Problem> problems;
    const DirectoryRef ref{
        directory, unit.ancestors(depth), {unit.ancestors().begin(), unit.ancestors().begin() + depth}};
    // A problem here was reported when the directory was listed.
    if (!(*files)->list(
            ref,
            [&](Entry&& entry) {
              auto& kept = neighbours[entry.name_raw];
              if (entry.has_content && (kept.address.empty() || entry.allocated)) kept = std::move(entry);
              return true;
            },
            problems)) {
      return nullptr;
    }
  }
  const auto found = neighbours.find(relative);
  if (found == neighbours.end() || found->second.address.empty() || found->second.kind == ItemKind::directory)
    return nullptr;
  const Entry& entry = found->second;
  if (exhibits[place.exhibit()].gate->decide(entry.path, entry.times.modified, entry.kind).decision ==
      ScopeDecision::none)
    return nullptr;
  auto source = (*files)->open(entry.address);
  return source ? source.take() : nullptr;
}

ItemContext Worker::State::context(const wire::Unit& unit, const wire::Place& place) {
  ItemContext item;
  OpenExhibit& exhibit = exhibits[place.exhibit()];
  item.locator = place.locator();
  item.path = place.path();
  item.name = place.name();
  item.rows_only = place.rows_only();
  item.skip.insert(unit.skip().begin(), unit.skip().end());
  item.only.insert(unit.only().begin(), unit.only().end());
  if (place.steps_size() == 0) {
    item.neighbour = [this, &unit](std::string_view relative) { return neighbour(unit, relative); };
  }
  if (exhibit.time_zone) {
    item.local_to_utc = [&exhibit](std::int64_t local_us) {
      const std::int64_t seconds =
          local_us >= 0 ? local_us / 1'000'000 : -((-local_us + 999'999) / 1'000'000);
      return exhibit.time_zone->to_utc(seconds) * 1'000'000 + (local_us - seconds * 1'000'000);
    };
  }
  if (exhibit.gate->limited())
    item.passes = [&exhibit](const Record& record) { return exhibit.gate->passes(record); };
  return item;
}

void Worker::State::examine(const wire::Unit& unit, const wire::Place& place, std::uint32_t index,
                            std::unique_ptr<ByteSource> source, UnitOutput& output) {
  Content content(std::move(source));
  ItemContext item = context(unit, place);
  ItemSink sink(output, index, place.locator());
  Examination examination;
  // The digest decides whether these bytes were analysed before; it is known after the one read.
  item.reuse_content_if = [this](const std::string& sha256) { return analysed.contains(sha256); };
  const Status status = session->examine(item, content, hasher, *typer, sink, examination);
  const auto add_examined = [&]() -> wire::Examined& {
    wire::Examined& examined = *output.result().add_examined();
    examined.set_index(index);
    return examined;
  };
  if (!status) {
    sink.problem("content", problem_kind(status.error().code), status.error().message, false);
    set_failed(add_examined(), status.error());
    return;
  }
  output.result().set_bytes_read(output.result().bytes_read() + content.size());
  sink.set_content(content.digests().sha256);
  const bool whole = content.gaps().empty();
  if (const int reader = session->container_reader(item, content); reader >= 0) {
    announce_members(place, reader, item, content, sink, output, examination);
  }
  wire::Examined& examined = add_examined();
  set_content(examined, content);
  examined.set_state(to_text(examination.state));
  examined.set_reason(examination.reason);
  examined.set_reused(examination.reused);
  for (const std::uint32_t plugin : examination.ran) examined.add_ran(plugin);
  for (const std::uint32_t plugin : examination.not_run) examined.add_not_run(plugin);
  if (whole && unit.skip_size() == 0 && unit.only_size() == 0 && !item.rows_only) {
    if (analysed.size() >= kAnalysedMemory) analysed.clear();
    analysed.insert(content.digests().sha256);
  }
}

void Worker::State::announce_members(const wire::Place& place, int reader, const ItemContext& item,
                                     Content& content, ItemSink& sink, UnitOutput& output,
                                     Examination& examination) {
  const std::string reader_name = session->table(static_cast<std::size_t>(reader)).name;
  if (place.steps_size() >= kMaxContainerDepth) {
    sink.problem(reader_name, ProblemKind::limit,
                 fmt::format("containers nested more than {} deep are not opened", kMaxContainerDepth),
                 false);
    examination.state = ItemState::partly_examined;
    examination.reason = "nested too deep";
    return;
  }
  wire::Place base = place;
  base.set_media_type(content.media_type());
  std::map<std::string, std::uint32_t> same_path;
  wire::Group* group = nullptr;
  std::uint64_t group_bytes = 0;
  std::size_t announced = 0;
  session->list_members(
      reader, item, content, sink,
      [&](MemberInfo&& member) {
        std::string raw = member.path;
        while (raw.starts_with('/') || raw.starts_with("./")) raw.erase(0, raw[0] == '/' ? 1 : 2);
        while (raw.ends_with('/')) raw.pop_back();
        const std::string path = "/" + escape_path(raw);
        const std::uint32_t ordinal = ++same_path[path];
        std::string locator =
            place.locator() + "!" + path + (ordinal > 1 ? "#" + std::to_string(ordinal) : "");
        const bool known_size = member.size != UINT64_MAX;
        const std::uint64_t weight = known_size ? member.size : kGroupBytes;
        const bool grouped = !member.directory && !member.encrypted;
        if (!grouped || (group && (group->unit().members_size() >= kGroupMembers ||
                                   group_bytes + weight > kGroupBytes))) {
          group = nullptr;  // a group is a run of items without a gap
          output.grew(std::exchange(announced, 0));
        }
        announced += locator.size() * 4 + 256;
        const int items_before = output.result().new_items_size();
        wire::NewItem& out = *output.result().add_new_items();
        out.set_locator(locator);
        out.set_path(path);
        const std::size_t slash = raw.rfind('/');
        out.set_name(to_valid_utf8(slash == std::string::npos ? raw : raw.substr(slash + 1)));
        out.set_kind(to_text(member.directory ? ItemKind::directory : ItemKind::member));
        out.set_allocated(true);
        out.set_size(known_size ? member.size : 0);
        if (member.times.modified) out.set_modified(*member.times.modified);
        out.set_time_basis(to_text(member.times.basis));
        if (!grouped) {
          out.set_state(to_text(member.encrypted ? ItemState::encrypted : ItemState::examined));
          if (member.encrypted) out.set_reason("encrypted inside its container");
          return true;
        }
        out.set_state(to_text(ItemState::pending));
        out.set_in_group(true);
        if (!group) {
          group = output.result().add_groups();
          group->set_first_item(static_cast<std::uint32_t>(items_before));
          group->mutable_unit()->set_kind(wire::UNIT_MEMBERS);
          *group->mutable_unit()->mutable_place() = base;
          group->mutable_unit()->set_reader(reader_name);
          group->set_priority(0);
          group_bytes = 0;
        }
        group_bytes += weight;
        wire::Member& entry = *group->mutable_unit()->add_members();
        entry.set_ordinal(member.ordinal);
        entry.set_path(path);
        entry.set_locator(std::move(locator));
        entry.set_name(out.name());
        entry.set_size(out.size());
        group->set_priority(std::max<std::int64_t>(
            group->priority(), order.priority(path, out.name(), out.size(), ItemKind::member, true)));
        return true;
      },
      examination);
}

void Worker::State::examine_item(const wire::Unit& unit, UnitOutput& output) {
  auto source = open(unit.place(), output);
  if (!source) {
    ItemSink sink(output, 0, unit.place().locator());
    sink.problem("filesystem", problem_kind(source.error().code), source.error().message, false);
    wire::Examined& examined = *output.result().add_examined();
    set_failed(examined, source.error());
    return;
  }
  examine(unit, unit.place(), 0, source.take(), output);
}

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
  Examination examination;
  ReasonSink reason;
  const std::uint32_t first = unit.members(0).ordinal();
  const std::uint32_t last = unit.members(unit.members_size() - 1).ordinal();
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
      ItemSink sink(output, static_cast<std::uint32_t>(i), unit.members(i).locator());
      const std::string why = reason.reason.empty() ? "the container gave no bytes for it" : reason.reason;
      sink.problem(unit.reader(), ProblemKind::corrupt, why, false);
      wire::Examined& examined = *output.result().add_examined();
      examined.set_index(static_cast<std::uint32_t>(i));
      set_failed(examined, {ErrorCode::corrupt, why});
      continue;
    }
    examine_member(unit, i, std::move(found->second.bytes), found->second.cut, found->second.damaged,
                   found->second.digests, found->second.size, output);
    pulled.erase(found);
  }
}

void Worker::State::examine_member(const wire::Unit& unit, int i, std::vector<std::byte> bytes, bool cut,
                                   bool damaged, const Digests& digests, std::uint64_t size,
                                   UnitOutput& output) {
  const wire::Member& member = unit.members(i);
  const auto index = static_cast<std::uint32_t>(i);
  if (cut) {
    ItemSink sink(output, index, member.locator());
    const std::string why =
        fmt::format("{} bytes inside a container: only digested, not examined (limit {} MiB)", size,
                    kMaxMemberInMemory >> 20);
    sink.problem("content", ProblemKind::limit, why, false);
    wire::Examined& examined = *output.result().add_examined();
    examined.set_index(index);
    examined.set_size(size);
    examined.set_md5(digests.md5);
    examined.set_sha1(digests.sha1);
    examined.set_sha256(digests.sha256);
    examined.set_media_type("application/octet-stream");
    examined.set_state(to_text(ItemState::partly_examined));
    examined.set_reason(why);
    examined.set_reused(true);
    return;
  }
  wire::Place place = unit.place();
  wire::Step& step = *place.add_steps();
  step.set_plugin(unit.reader());
  step.set_ordinal(member.ordinal());
  step.set_media_type(unit.place().media_type());
  place.set_path(member.path());
  place.set_locator(member.locator());
  place.set_name(member.name());
  place.set_kind(to_text(ItemKind::member));
  examine(unit, place, index, make_memory_source(std::move(bytes)), output);
  if (!damaged) return;
  ItemSink sink(output, index, member.locator());
  sink.problem(unit.reader(), ProblemKind::corrupt,
               "the container is damaged here; what came out may be short", false);
  wire::Examined& examined = *output.result().mutable_examined(output.result().examined_size() - 1);
  if (examined.state() == to_text(ItemState::examined)) {
    // Of this place alone: equal bytes elsewhere are sound.
    examined.set_item_state(to_text(ItemState::partly_examined));
    examined.set_item_reason("damaged inside its container");
  }
}

void Worker::State::make_preview_of(const wire::Unit& unit, UnitOutput& output) {
  auto source = open(unit.place(), output);
  if (!source) return;
  Content content(source.take());
  const Status status = content.read(hasher, *typer, {});
  if (!status || content.digests().sha256 != unit.sha256() || !is_decodable_picture(content.media_type()))
    return;
  bool damaged = false;
  const auto picture = decode_picture(content.source(), content.media_type(), 0, &damaged);
  if (!picture) return;
  const auto preview = make_preview(*picture);
  if (!preview) return;
  wire::Preview& out = *output.result().mutable_preview();
  out.set_sha256(unit.sha256());
  out.set_width(preview->width);
  out.set_height(preview->height);
  out.set_blurred(preview->blurred.data(), preview->blurred.size());
  out.set_clear(preview->clear.data(), preview->clear.size());
}

}  // namespace touchstone
