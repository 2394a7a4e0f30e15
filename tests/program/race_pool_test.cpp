// Simulates races between slopes that do not differ: all FDs come from real arms with the same slope.
#include <algorithm>
#include <cmath>
#include <numeric>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "csv_column.h"
#include "program.h"
#include "slow_check.h"
#include "statistics/race.h"
#include "support/random.h"
#include "support/text.h"

namespace slopegan::testing {
namespace {

constexpr std::int64_t pool_size = 400;
constexpr double nominal_error_rate = 0.05;

/// Returns the column `fd` of results.csv. Throws an exception if an arm has no FD.
std::vector<double> final_fds(const std::filesystem::path& csv) {
  std::vector<double> fds;
  for (const auto& cell : csv_column(csv, "fd")) fds.push_back(std::stod(cell));
  return fds;
}

/// Returns the arms of a race. Their FDs are drawn from the pool without replacement.
std::vector<RaceArm> drawn_arms(const RacePlan& plan, std::vector<double> pool, std::uint64_t race) {
  RandomStream stream(41, "race from a pool", race);
  std::vector<RaceArm> arms;
  for (std::int64_t repeat = 0; repeat < plan.looks.back(); ++repeat) {
    for (std::size_t i = 0; i <= plan.slopes.size(); ++i) {
      const auto at = static_cast<std::size_t>(stream.uniform() * static_cast<float>(pool.size()));
      std::swap(pool[std::min(at, pool.size() - 1)], pool.back());
      arms.push_back({i == 0 ? plan.control : plan.slopes[i - 1], repeat, ArmOutcome::done, pool.back(), {}});
      pool.pop_back();
    }
  }
  return arms;
}

bool makes_a_claim(const RaceState& state) {
  return std::ranges::any_of(state.slopes, [](const RaceSlope& slope) { return is_decided(slope.decision); });
}

/// Simulates races between eight slopes that do not differ. Expects that the fraction of races with a false claim is at
/// most the nominal error rate, plus a margin for chance. The plan neither declares slopes equivalent nor gives up
/// on them, so no race ends early.
void expect_few_false_claims(const std::vector<double>& pool, int races, const std::string& source) {
  std::vector<double> slopes(7);
  std::iota(slopes.begin(), slopes.end(), 1.0);
  const auto plan = plan_race(0.2, slopes, {.equivalence = 0, .give_up = 0});
  ASSERT_GE(pool.size(), 8u * static_cast<std::size_t>(plan.looks.back()));
  int claims = 0;
  for (int race = 0; race < races; ++race) {
    claims += makes_a_claim(follow_race(plan, drawn_arms(plan, pool, static_cast<std::uint64_t>(race))));
  }
  const double deviation = std::sqrt(races * nominal_error_rate * (1 - nominal_error_rate));
  EXPECT_LE(claims, races * nominal_error_rate + 2 * deviation);
  report_check(format_text("{} races of 8 slopes without a difference, {} real arms {}", races, pool.size(), source),
               format_text("false claims in {:.1f} %", 100.0 * claims / races));
}

// The committed pool is results.csv from the sweep in the next test.
TEST(RacesOfRealArms, WithoutAnEffectMakeAFalseClaimInAtMostOneOfTwenty) {
  const auto pool = final_fds(SLOPEGAN_TEST_DATA "/race_pool.csv");
  EXPECT_EQ(std::ssize(pool), pool_size);
  expect_few_false_claims(pool, check_count(300, 2000), "(committed)");
}

class RacesOfRealArmsSlowCheck : public ProgramTest {};

TEST_F(RacesOfRealArmsSlowCheck, WithNewlyTrainedArmsMakeAFalseClaimInAtMostOneOfTwenty) {
  if (check_count(0, 1) == 0) GTEST_SKIP() << "trains 400 arms, which takes half an hour on one core";
  std::string seeds;
  for (std::int64_t seed = 0; seed < pool_size; ++seed) seeds += (seed > 0 ? "," : "") + std::to_string(seed);
  const auto sweep = slopegan(
      {"sweep", config_file("study_fashion_mnist.yaml"), "run.output_dir=" + outputs().string(), "run.name=pool",
       "sweep.negative_slope=[0.2]", "sweep.seeds=[" + seeds + "]", "generator.width=4", "discriminator.width=4",
       "training.total_images=6400", "training.batch_size=16", "training.threads=1", "optimizer.generator_lr=1e-3",
       "optimizer.discriminator_lr=1e-3", "metrics.samples=1000", "metrics.every_images=6400", "metrics.names=[fd]",
       "samples.every_images=0", "diagnostics.every_images=0", "events.tensorboard=false"});
  ASSERT_EQ(sweep.code, 0) << sweep.err;
  const auto pool = final_fds(outputs() / "pool/results.csv");
  ASSERT_EQ(std::ssize(pool), pool_size);
  expect_few_false_claims(pool, 2000, "(newly trained)");
}

}  // namespace
}  // namespace slopegan::testing
