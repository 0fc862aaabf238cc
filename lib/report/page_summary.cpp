// The front page: what matters and why, which exhibit first, what is incomplete.
#include <algorithm>
#include <tuple>

#include "report/chunks.hpp"
#include "report/page_parts.hpp"

namespace touchstone::report {
namespace {

using nlohmann::json;

constexpr int kTopLeads = 6;
constexpr int kVolumesNamed = 20;

json exhibits(const Database& db) {
  json list = json::array();
  Statement exhibit = db.prepare(
      "SELECT id, ref, role, path, format, size, verified, stored_md5 IS NOT NULL OR stored_sha1 IS NOT NULL "
      "AS stored"
      " FROM exhibit ORDER BY ref");
  Statement states = db.prepare("SELECT state, count(*) FROM item WHERE exhibit_id = ?1 GROUP BY state");
  Statement scope = db.prepare("SELECT coalesce(sum(items), 0) FROM out_of_scope WHERE exhibit_id = ?1");
  Statement leads = db.prepare(
      "SELECT p.lane, p.band, count(*), max(p.score), min(p.place) FROM page_lead p JOIN item i ON i.id = "
      "p.item_id"
      " WHERE i.exhibit_id = ?1 GROUP BY p.lane, p.band");
  while (exhibit.step()) {
    json row = row_object(exhibit);
    row.erase("id");
    const std::int64_t id = exhibit.integer(0);
    json counts = json::object(), bands = json::object();
    std::int64_t total = 0, best = 0;
    states.reset();
    for (states.bind(1, id); states.step(); total += states.integer(1))
      counts[states.text(0)] = states.integer(1);
    scope.reset();
    scope.bind(1, id).step();
    leads.reset();
    for (leads.bind(1, id); leads.step();) {
      bands[leads.text(0)][leads.text(1)] = leads.integer(2);
      if (leads.text(0) == "towards") best = std::max(best, leads.integer(3));
    }
    row.update({{"counts", counts},
                {"items", total},
                {"out_of_scope", scope.integer(0)},
                {"bands", bands},
                {"best", best}});
    list.push_back(std::move(row));
  }
  return list;
}

std::int64_t band_count(const json& exhibit, const char* band) {
  const json lane = exhibit["bands"].value("towards", json::object());
  return lane.value(band, std::int64_t{0});
}

/// Which device first: by its best lead, then by how many strong ones it holds.
void order_exhibits(json& list) {
  const auto rank = [](const json& e) {
    return std::tuple(-e["best"].get<std::int64_t>(), -band_count(e, "critical"), -band_count(e, "high"),
                      -band_count(e, "medium"), -band_count(e, "low"), e["ref"].get<std::string>());
  };
  std::sort(list.begin(), list.end(), [&](const json& a, const json& b) { return rank(a) < rank(b); });
}

json top_leads(const Database& db, const char* lane) {
  // The time shown is that of what the lead is about; a database's own times say nothing of a record in it.
  Statement lead = db.prepare(R"(
    SELECT p.place, l.key, l.subject_kind AS kind, l.band, l.score, l.title, l.reasons, l.places, i.name, i.locator,
      e.ref AS exhibit, m.sender, m.body, m.direction, (SELECT count(*) FROM page_inside x WHERE x.place = p.place) AS inside,
      CASE l.subject_kind WHEN 'message' THEN coalesce(m.sent, m.received) WHEN 'conversation' THEN NULL
        WHEN 'location' THEN (SELECT taken FROM location WHERE id = l.subject_id)
        WHEN 'call' THEN (SELECT started FROM call WHERE id = l.subject_id)
        WHEN 'visit' THEN (SELECT visited FROM visit WHERE id = l.subject_id)
        WHEN 'event' THEN (SELECT coalesce(starts, ends) FROM event WHERE id = l.subject_id)
        WHEN 'note' THEN (SELECT coalesce(modified, created) FROM note WHERE id = l.subject_id)
        ELSE coalesce((SELECT taken FROM picture WHERE id = l.item_id), i.modified) END AS time,
      CASE l.subject_kind WHEN 'message' THEN m.time_basis WHEN 'conversation' THEN NULL
        WHEN 'location' THEN (SELECT time_basis FROM location WHERE id = l.subject_id)
        WHEN 'call' THEN (SELECT time_basis FROM call WHERE id = l.subject_id)
        WHEN 'visit' THEN (SELECT time_basis FROM visit WHERE id = l.subject_id)
        WHEN 'event' THEN (SELECT time_basis FROM event WHERE id = l.subject_id)
        WHEN 'note' THEN (SELECT time_basis FROM note WHERE id = l.subject_id)
        ELSE coalesce((SELECT time_basis FROM picture WHERE id = l.item_id AND taken IS NOT NULL), i.time_basis) END AS basis
    FROM page_lead p JOIN lead l ON l.id = p.id LEFT JOIN item i ON i.id = l.item_id LEFT JOIN exhibit e ON e.id = i.exhibit_id
    LEFT JOIN message m ON l.subject_kind = 'message' AND m.id = l.subject_id
    WHERE p.lane = ?1 AND p.id NOT IN (SELECT id FROM page_inside) ORDER BY p.place LIMIT ?2)");
  lead.bind(1, lane).bind(2, kTopLeads);
  json list = json::array();
  while (lead.step()) {
    json row = row_object(lead);
    row["reasons"] = parsed(row.value("reasons", "[]"));
    list.push_back(std::move(row));
  }
  return list;
}

class Warnings {
 public:
  void add(const char* level, std::string title, const std::string& text, const char* link = "#/coverage") {
    list_.push_back({{"level", level}, {"title", std::move(title)}, {"text", text}, {"link", link}});
  }
  json take() { return std::move(list_); }

 private:
  json list_ = json::array();
};

std::string number_of(std::int64_t n, const char* one, const char* many) {
  return std::to_string(n) + " " + (n == 1 ? one : many);
}

void warn_about_run(const Database& db, Warnings& warnings) {
  Statement run = db.prepare("SELECT complete FROM run ORDER BY id DESC LIMIT 1");
  if (!run.step()) {
    warnings.add("bad", "No run is recorded",
                 "The case database holds no run: nothing can be said about completeness.");
  } else if (run.is_null(0) || run.integer(0) == 0) {
    warnings.add(
        "bad", "This run is not complete",
        "It ended before everything was examined. Run the same command again to go on where it stopped.");
  }
}

void warn_about_states(const Database& db, Warnings& warnings) {
  struct Line {
    const char *state, *level, *one, *many, *text;
  };
  constexpr Line kLines[] = {
      {"pending", "bad", "item is not examined yet", "items are not examined yet",
       "They were found but not opened."},
      {"failed", "bad", "item could not be examined", "items could not be examined",
       "Reading or parsing them failed. Coverage lists each with its reason."},
      {"timed_out", "bad", "item took too long", "items took too long",
       "They were stopped at the time limit."},
      {"partly_examined", "warn", "item is examined only in part", "items are examined only in part",
       "Something was left out of each; the reason is given."},
      {"encrypted", "warn", "item is encrypted", "items are encrypted", "Their content was not read."},
      {"unsupported", "warn", "item is of a kind that is not read", "items are of kinds that are not read",
       "Coverage lists each with its reason."},
  };
  for (const auto& line : kLines) {
    const std::int64_t n =
        count(db, std::string("SELECT count(*) FROM item WHERE state = '") + line.state + "'");
    if (n > 0) warnings.add(line.level, number_of(n, line.one, line.many), line.text);
  }
}

bool names_it(std::string_view sentence, std::string_view name) {
  const auto same = [](char a, char b) { return (a | 0x20) == (b | 0x20); };
  return std::search(sentence.begin(), sentence.end(), name.begin(), name.end(), same) != sentence.end();
}

void warn_about_volumes(const Database& db, Warnings& warnings) {
  Statement volume = db.prepare(
      "SELECT e.ref, v.slot, v.state, v.filesystem, v.reason, v.size FROM volume v LEFT JOIN exhibit e ON "
      "e.id = v.exhibit_id"
      " WHERE v.state IN ('encrypted', 'unsupported', 'corrupt', 'partly_read') ORDER BY e.ref, v.slot");
  int named = 0;
  for (; volume.step(); ++named) {
    if (named >= kVolumesNamed) continue;
    std::string state =
        volume.text(2) == "partly_read" ? "was read only in part" : "was not read: " + volume.text(2);
    std::string text = volume.is_null(3) ? "" : volume.text(3);
    // "btrfs is not read" names the file system already.
    if (text.empty() || names_it(volume.text(4), text)) {
      text.clear();
    } else {
      text.insert(0, "File system: ").append(". ");
    }
    text += volume.text(4);
    if (!text.empty() && text.back() != '.') text += '.';
    warnings.add("bad", "Volume " + volume.text(1) + " of " + volume.text(0) + " " + state, text);
  }
  if (named > kVolumesNamed)
    warnings.add("bad", std::to_string(named - kVolumesNamed) + " more volumes were not read", "");
}

void warn_about_exhibits(const Database& db, Warnings& warnings) {
  Statement exhibit = db.prepare(
      "SELECT ref, role, verified, stored_md5 IS NOT NULL OR stored_sha1 IS NOT NULL, (SELECT count(*) FROM "
      "problem p"
      " WHERE p.exhibit_id = exhibit.id AND p.kind = 'integrity') FROM exhibit ORDER BY ref");
  while (exhibit.step()) {
    const std::string ref = exhibit.text(0);
    if (!exhibit.is_null(2) && exhibit.integer(2) == 0) {
      warnings.add(
          "bad", "The image of " + ref + " does not match its stored hash",
          "Its bytes are not those that were acquired. Do not rely on this exhibit before that is explained.",
          "#/method");
    } else if (exhibit.is_null(2) && exhibit.integer(3) != 0) {
      warnings.add("warn", "The stored hash of " + ref + " was not checked",
                   "It holds a hash, but it was not verified.", "#/method");
    }
    if (exhibit.integer(4) > 0 && (exhibit.is_null(2) || exhibit.integer(2) != 0)) {
      warnings.add(
          "bad", "Damage was found in the image of " + ref,
          number_of(exhibit.integer(4), "place", "places") + " with a wrong checksum or unreadable.");
    }
    if (exhibit.text(1) == "unknown") {
      warnings.add("note", ref + " has no role",
                   "It is not said whose it is. It was examined in full, like a suspect's.", "#/method");
    }
  }
}

void warn_about_scope(const Database& db, Warnings& warnings) {
  Statement scope = db.prepare(
      "SELECT e.ref, sum(o.items) FROM out_of_scope o LEFT JOIN exhibit e ON e.id = o.exhibit_id "
      "GROUP BY o.exhibit_id HAVING sum(o.items) > 0 ORDER BY e.ref");
  while (scope.step()) {
    warnings.add("note",
                 number_of(scope.integer(1), "item", "items") + " of " + scope.text(0) +
                     (scope.integer(1) == 1 ? " was" : " were") + " out of scope and not looked at",
                 "The agreed scope leaves them out: only counted.");
  }
}

void warn_about_parts(const Database& db, Warnings& warnings) {
  Statement model = db.prepare(
      "SELECT plugin, min(message) FROM problem WHERE kind = 'model_missing' GROUP BY plugin ORDER BY 1");
  while (model.step()) {
    warnings.add("warn", "Model missing: " + model.text(0), "This classifier did not run. " + model.text(1),
                 "#/method");
  }
  const std::int64_t faults =
      count(db, "SELECT count(*) FROM problem WHERE kind IN ('crash', 'timeout', 'memory')");
  if (faults > 0) {
    warnings.add(
        "warn", number_of(faults, "plugin failure was", "plugin failures were") + " contained",
        "A parser crashed, hung or asked for too much memory; other results of those items are kept.");
  }
  const std::int64_t schemas = count(db, "SELECT count(*) FROM problem WHERE kind = 'unknown_schema'");
  if (schemas > 0) {
    warnings.add("warn", number_of(schemas, "app database has", "app databases have") + " an unknown version",
                 "Messages may be missing from it.");
  }
  const std::int64_t limits = count(db, "SELECT count(*) FROM problem WHERE kind = 'limit'");
  if (limits > 0)
    warnings.add("note", number_of(limits, "limit was", "limits were") + " reached",
                 "Coverage says which and where.");
}

json totals(const Database& db) {
  json out = json::object();
  for (const char* table : {"item", "content", "message", "call", "contact", "location", "visit", "event",
                            "note", "document", "finding", "lead", "search", "problem"}) {
    out[table] = count(db, std::string("SELECT count(*) FROM ") + table);
  }
  out["message"] = count(db, "SELECT count(*) FROM message WHERE folded_into IS NULL");
  out["picture"] = count(db, "SELECT count(*) FROM page_media WHERE kind = 'picture'");
  out["video"] = count(db, "SELECT count(*) FROM page_media WHERE kind = 'video'");
  out["conversation"] = count(db, "SELECT count(*) FROM page_chat");
  out["out_of_scope"] = count(db, "SELECT coalesce(sum(items), 0) FROM out_of_scope");
  out["search_not_run"] = count(db, "SELECT count(*) FROM search WHERE coalesce(ran_over, 0) = 0");
  out["search_for_records"] =
      count(db, "SELECT count(*) FROM search WHERE ran_over > 0 AND plugin IN (" + kRecordPlugins + ")");
  out["search_without_hit"] = count(
      db, "SELECT count(*) FROM search WHERE ran_over > 0 AND coalesce(hits, 0) = 0 AND plugin NOT IN (" +
              kRecordPlugins + ")");
  return out;
}

}  // namespace

Status write_summary(PageContext& page) {
  const Database& db = page.db;
  Warnings warnings;
  warn_about_run(db, warnings);
  warn_about_exhibits(db, warnings);
  warn_about_volumes(db, warnings);
  warn_about_states(db, warnings);
  warn_about_scope(db, warnings);
  warn_about_parts(db, warnings);
  json ranked = exhibits(db);
  order_exhibits(ranked);
  json bands = json::object();
  Statement lane = db.prepare("SELECT lane, band, count(*) FROM lead GROUP BY lane, band");
  while (lane.step()) bands[lane.text(0)][lane.text(1)] = lane.integer(2);
  Statement run =
      db.prepare("SELECT started, finished, version, operator, complete FROM run ORDER BY id DESC LIMIT 1");
  const json summary = {{"schema", "touchstone.report/1"},
                        {"case", page.case_facts},
                        {"run", run.step() ? row_object(run) : json::object()},
                        {"totals", totals(db)},
                        {"exhibits", ranked},
                        {"bands", bands},
                        {"warnings", warnings.take()},
                        {"top", {{"towards", top_leads(db, "towards")}, {"away", top_leads(db, "away")}}},
                        {"previews", page.previews.shown()},
                        {"datasets", page.datasets}};
  return write_chunk(page.data, "summary", 0, summary);
}

}  // namespace touchstone::report
