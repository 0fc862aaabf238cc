// What the name of a column says of what stands in it, for databases that no definition describes: which may
// hold a message's text, its time, who wrote it, whom it went to, and in which conversation. Names are taken
// apart into words ("sender_jid_row_id", "createdAt", Core Data's "ZFROMJID"); the lists are of words that
// messengers use. Pure functions; any thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace touchstone::appdata {

/// The words of a name, in lower case.
std::vector<std::string> words_of(std::string_view name);

enum class ColumnRole : std::uint8_t {
  none,
  text,          ///< what was written
  time,          ///< when
  sender,        ///< who wrote it
  other_party,   ///< with whom: sender or recipient, which a direction tells
  recipient,     ///< to whom
  conversation,  ///< a thread's number or name
  outgoing,      ///< 1 where the owner wrote it
  incoming,      ///< 0 where the owner wrote it
  direction      ///< in words
};

struct ColumnGuess {
  ColumnRole role = ColumnRole::none;
  int rank = 0;  ///< of several columns with a role the highest is meant
};
ColumnGuess guess_column(std::string_view name);

/// Whether the table says in its name that it has messages.
bool is_named_for_messages(std::string_view table);
/// Whether names of a table or a column speak of a log of programs, of feeds or of what is only a copy.
bool speaks_of_other_things(std::string_view table, const std::vector<std::string>& columns);

/// A text of such a column alone makes no messages.
constexpr int kWeakRank = 50;

}  // namespace touchstone::appdata
