#include "diagnostics/gradient_flow.h"

#include <cmath>

#include <ATen/ATen.h>
#include <gtest/gtest.h>

namespace slopegan {
namespace {

TEST(GradientFlow, MeasuresNormsAndExactZeros) {
  const auto flow = gradient_flow(at::tensor({3.0, 4.0, 0.0, 0.0}), at::tensor({0.0, 1.0, 2.0, -2.0}),
                                  at::tensor({0.0, 0.3, 0.4, 0.0}));
  EXPECT_EQ(flow.gradient_norm, 3);
  EXPECT_EQ(flow.zero_gradients, 0.25);
  EXPECT_DOUBLE_EQ(flow.update_ratio, 0.1);
}

TEST(GradientFlow, TakesAMissingGradientForZeros) {
  const auto flow = gradient_flow(at::ones({3}), at::Tensor(), at::zeros({3}));
  EXPECT_EQ(flow.gradient_norm, 0);
  EXPECT_EQ(flow.zero_gradients, 1);
  EXPECT_EQ(flow.update_ratio, 0);
}

TEST(GradientFlow, SaysThatAnUpdateOfNothingIsInfinite) {
  EXPECT_TRUE(std::isinf(gradient_flow(at::zeros({3}), at::ones({3}), at::ones({3})).update_ratio));
  EXPECT_EQ(gradient_flow(at::zeros({3}), at::ones({3}), at::zeros({3})).update_ratio, 0);
}

}  // namespace
}  // namespace slopegan
