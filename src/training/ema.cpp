#include "training/ema.h"

#include <algorithm>
#include <cmath>

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

namespace slopegan {

static std::vector<at::Tensor> tensors(const torch::nn::Module& module, bool floating) {
  std::vector<at::Tensor> all = module.parameters();
  for (const auto& buffer : module.buffers()) all.push_back(buffer);
  std::erase_if(all, [&](const at::Tensor& tensor) { return tensor.is_floating_point() != floating; });
  return all;
}

double ema_decay(std::int64_t half_life_images, std::int64_t images_seen, std::int64_t batch) {
  const double half_life = std::min(static_cast<double>(half_life_images), 0.05 * static_cast<double>(images_seen));
  return half_life > 0 ? std::exp2(-static_cast<double>(batch) / half_life) : 0.0;
}

void update_ema(torch::nn::Module& average, const torch::nn::Module& live, double decay) {
  const at::NoGradGuard no_gradients;
  at::_foreach_lerp_(tensors(average, true), tensors(live, true), 1.0 - decay);
  const auto counters = tensors(average, false);
  if (!counters.empty()) at::_foreach_copy_(counters, tensors(live, false));
}

void copy_weights(torch::nn::Module& to, const torch::nn::Module& from) { update_ema(to, from, 0.0); }

}  // namespace slopegan
