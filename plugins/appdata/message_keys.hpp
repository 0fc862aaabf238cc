// The keys of a database's messages, for attachments that come in a query of their own. Keys of numbered live
// messages follow from their numbers: a few bits each, whatever their number. One thread.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <unordered_map>

namespace touchstone::appdata {

class MessageKeys {
 public:
  /// Of several messages with one row the first counts. `numbered`: a live one whose row is a number.
  void add(const std::string& table, const std::string& row, const std::string& key, bool numbered);
  /// Empty for a message that is not known.
  std::string find(const std::string& table, const std::string& row) const;

  /// Keys that are kept whole; of more messages attachments still name table and row.
  static constexpr std::size_t kMaxMessageKeys = 1'000'000;

 private:
  struct Numbered {
    std::string stem;                                       ///< what stands before the row in a key
    std::unordered_map<std::uint64_t, std::uint64_t> rows;  ///< number / 64 → a bit each
  };
  std::map<std::string, Numbered> numbered_;           ///< by table
  std::unordered_map<std::string, std::string> kept_;  ///< table and row → key
};

}  // namespace touchstone::appdata
