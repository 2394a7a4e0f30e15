#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include <ATen/core/Tensor.h>

#include "config/enums.h"
#include "data/dataset.h"
#include "run/records.h"

/// Feature extractors map images to the vectors that metrics compare.
namespace slopegan {

struct Extraction {
  at::Tensor features;  ///< float32 [N, d] on the CPU
  at::Tensor logits;    ///< float32 [N, K] on the CPU, or undefined if the extractor has no classes
};

class FeatureExtractor {
 public:
  virtual ~FeatureExtractor() = default;

  /// The title and the first digits of the SHA-256 hash of the weights, such as "classifier-fashion-mnist@1a2b3c4d".
  /// Metrics from extractors with different names are not comparable.
  const std::string& name() const { return name_; }

  /// Whether extractions have logits.
  virtual bool has_classes() const = 0;

  /// The accuracy on real images on which the extractor was not trained; std::nullopt if it is unknown, or if the
  /// extractor is not a classifier that was trained on the data set.
  virtual std::optional<ClassifierAccuracy> accuracy() const { return std::nullopt; }

  /// Extracts features without gradients. `images` is float32 [N, C, R, R] in [−1, 1] on the CPU. The result for an
  /// image does not depend on the other images.
  Extraction extract(const at::Tensor& images);

  /// Moves the network to another device, on which features are then computed. A network that only works on the CPU
  /// stays there.
  void move_to(at::Device device);
  at::Device device() const { return device_; }

 protected:
  explicit FeatureExtractor(std::string name) : name_(std::move(name)) {}

 private:
  /// `images` and the result are on device().
  virtual Extraction extract_batch(const at::Tensor& images) = 0;
  /// Moves the network to the device and returns true, or returns false if the network does not work there.
  virtual bool move_network(at::Device device) = 0;

  std::string name_;
  at::Device device_ = at::kCPU;
};

/// Returns "<title>@<first digits of hash>".
std::string extractor_name(const std::string& title, const std::string& hash);

/// Rounds images in [−1, 1] to the precision of 8-bit image files. Generated images are evaluated after this rounding,
/// so that their PNG files give the same metrics.
at::Tensor quantise_to_bytes(const at::Tensor& images);

/// Concatenates the rows of all parts. `parts` must not be empty.
Extraction concatenate(const std::vector<Extraction>& parts);

/// Extracts the features of the data set's first `count` images at `resolution`, batch by batch.
Extraction extract_dataset(FeatureExtractor& extractor, const Dataset& dataset, std::int64_t count,
                           std::int64_t resolution);

/// Extracts the features of the images at `indices`, in this order.
Extraction extract_images(FeatureExtractor& extractor, const Dataset& dataset, std::span<const std::int64_t> indices,
                          std::int64_t resolution);

/// The extractor that metrics.extractor = auto selects for these images: the classifier if the labels are suitable
/// (evaluation/classifier_extractor.h), otherwise EfficientNet-Lite0 for colour images and the random network for gray
/// ones. If `as_in_0_9` is set, the random network is selected for colour images too, as in version 0.9.
ExtractorKind automatic_extractor(const Dataset& train, bool as_in_0_9);

/// Returns `choice`, or the name of the extractor that auto selects if `choice` is auto.
std::string resolved_extractor(const std::string& choice, const Dataset& train, bool as_in_0_9);

/// Checks metrics.extractor = `choice` without computing anything. Throws DataError if what the extractor needs is
/// missing: suitable labels for the classifier, installed weights for EfficientNet-Lite0, or the TorchScript file.
void check_extractor(const std::string& choice, const Dataset& train, bool as_in_0_9);

/// Creates the extractor for metrics.extractor = `choice`: a name from ExtractorKind, or the path of a TorchScript
/// file. Loading such a file runs its code, so `choice` must come from the user. Throws DataError.
std::unique_ptr<FeatureExtractor> make_extractor(const std::string& choice, const Dataset& train, const Dataset* test,
                                                 std::int64_t resolution, bool as_in_0_9);

/// Creates the extractors for a list of choices. A choice that selects the same extractor as an earlier one is omitted.
std::vector<std::unique_ptr<FeatureExtractor>> make_extractors(const std::vector<std::string>& choices,
                                                               const Dataset& train, const Dataset* test,
                                                               std::int64_t resolution, bool as_in_0_9);

}  // namespace slopegan
