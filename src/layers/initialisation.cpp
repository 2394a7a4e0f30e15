#include "layers/initialisation.h"

#include <cmath>

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

#include "support/random.h"

namespace slopegan {

double leaky_relu_gain(double negative_slope) { return std::sqrt(2.0 / (1.0 + negative_slope * negative_slope)); }

void fill_normal(at::Tensor& weight, double mean, double std, std::uint64_t seed, std::string_view name) {
  auto normals = at::empty(weight.sizes(), at::TensorOptions(at::kFloat));
  RandomStream(seed, name).fill_normal({normals.mutable_data_ptr<float>(), static_cast<std::size_t>(normals.numel())});
  const at::NoGradGuard no_gradients;
  weight.copy_(normals.mul_(std).add_(mean));
}

}  // namespace slopegan
