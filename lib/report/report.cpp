#include "report/report.hpp"

#include <filesystem>

#include "casefile/sqlite.hpp"
#include "report/export.hpp"
#include "report/output.hpp"
#include "report/page.hpp"

namespace touchstone {

Result<std::set<ReportFormat>> parse_report_formats(const std::string& names) {
  std::set<ReportFormat> formats;
  for (std::size_t start = 0; start <= names.size();) {
    const std::size_t comma = std::min(names.find(',', start), names.size());
    const std::string name = names.substr(start, comma - start);
    if (name == "html") {
      formats.insert(ReportFormat::html);
    } else if (name == "jsonl") {
      formats.insert(ReportFormat::jsonl);
    } else if (name == "csv") {
      formats.insert(ReportFormat::csv);
    } else {
      return Error{ErrorCode::invalid,
                   "\"" + name + "\" is no format of the report; there are html, jsonl and csv"};
    }
    start = comma + 1;
  }
  return formats;
}

Status write_report(const ReportOptions& options) {
  namespace fs = std::filesystem;
  const fs::path dir = options.dir;
  const fs::path case_path = dir / "case.db";
  std::error_code ignored;
  if (!fs::is_regular_file(case_path, ignored)) {
    return Error{ErrorCode::not_found,
                 case_path.string() + ": no case database there; run `touchstone triage` first"};
  }
  try {
    const Database db(case_path.string(), Database::Mode::read_only);
    const fs::path folder = dir / "report";
    if (auto status = report::make_folder(folder); !status) return status;
    // Sorting beyond this spills to temporary files: memory stays bounded, whatever the case.
    db.execute("PRAGMA cache_size = -32768; PRAGMA temp.cache_size = -16384");
    // One snapshot for all that is written.
    db.execute("BEGIN");
    const bool jsonl = options.formats.contains(ReportFormat::jsonl);
    const bool csv = options.formats.contains(ReportFormat::csv);
    if (auto status = report::export_tables(db, folder, jsonl, csv); !status) return status;
    if (!options.formats.contains(ReportFormat::html)) return {};
    return report::write_page(db, dir / "previews.db", folder);
  } catch (const CaseError& error) {
    return Error{error.sqlite_code == SQLITE_FULL ? ErrorCode::io : ErrorCode::corrupt, error.what()};
  }
}

}  // namespace touchstone
