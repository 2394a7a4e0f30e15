#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "config/config.h"
#include "data/dataset.h"
#include "models/compute.h"
#include "run/checkpoint.h"
#include "run/records.h"
#include "support/histogram.h"
#include "training/gan_state.h"

namespace slopegan {

/// Looks at a training state with fixed probes: the same latents, the same training images and, where the data set has
/// a test split, the same held-out images each time, so many that every unit is counted over at least
/// config.diagnostics.probes values, in whole batches of training.batch_size.
///
/// It works on copies of the networks in training mode: batch norm uses the statistics of the batch, random slopes are
/// drawn and spectral norm takes its step, as the next training step would; running statistics, u, gradients and every
/// random stream of the run stay as they are.
class Diagnosis {
 public:
  /// `train` outlives the object. Throws DataError where the test split is there but damaged, or has other channels.
  Diagnosis(const Config& config, const Compute& compute, const Dataset& train);

  /// The layers and the images of `state`; gradients and updates of the step that `stepped` took last: the same state
  /// in training. `pre_activations`, where there is one, gets what went into each layer, in the order of the record.
  DiagnosticsRecord operator()(const GanState& state, const GanState& stepped,
                               std::vector<Histogram>* pre_activations = nullptr) const;

  /// Latents, and real images of each kind.
  std::int64_t probes() const { return probes_; }

  /// A training step on the first probe images, for gradients where no step was taken.
  void take_step(GanState& state) const;

 private:
  struct Answers;
  struct Reals {
    Reals(const Config& config, std::shared_ptr<const Dataset> from);
    at::Tensor batch(const Config& config, std::int64_t begin) const;
    std::shared_ptr<const Dataset> dataset;
    std::vector<std::uint32_t> order;
  };
  Answers play(Generator& generator, Discriminator& discriminator) const;
  void look_at_networks(const GanState& state, DiagnosticsRecord& record,
                        std::vector<Histogram>* pre_activations) const;
  static void look_at_answers(const Answers& answers, DiagnosticsRecord& record);

  const Config& config_;
  const Compute& compute_;
  Reals train_;
  std::optional<Reals> held_out_;  // where the data set has a test split
  std::int64_t probes_;
};

/// Says in the log what a record's sentinels mean; each only once.
class SentinelWarnings {
 public:
  void warn(const DiagnosticsRecord& record);

 private:
  std::set<std::string> said_;
};

/// What `slopegan diagnose` shows of a checkpoint: its layers, and the gradients of a step from it on the first probe
/// images, which is taken in memory only. The data come from `data` where that is not empty, else from where the run
/// had them. Throws CheckpointError where the tensors do not fit the configuration, DataError.
DiagnosticsRecord diagnose_checkpoint(const Checkpoint& checkpoint, const std::filesystem::path& data);

}  // namespace slopegan
