#include "training/data_parallel.h"

#include <span>
#include <stdexcept>

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

#include "config/enum_names.h"
#include "config/print.h"
#include "support/errors.h"
#include "support/sha256.h"
#include "support/signals.h"
#include "support/text.h"
#include "training/due.h"

namespace slopegan {

/// A hash of all weights costs as much as a small part of a step.
static constexpr std::int64_t steps_between_comparisons = 100;

void check_trainable_by(int ranks, const Config& config, std::int64_t images_seen) {
  const auto check_activation = [ranks](const std::string& network, const ActivationConfig& activation) {
    if (!make_activation(activation, 0, 1, 0, network)->is_random()) return;
    throw UsageError(format_text("{}.activation = {} draws its slopes in one process; {} ranks cannot train it",
                                 network, name_of(activation.activation), ranks));
  };
  check_activation("generator", config.generator);
  check_activation("discriminator", config.discriminator);
  const auto& training = config.training;
  const auto left = training.total_images - images_seen;
  const auto last = left % training.batch_size;
  if (training.batch_size < ranks) {
    throw UsageError(format_text("training.batch_size = {} is the batch of all {} ranks together; allowed: {} or more",
                                 training.batch_size, ranks, ranks));
  }
  if (left > 0 && last > 0 && last < ranks) {
    throw UsageError(
        format_text("the last batch of training.total_images = {} has {} images for {} ranks; allowed: a "
                    "multiple of training.batch_size = {}",
                    training.total_images, last, ranks, training.batch_size));
  }
}

DataParallel::DataParallel(GanState& state, const Config& config, const std::string& dataset_hash, Ranks& ranks)
    : state_(state),
      config_(config),
      ranks_(ranks),
      generator_(state.generator_optimizer, ranks),
      discriminator_(state.discriminator_optimizer, ranks) {
  if (!ranks.is_same_everywhere(to_yaml(config))) {
    throw UsageError("the ranks were started with different configurations");
  }
  if (!ranks.is_same_everywhere(dataset_hash)) throw UsageError("the ranks find different images at data.path");
  share_state();
  check_trainable_by(ranks.size(), config, state.images_seen);
  if (config.training.sync_batch_norm) synchronise([&ranks](at::Tensor& tensor) { ranks.sum(tensor); });
}

DataParallel::~DataParallel() { synchronise({}); }

void DataParallel::synchronise(const SumOverRanks& sum) {
  state_.generator->set_sum_over_ranks(sum);
  state_.discriminator->set_sum_over_ranks(sum);
}

void DataParallel::share_state() {
  const at::NoGradGuard no_gradients;
  auto tensors = state_.tensors();
  for (auto& [name, tensor] : tensors) {
    tensor = tensor.detach().clone(at::MemoryFormat::Contiguous);
    ranks_.share(tensor);
  }
  if (!ranks_.is_first()) state_.restore(tensors);
}

std::vector<at::Tensor> DataParallel::means_of_batch(const std::vector<at::Tensor>& means, const Part& part) {
  const at::NoGradGuard no_gradients;
  const auto sums = at::stack(means).to(at::kDouble).mul_(part.share());
  ranks_.sum(sums);
  return sums.unbind();
}

void DataParallel::backward(const at::Tensor& loss, const Part& part, const Adam& optimizer) {
  auto& buckets = &optimizer == &state_.generator_optimizer ? generator_ : discriminator_;
  buckets.backward(loss * part.share());
}

bool DataParallel::end_of_step(std::int64_t images_before) {
  stop_as_well(static_cast<int>(ranks_.highest(stop_signal())));
  const bool saving = stop_signal() != 0 || state_.images_seen >= config_.training.total_images ||
                      is_due(config_.checkpoint.every_images, images_before, state_.images_seen);
  if (saving || state_.steps % steps_between_comparisons == 0) require_same_weights();
  return stop_signal() != 0;
}

void DataParallel::require_same_weights() const {
  Sha256 hash;
  for (const auto* optimizer : {&state_.generator_optimizer, &state_.discriminator_optimizer}) {
    for (const auto& slot : optimizer->slots()) {
      const auto values = slot.parameter.detach().to(at::kCPU).contiguous();
      hash.update({static_cast<const std::byte*>(values.const_data_ptr()), values.nbytes()});
    }
  }
  if (ranks_.is_same_everywhere(hash.hex())) return;
  throw std::logic_error(format_text("the weights of the {} ranks differ after {} steps", ranks_.size(), state_.steps));
}

}  // namespace slopegan
