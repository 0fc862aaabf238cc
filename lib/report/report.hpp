// The report: written from DIR/case.db and DIR/previews.db alone, without the evidence, any number of times.
// The same database gives the same bytes. One thread; opens both databases read-only.
#pragma once

#include <set>
#include <string>

#include "model/result.hpp"

namespace touchstone {

enum class ReportFormat { html, jsonl, csv };

struct ReportOptions {
  std::string dir;  ///< the output folder; files go to DIR/report
  std::set<ReportFormat> formats = {ReportFormat::html, ReportFormat::jsonl, ReportFormat::csv};
};

/// Writes what was asked for: report/index.html with report/page/ and report/data/, report/TABLE.jsonl,
/// report/TABLE.csv. Fails (io, corrupt, not_found) with the path and the reason; what was there before is
/// kept.
Status write_report(const ReportOptions& options);

/// The comma-separated names of the command line: "html,jsonl,csv".
Result<std::set<ReportFormat>> parse_report_formats(const std::string& names);

}  // namespace touchstone
