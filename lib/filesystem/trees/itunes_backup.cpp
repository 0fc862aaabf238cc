#include "filesystem/trees/itunes_backup.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <ctime>

#include "filesystem/trees/itunes_plist.hpp"
#include "filesystem/trees/tree_file_system.hpp"

namespace touchstone {
namespace {

/// Folders of the root that are looked into for a backup.
constexpr std::size_t kMaxFolders = 64;

struct Folder {
  DirectoryRef at;
  std::vector<Entry> entries;

  const Entry* find(std::string_view name) const {
    const auto found = std::find_if(entries.begin(), entries.end(),
                                    [&](const Entry& each) { return each.name_raw == name; });
    return found == entries.end() ? nullptr : &*found;
  }
};

Folder list_folder(FileSystem& tree, const DirectoryRef& at) {
  // Its problems are told when the tree itself is listed.
  std::vector<Problem> ignored;
  Folder folder{at, {}};
  const auto keep = [&](Entry&& entry) {
    folder.entries.push_back(std::move(entry));
    return folder.entries.size() < 100'000;
  };
  (void)tree.list(at, keep, ignored);
  return folder;
}

bool all_hex(std::string_view text) {
  return !text.empty() && text.find_first_not_of("0123456789abcdefABCDEF") == std::string_view::npos;
}

/// 40 hex digits, or 8-16 since the iPhone XS; iTunes adds "-YYYYMMDD-HHMMSS" to copies that it archives.
bool is_device_name(std::string_view name) {
  const auto form = [](std::string_view id) {
    return (id.size() == 40 && all_hex(id)) ||
           (id.size() == 25 && id[8] == '-' && all_hex(id.substr(0, 8)) && all_hex(id.substr(9)));
  };
  return form(name) || (name.size() > 25 && name[25] == '-' && form(name.substr(0, 25))) ||
         (name.size() > 40 && name[40] == '-' && form(name.substr(0, 40)));
}

std::optional<std::vector<std::byte>> read_whole(FileSystem& tree, const Entry& entry, std::uint64_t limit) {
  if (!entry.has_content) return std::nullopt;
  auto source = tree.open(entry.address);
  if (!source || (*source)->size() > limit) return std::nullopt;
  std::vector<std::byte> bytes(static_cast<std::size_t>((*source)->size()));
  const auto got = (*source)->read_at(0, bytes);
  if (!got) return std::nullopt;
  bytes.resize(*got);
  return bytes;
}

std::optional<Plist> read_plist(FileSystem& tree, const Folder& folder, std::string_view name) {
  const Entry* entry = folder.find(name);
  auto bytes = entry ? read_whole(tree, *entry, kMaxPlist) : std::nullopt;
  if (!bytes) return std::nullopt;
  auto list = Plist::parse(std::move(*bytes));
  return list ? std::optional<Plist>(list.take()) : std::nullopt;
}

bool begins_with(FileSystem& tree, const Entry& entry, std::string_view magic) {
  auto source = entry.has_content ? tree.open(entry.address)
                                  : Result<std::unique_ptr<ByteSource>>(Error{ErrorCode::not_found, ""});
  std::string head(magic.size(), '\0');
  if (!source) return false;
  const auto got = (*source)->read_at(0, std::as_writable_bytes(std::span(head)));
  return got && *got == head.size() && head == magic;
}

/// Whether the folder is a backup by what lies in it, not by its own name.
bool is_backup(FileSystem& tree, const Folder& folder) {
  const Entry* database = folder.find("Manifest.db");
  const Entry* mbdb = folder.find("Manifest.mbdb");
  if (mbdb && begins_with(tree, *mbdb, "mbdb")) return true;
  if (!database) return false;
  if (const auto list = read_plist(tree, folder, "Manifest.plist"))
    return static_cast<bool>(list->root()["IsEncrypted"]) ||
           static_cast<bool>(list->root()["BackupKeyBag"]) || static_cast<bool>(list->root()["Lockdown"]);
  return begins_with(tree, *database, {"SQLite format 3\0", 16}) && folder.find("Info.plist");
}

std::string time_text(TimeUs time) {
  const auto seconds = static_cast<std::time_t>(time / 1'000'000);
  std::tm parts{};
  if (!gmtime_r(&seconds, &parts)) return {};
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}Z", parts.tm_year + 1900, parts.tm_mon + 1,
                     parts.tm_mday, parts.tm_hour, parts.tm_min, parts.tm_sec);
}

struct Fact {
  const char* key;
  const char* name;
};
constexpr Fact kInfo[] = {{"Device Name", "device_name"},
                          {"Display Name", "display_name"},
                          {"Product Name", "product_name"},
                          {"Product Type", "product_type"},
                          {"Product Version", "product_version"},
                          {"Build Version", "build_version"},
                          {"Serial Number", "serial_number"},
                          {"Unique Identifier", "device_id"},
                          {"Target Identifier", "device_id"},
                          {"IMEI", "imei"},
                          {"IMEI 2", "imei_2"},
                          {"MEID", "meid"},
                          {"ICCID", "iccid"},
                          {"Phone Number", "phone_number"},
                          {"Last Backup Date", "last_backup"},
                          {"iTunes Version", "itunes_version"}};
constexpr Fact kLockdown[] = {{"DeviceName", "device_name"},         {"ProductType", "product_type"},
                              {"ProductVersion", "product_version"}, {"BuildVersion", "build_version"},
                              {"SerialNumber", "serial_number"},     {"UniqueDeviceID", "device_id"}};
constexpr Fact kStatus[] = {
    {"IsFullBackup", "full_backup"}, {"BackupState", "backup_state"}, {"SnapshotState", "snapshot_state"},
    {"Version", "status_version"},   {"UUID", "backup_id"},           {"Date", "backup_date"}};
constexpr Fact kManifest[] = {{"Version", "manifest_version"},
                              {"Date", "manifest_date"},
                              {"WasPasscodeSet", "passcode_set"},
                              {"IsEncrypted", "encrypted"}};

std::string value_text(Plist::Value value) {
  if (const auto text = value.text()) return text->substr(0, text->size() > 1000 ? 0 : text->size());
  if (const auto flag = value.boolean()) return *flag ? "yes" : "no";
  if (const auto number = value.integer()) return std::to_string(*number);
  if (const auto time = value.date()) return time_text(*time);
  return {};
}

template <std::size_t N>
void take_facts(Plist::Value list, const Fact (&facts)[N], std::map<std::string, std::string>& metadata) {
  for (const Fact& fact : facts) {
    std::string text = value_text(list[fact.key]);
    if (!text.empty()) metadata.emplace(fact.name, std::move(text));
  }
}

ItunesBackup read_backup(FileSystem& tree, const Folder& folder) {
  ItunesBackup backup;
  backup.folder = folder.at;
  if (const Entry* entry = folder.find("Manifest.db")) {
    backup.database_address = entry->address;
    backup.database_size = entry->size;
  }
  if (const Entry* entry = folder.find("Manifest.mbdb")) {
    backup.mbdb_address = entry->address;
    backup.mbdb_size = entry->size;
  }
  const Entry* log = folder.find("Manifest.db-wal");
  backup.log_beside = log && log->size > 0;
  if (const auto info = read_plist(tree, folder, "Info.plist"))
    take_facts(info->root(), kInfo, backup.metadata);
  if (const auto list = read_plist(tree, folder, "Manifest.plist")) {
    take_facts(list->root()["Lockdown"], kLockdown, backup.metadata);
    take_facts(list->root(), kManifest, backup.metadata);
    backup.encrypted = list->root()["IsEncrypted"].boolean().value_or(false);
    const auto copy = [&](const char* key) {
      const auto bytes = list->root()[key].data().value_or(std::span<const std::byte>());
      return std::vector<std::byte>(bytes.begin(), bytes.end());
    };
    backup.keybag = copy("BackupKeyBag");
    backup.manifest_key = copy("ManifestKey");
  }
  if (const auto status = read_plist(tree, folder, "Status.plist"))
    take_facts(status->root(), kStatus, backup.metadata);
  if (const auto ios = backup.metadata.find("product_version"); ios != backup.metadata.end())
    backup.ios = ios->second;
  return backup;
}

std::string of_ios(const ItunesBackup& backup) {
  return backup.ios.empty() ? std::string() : " of iOS " + backup.ios;
}

}  // namespace

std::optional<ItunesBackup> find_itunes_backup(FileSystem& tree, std::vector<Problem>& problems) {
  const Folder root = list_folder(tree, {});
  if (is_backup(tree, root)) return read_backup(tree, root);
  std::vector<Folder> found;
  std::size_t looked_at = 0;
  for (const Entry& entry : root.entries) {
    if (!entry.descend || !is_device_name(entry.name_raw)) continue;
    if (++looked_at > kMaxFolders) break;
    Folder folder = list_folder(tree, root.at.child(entry));
    if (is_backup(tree, folder)) found.push_back(std::move(folder));
  }
  if (found.size() == 1) return read_backup(tree, found.front());
  if (found.size() > 1)
    problems.push_back(tree_problem(
        ProblemKind::unsupported, "",
        fmt::format("{} iTunes backups lie in it and are seen as plain files: give each of the folders as an "
                    "exhibit of its own",
                    found.size())));
  return std::nullopt;
}

Result<ItunesKeybag> unlock_itunes_backup(const ItunesBackup& backup, const Secrets& secrets) {
  const std::string what = "an encrypted iTunes backup" + of_ios(backup);
  auto keybag = ItunesKeybag::parse(backup.keybag);
  if (!keybag)
    return Error{keybag.error().code == ErrorCode::limit ? ErrorCode::limit : ErrorCode::encrypted,
                 fmt::format("{} that no password opens: {}", what, keybag.error().message)};
  const std::string how = fmt::format("its keys are protected by {}", keybag->describe());
  if (secrets.candidates.empty())
    return Error{ErrorCode::encrypted,
                 fmt::format("{}: it opens with the password of the backup, given with --password-file ({})",
                             what, how)};
  const auto most = static_cast<std::size_t>(std::max<std::uint64_t>(1, kMaxUnlockRounds / keybag->rounds()));
  const std::size_t tried = std::min(most, secrets.candidates.size());
  for (std::size_t i = 0; i < tried; ++i)
    if (keybag->unlock(secrets.candidates[i])) return keybag;
  std::string left;
  if (tried < secrets.candidates.size())
    left = fmt::format("; {} more were not tried, since each costs {} rounds: put this backup's first",
                       secrets.candidates.size() - tried, keybag->rounds());
  return Error{ErrorCode::encrypted,
               fmt::format("{}: {} ({}{})", what,
                           tried == 1 ? "the password given is not its password"
                                      : fmt::format("none of {} passwords given is its password", tried),
                           how, left)};
}

bool describe_itunes_backup(FileSystem& tree, const VolumeOptions& options, Volume& volume,
                            std::vector<Problem>& problems) {
  auto backup = find_itunes_backup(tree, problems);
  if (!backup) return false;
  volume.kind = backup->encrypted ? "iTunes backup, encrypted" : "iTunes backup";
  volume.filesystem = kItunesFileSystem;
  if (const auto name = backup->metadata.find("device_name"); name != backup->metadata.end())
    volume.label = name->second;
  volume.metadata = std::move(backup->metadata);
  if (!backup->encrypted) return true;
  if (auto keys = unlock_itunes_backup(*backup, options.secrets); !keys) {
    volume.state = VolumeState::encrypted;
    volume.reason = keys.error().message;
  }
  return true;
}

}  // namespace touchstone
