// Simulated races, to measure the rate of false claims, the number of arms used and the rate of detected effects.
#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdlib>
#include <fstream>
#include <map>
#include <numeric>
#include <set>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "csv_column.h"
#include "slow_check.h"
#include "statistics/inference.h"
#include "statistics/race.h"
#include "statistics_numbers.h"
#include "support/random.h"
#include "support/text.h"

namespace slopegan {
namespace {

constexpr double race_control = 0.2;
constexpr double seed_deviation = 0.1;        ///< standard deviation of log FD between seeds
constexpr double largest_error_rate = 0.055;  ///< the largest rate allowed for a kind of noise; the nominal rate is 5 %

enum class Shape { normal, student_t3, log_normal };

/// The noise of a family of races. Standard deviations are multiples of the control's.
struct Noise {
  std::string name;
  Shape shape = Shape::normal;
  double collapsed = 0;             ///< probability per arm
  double all_slopes = 1;            ///< standard deviation of every slope
  double first_slope = 1;           ///< additional factor for the first slope
  double correlation = 0;           ///< between the arms of a repeat
  std::vector<double> shifts = {};  ///< of the first slopes, in standard deviations; the others have none
  std::size_t looks = 3;
  int repetitions = 1;     ///< factor for the number of races in the long check
  bool is_bounded = true;  ///< whether the rate must be at most bound_of()
};

std::vector<Noise> noise_families() {
  return {{.name = "normal"},
          {.name = "Student's t3", .shape = Shape::student_t3},
          {.name = "log-normal", .shape = Shape::log_normal},
          {.name = "10 % collapsed", .collapsed = 0.1},
          {.name = "all slopes' sd 2 x", .all_slopes = 2, .repetitions = 5},
          {.name = "all slopes' sd 3 x", .all_slopes = 3, .is_bounded = false},
          {.name = "one slope's sd 3 x", .first_slope = 3, .is_bounded = false},
          {.name = "correlation 0.6", .correlation = 0.6},
          {.name = "shifts 2, 2, 4, 8 sd", .shifts = {2, 2, 4, 8}},
          {.name = "five looks, normal", .looks = 5},
          {.name = "five looks, shifts 2, 2, 4, 8 sd", .shifts = {2, 2, 4, 8}, .looks = 5}};
}

/// Draws a value with mean 0 and variance 1.
double draw(RandomStream& stream, Shape shape) {
  std::vector<float> normal(4);
  stream.fill_normal(normal);
  const auto x = static_cast<double>(normal[0]);
  if (shape == Shape::log_normal) {
    return (std::exp(x) - std::exp(0.5)) / std::sqrt(std::exp(1.0) * (std::exp(1.0) - 1));
  }
  if (shape == Shape::normal) return x;
  double squares = 0;
  for (std::size_t i = 1; i < 4; ++i) squares += static_cast<double>(normal[i]) * static_cast<double>(normal[i]);
  return x / std::sqrt(squares / 3) / std::sqrt(3.0);  // t3 has variance 3
}

std::vector<RaceArm> simulated_arms(const RacePlan& plan, const Noise& noise, std::int64_t repeats,
                                    std::uint64_t race) {
  RandomStream stream(23, "simulated race: " + noise.name, race);
  std::vector<RaceArm> arms;
  for (std::int64_t repeat = 0; repeat < repeats; ++repeat) {
    const double shared = draw(stream, noise.shape);
    for (std::size_t i = 0; i <= plan.slopes.size(); ++i) {
      const double own = draw(stream, noise.shape);
      double y = std::sqrt(noise.correlation) * shared + std::sqrt(1 - noise.correlation) * own;
      if (i > 0) y *= noise.all_slopes * (i == 1 ? noise.first_slope : 1);
      if (i > 0 && i <= noise.shifts.size()) y += noise.shifts[i - 1];
      RaceArm arm{
          i == 0 ? plan.control : plan.slopes[i - 1], repeat, ArmOutcome::done, std::exp(seed_deviation * y), {}};
      if (static_cast<double>(stream.uniform()) < noise.collapsed) arm.outcome = ArmOutcome::collapsed;
      arms.push_back(arm);
    }
  }
  return arms;
}

RacePlan simulated_plan(std::size_t slopes, double equivalence = 0.15, std::size_t looks = 3) {
  std::vector<double> others(slopes);
  std::iota(others.begin(), others.end(), 1.0);
  return plan_race(race_control, others, {.equivalence = equivalence, .looks = looks});
}

struct Outcomes {
  int false_claims = 0;    ///< races with a false claim; run without the equivalence rule, which prevents some claims
  std::vector<int> found;  ///< for each shifted slope, races that find it worse
  double arms = 0;         ///< mean number of arms, with the default equivalence
};

bool makes_false_claim(const RaceState& state, const Noise& noise) {
  for (std::size_t i = 0; i < state.slopes.size(); ++i) {
    const auto decision = state.slopes[i].decision;
    if (i < noise.shifts.size() ? decision == Verdict::better : is_decided(decision)) return true;
  }
  return false;
}

double used_arms(const RaceState& state) {
  std::int64_t used = state.looks.back().arms;  // arms of the control
  for (const auto& slope : state.slopes) used += state.looks.at(static_cast<std::size_t>(slope.look - 1)).arms;
  return static_cast<double>(used);
}

Outcomes simulate_races(std::size_t slopes, const Noise& noise, int races) {
  const auto plan = simulated_plan(slopes, 0.15, noise.looks);
  const auto without_equivalence = simulated_plan(slopes, 0, noise.looks);
  Outcomes outcomes;
  outcomes.found.resize(noise.shifts.size());
  for (int race = 0; race < races; ++race) {
    const auto arms = simulated_arms(plan, noise, plan.looks.back(), static_cast<std::uint64_t>(race));
    outcomes.false_claims += makes_false_claim(follow_race(without_equivalence, arms), noise);
    const auto state = follow_race(plan, arms);
    outcomes.arms += used_arms(state) / races;
    for (std::size_t i = 0; i < noise.shifts.size(); ++i) {
      outcomes.found[i] += state.slopes[i].decision == Verdict::worse;
    }
  }
  return outcomes;
}

/// The largest acceptable rate. The error rate of the permutation test is too high if the scores of the slopes scatter
/// more than those of the control: twice the scatter raises the rate to 5.6, 5.9 and 6.1 % for 11, 12 and 13 slopes
/// (10,000 races or more).
double bound_of(const Noise& noise, std::size_t slopes) {
  return noise.all_slopes > 1 && slopes > 10 ? 0.065 : largest_error_rate;
}

void expect_bounded(int false_claims, int races, double bound, const std::string& what) {
  const double tolerance = races < 2000 ? testing::hits_tolerance(races, bound) : 0;
  EXPECT_LE(false_claims, bound * races + tolerance) << what;
}

TEST(SimulatedRacesSlowCheck, MakeAFalseClaimInAtMostOneOfTwenty) {
  std::set<std::size_t> numbers = {3, 7};
  if (testing::check_count(0, 1) == 1) {
    for (std::size_t slopes = 1; slopes <= 13; ++slopes) numbers.insert(slopes);
  }
  for (const auto& noise : noise_families()) {
    const int races = testing::check_count(300, 2000 * noise.repetitions);
    for (const std::size_t slopes : numbers) {
      if (noise.shifts.size() >= slopes) continue;
      const auto outcomes = simulate_races(slopes, noise, races);
      const std::string what = format_text("{} races, {} slopes, {}", races, slopes, noise.name);
      const auto plan = simulated_plan(slopes, 0.15, noise.looks);
      std::string result =
          format_text("false claims in {:.1f} %, {:.1f} arms ({} to {})", 100.0 * outcomes.false_claims / races,
                      outcomes.arms, first_look_arms(plan), most_arms(plan));
      for (const int found : outcomes.found) result += format_text(", found {:.0f} %", 100.0 * found / races);
      testing::report_check(what, result);
      if (noise.is_bounded) expect_bounded(outcomes.false_claims, races, bound_of(noise, slopes), what);
    }
  }
}

/// Simulates a user of the fixed design who tests after every seed and adds seeds until a slope is significant. Returns
/// whether the user claims an effect although there is none.
bool does_peeking_claim(std::size_t slopes, std::int64_t most_seeds, std::uint64_t race) {
  const auto plan = simulated_plan(slopes);
  const auto arms = simulated_arms(plan, {.name = "peeking"}, most_seeds, race);
  std::vector<std::vector<double>> differences(slopes);
  for (std::int64_t seed = 0; seed < most_seeds; ++seed) {
    const auto first = static_cast<std::size_t>(seed) * (slopes + 1);
    std::vector<double> p;
    for (std::size_t i = 0; i < slopes; ++i) {
      differences[i].push_back(std::log(*arms[first + i + 1].fd / *arms[first].fd));
      p.push_back(sign_flip_p(differences[i]));
    }
    for (const double adjusted : holm(p)) {
      if (adjusted <= 0.05) return true;
    }
  }
  return false;
}

TEST(SimulatedRacesSlowCheck, ShowThatAddingSeedsUntilASlopeIsSignificantExceedsTheErrorRate) {
  const int races = testing::check_count(300, 2000);
  constexpr std::int64_t most_seeds = 16;
  for (const std::size_t slopes : {1u, 7u}) {
    int claims = 0;
    for (int race = 0; race < races; ++race) {
      claims += does_peeking_claim(slopes, most_seeds, static_cast<std::uint64_t>(race));
    }
    EXPECT_GT(claims, largest_error_rate * races + testing::hits_tolerance(races, largest_error_rate)) << slopes;
    testing::report_check(format_text("{} fixed sweeps, {} slopes, normal, seeds added up to {} until p < 0.05", races,
                                      slopes, most_seeds),
                          format_text("false claims in {:.1f} %", 100.0 * claims / races));
  }
}

TEST(SimulatedRaces, FindLargeEffectsWithFewerArms) {
  constexpr int races = 100;
  const auto outcomes = simulate_races(7, {.name = "large", .shifts = {8, 8, 8, 8, 8, 8, 8}}, races);
  for (const int found : outcomes.found) EXPECT_GE(found, races - 1);
  EXPECT_LT(outcomes.arms, 49);
}

TEST(SimulatedRaces, CallNoSlopeEquivalentIfAnArmFailed) {
  const Noise noise{.name = "half collapsed", .collapsed = 0.5};
  int both_failed = 0;
  for (const double equivalence : {0.15, 5.0}) {
    const auto plan = simulated_plan(3, equivalence);
    for (std::uint64_t race = 0; race < 100; ++race) {
      for (const auto& slope : follow_race(plan, simulated_arms(plan, noise, plan.looks.back(), race)).slopes) {
        ASSERT_TRUE(slope.comparison);
        const auto& comparison = *slope.comparison;
        if (comparison.failed == 0 && comparison.control_failed == 0) continue;
        EXPECT_NE(slope.decision, Verdict::equivalent) << race;
        both_failed += comparison.failed > 0 && comparison.control_failed > 0;
        if (is_decided(slope.decision)) continue;  // the interval is cut at 1
        EXPECT_EQ(comparison.ratio_interval.low == 0, comparison.control_failed > 0) << race;
        EXPECT_EQ(std::isinf(comparison.ratio_interval.high), comparison.failed > 0) << race;
      }
    }
  }
  EXPECT_GT(both_failed, 300);
}

/// The final FDs of the study in outputs/study, by slope and seed.
std::map<double, std::map<int, double>> study_fds() {
  const auto csv = SLOPEGAN_SOURCE_DIR "/outputs/study/study_fashion_mnist/results.csv";
  const auto slopes = testing::csv_column(csv, "negative_slope"), seeds = testing::csv_column(csv, "seed");
  const auto scores = testing::csv_column(csv, "fd");
  std::map<double, std::map<int, double>> fds;
  for (std::size_t i = 0; i < scores.size(); ++i) {
    fds[std::stod(slopes[i])][std::stoi(seeds[i])] = std::stod(scores[i]);
  }
  return fds;
}

TEST(SimulatedRaces, DecideAllSlopesOfTheStudyAtTheFirstLookForMostSetsOfSeeds) {
  const auto fds = study_fds();
  ASSERT_EQ(fds.size(), 8u);
  std::vector<double> slopes;
  for (const auto& [slope, by_seed] : fds) slopes.push_back(slope);
  const auto plan = plan_race(race_control, slopes, {.give_up = 0});
  ASSERT_EQ(plan.looks[0], 6);
  int subsets = 0, decided = 0;
  for (unsigned seeds = 0; seeds < 1u << 9; ++seeds) {
    if (std::popcount(seeds) != 6) continue;
    std::vector<RaceArm> arms;
    for (const auto& [slope, by_seed] : fds) {
      std::int64_t repeat = 0;
      for (const auto& [seed, fd] : by_seed) {
        if ((seeds >> seed & 1u) != 0) arms.push_back({slope, repeat++, ArmOutcome::done, fd, {}});
      }
    }
    const auto state = follow_race(plan, arms);
    ++subsets;
    decided += std::all_of(state.slopes.begin(), state.slopes.end(),
                           [](const RaceSlope& slope) { return is_decided(slope.decision); });
    for (const auto& slope : state.slopes) {
      const bool is_worse = slope.negative_slope > race_control;
      EXPECT_NE(slope.decision, is_worse ? Verdict::better : Verdict::worse) << slope.negative_slope;
    }
  }
  EXPECT_EQ(subsets, 84);
  EXPECT_GE(decided, 76);
}

/// Writes log FDs of races with seven slopes for scripts/simulate_adastop.py, which evaluates them with AdaStop.
TEST(SimulatedRacesSlowCheck, WriteTablesForOtherMethods) {
  const char* path = std::getenv("SLOPEGAN_RACE_TABLES");
  if (path == nullptr) GTEST_SKIP() << "SLOPEGAN_RACE_TABLES is not set";
  constexpr int races = 200;
  std::ofstream file(path);
  file << "noise,race,slope,repeat,log_fd\n";
  const auto plan = simulated_plan(7);
  for (const auto& noise : noise_families()) {
    if (noise.collapsed > 0) continue;  // AdaStop has no rule for failures
    for (int race = 0; race < races; ++race) {
      for (const auto& arm : simulated_arms(plan, noise, plan.looks.back(), static_cast<std::uint64_t>(race))) {
        file << '"' << noise.name << "\"," << race << ',' << arm.negative_slope << ',' << arm.repeat << ','
             << std::log(*arm.fd) << '\n';
      }
    }
    const auto outcomes = simulate_races(7, noise, races);
    testing::report_check(
        format_text("race, {} races, 7 slopes, {}", races, noise.name),
        format_text("false claims in {:.1f} %, {:.1f} arms", 100.0 * outcomes.false_claims / races, outcomes.arms));
  }
  EXPECT_TRUE(file.flush());
}

}  // namespace
}  // namespace slopegan
