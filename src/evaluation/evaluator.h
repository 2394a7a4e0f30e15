#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "config/config.h"
#include "evaluation/extractor.h"
#include "metrics/manifold.h"
#include "metrics/moments.h"
#include "run/records.h"

namespace slopegan {

/// Compares sets of images with the real ones. What depends on the real images alone (their features, the radii of
/// their manifold, the floors) is computed once and cached (evaluation/cache.h).
///
/// The Fréchet distance and the memorisation use all real training images (the first 100,000 of larger sets), the
/// others a fixed random subset of metrics.samples of them. The floors are the figures of a fixed random subset of
/// metrics.samples test images.
class Evaluator {
 public:
  /// Fewer images, real or generated, have no fifth neighbour: they are refused.
  static constexpr std::int64_t least_images = 6;

  /// `test` may be null: then there are no floors, no histogram of classes and no memorisation. `metrics` gives the
  /// names and the number of samples; its extractor is not looked at. Throws DataError for too few real images.
  Evaluator(MetricsConfig metrics, std::unique_ptr<FeatureExtractor> extractor, const Dataset& train,
            const Dataset* test, std::int64_t resolution);

  /// Of generated images, as `extractor` sees them: N ≥ least_images rows. All of the record but images and fd_repeat.
  /// Throws DataError for fewer.
  MetricsRecord evaluate(const Extraction& generated);

  /// The Fréchet distance alone, of features [N, d].
  double frechet_distance_of(const at::Tensor& features) const;

  FeatureExtractor& extractor() { return *extractor_; }

 private:
  using Values = std::map<std::string, double>;

  Extraction cached_features(const Dataset& dataset, std::int64_t resolution);
  Manifold cached_manifold(const at::Tensor& features);
  Values cached_floors(const Dataset& test);
  bool wants(MetricName name) const;
  bool wants_manifold() const;
  Values values_of(const Extraction& extraction);
  void add_manifold_values(const at::Tensor& features, Values& values) const;
  void add_class_values(const at::Tensor& logits, Values& values) const;
  void add_memorisation(const at::Tensor& features, Values& values);

  MetricsConfig metrics_;
  std::unique_ptr<FeatureExtractor> extractor_;
  std::string key_;            ///< of everything above but the names: what the cache is keyed by
  at::Tensor train_, subset_;  ///< float64 features
  Extraction test_;            ///< undefined without test images
  Moments train_moments_;
  Manifold train_manifold_;
  std::vector<double> test_distances_;  ///< to the training images; filled when first needed
  Values floors_;
};

}  // namespace slopegan
