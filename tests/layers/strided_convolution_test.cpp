#include "layers/strided_convolution.h"

#include <limits>
#include <vector>

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/csrc/autograd/autograd.h>

#include "expect_error.h"
#include "layers/tiled_products.h"

namespace slopegan {
namespace {

using ::testing::HasSubstr;

/// A layer with `low` channels in the small feature maps and `high` channels in the large ones, whose side is `size`.
struct Layer {
  std::int64_t low, high, size;
};

// The layers cover the numbers of channels of images (1 and 3); numbers of channels on both sides of the thresholds
// between implementations; a side of 2, for which every patch contains padding; more rows than fit into one block;
// patches that consist of one part, one part per row, and one part per position; and odd numbers of channels and odd
// sides of the small feature maps.
const std::vector<Layer> layers = {{32, 1, 32}, {16, 3, 16},  {24, 5, 8},    {64, 32, 8}, {48, 40, 4},
                                   {8, 4, 2},   {10, 2, 128}, {128, 160, 8}, {7, 6, 8},   {4, 257, 4},
                                   {6, 258, 4}, {6, 2, 14},   {2, 2, 34},    {8, 6, 6}};

at::Tensor reference(const at::Tensor& maps, const at::Tensor& weight, bool transposed) {
  const std::vector<std::int64_t> stride(2, 2), padding(2, 1);
  return transposed ? at::conv_transpose2d(maps, weight, {}, stride, padding)
                    : at::conv2d(maps, weight, {}, stride, padding);
}

at::Tensor ours(const at::Tensor& maps, const at::Tensor& weight, bool transposed) {
  return transposed ? strided_convolution_transposed(maps, weight) : strided_convolution(maps, weight);
}

struct Inputs {
  at::Tensor maps, weight, direction, second;
};

/// Values that bfloat16 represents exactly, so that only the arithmetic differs.
at::Tensor values(at::IntArrayRef shape, double scale) {
  return (at::randn(shape, at::kDouble) * scale).to(at::kBFloat16).to(at::kDouble);
}

Inputs make_inputs(const Layer& layer, bool transposed) {
  at::manual_seed(7);
  const std::int64_t half = layer.size / 2;
  const std::vector<std::int64_t> large = {3, layer.high, layer.size, layer.size}, small = {3, layer.low, half, half};
  return {values(transposed ? small : large, 1), values({layer.low, layer.high, 4, 4}, 0.1),
          values(transposed ? large : small, 1), values(transposed ? small : large, 1)};
}

/// Returns, in float64: the output, the gradients of <output, direction> with respect to maps and weight, and the
/// gradients of <gradient of the maps, second> with respect to direction and weight.
template <typename Function>
std::vector<at::Tensor> derivatives(const Inputs& inputs, at::ScalarType maps_type, at::ScalarType weight_type,
                                    Function function) {
  const auto maps = inputs.maps.to(maps_type).requires_grad_(true);
  const auto weight = inputs.weight.to(weight_type).requires_grad_(true);
  const auto direction = inputs.direction.to(maps_type).requires_grad_(true);
  const auto output = function(maps, weight);
  const auto first = torch::autograd::grad({output}, {maps, weight}, {direction}, true, /*create_graph=*/true);
  const auto second = torch::autograd::grad({first[0]}, {direction, weight}, {inputs.second.to(maps_type)}, true);
  std::vector<at::Tensor> all = {output, first[0], first[1], second[0], second[1]};
  for (auto& tensor : all) tensor = tensor.detach().to(at::kDouble);
  return all;
}

double largest_error(const at::Tensor& value, const at::Tensor& expected) {
  return ((value - expected).abs().max() / expected.abs().max()).item<double>();
}

void expect_as_libtorch(at::ScalarType maps_type, at::ScalarType weight_type, double tolerance) {
  for (const bool transposed : {false, true}) {
    for (const auto& layer : layers) {
      const auto inputs = make_inputs(layer, transposed);
      const auto expected = derivatives(inputs, at::kDouble, at::kDouble, [&](const auto& maps, const auto& weight) {
        return reference(maps, weight, transposed);
      });
      const auto found = derivatives(inputs, maps_type, weight_type, [&](const auto& maps, const auto& weight) {
        return ours(maps, weight, transposed);
      });
      for (std::size_t i = 0; i < found.size(); ++i) {
        EXPECT_EQ(found[i].sizes(), expected[i].sizes());
        EXPECT_LE(largest_error(found[i], expected[i]), tolerance)
            << "result " << i << " of " << layer.low << ", " << layer.high << ", " << layer.size
            << (transposed ? ", transposed" : "");
      }
    }
  }
}

TEST(StridedConvolution, MatchesLibTorchsValuesAndFirstAndSecondDerivativesInFloat64) {
  expect_as_libtorch(at::kDouble, at::kDouble, 1e-13);
}

TEST(StridedConvolution, MatchesLibTorchsValuesAndFirstAndSecondDerivativesInFloat32) {
  expect_as_libtorch(at::kFloat, at::kFloat, 1e-5);
}

TEST(StridedConvolution, MatchesLibTorchsValuesAndFirstAndSecondDerivativesInBfloat16UpToRounding) {
  expect_as_libtorch(at::kBFloat16, at::kFloat, 0.01);
}

/// Disables tiled products, as on a processor that does not support them.
class WithoutTiles {
 public:
  WithoutTiles() { at::globalContext().setUserEnabledMkldnn(false); }
  ~WithoutTiles() { at::globalContext().setUserEnabledMkldnn(before_); }
  WithoutTiles(const WithoutTiles&) = delete;
  WithoutTiles& operator=(const WithoutTiles&) = delete;

 private:
  const bool before_ = at::globalContext().userEnabledMkldnn();
};

TEST(StridedConvolution, MatchesLibTorchsValuesAndDerivativesWithoutTiledProducts) {
  const WithoutTiles scope;
  EXPECT_FALSE(supports_tiles(Product::correlate, at::kFloat, {8, 32, 32, 8, 8}));
  expect_as_libtorch(at::kFloat, at::kFloat, 1e-5);
  expect_as_libtorch(at::kBFloat16, at::kFloat, 0.01);
}

/// Makes all products that both kernels support use the same kernel, after computing them with both.
class SameKernel : public KernelSelector {
 public:
  explicit SameKernel(bool in_tiles) : in_tiles_(in_tiles) { set_kernel_selector(this); }
  ~SameKernel() override { set_kernel_selector(nullptr); }
  bool selects_tiles(Product, at::ScalarType, const ProductShape&, bool,
                     const std::function<void(bool)>& compute) override {
    compute(false);
    compute(true);
    return in_tiles_;
  }

 private:
  bool in_tiles_;
};

TEST(StridedConvolution, MatchesLibTorchsValuesAndDerivativesWithTheSelectedKernel) {
  for (const bool in_tiles : {false, true}) {
    const SameKernel scope(in_tiles);
    expect_as_libtorch(at::kFloat, at::kFloat, 1e-5);
    expect_as_libtorch(at::kBFloat16, at::kFloat, 0.01);
  }
}

TEST(StridedConvolution, AcceptsMapsInAnyMemoryFormat) {
  for (const auto type : {at::kFloat, at::kBFloat16}) {
    const auto maps = at::randn({8, 8, 5, 3}).to(type).permute({3, 2, 0, 1});
    const auto weight = at::randn({6, 5, 4, 4});
    EXPECT_TRUE(at::equal(strided_convolution(maps, weight), strided_convolution(maps.contiguous(), weight)));
    const auto small = at::randn({4, 4, 6, 3}).to(type).permute({3, 2, 0, 1});
    EXPECT_TRUE(at::equal(strided_convolution_transposed(small, weight),
                          strided_convolution_transposed(small.contiguous(), weight)));
  }
}

TEST(StridedConvolution, UsesThePreparedWeightAndReturnsTheGradientOfTheWeight) {
  for (const auto type : {at::kFloat, at::kBFloat16}) {
    const auto weight = at::randn({8, 3, 4, 4}).requires_grad_(true);
    const auto maps = at::randn({2, 3, 8, 8}).to(type);
    const auto doubled = c10::make_intrusive<PreparedWeight>(weight.detach() * 2, type);
    const auto output = strided_convolution(maps, weight, doubled);
    EXPECT_TRUE(at::equal(output, strided_convolution(maps, weight) * 2));
    output.sum().backward();
    EXPECT_EQ(weight.grad().scalar_type(), at::kFloat);
    EXPECT_TRUE(weight.grad().is_contiguous());
  }
}

TEST(StridedConvolution, RejectsShapesAndDtypesThatDoNotMatch) {
  const auto weight = at::randn({8, 3, 4, 4});
  const auto other = c10::make_intrusive<PreparedWeight>(weight, at::kBFloat16);
  const auto error = [](const auto&... arguments) {
    return message_of<c10::Error>([&] { strided_convolution(arguments...); });
  };
  EXPECT_THAT(error(at::randn({2, 4, 8, 8}), weight), HasSubstr("do not fit a weight of shape [8, 3, 4, 4]"));
  EXPECT_THAT(error(at::randn({2, 3, 5, 8}), weight), HasSubstr("needs even sides, got [2, 3, 5, 8]"));
  EXPECT_THAT(error(at::randn({2, 3, 8, 8}), at::randn({8, 3, 3, 3})), HasSubstr("4, 4], got [8, 3, 3, 3]"));
  EXPECT_THAT(error(at::randn({2, 3, 8, 8}), weight, other), HasSubstr("for BFloat16 does not fit a weight"));
  EXPECT_THAT(error(at::randn({2, 3, 8, 8}).to(at::kHalf), weight), HasSubstr("bfloat16 on the CPU, got Half"));
  EXPECT_THAT(message_of<c10::Error>([&] { strided_convolution_transposed(at::randn({2, 16, 4, 4}), weight); }),
              HasSubstr("do not fit a weight of shape [8, 3, 4, 4]"));
}

TEST(StridedConvolution, AcceptsAnEmptyBatch) {
  const auto weight = at::randn({8, 3, 4, 4});
  EXPECT_EQ(strided_convolution(at::randn({0, 3, 8, 8}), weight).sizes(), at::IntArrayRef({0, 8, 4, 4}));
  EXPECT_EQ(strided_convolution_transposed(at::randn({0, 8, 4, 4}), weight).sizes(), at::IntArrayRef({0, 3, 8, 8}));
}

TEST(StridedConvolution, IsDeterministic) {
  const auto maps = at::randn({9, 32, 16, 16}), weight = at::randn({64, 32, 4, 4}).requires_grad_(true);
  for (const auto type : {at::kFloat, at::kBFloat16}) {
    const auto gradients = [&] {
      const auto input = maps.to(type).requires_grad_(true);
      return torch::autograd::grad({strided_convolution(input, weight).square().sum()}, {input, weight});
    };
    const auto once = gradients(), again = gradients();
    EXPECT_TRUE(at::equal(once[0], again[0]));
    EXPECT_TRUE(at::equal(once[1], again[1]));
  }
}

// --- PreparedWeight

TEST(PreparedWeight, ComputesEachLayoutOnce) {
  PreparedWeight weight(at::randn({6, 5, 4, 4}), at::kBFloat16);
  EXPECT_EQ(weight.plain().const_data_ptr(), weight.plain().const_data_ptr());
  EXPECT_EQ(weight.for_convolving().const_data_ptr(), weight.for_convolving().const_data_ptr());
  EXPECT_EQ(weight.for_transposing().const_data_ptr(), weight.for_transposing().const_data_ptr());
}

TEST(PreparedWeight, HasTheDtypeOfTheMapsAndNoGradient) {
  const auto weight = at::randn({6, 5, 4, 4}).requires_grad_(true);
  PreparedWeight prepared(weight, at::kBFloat16);
  EXPECT_TRUE(at::equal(prepared.plain(), weight.to(at::kBFloat16)));
  EXPECT_TRUE(prepared.plain().is_contiguous(at::MemoryFormat::ChannelsLast));
  EXPECT_FALSE(prepared.plain().requires_grad());
}

TEST(PreparedWeight, AcceptsASliceOfAnotherTensor) {
  const auto part = at::randn({8, 6, 4, 4}).contiguous(at::MemoryFormat::ChannelsLast).slice(1, 0, 3);
  EXPECT_TRUE(PreparedWeight(part, at::kFloat).plain().is_contiguous(at::MemoryFormat::ChannelsLast));
}

TEST(PreparedWeight, InterleavesRowsInBfloat16Only) {
  const auto weight = at::randn({6, 5, 4, 4}).to(at::kBFloat16).to(at::kFloat);
  const auto rows = weight.permute({2, 3, 1, 0}).reshape({80, 6});  // [16 high, low]
  EXPECT_TRUE(at::equal(PreparedWeight(weight, at::kFloat).for_convolving().view({80, 6}), rows));
  const auto pairs = PreparedWeight(weight, at::kBFloat16).for_convolving().view({40, 6, 2}).to(at::kFloat);
  EXPECT_TRUE(at::equal(pairs.select(2, 0), rows.slice(0, 0, 80, 2)));
  EXPECT_TRUE(at::equal(pairs.select(2, 1), rows.slice(0, 1, 80, 2)));
}

TEST(PreparedWeight, SplitsTheLayoutForTransposingIntoParts) {
  const auto weight = at::randn({6, 40, 4, 4});  // 640 columns are too many for one part, so each kernel row is a part
  const auto parts = PreparedWeight(weight, at::kFloat).for_transposing().view({4, 6, 4, 40});
  EXPECT_TRUE(at::equal(parts, weight.permute({2, 0, 3, 1})));
}

// --- FixedTransposedConvolution

/// A layer with `low` channels in the small feature maps, whose side is `size`, and `high` channels in the large ones;
/// and the batch size `count`.
struct FixedLayer {
  std::int64_t low, high, size, count;
};

// The layers cover the numbers of channels of images (1 and 3), oneDNN and tiled products, and more patches than fit
// into one block.
const std::vector<FixedLayer> fixed_layers = {{32, 1, 16, 3}, {16, 3, 8, 3}, {24, 5, 4, 3},
                                              {64, 32, 4, 3}, {8, 4, 1, 2},  {16, 32, 32, 16}};

at::Tensor fixed_reference(const at::Tensor& maps, const at::Tensor& weight, const at::Tensor& bias, double slope) {
  const std::vector<std::int64_t> stride(2, 2), padding(2, 1);
  return at::leaky_relu(at::conv_transpose2d(maps, weight, bias, stride, padding), slope);
}

/// The largest error over all layers and slopes, relative to the largest value.
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

TEST(FixedTransposedConvolution, EqualsConvolutionBiasAndLeakyReluInFloat32) {
  EXPECT_LE(fixed_error(at::kFloat), 1e-6);
}

TEST(FixedTransposedConvolution, EqualsConvolutionBiasAndLeakyReluInBfloat16UpToRounding) {
  EXPECT_LE(fixed_error(at::kBFloat16), 0.01);
}

TEST(FixedTransposedConvolution, ComputesAnImageIndependentlyOfTheRestOfTheBatch) {
  const auto maps = at::randn({4, 32, 8, 8});
  for (const std::int64_t high : {1, 16}) {
    const FixedTransposedConvolution convolution(at::randn({32, high, 4, 4}), at::randn({high}), at::kFloat, 0.2);
    const auto other = at::cat({maps.narrow(0, 0, 1), at::randn({3, 32, 8, 8})});
    EXPECT_TRUE(at::equal(convolution(maps)[0], convolution(other)[0]));
  }
}

TEST(FixedTransposedConvolution, PassesNaNThrough) {
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

// Covers tiled products, transpose_thin (one channel in float32) and oneDNN (32 channels).
TEST(FixedTransposedConvolution, MapsMinusInfinityToZeroAtSlopeZero) {
  const auto expect_zero = [](at::ScalarType type, std::int64_t high) {
    const auto bias = at::full({high}, -std::numeric_limits<float>::infinity());
    const FixedTransposedConvolution convolution(at::randn({16, high, 4, 4}), bias, type, /*negative_slope=*/0);
    EXPECT_TRUE((convolution(at::randn({2, 16, 4, 4}).to(type)) == 0).all().item<bool>()) << type << ", " << high;
  };
  for (const auto type : {at::kFloat, at::kBFloat16}) {
    for (const std::int64_t high : {1, 32}) {
      expect_zero(type, high);
      const WithoutTiles scope;
      expect_zero(type, high);
    }
  }
}

TEST(FixedTransposedConvolution, RejectsUnsupportedDtypesAndNegativeSlopes) {
  const auto weight = at::randn({4, 4, 4, 4}), bias = at::randn({4});
  const auto error = [&](at::ScalarType type, double slope) {
    return message_of<c10::ValueError>([&] { FixedTransposedConvolution(weight, bias, type, slope); });
  };
  EXPECT_THAT(error(at::kDouble, 0.2), HasSubstr("expected float32 or bfloat16, got Double"));
  EXPECT_THAT(error(at::kFloat, -0.1), HasSubstr("expected a negative slope of 0 or more, got -0.1"));
}

TEST(FixedTransposedConvolution, RejectsMapsOfTheWrongShapeOrDtype) {
  const FixedTransposedConvolution convolution(at::randn({8, 3, 4, 4}), at::randn({3}), at::kBFloat16, 0.2);
  EXPECT_THAT(message_of<c10::Error>([&] { convolution(at::randn({1, 8, 4, 4})); }),
              HasSubstr("of BFloat16, got [1, 8, 4, 4] of Float"));
  EXPECT_THAT(message_of<c10::Error>([&] { convolution(at::randn({1, 6, 4, 4}).to(at::kBFloat16)); }),
              HasSubstr("expected [N, 8, H, W] of BFloat16, got [1, 6, 4, 4]"));
}

}  // namespace
}  // namespace slopegan
