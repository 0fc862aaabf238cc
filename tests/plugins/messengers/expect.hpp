// What a definition that is shipped makes of a database that the test makes.
#pragma once

#include <gmock/gmock.h>

#include <string>
#include <vector>

#include "plugins/appdata/made_app.hpp"

namespace touchstone::test {

inline Outcome read_app(const std::string& app, const std::string& sql, const std::string& path) {
  const auto host = shipped_apps({app});
  if (!host) {
    ADD_FAILURE() << "the plugin does not load";
    return {};
  }
  Outcome outcome = host->examine(database_item(made_database(sql), path));
  EXPECT_THAT(outcome.problems, ::testing::IsEmpty());
  return outcome;
}

/// The fields of one record, in the order of `names`.
inline std::vector<std::string> fields(const Outcome& outcome, std::string_view kind, const std::string& row,
                                       const std::vector<std::string>& names) {
  const auto records = by_row(outcome, kind);
  const auto found = records.find(row);
  if (found == records.end()) return {"no " + std::string(kind) + " " + row};
  std::vector<std::string> result;
  result.reserve(names.size());
  for (const std::string& name : names) result.push_back(field(found->second, name));
  return result;
}

/// conversation, sent, direction, sender, body.
inline std::vector<std::string> said(const Outcome& outcome, const std::string& row) {
  return fields(outcome, "message", row, {"conversation", "sent", "direction", "sender", "body"});
}

using Fields = std::vector<std::string>;

}  // namespace touchstone::test
