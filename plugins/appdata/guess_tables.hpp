// The tables of a database that no definition reads, as far as they may hold messages, and where in them a
// text, a time and a party may stand: in columns of their own, in the table that a row refers to (a text
// whose time and sender stand in another table), or in the members of JSON that a column holds. Each such
// place is an SQL expression, so that all are looked at and read in the same way. One thread.
#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>
#include <touchstone/plugin.hpp>
#include <vector>

#include "content/sqlite/table_shape.hpp"
#include "guess_names.hpp"

namespace touchstone::appdata {

struct GuessPlace {
  std::string name;                        ///< in words: a column, TABLE.column, or "column $.member"
  std::string column;                      ///< the bare column's name; of JSON the member's path
  std::string sql;                         ///< over the aliases `m` (the table) and `j` (what it refers to)
  std::shared_ptr<const std::string> ddl;  ///< CREATE TABLE of the column's own table
  ColumnGuess guess;
};

struct GuessTable {
  sqlite::TableShape shape;
  std::shared_ptr<const std::string> ddl;
  std::string joins;    ///< " LEFT JOIN … j ON …" of a table whose rows refer to another's
  std::string joined;   ///< the other table, folded
  bool named = false;   ///< for messages
  bool shadow = false;  ///< what a full-text index keeps of another table
  std::vector<GuessPlace> places;

  bool has(ColumnRole role) const;
  /// Whether a text, a time and a party may be in it.
  bool may_hold_messages() const;
};

struct GuessTables {
  std::map<std::string, sqlite::TableShape> all;  ///< folded name → what it looks like
  std::vector<GuessTable> plain, joined, json;    ///< those that may hold messages, by where they do
};

/// Tables named in `skip` (folded) are left out; with `only`, all but those (what rows refer to may be any).
GuessTables find_guess_tables(Job& job, const std::set<std::string>& skip, const std::set<std::string>* only);

}  // namespace touchstone::appdata
