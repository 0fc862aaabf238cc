#include "report/check_steps.hpp"

#include <algorithm>

#include "model/locator.hpp"
#include "report/text.hpp"

namespace touchstone::report {
namespace {

constexpr std::int64_t kSectorSize = 512;  // the unit of TSK's -o

std::string lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  return text;
}

bool is_tree(const std::string& format) {
  return format == "folder" || format == "directory" || format == "tree";
}
bool is_archive(const std::string& format) {
  return format == "zip" || format == "tar";
}

std::string raw_path(const std::string& escaped) {
  const auto raw = unescape_path(escaped);
  return raw ? *raw : escaped;
}

/// A path as an argument: one that starts with "-" must not look like an option.
std::string path_argument(const std::string& path) {
  return shell_quote(path.starts_with('-') ? "./" + path : path);
}

/// bsdtar takes names as patterns.
std::string as_pattern(const std::string& name) {
  std::string out;
  for (const char c : name) {
    if (c == '*' || c == '?' || c == '[' || c == ']' || c == '\\') out += '\\';
    out += c;
  }
  return out;
}

std::string member_name(std::string path) {
  path = raw_path(path);
  if (path.starts_with('/')) path.erase(0, 1);
  return as_pattern(path);
}

std::string range(std::uint64_t offset, std::uint64_t length) {
  return " | tail -c +" + std::to_string(offset + 1) + " | head -c " + std::to_string(length);
}

/// A command that writes the bytes of the first step to its standard output.
std::string first_source(const CheckSubject& subject, LocatorStep step) {
  const std::string image = path_argument(subject.exhibit_path);
  if (subject.filesystem == "itunes_backup") {
    constexpr std::string_view kRawFiles = "/$BackupFiles";
    if (step.path.starts_with(std::string(kRawFiles) + '/')) {
      step.path.erase(0, kRawFiles.size());
    } else if (!subject.stored_as.empty()) {
      step.path = '/' + escape_path(subject.stored_as);
    } else {
      return {};  // encrypted in the backup: no command of these tools decrypts it
    }
  }
  if (is_tree(subject.exhibit_format))
    return "cat -- " + shell_quote(subject.exhibit_path + raw_path(step.path));
  if (is_archive(subject.exhibit_format)) {
    return "bsdtar -xOf " + image + " -- " + shell_quote(member_name(step.path));
  }
  const std::int64_t offset = subject.volume_offset.value_or(0);
  // A disc's paths have no addresses: The Sleuth Kit does not know the names that Rock Ridge gives.
  if (subject.filesystem == "iso9660" && step.address.empty() && !step.path.empty()) {
    std::string command = "img_cat " + image;
    if (offset > 0) command += " | tail -c +" + std::to_string(offset + 1);
    command += " | bsdtar -xOf - -- " + shell_quote(member_name(step.path));
    return step.offset ? command + range(*step.offset, step.length) : command;
  }
  if (step.address.empty()) {
    if (!step.offset) return {};
    return "img_cat " + image + range(static_cast<std::uint64_t>(offset) + *step.offset, step.length);
  }
  std::string command = step.slack ? "icat -s" : "icat";
  if (offset > 0) command += " -o " + std::to_string(offset / kSectorSize);
  command += " " + image + " " + shell_quote(step.address);
  if (step.offset) command += range(*step.offset, step.length);
  return command;
}

std::string source_of(const CheckSubject& subject, const Locator& locator) {
  if (locator.steps.empty()) return {};
  std::string source = first_source(subject, locator.steps.front());
  for (std::size_t i = 1; i < locator.steps.size() && !source.empty(); ++i) {
    const LocatorStep& step = locator.steps[i];
    // A volume inside an item has to be opened as an image of its own, which one pipe cannot say.
    if (!step.volume.empty()) return {};
    if (!step.path.empty()) source += " | bsdtar -xOf - -- " + shell_quote(member_name(step.path));
    if (step.offset) source += range(*step.offset, step.length);
  }
  return source;
}

std::string row_condition(const std::string& row) {
  const bool number = !row.empty() && row.find_first_not_of("0123456789") == std::string::npos;
  return "rowid = " + (number ? row : sql_literal(row));
}

}  // namespace

std::vector<CheckStep> check_steps(const CheckSubject& subject) {
  std::vector<CheckStep> steps;
  const std::string format = lower(subject.exhibit_format);
  const std::string image = path_argument(subject.exhibit_path);
  if (format == "e01" || format == "ewf" || !subject.stored_md5.empty()) {
    steps.push_back({"Check the image against the hash stored in it", "ewfverify " + image});
  }
  CheckSubject lowered = subject;
  lowered.exhibit_format = format;
  const auto locator = Locator::parse(subject.locator);
  const std::string source = locator ? source_of(lowered, *locator) : std::string();
  if (source.empty()) return steps;
  if (subject.sha256.empty()) {
    steps.push_back({"Read the bytes", source + " | sha256sum"});
  } else {
    steps.push_back(
        {"Read the file and compare its SHA-256 with " + subject.sha256, source + " | sha256sum"});
  }
  if (!subject.source_table.empty()) {
    const std::string sql = "SELECT * FROM " + sql_identifier(subject.source_table) + " WHERE " +
                            row_condition(subject.source_row);
    steps.push_back({"Copy the database out", source + " > evidence.db"});
    const auto wal = Locator::parse(subject.wal_locator);
    const std::string wal_source = wal ? source_of(lowered, *wal) : std::string();
    // Without the log beside it, rows that were not yet moved into the database are not seen.
    if (!wal_source.empty())
      steps.push_back({"Copy its write-ahead log out", wal_source + " > evidence.db-wal"});
    steps.push_back({"Read the row this comes from", "sqlite3 evidence.db " + shell_quote(sql)});
  }
  return steps;
}

}  // namespace touchstone::report
