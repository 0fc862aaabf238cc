// What a Cellebrite report says of itself and of the phone: the head of report.xml in a UFDR (a zip with that
// report and the files it names). The records in it are the business of the plugin `ufdr`. One thread.
// Form: elements <project>, <sourceExtractions>, <caseInformation>, <metadata section="…"> of the namespace
// http://pa.cellebrite.com/report/2.0, before <taggedFiles> and <decodedData>.
#pragma once

#include <map>
#include <string>

#include "filesystem/filesystem.hpp"

namespace touchstone {

/// The head is looked for in this many bytes; where it goes on beyond them a Problem says so.
inline constexpr std::uint64_t kMaxUfdrHead = std::uint64_t{32} << 20;

/// True if the XML begins as such a report.
bool is_ufdr_report(ByteSource& report);

/// Facts by name, valid UTF-8: project_name, extraction_type, report_version, case number and examiner,
/// device info … At most 200 of at most 1,000 bytes.
std::map<std::string, std::string> read_ufdr_head(ByteSource& report, std::vector<Problem>& problems);

/// Where the root of `tree` has such a report: completes kind, label and metadata of `volume`. The filesystem
/// stays the tree's own. False: it is none.
bool describe_ufdr(FileSystem& tree, Volume& volume, std::vector<Problem>& problems);

}  // namespace touchstone
