#include "training/learning_rate.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include <c10/util/Exception.h>

namespace slopegan {

namespace {

double share(std::int64_t images, std::int64_t over) {
  return std::min(1.0, static_cast<double>(images) / static_cast<double>(over));
}

double decay(LearningRateDecay shape, double t) {
  switch (shape) {
    case LearningRateDecay::none:
      return 1;
    case LearningRateDecay::linear:
      return 1 - t;
    case LearningRateDecay::cosine:
      return (1 + std::cos(std::numbers::pi * t)) / 2;
  }
  TORCH_CHECK(false, "unknown decay");
}

}  // namespace

double learning_rate_factor(const OptimizerConfig& optimizer, std::int64_t total_images, std::int64_t images,
                            std::int64_t batch) {
  const double warm = optimizer.lr_warmup_images > 0 ? share(images + batch, optimizer.lr_warmup_images) : 1;
  const std::int64_t end = optimizer.lr_decay_images > 0 ? optimizer.lr_decay_images : total_images;
  return warm * decay(optimizer.lr_decay, share(images, end));
}

}  // namespace slopegan
