#pragma once

#include <memory>
#include <string>
#include <vector>

#include <ATen/core/Tensor.h>

#include "data/dataset.h"

/// Feature extractors map images to the vectors that metrics compare.
namespace slopegan {

struct Extraction {
  at::Tensor features;  ///< float32 [N, d] on the CPU
  at::Tensor logits;    ///< float32 [N, K] on the CPU, or undefined if the extractor has no classes
};

class FeatureExtractor {
 public:
  virtual ~FeatureExtractor() = default;

  /// Name of the extractor and the first digits of the SHA-256 of its weights: "classifier-fashion-mnist@1a2b3c4d".
  /// Figures of extractors with different names are not comparable.
  const std::string& name() const { return name_; }

  /// Whether extractions have logits.
  virtual bool has_classes() const = 0;

  /// Extracts features without gradients. images: float32 [N, C, R, R] in [−1, 1] on the CPU. The result of an image
  /// does not depend on the other images.
  Extraction extract(const at::Tensor& images);

 protected:
  explicit FeatureExtractor(std::string name) : name_(std::move(name)) {}

 private:
  virtual Extraction extract_batch(const at::Tensor& images) = 0;

  std::string name_;
};

/// Returns "title@" with the first digits of `hash`.
std::string extractor_name(const std::string& title, const std::string& hash);

/// Rounds images in [−1, 1] to the precision of 8-bit image files. Generated images are evaluated after this rounding,
/// so that their PNG files give the same figures.
at::Tensor quantise_to_bytes(const at::Tensor& images);

/// Concatenates the rows of all parts. `parts` must not be empty.
Extraction concatenate(const std::vector<Extraction>& parts);

/// Extracts features of the dataset's first `count` images at this resolution, batch by batch.
Extraction extract_dataset(FeatureExtractor& extractor, const Dataset& dataset, std::int64_t count,
                           std::int64_t resolution);

/// Returns the trained classifier if `train` has suitable labels (evaluation/classifier_extractor.h), otherwise the
/// random network.
std::unique_ptr<FeatureExtractor> default_extractor(const Dataset& train, const Dataset* test, std::int64_t resolution);

/// Creates the extractor for metrics.extractor: "auto" is default_extractor, anything else is the path of a TorchScript
/// file. Loading such a file runs code, so `choice` must come from the user. Throws DataError.
std::unique_ptr<FeatureExtractor> make_extractor(const std::string& choice, const Dataset& train, const Dataset* test,
                                                 std::int64_t resolution);

}  // namespace slopegan
