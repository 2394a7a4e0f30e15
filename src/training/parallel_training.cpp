#include "training/parallel_training.h"

#include <stdexcept>
#include <string>

#include "config/enums.h"
#include "config/print.h"
#include "models/measured_kernels.h"
#include "support/errors.h"
#include "support/signals.h"
#include "support/text.h"
#include "training/gan_step.h"
#include "training/step_inputs.h"

namespace slopegan {

/// The weights are not compared in every step, because hashing them takes a few percent of a step's time.
static constexpr std::int64_t steps_between_comparisons = 100;

void check_trainable_by(int ranks, const Config& config, std::int64_t images_seen) {
  const auto check_activation = [ranks](const std::string& network, const ActivationConfig& activation) {
    if (!traits_of(activation.activation).is_random) return;
    throw UsageError(format_text("{}.activation = {} supports only one process and cannot be trained by {} ranks",
                                 network, name_of(activation.activation), ranks));
  };
  check_activation("generator", config.generator);
  check_activation("discriminator", config.discriminator);
  const auto& training = config.training;
  const auto left = training.total_images - images_seen;
  const auto last = left % training.batch_size;
  if (training.batch_size < ranks) {
    throw UsageError(
        format_text("training.batch_size = {}, the global batch size, is too small for {} ranks; allowed: {} or more",
                    training.batch_size, ranks, ranks));
  }
  if (left > 0 && last > 0 && last < ranks) {
    throw UsageError(
        format_text("the last batch of training.total_images = {} has {} image{} for {} ranks; allowed: a "
                    "multiple of training.batch_size = {}",
                    training.total_images, last, plural_s(last), ranks, training.batch_size));
  }
}

std::unique_ptr<DataParallel> join_ranks(GanState& state, const Config& config, const std::string& dataset_hash,
                                         Ranks& ranks) {
  use_kernel_table();
  if (!ranks.is_same_everywhere(to_yaml(config))) {
    throw UsageError("the ranks were started with different configurations");
  }
  if (!ranks.is_same_everywhere(dataset_hash)) throw UsageError("the ranks find different images at data.path");
  const auto of_first = broadcast_tensors(state.tensors(), ranks);
  if (!ranks.is_first()) state.restore(of_first);
  check_trainable_by(ranks.size(), config, state.images_seen);
  return std::make_unique<DataParallel>(*state.generator, *state.discriminator, ranks, config.training.sync_batch_norm);
}

bool end_step(DataParallel& parallel, const GanState& state, const Config& config, std::int64_t images_before) {
  auto& ranks = parallel.ranks();
  // stop_signal() must be read only once: a signal that arrives later is unknown to the other ranks, and all ranks must
  // make the same collective calls.
  const auto signal = static_cast<int>(ranks.all_reduce_max(stop_signal()));
  record_stop_signal(signal);
  const bool saving = signal != 0 || state.images_seen >= config.training.total_images ||
                      is_due(config.checkpoint.every_images, images_before, state.images_seen);
  const bool comparing = saving || state.steps % steps_between_comparisons == 0;
  if (comparing && !parallel.has_same_weights()) {
    throw std::logic_error(format_text("the weights of the {} ranks differ after {} steps", ranks.size(), state.steps));
  }
  return signal != 0;
}

TrainEnd follow(const Config& config, const Compute& compute, const Dataset& dataset, Ranks& ranks) {
  GanState state(config, dataset.channels(), compute.device);
  const auto parallel = join_ranks(state, config, dataset.hash, ranks);
  const std::int64_t total = config.training.total_images;
  if (state.images_seen >= total) return TrainEnd::done;
  RealBatches batches(config, compute, dataset, state.images_seen, ranks.rank(), ranks.size());
  GanStep step(state, config, compute, parallel.get());
  while (state.images_seen < total) {
    const std::int64_t before = state.images_seen;
    step.take(batches.next());
    if (end_step(*parallel, state, config, before) && state.images_seen < total) return TrainEnd::stopped;
  }
  return TrainEnd::done;
}

}  // namespace slopegan
