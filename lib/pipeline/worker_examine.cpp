// Units that examine bytes: one item, the members of a container, a preview.
#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "content/picture.hpp"
#include "model/locator.hpp"
#include "pipeline/worker_members.hpp"
#include "pipeline/worker_state.hpp"
#include "pipeline/worker_windows.hpp"

namespace touchstone {
namespace {

// Contents remembered as analysed, per worker: 1M × about 100 bytes.
constexpr std::size_t kAnalysedMemory = 1'000'000;

std::string parent_path(std::string_view path) {
  const std::size_t slash = path.rfind('/');
  return std::string(slash == std::string_view::npos ? "" : path.substr(0, slash));
}

}  // namespace

void set_content(wire::Examined& out, const Content& content) {
  out.set_size(content.size());
  out.set_md5(content.digests().md5);
  out.set_sha1(content.digests().sha1);
  out.set_sha256(content.digests().sha256);
  out.set_media_type(content.media_type());
  out.set_exact(content.gaps().empty());
}

void add_damage(UnitOutput& output, std::uint32_t index, const std::vector<Gap>& gaps) {
  for (const Gap& gap : gaps) {
    wire::Damage& damage = *output.result().add_damages();
    damage.set_index(index);
    if (gap.place) damage.set_place(*gap.place);
    damage.set_length(gap.length);
    damage.set_offset(gap.offset);
    damage.set_reason(gap.reason);
  }
}

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
    held.assume_sha256(place.steps(i).sha256());
    ItemContext item;
    item.locator = place.locator();
    Examination examination;
    ReasonSink reason;
    std::optional<PulledMember> member;
    const auto& runs = place.steps(i).runs();
    if (!runs.empty()) member = pull_member(pull_runs(held.source(), runs), hasher);
    if (!member)
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

std::unique_ptr<ByteSource> Worker::State::neighbour(
    const wire::Place& place, const google::protobuf::RepeatedPtrField<std::string>& ancestors,
    std::string_view relative) {
  if (place.steps_size() > 0 || ancestors.empty()) return nullptr;
  const auto files = file_system(place);
  if (!files) return nullptr;
  int depth = ancestors.size() - 1;
  std::string directory = parent_path(place.path());
  // Ancestors do not name the root: above the topmost directory it is the only place left.
  while (relative.starts_with("../") && (depth > 0 || (depth == 0 && !ancestors[0].empty()))) {
    relative.remove_prefix(3);
    directory = parent_path(directory);
    --depth;
  }
  if (relative.empty() || relative.find('/') != std::string_view::npos) return nullptr;
  DirectoryRef ref;
  if (depth >= 0) ref = {directory, ancestors[depth], {ancestors.begin(), ancestors.begin() + depth}};
  const std::string where =
      fmt::format("{}:{}:{}", place.exhibit(), volume_slot(place), ref.address) + directory;
  if (neighbour_directory != where) {
    neighbours.clear();
    neighbour_directory = where;
    std::vector<Problem> problems;
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
  item.recover = exhibit.gate->grants("recovery");
  if (case_file) item.country = case_file->country;
  item.skip.insert(unit.skip().begin(), unit.skip().end());
  item.only.insert(unit.only().begin(), unit.only().end());
  if (place.steps_size() == 0) {
    item.neighbour = [this, &unit](std::string_view relative) {
      return neighbour(unit.place(), unit.ancestors(), relative);
    };
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

void Worker::State::add_kin(const wire::Unit& unit, ItemContext& item, UnitOutput& output) {
  item.kin.reserve(static_cast<std::size_t>(unit.kin_size()));
  for (const wire::Unit& kin : unit.kin()) {
    item.kin.push_back({kin.place().path(), [this, &kin, &output] {
                          KinDatabase::Files files;
                          auto main = open(kin.place(), output);
                          if (!main) return files;
                          files.main = main.take();
                          const std::string& name = kin.place().name();
                          files.wal = neighbour(kin.place(), kin.ancestors(), name + "-wal");
                          files.journal = neighbour(kin.place(), kin.ancestors(), name + "-journal");
                          return files;
                        }});
  }
}

void Worker::State::examine(const wire::Unit& unit, const wire::Place& place, std::uint32_t index,
                            std::unique_ptr<ByteSource> source, UnitOutput& output) {
  const RunMap* const window = run_map(*source);
  const std::vector<ByteRange> overwritten = overwritten_of(*source);
  const bool of_place = window != nullptr || !overwritten.empty();
  Content content(std::move(source));
  if (window != nullptr || is_memory_file(place.name())) content.assume_media_type(kWindowMediaType);
  // Of no database there is no signature.
  if (place.kind() == to_text(ItemKind::carved) && is_pages_name(place.name()))
    content.assume_media_type("application/x-sqlite3-pages");
  // What belongs to a file outside a limited scope now must not even be digested.
  content.hide(overwritten, !exhibits[place.exhibit()].gate->limited());
  if (of_place && examine_quickly(place, index, content, overwritten, window != nullptr, output)) return;
  ItemContext item = context(unit, place);
  add_kin(unit, item, output);
  ItemSink sink(output, index, place.locator());
  if (of_place) sink.keep_to_place(window);
  Examination examination;
  // The digest decides whether these bytes were analysed before; it is known after the one read.
  if (!of_place) {
    item.reuse_content_if = [this](const std::string& sha256) { return analysed.contains(sha256); };
  }
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
  // Where only some plugins run again, it has been said.
  if (unit.only_size() == 0) add_damage(output, index, content.gaps());
  for (const int reader : session->container_readers(item, content)) {
    if (announce_members(unit, place, reader, item, content, window, sink, output, examination)) break;
  }
  wire::Examined& examined = add_examined();
  set_content(examined, content);
  examined.set_state(to_text(examination.state));
  examined.set_reason(examination.reason);
  examined.set_reused(examination.reused || !overwritten.empty());
  set_note(examined, place.note(), !overwritten.empty());
  if (!of_place && whole && unit.only_size() == 0 && is_image(place, content))
    follow_image(unit, place, examined);
  for (const std::uint32_t plugin : examination.ran) examined.add_ran(plugin);
  for (const std::uint32_t plugin : examination.not_run) examined.add_not_run(plugin);
  if (whole && !of_place && unit.skip_size() == 0 && unit.only_size() == 0 && !item.rows_only) {
    if (analysed.size() >= kAnalysedMemory) analysed.clear();
    analysed.insert(content.digests().sha256);
  }
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
