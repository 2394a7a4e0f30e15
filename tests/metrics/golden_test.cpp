#include <cmath>
#include <filesystem>
#include <string>
#include <vector>

#include <ATen/ATen.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "metrics/classifier_score.h"
#include "metrics/features.h"
#include "metrics/frechet_distance.h"
#include "metrics/kernel_distance.h"
#include "metrics/manifold.h"
#include "run/safetensors.h"
#include "support/files.h"

/// Compares the metrics with torch-fidelity and prdc; see scripts/golden_metrics.py.
namespace slopegan {
namespace {

struct GoldenSet {
  std::string name;
  at::Tensor real, generated;
  nlohmann::json values;

  double value(const char* metric) const { return values.at(metric).get<double>(); }
};

std::vector<GoldenSet> golden_sets() {
  const std::filesystem::path folder = std::filesystem::path(SLOPEGAN_TEST_DATA) / "metrics";
  const NamedTensors tensors = read_safetensors(folder / "features.safetensors").tensors;
  std::vector<GoldenSet> sets;
  const auto references = nlohmann::json::parse(read_file(folder / "values.json", 1 << 20));
  for (const auto& [name, values] : references.items()) {
    sets.push_back({name, tensors.at(name + ".real"), tensors.at(name + ".generated"), values});
  }
  return sets;
}

void expect_relative(double found, double expected, double tolerance) {
  EXPECT_NEAR(found, expected, tolerance * std::abs(expected));
}

TEST(GoldenMetrics, HaveReferencesForElevenSets) { EXPECT_EQ(golden_sets().size(), 11u); }

TEST(GoldenMetrics, FrechetDistanceMatchesTorchFidelity) {
  for (const GoldenSet& set : golden_sets()) {
    SCOPED_TRACE(set.name);
    expect_relative(frechet_distance(moments_of(set.generated), moments_of(set.real)), set.value("frechet_distance"),
                    1e-6);
  }
}

TEST(GoldenMetrics, FrechetDistanceIsExactForCovariancesOfAnyRank) {
  int compared = 0;
  for (const GoldenSet& set : golden_sets()) {
    if (!set.values.contains("exact_frechet_distance")) continue;  // the features are not integers
    SCOPED_TRACE(set.name);
    expect_relative(frechet_distance(moments_of(set.generated), moments_of(set.real)),
                    set.value("exact_frechet_distance"), 1e-12);
    ++compared;
  }
  EXPECT_EQ(compared, 4);
}

TEST(GoldenMetrics, KernelDistanceMatchesTorchFidelityWithOneFullSubset) {
  int compared = 0;
  for (const GoldenSet& set : golden_sets()) {
    if (!set.values.contains("kernel_distance")) continue;  // the two sets have different sizes
    SCOPED_TRACE(set.name);
    expect_relative(kernel_distance(set.generated, set.real), set.value("kernel_distance"), 1e-6);
    ++compared;
  }
  EXPECT_EQ(compared, 10);
}

TEST(GoldenMetrics, PrecisionAndRecallMatchTorchFidelity) {
  for (const GoldenSet& set : golden_sets()) {
    SCOPED_TRACE(set.name);
    const ManifoldMetrics found = manifold_metrics(manifold_of(set.real), manifold_of(set.generated));
    expect_relative(found.precision, set.value("precision"), 1e-6);
    expect_relative(found.recall, set.value("recall"), 1e-6);
  }
}

TEST(GoldenMetrics, DensityAndCoverageMatchPrdc) {
  for (const GoldenSet& set : golden_sets()) {
    SCOPED_TRACE(set.name);
    const ManifoldMetrics found = manifold_metrics(manifold_of(set.real), manifold_of(set.generated));
    // Both values are counts divided by a constant, and the counts must be equal.
    const auto reals = static_cast<double>(set.real.size(0)), samples = static_cast<double>(set.generated.size(0));
    EXPECT_NEAR(found.density, set.value("density"), 0.5 / (5 * samples));
    EXPECT_NEAR(found.coverage, set.value("coverage"), 0.5 / reals);
  }
}

TEST(GoldenMetrics, ClassifierScoreMatchesTorchFidelityWithOneSplit) {
  for (const GoldenSet& set : golden_sets()) {
    SCOPED_TRACE(set.name);
    expect_relative(classifier_score(set.generated), set.value("classifier_score"), 1e-6);
  }
}

}  // namespace
}  // namespace slopegan
