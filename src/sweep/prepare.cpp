#include "sweep/prepare.h"

#include <ATen/Parallel.h>

#include "data/dataset.h"
#include "data/summary.h"
#include "evaluation/run_metrics.h"
#include "models/compute.h"
#include "support/errors.h"
#include "support/log.h"
#include "support/posix_file.h"
#include "support/text.h"
#include "support/thread_waiting.h"

namespace slopegan {

static constexpr const char* changed_images_text = "changed after the sweep was prepared";

PreparedData prepare_data(const Config& config, bool logs_notes) {
  const auto train = load_dataset(config.data, Split::train);
  if (logs_notes) {
    log_notes(*train, Split::train);
    if (const auto note = small_data_note(config, train->size()); !note.empty()) log::info(note);
  }
  PreparedData prepared{train->hash, {}};
  if (config.metrics.every_images == 0) return prepared;
  watch_thread_waiting(at::get_num_threads());
  // Features are computed on the arms' device, so that the arms find them in the cache.
  const at::Device device = choose_compute(config.training).device;
  configure_gpu(device);
  const Evaluators evaluators = make_evaluators(config, *train, device);
  if (!evaluators.empty()) prepared.extractor = evaluators.front()->extractor().name();
  return prepared;
}

void check_prepared(const Dataset& images, const std::string& hash) {
  if (images.hash == hash) return;
  throw DataError(format_text(
      "the images at {} {} (SHA-256 {} -> {}), so this arm would not be comparable with the others; restore "
      "the images and run the same command again, or start a new sweep with another run.name",
      display(source_of(images)), changed_images_text, printable(hash.substr(0, 12)), images.hash.substr(0, 12)));
}

bool is_about_changed_images(const std::string& message) {
  return message.find(changed_images_text) != std::string::npos;
}

}  // namespace slopegan
