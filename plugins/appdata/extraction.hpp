// One database of an app, by its definition: chooses the schema version, runs the queries, emits the records.
// One thread; borrows everything for the length of run().
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <touchstone/plugin.hpp>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "fields.hpp"
#include "rules/app_definition.hpp"
#include "schema.hpp"

namespace touchstone::appdata {

class Extraction {
 public:
  Extraction(Job& job, const AppDefinition& app, const AppSource& source)
      : job_(&job), app_(&app), source_(&source) {}
  void run();

 private:
  struct Columns;
  const AppVersion* choose_version();
  void note_messages_with_attachments(const AppVersion& version);
  void run_query(const AppQuery& query, const AppVersion& version);
  void emit_row(const AppQuery& query, Query& rows, const Columns& columns);
  void emit_own_attachment(const AppQuery& query, Query& rows, const Columns& columns, const std::string& row,
                           const std::string& message_key);
  void tell(const AppQuery& query, const Columns& columns, std::uint64_t rows);

  Job* job_;
  const AppDefinition* app_;
  const AppSource* source_;
  Schema schema_;
  FieldMaker maker_;
  std::unordered_set<std::uint64_t> wanted_;                   ///< hashes of messages that have attachments
  std::unordered_map<std::string, std::string> message_keys_;  ///< of those: table and row → key
};

}  // namespace touchstone::appdata
