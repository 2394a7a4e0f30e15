#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "config/config.h"
#include "data/dataset.h"
#include "evaluation/evaluator.h"
#include "models/compute.h"
#include "models/dcgan.h"
#include "run/records.h"

namespace slopegan {

/// Checks, without computing anything, that metrics.extractor can be used with these images. Throws DataError if not.
/// Does nothing if metrics.every_images is 0 or if there are too few images for metrics.
void check_metrics(const Config& config, const Dataset& train);

/// Creates the evaluators for a configuration, with the test split of config.data if there is one. The first call for a
/// data set takes a minute or two; later calls use a cache (evaluation/cache.h). If there are too few images for
/// metrics, logs a warning and returns no evaluators. Features are computed on `device`. Throws StoppedError if a
/// signal asks the process to stop, and DataError, for example if metrics.extractor names a file that is not an
/// extractor.
Evaluators make_evaluators(const Config& config, const Dataset& train, at::Device device = at::kCPU);

/// Generates config.metrics.samples images and extracts their features with the extractor of each evaluator. `set`
/// selects one of the sets of latents; each set is the same for all slopes of a sweep and throughout a run. The images
/// are generated in small batches to limit memory. Throws DivergedError if the images are not finite, and StoppedError
/// if a signal asks the process to stop.
std::vector<Extraction> extract_generated(const Evaluators& evaluators, const Config& config, Generator& generator,
                                          const Compute& compute, std::int64_t set);

/// Computes the metrics of a generator that was trained on `images` images. With `repeat`, also computes the Fréchet
/// distance for a second set of generated images.
MetricsRecord evaluate_generator(const Evaluators& evaluators, const Config& config, Generator& generator,
                                 const Compute& compute, std::int64_t images, bool repeat);

/// The distances of an evaluation for the log, one line per extractor: "FD[classifier-x@1a2b3c4d,n=10000] = 3.2". If
/// there are few images (has_few_images), the kernel distance precedes FD. Extractors without a distance have no line.
std::vector<std::string> evaluation_lines(const MetricsRecord& record);

/// Finds the evaluation with the lowest Fréchet distance. Only evaluations with the same extractor and number of
/// samples as the last one are comparable; the others are ignored.
class BestSoFar {
 public:
  void add(const MetricsRecord& record);

  /// The image count at the best evaluation (the first one if there is a tie); std::nullopt if none has a finite
  /// distance.
  std::optional<std::int64_t> images() const { return images_; }
  std::optional<double> fd() const { return lowest_fd_; }

 private:
  std::string extractor_;
  std::int64_t samples_ = 0;
  std::optional<double> lowest_fd_;
  std::optional<std::int64_t> images_;
};

/// The row of a run's summary table (run/progress.h) with the last and the best evaluation. Empty if the last one has
/// no Fréchet distance.
std::string metrics_row(const MetricsRecord& last, const BestSoFar& best);

}  // namespace slopegan
