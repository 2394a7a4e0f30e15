#include "evaluation/extractor.h"

#include <algorithm>
#include <numeric>

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

#include "data/transform.h"
#include "evaluation/classifier_extractor.h"
#include "evaluation/random_extractor.h"
#include "evaluation/torchscript_extractor.h"

namespace slopegan {

namespace {

/// The activations of one layer for this many 32 × 32 images fit in the cache of the processor.
constexpr std::int64_t extraction_batch = 128;

}  // namespace

Extraction concatenate(const std::vector<Extraction>& parts) {
  std::vector<at::Tensor> features, logits;
  for (const auto& part : parts) {
    features.push_back(part.features);
    if (part.logits.defined()) logits.push_back(part.logits);
  }
  return {at::cat(features), logits.empty() ? at::Tensor() : at::cat(logits)};
}

Extraction FeatureExtractor::extract(const at::Tensor& images) {
  const at::NoGradGuard no_gradients;
  std::vector<Extraction> parts;
  for (const auto& batch : images.split(extraction_batch)) parts.push_back(extract_batch(batch));
  return concatenate(parts);
}

std::string extractor_name(const std::string& title, const std::string& hash) {
  return title + "@" + hash.substr(0, 8);
}

at::Tensor quantise_to_bytes(const at::Tensor& images) {
  return images.clamp(-1, 1).add_(1).mul_(127.5).round_().div_(127.5).sub_(1);
}

Extraction extract_dataset(FeatureExtractor& extractor, const Dataset& dataset, std::int64_t count,
                           std::int64_t resolution) {
  std::vector<Extraction> parts;
  std::vector<std::int64_t> indices(static_cast<std::size_t>(std::min(count, dataset.size())));
  std::iota(indices.begin(), indices.end(), 0);
  const std::span<const std::int64_t> all(indices);
  for (std::size_t begin = 0; begin < all.size(); begin += extraction_batch) {
    const auto batch = all.subspan(begin, std::min<std::size_t>(extraction_batch, all.size() - begin));
    parts.push_back(extractor.extract(prepare_images(dataset, batch, resolution)));
  }
  return concatenate(parts);
}

std::unique_ptr<FeatureExtractor> default_extractor(const Dataset& train, const Dataset* test,
                                                    std::int64_t resolution) {
  if (can_classify(train)) return std::make_unique<ClassifierExtractor>(train, test, resolution);
  return std::make_unique<RandomExtractor>(train.channels());
}

std::unique_ptr<FeatureExtractor> make_extractor(const std::string& choice, const Dataset& train, const Dataset* test,
                                                 std::int64_t resolution) {
  if (choice == "auto") return default_extractor(train, test, resolution);
  return std::make_unique<TorchScriptExtractor>(choice);
}

}  // namespace slopegan
