#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "config/config.h"
#include "data/dataset.h"
#include "evaluation/evaluator.h"
#include "models/compute.h"
#include "models/dcgan.h"

namespace slopegan {

/// The evaluator that a configuration describes, with the test split of config.data where there is one. The first one
/// for some data takes a minute or two (evaluation/cache.h). Throws DataError, also where metrics.extractor names a
/// file that is no extractor; StoppedError.
std::unique_ptr<Evaluator> make_evaluator(const Config& config, const Dataset& train);

/// What the evaluator's extractor sees of config.metrics.samples generated images, from the set of latents number
/// `set`, the same for all slopes of a sweep and at all times of a run. Images are made and let go a few at a time.
/// Throws DivergedError where they are not finite.
Extraction extract_generated(Evaluator& evaluator, const Config& config, Generator& generator, const Compute& compute,
                             std::int64_t set);

/// The metrics of a run in training: all of the record but what it is for. With `repeat`, also the Fréchet distance of
/// a second set of images.
MetricsRecord evaluate_generator(Evaluator& evaluator, const Config& config, Generator& generator,
                                 const Compute& compute, std::int64_t images, bool repeat);

/// Finds the evaluation with the least Fréchet distance among those of the last one's extractor and number of samples,
/// which alone can be compared.
class BestSoFar {
 public:
  void add(const MetricsRecord& record);

  /// Of the best one, the first of equals; nothing where none has a distance.
  std::optional<std::int64_t> images() const { return images_; }
  std::optional<double> fd() const { return least_; }

 private:
  std::string extractor_;
  std::int64_t samples_ = 0;
  std::optional<double> least_;
  std::optional<std::int64_t> images_;
};

}  // namespace slopegan
