#pragma once

#include <memory>
#include <string>
#include <vector>

#include <ATen/core/Tensor.h>

#include "data/dataset.h"

/// Feature extractors: what turns images into the vectors that metrics compare.
namespace slopegan {

struct Extraction {
  at::Tensor features;  ///< float32 [N, d] on the CPU
  at::Tensor logits;    ///< float32 [N, K] on the CPU, or undefined where the extractor knows no classes
};

class FeatureExtractor {
 public:
  virtual ~FeatureExtractor() = default;

  /// "classifier-fashion-mnist@1a2b3c4d": what it is, and the first digits of the SHA-256 of its weights. Figures of
  /// extractors with different names cannot be compared.
  const std::string& name() const { return name_; }

  /// Whether extractions have logits.
  virtual bool has_classes() const = 0;

  /// images: float32 [N, C, R, R] in [−1, 1] on the CPU. Each image's result is the same in whatever batch it comes.
  /// Without gradients.
  Extraction extract(const at::Tensor& images);

 protected:
  explicit FeatureExtractor(std::string name) : name_(std::move(name)) {}

 private:
  virtual Extraction extract_batch(const at::Tensor& images) = 0;

  std::string name_;
};

/// `title`@ and the first digits of `hash`.
std::string extractor_name(const std::string& title, const std::string& hash);

/// As every image file has them: rounded to bytes and back to [−1, 1]. Generated images are evaluated like this, so
/// that their PNGs give the same figures.
at::Tensor as_bytes_would_be(const at::Tensor& images);

/// The rows of all parts, one below the other; at least one part.
Extraction concatenated(const std::vector<Extraction>& parts);

/// The features of the dataset's first `count` images at the resolution, a batch at a time.
Extraction extract_dataset(FeatureExtractor& extractor, const Dataset& dataset, std::int64_t count,
                           std::int64_t resolution);

/// The trained classifier where `train` has labels (see evaluation/classifier_extractor.h), and the random network
/// where it has none.
std::unique_ptr<FeatureExtractor> default_extractor(const Dataset& train, const Dataset* test, std::int64_t resolution);

/// metrics.extractor: "auto" is default_extractor, anything else the path of a TorchScript file. Such a file is code,
/// which is run: pass no path that the user has not given. Throws DataError.
std::unique_ptr<FeatureExtractor> make_extractor(const std::string& choice, const Dataset& train, const Dataset* test,
                                                 std::int64_t resolution);

}  // namespace slopegan
