#pragma once

#include <cmath>
#include <fstream>
#include <limits>
#include <string>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace slopegan::testing {

inline constexpr double infinite = std::numeric_limits<double>::infinity();

/// A list from tests/golden/statistics.json, which scripts/golden_statistics.py writes with SciPy. Fails the test if
/// the list is empty, because a loop over it would then compare nothing.
inline nlohmann::json golden_statistics(const std::string& list) {
  std::ifstream file(SLOPEGAN_TEST_DATA "/statistics.json");
  auto golden = nlohmann::json::parse(file).at(list);
  EXPECT_FALSE(golden.empty()) << list;
  return golden;
}

/// The tolerance for the difference between the number of hits and trials · p: 4 standard deviations, which a correct
/// implementation exceeds in one of 16,000 checks.
inline double hits_tolerance(double trials, double p) { return 4 * std::sqrt(trials * p * (1 - p)); }

}  // namespace slopegan::testing
