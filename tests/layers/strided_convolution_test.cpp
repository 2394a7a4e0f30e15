#include "layers/strided_convolution.h"

#include <vector>

#include <ATen/ATen.h>
#include <gtest/gtest.h>
#include <torch/csrc/autograd/autograd.h>

#include "layers/tiled_products.h"

namespace slopegan {
namespace {

/// One layer: `low` channels on the small maps, `high` on the large ones, of which the side is `size`.
struct Layer {
  std::int64_t low, high, size;
};

// Gray and RGB images, widths on both sides of the choices that the functions make, a side of 2: border everywhere,
// more lines than a block has, patches in one part, in lines and in single places, and odd widths and sides.
const std::vector<Layer> layers = {{32, 1, 32}, {16, 3, 16},  {24, 5, 8},    {64, 32, 8}, {48, 40, 4},
                                   {8, 4, 2},   {10, 2, 128}, {128, 160, 8}, {7, 6, 8},   {4, 257, 4},
                                   {6, 2, 14},  {2, 2, 34},   {8, 6, 6}};

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

/// Values that bfloat16 holds exactly, so that only the arithmetic differs.
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

/// Output, both gradients of <output, direction>, and both gradients of <gradient of the maps, second>, in float64.
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

TEST(StridedConvolution, AndItsFirstAndSecondDerivativesAreLibTorchsInFloat64) {
  expect_as_libtorch(at::kDouble, at::kDouble, 1e-13);
}

TEST(StridedConvolution, AndItsFirstAndSecondDerivativesAreThoseInFloat32) {
  expect_as_libtorch(at::kFloat, at::kFloat, 1e-5);
}

TEST(StridedConvolution, AndItsFirstAndSecondDerivativesAreThoseInBfloat16WithinItsRounding) {
  expect_as_libtorch(at::kBFloat16, at::kFloat, 0.01);
}

/// As on a processor that has no tiled products.
class WithoutTiles {
 public:
  WithoutTiles() { at::globalContext().setUserEnabledMkldnn(false); }
  ~WithoutTiles() { at::globalContext().setUserEnabledMkldnn(true); }
};

TEST(StridedConvolution, AndItsDerivativesAreThoseWithoutTiledProductsToo) {
  const WithoutTiles scope;
  EXPECT_FALSE(correlates_in_tiles(at::kFloat, {8, 32, 32, 8, 8}));
  expect_as_libtorch(at::kFloat, at::kFloat, 1e-5);
  expect_as_libtorch(at::kBFloat16, at::kFloat, 0.01);
}

TEST(StridedConvolution, TakesMapsOfAnyMemoryFormat) {
  for (const auto type : {at::kFloat, at::kBFloat16}) {
    const auto maps = at::randn({8, 8, 5, 3}).to(type).permute({3, 2, 0, 1});
    const auto weight = at::randn({6, 5, 4, 4});
    EXPECT_TRUE(at::equal(strided_convolution(maps, weight), strided_convolution(maps.contiguous(), weight)));
    const auto small = at::randn({4, 4, 6, 3}).to(type).permute({3, 2, 0, 1});
    EXPECT_TRUE(at::equal(strided_convolution_transposed(small, weight),
                          strided_convolution_transposed(small.contiguous(), weight)));
  }
}

TEST(StridedConvolution, UsesThePreparedWeightThatItIsGivenAndGivesTheGradientToTheWeight) {
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

TEST(StridedConvolution, RefusesWhatDoesNotFit) {
  const auto weight = at::randn({8, 3, 4, 4});
  const auto other = c10::make_intrusive<PreparedWeight>(weight, at::kBFloat16);
  EXPECT_THROW(strided_convolution(at::randn({2, 4, 8, 8}), weight), c10::Error);
  EXPECT_THROW(strided_convolution(at::randn({2, 3, 5, 8}), weight), c10::Error);
  EXPECT_THROW(strided_convolution(at::randn({2, 3, 8, 8}), at::randn({8, 3, 3, 3})), c10::Error);
  EXPECT_THROW(strided_convolution(at::randn({2, 3, 8, 8}), weight, other), c10::Error);
  EXPECT_THROW(strided_convolution(at::randn({2, 3, 8, 8}).to(at::kHalf), weight), c10::Error);
  EXPECT_THROW(strided_convolution_transposed(at::randn({2, 16, 4, 4}), weight), c10::Error);
}

TEST(StridedConvolution, OfNoMapsAreNone) {
  const auto weight = at::randn({8, 3, 4, 4});
  EXPECT_EQ(strided_convolution(at::randn({0, 3, 8, 8}), weight).sizes(), at::IntArrayRef({0, 8, 4, 4}));
  EXPECT_EQ(strided_convolution_transposed(at::randn({0, 8, 4, 4}), weight).sizes(), at::IntArrayRef({0, 3, 8, 8}));
}

TEST(StridedConvolution, GivesTheSameBitsEveryTime) {
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

}  // namespace
}  // namespace slopegan
