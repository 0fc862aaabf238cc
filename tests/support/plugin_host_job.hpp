// What stands behind a ts_job in the test host. Shared by plugin_host.cpp and plugin_host_query.cpp.
#pragma once

#include <array>
#include <memory>
#include <string>
#include <vector>

#include "content/database.hpp"
#include "support/plugin_host.hpp"

struct ts_job {
  const touchstone::test::TestItem* item = nullptr;
  const ts_plugin_v1* plugin = nullptr;
  touchstone::test::Outcome outcome;
  std::string locator;
  std::string md5, sha1, sha256;
  std::string answer;  ///< keeps a returned string alive until the next call
  std::uint64_t member_bytes = 0;
  struct OpenDatabase {
    std::unique_ptr<touchstone::ByteSource> main, wal, journal;
    std::unique_ptr<touchstone::EvidenceDatabase> database;
  };
  std::array<OpenDatabase, 3> databases;  ///< by state
};

namespace touchstone::test {

/// The query functions of the host table.
void add_query_services(ts_host_v1& host);

}  // namespace touchstone::test
