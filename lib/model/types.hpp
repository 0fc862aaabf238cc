// The nouns of docs/architecture.md as plain structs. No I/O, no ownership beyond values, no thread rules.
// Times are microseconds since 1970-01-01 UTC, absent where unknown. Text from evidence is kept exactly as
// found when it is valid UTF-8 and with each invalid byte as U+FFFD otherwise; the exact bytes are in `path`
// by percent-escapes (locator.hpp).
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace touchstone {

using TimeUs = std::int64_t;

/// How certain a row's times are. Stored as text: see to_text().
enum class TimeBasis { utc, offset, assumed };

/// What an exhibit is to the case; decides the scope rules.
enum class Role { suspect, complainant, witness, unknown };

enum class ItemKind {
  file,
  directory,
  link,
  stream,
  attachment,
  member,
  carved,
  slack,
  unallocated,
  virtual_
};

/// What became of an item. Every item ends in exactly one; the order is from best to worst.
enum class ItemState { pending, examined, partly_examined, timed_out, failed, encrypted, unsupported };

enum class VolumeState { read, partly_read, encrypted, unsupported, corrupt, unallocated };

enum class ProblemKind {
  crash,
  timeout,
  memory,
  limit,
  corrupt,
  encrypted,
  unsupported,
  unknown_schema,
  integrity,
  unreadable,
  sandbox,
  model_missing
};

/// The names used in the case database, JSON and rule files. Each has a parse_ counterpart.
const char* to_text(TimeBasis value);
const char* to_text(Role value);
const char* to_text(ItemKind value);
const char* to_text(ItemState value);
const char* to_text(VolumeState value);
const char* to_text(ProblemKind value);
std::optional<Role> parse_role(std::string_view text);
std::optional<ItemKind> parse_item_kind(std::string_view text);
std::optional<ItemState> parse_item_state(std::string_view text);
std::optional<ProblemKind> parse_problem_kind(std::string_view text);
std::optional<TimeBasis> parse_time_basis(std::string_view text);

/// The four times a file system may keep. `basis` holds for all of them.
struct Times {
  std::optional<TimeUs> created, modified, accessed, changed;
  TimeBasis basis = TimeBasis::utc;
};

/// Digests of the same bytes, lower-case hex; empty where not computed.
struct Digests {
  std::string md5, sha1, sha256;
  bool operator==(const Digests&) const = default;
};

/// A partition or pool volume as found on an exhibit.
struct Volume {
  std::string slot;          ///< VOLUME part of a locator: p0, p2, p3.1 …
  std::string parent_slot;   ///< of the volume it lies in; empty at the top
  std::uint64_t offset = 0;  ///< bytes from the start of the exhibit
  std::uint64_t size = 0;    ///< bytes
  std::string kind;          ///< as the partition table describes it, e.g. "NTFS / exFAT (0x07)"
  std::string filesystem;    ///< ntfs, ext4, btrfs …; empty if nothing was recognised
  std::string label;
  std::string layer;  ///< how its bytes are reached where it is no simple range: "apfs", "lvm2" …; else empty
  VolumeState state = VolumeState::unallocated;
  std::string reason;  ///< why it is not simply `read`
  /// What it says of the device it came from: name, model, serial number … Added to the exhibit's metadata.
  std::map<std::string, std::string> metadata;
};

/// A name on an exhibit with what it leads to. `locator` is its identity everywhere outside case.db.
struct Item {
  std::string locator;
  std::string parent;  ///< locator of the directory or container; empty at a volume's root
  std::string volume_slot;
  std::string path;  ///< slash-separated from the volume's root, percent-escaped as in the locator
  std::string name;  ///< last component, valid UTF-8
  ItemKind kind = ItemKind::file;
  bool allocated = true;
  std::uint64_t size = 0;
  Times times;
  std::string detail;  ///< canonical JSON of further facts: owner, mode, link target, recovered …
};

/// One cell of a record. Booleans are integers.
using Value = std::variant<std::monostate, std::int64_t, double, std::string>;

/// Something with meaning extracted from an item: a row for the table `kind` of the case database.
struct Record {
  std::string
      kind;  ///< message call contact account location visit event note picture video document attachment
  std::string key;  ///< unique in the case; made by the host from locator, source and ordinal
  std::vector<std::pair<std::string, Value>> fields;  ///< column → value
  const Value* find(std::string_view column) const;
};

/// What a classifier claims, of a content (item empty) or of an item or a record of it.
struct Finding {
  std::string key;
  std::string content_sha256;  ///< set when the claim depends on bytes alone
  std::string item;            ///< locator; set when it depends on the place, or names the record's item
  std::string record_kind, record_key;
  std::string plugin, plugin_version, rule, category, title, detail;
  int confidence = 0;    ///< 0–1000
  std::string position;  ///< where exactly: "offset 4096 length 12", "message body 3-9" …
};

/// A limit hit, a crash, a damaged structure: recorded, counted and shown, never silent.
struct Problem {
  std::string key;
  std::string exhibit;         ///< reference
  std::string item;            ///< locator, or empty
  std::string content_sha256;  ///< set when it depends on bytes alone
  std::string plugin;          ///< or "evidence", "filesystem", "content"
  ProblemKind kind = ProblemKind::corrupt;
  std::string message;
};

}  // namespace touchstone
