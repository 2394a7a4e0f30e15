#pragma once

#include <cmath>
#include <fstream>
#include <limits>
#include <string>

#include <nlohmann/json.hpp>

namespace slopegan::testing {

inline constexpr double infinite = std::numeric_limits<double>::infinity();

/// A list from tests/golden/statistics.json, which scripts/golden_statistics.py writes with SciPy.
inline nlohmann::json golden_statistics(const std::string& list) {
  std::ifstream file(SLOPEGAN_TEST_DATA "/statistics.json");
  return nlohmann::json::parse(file).at(list);
}

/// The tolerance for the number of hits around trials · p: 4 standard deviations, which chance exceeds in one
/// of 16,000 checks.
inline double hits_tolerance(double trials, double p) { return 4 * std::sqrt(trials * p * (1 - p)); }

}  // namespace slopegan::testing
