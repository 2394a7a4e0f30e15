#pragma once

#include <ATen/ATen.h>

#include "data/dataset.h"
#include "support/random.h"

namespace slopegan {

/// Returns `count` noisy images of 16 × 16 pixels whose upper half (label 0) or lower half (label 1) is bright. The
/// noise depends only on `seed`.
inline Dataset two_halves(std::int64_t count, std::uint64_t seed, std::int64_t channels = 1) {
  std::vector<float> noise(static_cast<std::size_t>(count * channels * 256));
  RandomStream(seed, "tests/two_halves").fill_uniform(noise, 0, 90);
  auto images = at::tensor(noise).view({count, channels, 16, 16});
  Dataset dataset;
  dataset.name = "two halves";
  dataset.labels = at::arange(count).remainder(2);
  for (std::int64_t i = 0; i < count; ++i) images[i].narrow(1, i % 2 == 0 ? 0 : 8, 8).add_(150);
  dataset.images = images.to(at::kByte).contiguous();
  dataset.hash = hash_images(dataset.images);
  return dataset;
}

inline Dataset without_labels(Dataset dataset) {
  dataset.labels = at::Tensor();
  return dataset;
}

}  // namespace slopegan
