// Local wall-clock times of one IANA zone to UTC, from the system's compiled zone files (TZif, RFC 8536).
// glibc's own conversion depends on TZ of the whole process; this one is a plain value. One thread may change
// it, many may read.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "model/result.hpp"

namespace touchstone {

class TimeZone {
 public:
  /// "Europe/London". Error invalid: no such zone or a file that is no TZif.
  static Result<TimeZone> load(const std::string& name);
  /// The bytes of a TZif file, version 1 to 4.
  static Result<TimeZone> parse(std::span<const std::byte> bytes);

  /// Seconds since 1970 counted as if local time were UTC → seconds UTC. An hour that happens twice is taken
  /// as the first; one that never happens as if the clock had not yet been put forward.
  std::int64_t to_utc(std::int64_t local) const;
  /// Seconds east of Greenwich in force at a UTC time.
  std::int32_t offset_at(std::int64_t utc) const;

 private:
  /// One rule of a POSIX TZ string of the form Mm.w.d/time.
  struct Change {
    int month = 0, week = 0, day = 0;
    std::int32_t seconds = 7200;
  };
  bool parse_footer(std::string_view text);
  static std::int64_t change_time(const Change& change, std::int64_t year, std::int32_t offset_before);

  std::vector<std::int64_t> transitions_;
  std::vector<std::int32_t> offsets_;  ///< in force from the transition of the same index
  std::int32_t first_offset_ = 0;      ///< before all transitions
  // What holds after the last transition.
  bool has_rule_ = false;
  bool has_dst_ = false;
  std::int32_t standard_ = 0, summer_ = 0;
  Change to_summer_, to_standard_;
};

}  // namespace touchstone
