#pragma once

#include <cmath>
#include <fstream>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "statistics/inference.h"
#include "support/random.h"

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

/// FDs of a slope, relative to a control with FD 1, and an alpha at which the sign-flip test of log FD does not reject
/// equality, although the interval excludes it. This is only possible with more than most_exact_pairs seeds, for which
/// random sign flips and random subsets are drawn.
struct ContradictoryFds {
  std::vector<double> fds;
  double alpha = 0;
};

/// Tries random FDs and returns the first that are contradictory, or std::nullopt if none are. The interval excludes
/// equality for about half of the lists that are tried.
inline std::optional<ContradictoryFds> contradictory_fds() {
  for (std::uint64_t i = 0; i < 40; ++i) {
    std::vector<float> normal(most_exact_pairs + 1);
    RandomStream(11, "contradictory FDs", i).fill_normal(normal);
    std::vector<double> fds, differences;
    for (const float value : normal) {
      fds.push_back(std::exp(0.1 * static_cast<double>(value) + 0.05));
      differences.push_back(std::log(fds.back()));
    }
    const double alpha = sign_flip_p(differences) * (1 - 1e-6);
    if (alpha >= 0.5) continue;
    const Interval interval = symmetric_centre_interval(differences, 1 - alpha);
    if (interval.low > 0 || interval.high < 0) return ContradictoryFds{fds, alpha};
  }
  return std::nullopt;
}

/// The tolerance for the difference between the number of hits and trials · p: 4 standard deviations, which a correct
/// implementation exceeds in one of 16,000 checks.
inline double hits_tolerance(double trials, double p) { return 4 * std::sqrt(trials * p * (1 - p)); }

}  // namespace slopegan::testing
