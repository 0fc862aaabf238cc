// Short ways to fill a case database, and to ask it: through a connection of its own, as any script would.
#pragma once

#include <gtest/gtest.h>

#include <string>

#include "casefile/case_writer.hpp"
#include "unit/evidence/scratch.hpp"

namespace touchstone::test {

/// Rows of a query on the writer's own connection: columns joined by "|", rows by ";", NULL as "-".
inline std::string rows(const Database& db, const std::string& sql) {
  std::string out;
  auto query = db.prepare(sql);
  while (query.step()) {
    if (!out.empty()) out += ';';
    for (int i = 0; i < query.columns(); ++i)
      out += (i ? "|" : "") + (query.is_null(i) ? std::string("-") : query.text(i));
  }
  return out;
}

class MadeCase {
 public:
  MadeCase() : writer(folder.path(".")) {
    writer.begin();
    exhibit = writer.add_exhibit("ABC/1", Role::suspect, "/evidence/phone.E01");
    Volume volume;
    volume.slot = "p0";
    volume.filesystem = "ext4";
    volume.state = VolumeState::read;
    writer.add_volume(exhibit, volume, unit());
  }
  std::int64_t unit(std::int64_t item_id = 0) {
    UnitRow row;
    row.exhibit_id = exhibit;
    row.item_id = item_id;
    row.spec = std::string("\0spec", 5);
    return writer.add_unit(row);
  }
  std::int64_t item(const std::string& path, std::int64_t unit_id, ItemState state = ItemState::pending,
                    ItemKind kind = ItemKind::file) {
    Item out;
    out.locator = "ABC/1:p0" + path + ";7";
    out.volume_slot = "p0";
    out.path = path;
    out.name = path.substr(path.rfind('/') + 1);
    out.kind = kind;
    return writer.add_item(out, exhibit, 0, state, "", unit_id);
  }
  Record message(const std::string& row) const {
    Record record;
    record.kind = "message";
    record.key = "message|ABC/1:p0/sms.db;7|sms|sms|" + row;
    record.fields = {{"app", std::string("sms")}, {"body", "body " + row}, {"sent", std::int64_t{1000}}};
    return record;
  }
  Finding finding(const std::string& rule) const {
    Finding out;
    out.key = "finding|keywords|" + rule;
    out.plugin = "keywords";
    out.plugin_version = "1";
    out.rule = rule;
    return out;
  }
  Problem problem(const std::string& key) const {
    Problem out;
    out.key = key;
    out.plugin = "pictures";
    out.message = "cut short";
    return out;
  }
  std::string ask(const std::string& sql) { return rows(writer.database(), sql); }

  Scratch folder;
  CaseWriter writer;
  std::int64_t exhibit = 0;
};

/// Digests that stand for different bytes, by one hexadecimal digit.
inline Digests digests(char digit) {
  return {std::string(32, digit), std::string(40, digit), std::string(64, digit)};
}

}  // namespace touchstone::test
