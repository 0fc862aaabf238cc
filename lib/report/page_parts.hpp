// The parts of the page's data, each written from the case database into chunks (chunks.hpp). They share a
// connection, on which page.cpp has made temporary tables that give rows their place on the page:
//   page_lead(id, place, content_id, ...)     order of score, then key      page_place(content_id, locator)
//   page_inside(id, place)  lead of a message → place of the lead of its conversation in the same lane
//   page_message(id, place, chat)     page_chat(chat, app, account, name, exhibit_id, conversation_id,
//   from_place, …) page_attachment(message_id, ordinal, …)
// One thread. Database failures throw CaseError (casefile/sqlite.hpp); failures to write come back as Status.
#pragma once

#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <string>

#include "casefile/sqlite.hpp"
#include "model/result.hpp"
#include "ranking/party_names.hpp"
#include "report/previews.hpp"

namespace touchstone::report {

struct PageContext {
  const Database& db;
  Previews& previews;
  PartyNames& names;
  std::filesystem::path data;  ///< folder of the chunks
  nlohmann::json datasets;     ///< name → ChunkWriter::index()
  nlohmann::json case_facts;   ///< reference, title, time_zone, fingerprint, previews
};

/// What the run knows of the case, as far as it was stored.
nlohmann::json read_case_facts(const Database& db);

Status write_leads(PageContext& page);
Status write_conversations(PageContext& page);
Status write_pictures(PageContext& page);
Status write_items(PageContext& page);
/// Calendar entries and notes.
Status write_diary(PageContext& page);
Status write_problems_and_searches(PageContext& page);
Status write_coverage(PageContext& page);
Status write_method(PageContext& page);
/// Last: tells the page what the others wrote.
Status write_summary(PageContext& page);

/// Text for the page: as it is, but for what is too long to show.
std::string page_text(const std::string& text);
/// A cell as JSON: integer, number, text (page_text) or null.
nlohmann::json cell(const Statement& statement, int column);
/// JSON stored as text; the text itself where it is none.
nlohmann::json parsed(const std::string& text);
/// The current row as an object of its column names; absent values are left out.
nlohmann::json row_object(const Statement& statement);
/// {"name": …, "role": …} of whoever stands behind an identifier, without what is not known; may be empty.
nlohmann::json party(PageContext& page, std::int64_t exhibit, const std::string& identifier,
                     const std::string& app);
std::int64_t count(const Database& db, const std::string& sql);

/// Names of the plugins that yield records and no findings, as SQL.
inline const std::string kRecordPlugins =
    "SELECT name FROM plugin WHERE roles LIKE '%extractor%' AND roles NOT LIKE '%classifier%'";

/// Finishes a dataset and notes where its rows are.
template <typename Writer>
Status finish_dataset(PageContext& page, const std::string& name, Writer& writer) {
  auto status = writer.finish();
  page.datasets[name] = writer.index();
  return status;
}

}  // namespace touchstone::report
