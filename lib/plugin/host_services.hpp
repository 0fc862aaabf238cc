// Parts of the service table and what they share. Internal to lib/plugin.
#pragma once

#include <string>

#include "plugin/job.hpp"

namespace touchstone {

/// What a plugin may hand over in one piece; more is cut, and said.
inline constexpr std::size_t kMaxText = 1 << 20;
/// Text from a plugin: valid UTF-8, cut at kMaxText.
std::string text_of(ts_str text);
Value value_of(const ts_value& raw);
ProblemKind kind_of(ErrorCode code);
ts_str abi(const std::string& text);
/// The -wal and -journal beside the item.
void open_companions(ts_job* job);

/// host_facets.cpp: picture and database. host_recovery.cpp: what was deleted in it. host_results.cpp: what
/// plugins emit, and findings().
void fill_facet_services(ts_host_v1& api);
void fill_recovery_services(ts_host_v1& api);
/// host_pages.cpp: rows of pages without their database.
void fill_page_services(ts_host_v1& api);
void fill_result_services(ts_host_v1& api);

}  // namespace touchstone
