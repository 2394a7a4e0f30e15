#pragma once

#include <cstdint>

#include <torch/nn/module.h>

namespace slopegan {

/// The weight that `average` keeps over a step of `batch` images: 0.5^(batch / half-life). The half-life is at most 5 %
/// of the images seen (Karras et al. 2022, EDM, ema_rampup_ratio), so that the initial weights are soon forgotten.
double ema_decay(std::int64_t half_life_images, std::int64_t images_seen, std::int64_t batch);

/// average ← decay · average + (1 − decay) · live, for every parameter and floating buffer (running statistics belong
/// to the weights they were measured with). Both modules are of the same architecture.
void update_ema(torch::nn::Module& average, const torch::nn::Module& live, double decay);

/// Copies every parameter and buffer.
void copy_weights(torch::nn::Module& to, const torch::nn::Module& from);

}  // namespace slopegan
