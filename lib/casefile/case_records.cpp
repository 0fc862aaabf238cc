// Records of plugins as rows of their tables.
#include <fmt/format.h>

#include <functional>
#include <map>
#include <string>

#include "casefile/case_writer.hpp"
#include "model/locator.hpp"

namespace touchstone {
namespace {

void bind_field(Statement& insert, int index, const Value* value) {
  if (!value) {
    insert.bind_null(index);
  } else if (const auto* text = std::get_if<std::string>(value)) {
    insert.bind_unowned(index, *text);
  } else {
    insert.bind(index, *value);
  }
}

}  // namespace

CaseWriter::RecordTable::Column CaseWriter::record_column(const std::string& name) {
  using Source = RecordTable::Source;
  static const std::map<std::string, Source, std::less<>> ours = {{"key", Source::key},
                                                                  {"item_id", Source::item},
                                                                  {"source_item_id", Source::item},
                                                                  {"content_id", Source::content},
                                                                  {"plugin", Source::plugin},
                                                                  {"unit_id", Source::unit}};
  const auto found = ours.find(name);
  return {name == "thread" ? "conversation" : name, found == ours.end() ? Source::field : found->second, 0};
}

/// Records of a kind mostly have their fields at the same places.
const Value* CaseWriter::find_field(const Record& record, RecordTable::Column& column) {
  const auto& fields = record.fields;
  if (column.usual < fields.size() && fields[column.usual].first == column.field)
    return &fields[column.usual].second;
  for (std::size_t i = 0; i < fields.size(); ++i) {
    if (fields[i].first != column.field) continue;
    column.usual = i;
    return &fields[i].second;
  }
  return nullptr;
}

CaseWriter::RecordTable* CaseWriter::record_table(const std::string& kind) {
  const auto found = tables_.find(kind);
  return found == tables_.end() ? nullptr : &found->second;
}

void CaseWriter::add_record(const Record& record, std::int64_t item_id, std::int64_t content_id,
                            std::string_view plugin, std::int64_t unit_id) {
  RecordTable* table = record_table(record.kind);
  if (!table) return;
  Statement& insert = *table->insert;
  for (std::size_t i = 0; i < table->columns.size(); ++i) {
    RecordTable::Column& column = table->columns[i];
    const int index = static_cast<int>(i) + 1;
    switch (column.source) {
      case RecordTable::Source::key:
        insert.bind_unowned(index, record.key);
        break;
      case RecordTable::Source::item:
        insert.bind(index, item_id);
        break;
      case RecordTable::Source::content:
        insert.bind(index, content_id);
        break;
      case RecordTable::Source::plugin:
        insert.bind_unowned(index, plugin);
        break;
      case RecordTable::Source::unit:
        insert.bind(index, unit_id);
        break;
      case RecordTable::Source::field:
        bind_field(insert, index, find_field(record, column));
    }
  }
  try {
    insert.run();
  } catch (const CaseError& error) {
    // A value of the wrong type for its column (STRICT tables): the row is refused, not the run.
    insert.reset();
    if (error.sqlite_code != SQLITE_CONSTRAINT) throw;
    Problem problem;
    problem.key = join_key({"problem", record.key, "refused"});
    problem.plugin = plugin;
    problem.kind = ProblemKind::corrupt;
    problem.message = fmt::format("a {} was refused: {}", record.kind, error.what());
    add_problem(problem, item_id, 0, 0, unit_id);
  }
}

}  // namespace touchstone
