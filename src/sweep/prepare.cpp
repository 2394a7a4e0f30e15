#include "sweep/prepare.h"

#include <ATen/Parallel.h>

#include "data/dataset.h"
#include "models/compute.h"
#include "support/thread_waiting.h"
#include "training/run_metrics.h"

namespace slopegan {

PreparedData prepare_data(const Config& config, bool logs_notes) {
  const auto train = load_dataset(config.data, Split::train);
  if (logs_notes) log_notes(*train, Split::train);
  PreparedData prepared{train->hash, {}};
  if (config.metrics.every_images == 0) return prepared;
  watch_thread_waiting(at::get_num_threads());
  // Features are computed on the arms' device, so that the arms find them in the cache.
  const Evaluators evaluators = make_evaluators(config, *train, choose_compute(config.training).device);
  if (!evaluators.empty()) prepared.extractor = evaluators.front()->extractor().name();
  return prepared;
}

}  // namespace slopegan
