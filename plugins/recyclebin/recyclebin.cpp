// Says of what lies in a recycle bin where it came from and when it was put there: of the thing itself, of
// what is in a folder that was put there, and of the small file that remembers it.
//
//   $Recycle.Bin/SID/$RABC123.jpg    with $IABC123.jpg beside it       Windows Vista and later
//   RECYCLER/SID/Dc12.jpg            with INFO2 beside it              Windows 2000, XP; RECYCLED on FAT
//   Trash/files/NAME                 with ../info/NAME.trashinfo       freedesktop.org
//
// The file that remembers is also read where it alone is left.
#include <algorithm>
#include <charconv>
#include <ctime>
#include <nlohmann/json.hpp>
#include <touchstone/plugin.hpp>

#include "formats.hpp"

namespace touchstone::recyclebin {
namespace {

constexpr const char* kNames[] = {"**/$I*",
                                  "**/INFO2",
                                  "**/$Recycle.Bin/*/$R*",
                                  "**/$Recycle.Bin/*/$R*/**",
                                  "**/RECYCLER/*/D*",
                                  "**/RECYCLER/*/D*/**",
                                  "**/RECYCLED/D*",
                                  "**/RECYCLED/D*/**",
                                  "**/*.trashinfo",
                                  "**/Trash/files/**",
                                  "**/.Trash-*/files/**",
                                  nullptr};
constexpr const char* kRule = "recycle-bin";

bool same_letters(std::string_view a, std::string_view b) {
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; };
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [&](char x, char y) { return lower(x) == lower(y); });
}

std::vector<std::string_view> components_of(std::string_view path) {
  std::vector<std::string_view> parts;
  while (!path.empty()) {
    const std::size_t end = std::min(path.find('/'), path.size());
    if (end > 0) parts.push_back(path.substr(0, end));
    path.remove_prefix(std::min(end + 1, path.size()));
  }
  return parts;
}

/// Paths reach plugins escaped; names on disk are what neighbours are asked for by.
std::string raw_name(std::string_view escaped) {
  const auto digit = [](char c) {
    return c >= '0' && c <= '9' ? c - '0' : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
  };
  std::string raw;
  for (std::size_t i = 0; i < escaped.size(); ++i) {
    const bool escape = escaped[i] == '%' && i + 2 < escaped.size() && digit(escaped[i + 1]) >= 0 &&
                        digit(escaped[i + 2]) >= 0;
    raw += escape ? static_cast<char>(digit(escaped[i + 1]) * 16 + digit(escaped[i + 2])) : escaped[i];
    if (escape) i += 2;
  }
  return raw;
}

/// Where in the path the thing that was put into the bin stands; npos if the path is not in a bin.
struct Place {
  enum class Kind { none, vista, info2, trash } kind = Kind::none;
  std::size_t thing = 0;  ///< index of the component
  std::string owner;      ///< SID, where the bin is one user's
};

Place place_of(const std::vector<std::string_view>& parts) {
  Place place;
  for (std::size_t i = 0; i + 1 < parts.size(); ++i) {
    const bool with_owner = i + 2 < parts.size();
    if (with_owner && same_letters(parts[i], "$Recycle.Bin") && parts[i + 2].starts_with("$R")) {
      return {Place::Kind::vista, i + 2, std::string(parts[i + 1])};
    }
    if (with_owner && same_letters(parts[i], "RECYCLER") && same_letters(parts[i + 2].substr(0, 1), "D")) {
      return {Place::Kind::info2, i + 2, std::string(parts[i + 1])};
    }
    if (same_letters(parts[i], "RECYCLED") && same_letters(parts[i + 1].substr(0, 1), "D")) {
      return {Place::Kind::info2, i + 1, ""};
    }
    const bool trash = parts[i] == "Trash" || parts[i].starts_with(".Trash");
    if (with_owner && trash && parts[i + 1] == "files") return {Place::Kind::trash, i + 2, ""};
  }
  return place;
}

std::string up(std::size_t levels) {
  std::string path;
  for (std::size_t i = 0; i < levels; ++i) path += "../";
  return path;
}

std::string time_text(std::int64_t microseconds) {
  std::time_t seconds = microseconds / 1'000'000 - (microseconds % 1'000'000 < 0 ? 1 : 0);
  struct tm parts {};
  if (::gmtime_r(&seconds, &parts) == nullptr) return "";
  char text[64];
  return std::string(text, std::strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S UTC", &parts));
}

/// A path may have 32,767 characters: in a title its end says most. The whole is in the detail.
std::string shortened(const std::string& path) {
  constexpr std::size_t kLongest = 400;
  if (path.size() <= kLongest) return path;
  std::size_t from = path.size() - kLongest;
  while (from < path.size() && (static_cast<unsigned char>(path[from]) & 0xc0) == 0x80) ++from;
  return "… " + path.substr(from);
}

class RecycleBin final : public Plugin {
 public:
  static constexpr Manifest kManifest{.name = "recyclebin",
                                      .version = "1.0",
                                      .summary = "Original path and time of what lies in recycle bins",
                                      .licence = "Apache-2.0",
                                      .roles = TS_ROLE_CLASSIFIER,
                                      .scope = TS_SCOPE_ITEM,
                                      .inputs = TS_INPUT_NONE,
                                      .name_globs = kNames};

  explicit RecycleBin(Setup& setup) { setup.declare_rule(kRule, "1", "Put into a recycle bin"); }

  ts_status begin(Job& job) override {
    const std::vector<std::string_view> parts = components_of(job.path());
    if (parts.empty()) return TS_DONE;
    const std::string name = raw_name(parts.back());
    if (const Place place = place_of(parts); place.kind != Place::Kind::none) {
      of_thing(job, parts, place);
    } else if (name.starts_with("$I")) {
      of_i_file(job, parts, name);
    } else if (same_letters(name, "INFO2")) {
      of_info2(job, parts);
    } else if (name.ends_with(".trashinfo")) {
      of_trashinfo(job, name);
    }
    return TS_DONE;
  }

 private:
  static std::vector<std::uint8_t> all_bytes(const Job& job, std::uint64_t limit) {
    std::vector<std::uint8_t> bytes(static_cast<std::size_t>(std::min(job.size(), limit)));
    const std::int64_t got = job.read_at(0, bytes);
    bytes.resize(got < 0 ? 0 : static_cast<std::size_t>(got));
    return bytes;
  }

  static std::string_view text_of(const std::vector<std::uint8_t>& bytes) {
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
  }

  static void emit(Job& job, const Deleted& deleted, const std::string& owner, const nlohmann::json& more,
                   const std::string& position) {
    nlohmann::json detail = {{"format", deleted.format}, {"original", deleted.original}};
    std::string when;
    if (deleted.at) {
      detail["deleted_at"] = *deleted.at;
      when = time_text(*deleted.at);
    } else if (!deleted.local_time.empty()) {
      detail["deleted_local"] = deleted.local_time;
      when = deleted.local_time + " (clock of the device)";
    }
    if (deleted.size) detail["size"] = *deleted.size;
    if (!owner.empty()) detail["owner"] = owner;
    if (deleted.gone) detail["gone"] = true;
    detail.update(more);
    constexpr auto kReplace = nlohmann::json::error_handler_t::replace;
    const std::string text = detail.dump(-1, ' ', false, kReplace);
    const std::string title =
        "Put into the recycle bin: " + shortened(deleted.original) + (when.empty() ? "" : ", " + when);
    job.emit_finding(1000, {.rule = kRule,
                            .category = "deleted",
                            .title = title,
                            .detail = text,
                            .position = position,
                            .record_kind = {},
                            .record_key = {}});
  }

  /// A file that was put into the bin, or that lies in a folder which was.
  static void of_thing(Job& job, const std::vector<std::string_view>& parts, const Place& place) {
    const std::string name = raw_name(parts[place.thing]);
    const std::size_t below = parts.size() - 1 - place.thing;
    std::optional<Deleted> deleted;
    std::string told_by;
    if (place.kind == Place::Kind::vista) {
      told_by = "$I" + name.substr(2);
      if (const auto bytes = job.neighbour(up(below) + told_by, kMaxSmall)) deleted = parse_i_file(*bytes);
    } else if (place.kind == Place::Kind::trash) {
      told_by = name + ".trashinfo";
      if (const auto bytes = job.neighbour(up(below + 1) + "info/" + told_by, kMaxSmall))
        deleted = parse_trashinfo(text_of(*bytes));
    } else {
      told_by = "INFO2";
      if (const auto bytes = job.neighbour(up(below) + told_by, kMaxInfo2))
        deleted = info2_record(*bytes, name);
    }
    if (!deleted) return;
    nlohmann::json more = {{"told_by", told_by}};
    if (below > 0) {
      // What was put into the bin is the folder: the rest of the path is as it was.
      const char separator = place.kind == Place::Kind::trash ? '/' : '\\';
      more["folder"] = deleted->original;
      for (std::size_t i = place.thing + 1; i < parts.size(); ++i)
        deleted->original += separator + raw_name(parts[i]);
      deleted->size.reset();
    }
    emit(job, *deleted, place.owner, more, "");
  }

  /// The record of Dc12.jpg: drive c, number 12.
  static std::optional<Deleted> info2_record(const std::vector<std::uint8_t>& bytes,
                                             const std::string& name) {
    const auto records = parse_info2(bytes);
    std::uint32_t number = 0;
    if (!records || name.size() < 3) return std::nullopt;
    const auto [rest, error] = std::from_chars(name.data() + 2, name.data() + name.size(), number);
    if (error != std::errc()) return std::nullopt;
    const char drive = static_cast<char>(name[1] | 0x20);
    for (const Deleted& record : *records) {
      if (record.index == number && record.drive == drive) return record;
    }
    return std::nullopt;
  }

  static void of_i_file(Job& job, const std::vector<std::string_view>& parts, const std::string& name) {
    if (job.size() > kMaxSmall) return;
    const auto deleted = parse_i_file(all_bytes(job, kMaxSmall));
    const bool in_bin = parts.size() >= 3 && same_letters(parts[parts.size() - 3], "$Recycle.Bin");
    if (!deleted) {
      if (in_bin) job.emit_problem("corrupt", "not a record of the recycle bin, or damaged");
      return;
    }
    const std::string thing = "$R" + name.substr(2);
    emit(job, *deleted, in_bin ? std::string(parts[parts.size() - 2]) : "",
         {{"tells_of", thing}, {"there", job.has_neighbour(thing)}}, "");
  }

  static void of_info2(Job& job, const std::vector<std::string_view>& parts) {
    const auto records = parse_info2(all_bytes(job, kMaxInfo2));
    if (!records) return;
    if (job.size() > kMaxInfo2) job.emit_problem("limit", "only the first 16 MiB of INFO2 are read");
    const bool owned = parts.size() >= 3 && same_letters(parts[parts.size() - 3], "RECYCLER");
    std::size_t number = 0;
    for (const Deleted& record : *records) {
      emit(job, record, owned ? std::string(parts[parts.size() - 2]) : "", {{"number", record.index}},
           "record " + std::to_string(++number));
    }
  }

  static void of_trashinfo(Job& job, const std::string& name) {
    if (job.size() > kMaxSmall) return;
    const auto bytes = all_bytes(job, kMaxSmall);
    const auto deleted = parse_trashinfo(text_of(bytes));
    if (!deleted) return;
    const std::string thing = name.substr(0, name.size() - std::string_view(".trashinfo").size());
    emit(job, *deleted, "", {{"tells_of", thing}}, "");
  }
};

}  // namespace
}  // namespace touchstone::recyclebin

TOUCHSTONE_PLUGIN(touchstone::recyclebin::RecycleBin)
