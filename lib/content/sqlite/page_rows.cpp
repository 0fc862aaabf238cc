#include "content/sqlite/page_rows.hpp"

#include <algorithm>
#include <map>
#include <set>

namespace touchstone::sqlite {
namespace {

using Kind = SqlValue::Kind;

std::string fold(std::string_view name) {
  std::string result(name);
  for (char& c : result)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return result;
}

std::string quoted(std::string_view name) {
  std::string result = "\"";
  for (const char c : name) result.append(c == '"' ? 2 : 1, c);
  return result + '"';
}

bool is_same_table(const TableShape& a, const TableShape& b) {
  return fold(a.name) == fold(b.name) && a.without_rowid == b.without_rowid &&
         std::equal(a.columns.begin(), a.columns.end(), b.columns.begin(), b.columns.end(),
                    [](const Column& x, const Column& y) {
                      return fold(x.name) == fold(y.name) && x.affinity == y.affinity;
                    });
}

SqlValue value_of(const EvidenceQuery& query, std::size_t column) {
  switch (query.type(column)) {
    case EvidenceQuery::Type::integer:
      return {Kind::integer, query.integer(column), 0, {}};
    case EvidenceQuery::Type::real:
      return {Kind::real, 0, query.real(column), {}};
    case EvidenceQuery::Type::text:
      return {Kind::text, 0, 0, std::string(query.bytes(column))};
    case EvidenceQuery::Type::blob:
      return {Kind::blob, 0, 0, std::string(query.bytes(column))};
    case EvidenceQuery::Type::null:
      break;
  }
  return {};
}

/// A column that cannot be named as such in SQL (a zero in it) makes the query fail: then nothing is
/// compared.
std::string select_row(const TableShape& shape) {
  std::string sql = "SELECT ";
  for (std::size_t i = 0; i < shape.columns.size(); ++i) {
    if (i > 0) sql += ", ";
    sql += quoted(shape.columns[i].name);
  }
  sql += " FROM " + quoted(shape.name) + " WHERE ";
  sql += shape.row_id_column ? quoted(shape.columns[*shape.row_id_column].name) : "rowid";
  return sql + " = ?1";
}

/// How two states of a row compare: values known of both that say something, and those that are the same.
struct Likeness {
  std::size_t said = 0, same = 0;
  bool equal = true;
};
Likeness compare(const TableShape& shape, const RecoveredRow& row, const std::vector<SqlValue>& live) {
  Likeness result;
  for (std::size_t i = 0; i < live.size() && i < row.values.size(); ++i) {
    if (!row.known[i] || i == shape.row_id_column) continue;
    const bool same = row.values[i] == live[i];
    result.equal = result.equal && same;
    // Zeros and ones are the same in rows that have nothing to do with each other.
    const SqlValue& value = row.values[i];
    if (value.kind == Kind::null ||
        (value.kind == Kind::integer && value.integer >= -1 && value.integer <= 9))
      continue;
    ++result.said;
    if (same) ++result.same;
  }
  return result;
}

}  // namespace

std::vector<TableShape> shapes_of(EvidenceDatabase& database, std::size_t limit) {
  std::vector<TableShape> shapes;
  auto query = database.query(
      "SELECT name, sql FROM sqlite_schema WHERE type = 'table' AND length(sql) < 1000000 ORDER BY rowid",
      {});
  while (query && shapes.size() < limit) {
    const auto row = (*query)->step();
    if (!row || !*row) break;
    auto shape = parse_create_table((*query)->bytes(1));
    if (shape && fold(shape->name) == fold((*query)->bytes(0)) && !fold(shape->name).starts_with("sqlite_"))
      shapes.push_back(std::move(*shape));
  }
  return shapes;
}

Result<std::vector<Recovery>> recover_pages_of(ByteSource& pages,
                                               const std::vector<std::vector<TableShape>>& schemas,
                                               const RecoverySettings& settings) {
  std::vector<TableShape> all;
  std::vector<std::size_t> of;  // which schema each is of
  for (std::size_t i = 0; i < schemas.size(); ++i) {
    for (const TableShape& shape : schemas[i]) {
      const auto same = [&](const TableShape& other) { return is_same_table(other, shape); };
      if (std::any_of(all.begin(), all.end(), same)) continue;
      all.push_back(shape);
      of.push_back(i);
    }
  }
  auto found = recover_pages(pages, 0, std::move(all), settings);
  if (!found) return found.error();
  // In front stands the schema table itself, behind the given ones those of the pages' own.
  of.insert(of.begin(), schemas.size());
  of.resize(found->shapes.size(), schemas.size());
  std::vector<Recovery> result(schemas.size() + 1);
  std::vector<std::size_t> place(found->shapes.size());
  for (std::size_t i = 0; i < found->shapes.size(); ++i) {
    place[i] = result[of[i]].shapes.size();
    found->shapes[i].dropped = false;
    result[of[i]].shapes.push_back(std::move(found->shapes[i]));
  }
  for (RecoveredRow& row : found->rows) {
    const std::size_t shape = row.shape;
    row.shape = place[shape];
    result[of[shape]].rows.push_back(std::move(row));
  }
  result.back().problems = std::move(found->problems);
  return result;
}

void add_live_rows(Recovery& recovery, EvidenceDatabase& database) {
  std::vector<RecoveredRow> live, rest;
  std::set<std::pair<std::size_t, std::int64_t>> added;
  for (RecoveredRow& row : recovery.rows) {
    const TableShape& shape = recovery.shapes[row.shape];
    std::vector<SqlValue> values;
    if (row.row_id && !shape.without_rowid) {
      auto query = database.query(select_row(shape), {*row.row_id});
      const auto there = query ? (*query)->step() : Result<bool>(false);
      if (there && *there) {
        values.reserve(shape.columns.size());
        for (std::size_t i = 0; i < shape.columns.size(); ++i) values.push_back(value_of(**query, i));
      }
    }
    if (!values.empty()) {
      const Likeness likeness = compare(shape, row, values);
      if (likeness.equal) continue;
      row.older_version = likeness.same * 2 > likeness.said;
      if (added.emplace(row.shape, *row.row_id).second) {
        RecoveredRow standing;
        standing.shape = row.shape;
        standing.row_id = row.row_id;
        standing.known.assign(values.size(), true);
        standing.values = std::move(values);
        standing.source = RowSource::live_row;
        standing.confidence = 1001;  // before all others
        live.push_back(std::move(standing));
      }
    }
    rest.push_back(std::move(row));
  }
  recovery.rows = std::move(live);
  std::move(rest.begin(), rest.end(), std::back_inserter(recovery.rows));
}

}  // namespace touchstone::sqlite
