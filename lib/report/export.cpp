#include "report/export.hpp"

#include <algorithm>
#include <numeric>
#include <optional>
#include <string>
#include <vector>

#include "report/output.hpp"
#include "report/tables.hpp"
#include "report/text.hpp"

namespace touchstone::report {
namespace {

struct Column {
  std::string name;
  std::string as_json;  ///< the name and a colon
  bool json = false;
};

std::vector<Column> columns_of(const Statement& statement, std::string_view json_columns) {
  std::vector<Column> columns;
  for (int i = 0; i < statement.columns(); ++i) {
    Column column{statement.column_name(i), {}, false};
    append_json_string(column.as_json, column.name);
    column.as_json += ':';
    column.json = json_columns.find(" " + column.name + " ") != std::string_view::npos;
    columns.push_back(std::move(column));
  }
  return columns;
}

void append_value(std::string& line, const Value& value, bool json) {
  if (const auto* integer = std::get_if<std::int64_t>(&value)) {
    line += std::to_string(*integer);
  } else if (const auto* real = std::get_if<double>(&value)) {
    append_json_number(line, *real);
  } else if (const auto* text = std::get_if<std::string>(&value)) {
    if (!json || !append_canonical_json(line, *text)) append_json_string(line, *text);
  } else {
    line += "null";
  }
}

/// An absent value is an empty cell, an empty text is "".
void append_cell(std::string& line, const Value& value, bool json) {
  if (const auto* text = std::get_if<std::string>(&value)) {
    std::string canonical;
    line += csv_cell(json && append_canonical_json(canonical, *text) ? canonical : *text);
  } else if (!std::holds_alternative<std::monostate>(value)) {
    append_value(line, value, false);
  }
}

Status export_table(const Database& db, const TableExport& table, const std::filesystem::path& folder,
                    bool jsonl, bool csv) {
  Statement statement = db.prepare(table.sql);
  const auto columns = columns_of(statement, table.json_columns);
  std::vector<std::size_t> by_name(columns.size());
  std::iota(by_name.begin(), by_name.end(), 0);
  std::sort(by_name.begin(), by_name.end(),
            [&](auto a, auto b) { return columns[a].name < columns[b].name; });

  std::optional<OutputFile> json_file, csv_file;
  if (jsonl) json_file.emplace(folder / (std::string(table.name) + ".jsonl"));
  if (csv) csv_file.emplace(folder / (std::string(table.name) + ".csv"));
  std::string line;
  if (csv_file) {
    for (const auto& column : columns) {
      if (!line.empty()) line += ',';
      line += column.name;
    }
    line += '\n';
    csv_file->write(line);
  }
  std::vector<Value> row(columns.size());
  while (statement.step()) {
    for (std::size_t i = 0; i < row.size(); ++i) row[i] = statement.value(static_cast<int>(i));
    if (json_file) {
      line.assign(1, '{');
      for (const auto i : by_name) {
        if (line.size() > 1) line += ',';
        line += columns[i].as_json;
        append_value(line, row[i], columns[i].json);
      }
      line += "}\n";
      json_file->write(line);
    }
    if (csv_file) {
      line.clear();
      for (std::size_t i = 0; i < columns.size(); ++i) {
        if (i > 0) line += ',';
        append_cell(line, row[i], columns[i].json);
      }
      line += '\n';
      csv_file->write(line);
    }
  }
  if (json_file) {
    if (auto status = json_file->finish(); !status) return status;
  }
  return csv_file ? csv_file->finish() : Status{};
}

}  // namespace

Status export_tables(const Database& db, const std::filesystem::path& folder, bool jsonl, bool csv) {
  if (!jsonl && !csv) return {};
  for (const auto& table : exported_tables()) {
    if (auto status = export_table(db, table, folder, jsonl, csv); !status) return status;
  }
  return {};
}

}  // namespace touchstone::report
