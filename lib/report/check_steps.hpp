// "How to check it with another tool": command lines for a person with The Sleuth Kit, libewf's tools,
// sqlite3 and bsdtar. Everything from evidence in them is one quoted word. Pure functions. Tools: icat(1),
// img_cat(1), ewfverify(1), sqlite3(1), bsdtar(1).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace touchstone::report {

struct CheckSubject {
  std::string exhibit_path, exhibit_format;
  std::string filesystem;  ///< of the volume
  std::string stored_as;   ///< path in the exhibit's tree, of a file that a backup keeps under another name
  std::string stored_md5;  ///< of the image, if it has one
  std::string locator;
  std::string wal_locator;                    ///< of the database's write-ahead log, if there is one
  std::optional<std::int64_t> volume_offset;  ///< bytes from the start of the exhibit
  std::string sha256;                         ///< of the item, if known
  std::string source_table, source_row;       ///< of a record
};

struct CheckStep {
  std::string text, command;
};

std::vector<CheckStep> check_steps(const CheckSubject& subject);

}  // namespace touchstone::report
