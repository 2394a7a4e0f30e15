#pragma once

#include <cstdint>

#include "config/config.h"

namespace slopegan {

/// What both learning rates are multiplied with in the step that begins at `images`, in [0, 1]: the warm-up
/// min(1, (images + batch) / lr_warmup_images), times the decay 1 − t (linear) or (1 + cos πt)/2 (cosine) with
/// t = min(1, images / lr_decay_images); lr_decay_images = 0 stands for `total_images`. The warm-up
/// looks at the end of the step, of `batch` images, for a first rate of 0 would waste it.
double learning_rate_factor(const OptimizerConfig& optimizer, std::int64_t total_images, std::int64_t images,
                            std::int64_t batch);

}  // namespace slopegan
