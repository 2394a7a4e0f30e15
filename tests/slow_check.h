#pragma once

#include <cstdlib>
#include <fstream>
#include <string>

namespace slopegan::testing {

/// How often a check is repeated: `quick` times in the normal run, `full` times under scripts/check_slow.sh, which sets
/// SLOPEGAN_SLOW.
inline int check_count(int quick, int full) { return std::getenv("SLOPEGAN_SLOW") != nullptr ? full : quick; }

/// A row of the table that scripts/check_slow.sh prints; nothing in the normal run.
inline void report_check(const std::string& what, const std::string& result) {
  if (const char* table = std::getenv("SLOPEGAN_SLOW_TABLE")) {
    std::ofstream(table, std::ios::app) << what << '\t' << result << '\n';
  }
}

}  // namespace slopegan::testing
