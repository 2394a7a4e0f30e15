#pragma once

#include <cstdlib>
#include <fstream>
#include <string>

#include <gtest/gtest.h>

namespace slopegan::testing {

/// Returns `quick` in a normal test run, or `full` if scripts/check_slow.sh, which sets SLOPEGAN_SLOW, runs the test.
/// The values are numbers of repetitions, sizes or limits of a check.
inline int check_count(int quick, int full) { return std::getenv("SLOPEGAN_SLOW") != nullptr ? full : quick; }

/// Adds a row to the table that scripts/check_slow.sh prints. The row is marked FAILED if the test has failed. Does
/// nothing in a normal test run.
inline void report_check(const std::string& what, const std::string& result) {
  if (const char* table = std::getenv("SLOPEGAN_SLOW_TABLE")) {
    std::ofstream(table, std::ios::app) << what << '\t' << (::testing::Test::HasFailure() ? "FAILED: " : "") << result
                                        << '\n';
  }
}

}  // namespace slopegan::testing
