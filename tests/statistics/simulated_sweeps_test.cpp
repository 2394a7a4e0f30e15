// Simulated sweeps with known effects, to measure the rates of false claims and of detected effects.
#include <cmath>

#include <gtest/gtest.h>

#include "statistics/statistics.h"
#include "statistics_numbers.h"
#include "support/random.h"

namespace slopegan {
namespace {

struct Simulation {
  int seeds = 8;
  std::vector<double> effects;        ///< on log FD, one per slope; the control has none
  double noise = 1 / std::sqrt(2.0);  ///< standard deviation of log FD; that of a difference is 1
  double divergence = 0;              ///< probability per arm
};

SweepStatistics simulate(const Simulation& simulation, int index) {
  constexpr double control = 0.2;
  RandomStream stream(5, "simulated sweep", static_cast<std::uint64_t>(index));
  std::vector<ArmScore> arms;
  for (int seed = 0; seed < simulation.seeds; ++seed) {
    std::vector<float> normal(simulation.effects.size() + 2);
    stream.fill_normal(normal);
    const double of_seed = 3 + 2 * static_cast<double>(normal[0]);
    for (std::size_t i = 0; i <= simulation.effects.size(); ++i) {
      const double effect = i == 0 ? 0 : simulation.effects[i - 1];
      ArmScore arm{control + static_cast<double>(i), seed, ArmOutcome::done, {}, {}};
      arm.fd = std::exp(of_seed + effect + simulation.noise * static_cast<double>(normal[i + 1]));
      if (static_cast<double>(stream.uniform()) < simulation.divergence) arm.outcome = ArmOutcome::diverged;
      arms.push_back(arm);
    }
  }
  StatisticsOptions options;
  options.resampling.count = 10;  // the p-values do not depend on it
  return sweep_statistics(arms, control, options);
}

struct Claims {
  int any = 0;           ///< sweeps with at least one claim
  int first = 0;         ///< sweeps with a claim about the first slope
  int first_better = 0;  ///< sweeps that claim that the first slope is better
};

Claims count_claims(const Simulation& simulation, int sweeps) {
  Claims claims;
  for (int i = 0; i < sweeps; ++i) {
    const auto statistics = simulate(simulation, i);
    bool any = false;
    for (const auto& comparison : statistics.comparisons) any = any || comparison.significant;
    const auto& first = statistics.comparisons.front();
    claims.any += any;
    claims.first += first.significant;
    claims.first_better += first.verdict == Verdict::better;
  }
  return claims;
}

double normal_below(double x) { return std::erfc(-x / std::sqrt(2.0)) / 2; }

TEST(SimulatedSweeps, MakeAFalseClaimInAtMostOneSweepInTwenty) {
  constexpr int sweeps = 8000;
  const Claims claims = count_claims({.seeds = 8, .effects = {0, 0, 0, 0}}, sweeps);
  EXPECT_LE(claims.any, 0.05 * sweeps);
  // 4 p <= 0.05 holds only for the two most extreme of the 256 sign flips, unless another slope is rejected first.
  constexpr double chance = 2.0 / 256;
  EXPECT_GE(claims.first, sweeps * chance - testing::hits_tolerance(sweeps, chance));
  EXPECT_LE(claims.any, 4 * sweeps * chance + testing::hits_tolerance(sweeps, 4 * chance));
}

TEST(SimulatedSweeps, ReachTheNominalErrorRateWithEnoughSeeds) {
  // Ten seeds, one comparison: p <= 0.05 holds for 50 of the 1,024 sign flips.
  constexpr int sweeps = 8000;
  constexpr double chance = 50.0 / 1024;
  const Claims claims = count_claims({.seeds = 10, .effects = {0}}, sweeps);
  EXPECT_NEAR(claims.any, sweeps * chance, testing::hits_tolerance(sweeps, chance));
}

TEST(SimulatedSweeps, KeepTheErrorRateIfArmsDivergeAtRandom) {
  constexpr int sweeps = 4000;
  const Claims claims = count_claims({.seeds = 10, .effects = {0, 0}, .divergence = 0.2}, sweeps);
  EXPECT_LE(claims.any, 0.05 * sweeps);
  EXPECT_GT(claims.any, 0.005 * sweeps);
}

TEST(SimulatedSweeps, ClaimNothingWithThreeSeeds) {
  EXPECT_EQ(count_claims({.seeds = 3, .effects = {50, -50}}, 50).any, 0);
}

TEST(SimulatedSweeps, DetectAnEffectWithTheComputedPower) {
  // If only the smallest possible p is significant, an effect is detected when all differences have one sign.
  constexpr int sweeps = 4000;
  for (const double effect : {1.2, 2.5}) {
    for (const Simulation& simulation :
         {Simulation{.seeds = 8, .effects = {-effect, 0, 0, 0}}, Simulation{.seeds = 6, .effects = {-effect}}}) {
      const double below = normal_below(effect);
      const double power = std::pow(below, simulation.seeds) + std::pow(1 - below, simulation.seeds);
      const Claims claims = count_claims(simulation, sweeps);
      EXPECT_NEAR(claims.first, sweeps * power, testing::hits_tolerance(sweeps, power));
      EXPECT_NEAR(claims.first_better, claims.first, 2);
    }
  }
}

}  // namespace
}  // namespace slopegan
