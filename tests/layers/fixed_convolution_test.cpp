#include "layers/fixed_convolution.h"

#include <limits>
#include <vector>

#include <ATen/ATen.h>
#include <gtest/gtest.h>

namespace slopegan {
namespace {

/// One layer: `low` channels on the small maps, `high` on the large ones, the small maps' side, how many maps.
struct FixedLayer {
  std::int64_t low, high, size, count;
};

// Gray and RGB, what oneDNN does and what goes over patches, in bfloat16 also too many patches for the cache.
const std::vector<FixedLayer> fixed_layers = {{32, 1, 16, 3}, {16, 3, 8, 3}, {24, 5, 4, 3},
                                              {64, 32, 4, 3}, {8, 4, 1, 2},  {16, 32, 32, 16}};

at::Tensor fixed_reference(const at::Tensor& maps, const at::Tensor& weight, const at::Tensor& bias, double slope) {
  const std::vector<std::int64_t> stride(2, 2), padding(2, 1);
  return at::leaky_relu(at::conv_transpose2d(maps, weight, bias, stride, padding), slope);
}

/// The largest error, relative to the largest value, over layers and slopes.
double fixed_error(at::ScalarType type) {
  at::manual_seed(5);
  const auto exact = [](const at::Tensor& x) { return x.to(at::kBFloat16).to(at::kDouble); };
  double largest = 0;
  for (const auto& layer : fixed_layers) {
    const auto maps = exact(at::randn({layer.count, layer.low, layer.size, layer.size}));
    const auto weight = exact(at::randn({layer.low, layer.high, 4, 4}) * 0.1), bias = exact(at::randn({layer.high}));
    for (const double slope : {0.0, 0.2, 1.0, 1.5}) {
      const FixedTransposedConvolution convolution(weight, bias, type, slope);
      const auto found = convolution(maps.to(type));
      EXPECT_EQ(found.scalar_type(), type);
      const auto expected = fixed_reference(maps, weight, bias, slope);
      EXPECT_EQ(found.sizes(), expected.sizes());
      largest = std::max(largest, ((found - expected).abs().max() / expected.abs().max()).item<double>());
    }
  }
  return largest;
}

TEST(FixedTransposedConvolution, IsTheConvolutionTheBiasAndTheSlopeInFloat32) {
  EXPECT_LE(fixed_error(at::kFloat), 1e-6);
}

TEST(FixedTransposedConvolution, IsTheConvolutionTheBiasAndTheSlopeInBfloat16WithinItsRounding) {
  EXPECT_LE(fixed_error(at::kBFloat16), 0.01);
}

TEST(FixedTransposedConvolution, GivesAnImageTheSameBytesWhateverStandsBesideIt) {
  const auto maps = at::randn({4, 32, 8, 8});
  for (const std::int64_t high : {1, 16}) {
    const FixedTransposedConvolution convolution(at::randn({32, high, 4, 4}), at::randn({high}), at::kFloat, 0.2);
    const auto other = at::cat({maps.narrow(0, 0, 1), at::randn({3, 32, 8, 8})});
    EXPECT_TRUE(at::equal(convolution(maps)[0], convolution(other)[0]));
  }
}

TEST(FixedTransposedConvolution, DoesNotHideWhatIsNotANumber) {
  for (const auto type : {at::kFloat, at::kBFloat16}) {
    for (const std::int64_t high : {1, 32}) {
      for (const double slope : {0.0, 0.2, 1.0}) {
        auto maps = at::randn({2, 16, 4, 4});
        maps[1].fill_(std::numeric_limits<float>::quiet_NaN());
        const FixedTransposedConvolution convolution(at::randn({16, high, 4, 4}), at::randn({high}), type, slope);
        const auto found = convolution(maps.to(type));
        EXPECT_TRUE(found[1].isnan().all().item<bool>()) << type << ", " << high << ", slope " << slope;
        EXPECT_TRUE(found[0].isfinite().all().item<bool>());
      }
    }
  }
}

TEST(FixedTransposedConvolution, RefusesOtherDtypesAndNegativeSlopes) {
  const auto weight = at::randn({4, 4, 4, 4}), bias = at::randn({4});
  EXPECT_THROW(FixedTransposedConvolution(weight, bias, at::kDouble, 0.2), c10::ValueError);
  EXPECT_THROW(FixedTransposedConvolution(weight, bias, at::kFloat, -0.1), c10::ValueError);
}

TEST(FixedTransposedConvolution, RefusesMapsThatItIsNotMadeFor) {
  const FixedTransposedConvolution convolution(at::randn({8, 3, 4, 4}), at::randn({3}), at::kBFloat16, 0.2);
  EXPECT_THROW(convolution(at::randn({1, 8, 4, 4})), c10::Error);
  EXPECT_THROW(convolution(at::randn({1, 6, 4, 4}).to(at::kBFloat16)), c10::Error);
}

}  // namespace
}  // namespace slopegan
