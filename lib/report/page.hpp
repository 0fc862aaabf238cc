// The reviewer's page: DIR/report/index.html, its script and style (built from web/ and embedded here) and
// its data.
#pragma once

#include <filesystem>

#include "casefile/sqlite.hpp"
#include "model/result.hpp"

namespace touchstone::report {

/// `folder` is DIR/report; `previews` the path of previews.db, which need not exist. The page of an earlier
/// run is replaced only when the new one is whole. Throws CaseError.
Status write_page(const Database& db, const std::filesystem::path& previews,
                  const std::filesystem::path& folder);

}  // namespace touchstone::report
