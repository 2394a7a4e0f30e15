#include "layers/initialisation.h"

#include <cmath>

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "layers/leaky_relu.h"

namespace slopegan {
namespace {

TEST(LeakyReluGain, MatchesTheFormula) {
  EXPECT_NEAR(leaky_relu_gain(0), 1.4142, 5e-5);
  EXPECT_NEAR(leaky_relu_gain(0.2), 1.3868, 5e-5);
  EXPECT_NEAR(leaky_relu_gain(0.5), 1.2649, 5e-5);
  EXPECT_DOUBLE_EQ(leaky_relu_gain(1), 1.0);
}

TEST(LeakyReluGain, PreservesTheVarianceThroughADeepChain) {
  for (const double slope : {0.0, 0.2, 0.5}) {
    const std::int64_t width = 512;
    auto x = at::empty({256, width});
    fill_normal(x, 0, 1, 0, "input");
    for (int layer = 0; layer < 10; ++layer) {
      auto weight = at::empty({width, width});
      fill_normal(weight, 0, leaky_relu_gain(slope) / std::sqrt(static_cast<double>(width)), 0,
                  "layer" + std::to_string(layer));
      x = at::mm(slopegan::leaky_relu(x, slope), weight);
    }
    // The variance of a layer fluctuates by a few percent at this width.
    EXPECT_NEAR(x.pow(2).mean().item<double>(), 1.0, 0.3) << slope;
  }
}

TEST(FillNormal, DrawsTheSameNumbersForEveryScaleDtypeAndMemoryFormat) {
  auto first = at::empty({4, 3, 2, 2});
  auto scaled = at::empty({4, 3, 2, 2}, at::TensorOptions(at::kDouble).memory_format(at::MemoryFormat::ChannelsLast));
  fill_normal(first, 0, 1, 5, "w");
  fill_normal(scaled, 2, 0.5, 5, "w");
  EXPECT_TRUE(at::equal((first * 0.5 + 2).to(at::kDouble), scaled));
}

TEST(FillNormal, DependsOnNameAndSeed) {
  auto a = at::empty({10}), b = at::empty({10}), c = at::empty({10});
  fill_normal(a, 0, 1, 5, "w");
  fill_normal(b, 0, 1, 5, "v");
  fill_normal(c, 0, 1, 6, "w");
  EXPECT_FALSE(at::equal(a, b));
  EXPECT_FALSE(at::equal(a, c));
}

}  // namespace
}  // namespace slopegan
