#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "config/config.h"
#include "evaluation/extractor.h"
#include "metrics/metrics.h"
#include "run/records.h"

namespace slopegan {

/// Compares sets of images with the real images. Everything that depends only on the real images (their features, the
/// radii of their manifold, the floors) is computed once and cached (evaluation/cache.h).
///
/// The Fréchet distance and the memorisation metrics use all real training images (see reference_images); the metrics
/// that compare all pairs use a fixed random subset of metrics.samples of them. The floors are the metrics of a fixed
/// random subset of metrics.samples test images. class_kl and the memorisation metrics compare images with the test
/// images, so their floors compare one random half of the test images with the other.
class Evaluator {
 public:
  /// The metrics use up to five neighbours of an image, so smaller sets of real or generated images are rejected.
  static constexpr std::int64_t least_images = 6;
  /// The maximum number of real images per split. More images would take more memory but hardly change the metrics.
  static constexpr std::int64_t most_real_images = 100'000;

  /// The indices, in ascending order, of the images that the metrics use from a split with `size` images: all of them
  /// or, if there are more than most_real_images, a fixed random subset. The first images of a folder would not
  /// represent it, because they belong to its first classes. Runs from version 0.9 (Dataset::as_in_0_9) use the first
  /// most_real_images images instead, as that version did.
  static std::vector<std::int64_t> reference_images(std::int64_t size);

  /// If `test` is null, there are no floors, no class_kl and no memorisation metrics. `metrics` specifies the names of
  /// the metrics and the number of samples; its extractor is ignored. Throws DataError for too few training images.
  Evaluator(MetricsConfig metrics, std::unique_ptr<FeatureExtractor> extractor, const Dataset& train,
            const Dataset* test, std::int64_t resolution);

  /// Evaluates generated images, given as the features [N, d] and logits that `extractor` returns, N ≥ least_images.
  /// Sets all fields of the record except `images`, `fd_repeat` and `others`. Throws DataError for too few images.
  MetricsRecord evaluate(const Extraction& generated);

  /// Returns the Fréchet distance between generated images, given as features [N, d], and the training images.
  double frechet_distance_of(const at::Tensor& features) const;

  FeatureExtractor& extractor() { return *extractor_; }

 private:
  Extraction cached_features(const Dataset& dataset, std::int64_t resolution);
  Manifold cached_manifold(const at::Tensor& features);
  std::map<std::string, double> floors_of(const Extraction& test);
  /// `test` identifies the test images, and `source` is their path.
  std::map<std::string, double> cached_floors(const std::string& test, const std::filesystem::path& source,
                                              const Extraction& extraction);
  void log_missing_inputs() const;

  MetricsConfig metrics_;
  std::unique_ptr<FeatureExtractor> extractor_;
  std::filesystem::path source_;  ///< path of the training images
  std::string device_;            ///< part of cache keys; empty for the CPU
  std::string key_;               ///< part of cache keys; covers all but the test images and metric names
  RealReference real_;
  std::map<std::string, double> floors_;
};

/// One evaluator per feature extractor. The metrics of the first evaluator determine the best checkpoint and are used
/// in the statistics.
using Evaluators = std::vector<std::unique_ptr<Evaluator>>;

/// Creates one evaluator per extractor. Throws the same exceptions as Evaluator.
Evaluators make_evaluators(const MetricsConfig& metrics, std::vector<std::unique_ptr<FeatureExtractor>> extractors,
                           const Dataset& train, const Dataset* test, std::int64_t resolution);

/// Evaluates generated images, given as one extraction per evaluator. Returns the record of the first evaluator, which
/// contains the results of the other evaluators in `others`.
MetricsRecord evaluate_all(const Evaluators& evaluators, const std::vector<Extraction>& generated);

}  // namespace slopegan
