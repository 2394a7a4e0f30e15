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

/// Measures a training state on fixed probes: the latents, the training images and, if the data set has a test split,
/// the held-out images are the same each time. There are enough probes for every unit to be counted over at least
/// config.diagnostics.probes values, in whole batches of training.batch_size.
///
/// The probes pass through copies of the networks in training mode, as in the next training step: batch norm uses batch
/// statistics, random slopes are drawn, and spectral norm performs its power iteration. The state itself (running
/// statistics, u, gradients) and the run's random streams do not change.
class Diagnosis {
 public:
  /// `train` must outlive the object. A test split that cannot be used is left out with a warning.
  /// `probes` > 0 sets the number of latents instead, before it is rounded up to whole batches.
  Diagnosis(const Config& config, const Compute& compute, const Dataset& train, std::int64_t probes = 0);

  /// Measures the layers and images of `state`, and the gradients and updates from the last step of `stepped`, which
  /// during training is the same state. If `pre_activations` is not nullptr, a histogram of the input to each
  /// activation is appended to it, in the order of the record's layers.
  DiagnosticsRecord operator()(const GanState& state, const GanState& stepped,
                               std::vector<Histogram>* pre_activations = nullptr) const;

  /// The number of latents, which is also the number of training images and of held-out images.
  std::int64_t probes() const { return probes_; }

  /// Takes a training step on the first probe images, to obtain gradients for a state that has not taken a step yet.
  void take_step(GanState& state) const;

 private:
  struct Outputs;
  struct Reals {
    Reals(const Config& config, std::shared_ptr<const Dataset> from);
    at::Tensor batch(const Config& config, std::int64_t begin) const;
    std::shared_ptr<const Dataset> dataset;
    std::vector<std::uint32_t> order;
  };
  Outputs run_probes(Generator& generator, Discriminator& discriminator) const;
  void measure_networks(const GanState& state, DiagnosticsRecord& record,
                        std::vector<Histogram>* pre_activations) const;
  static void measure_outputs(const Outputs& outputs, DiagnosticsRecord& record);

  const Config& config_;
  const Compute& compute_;
  Reals train_;
  std::optional<Reals> held_out_;  // empty if the data set has no test split
  std::int64_t probes_;
};

/// Logs a warning for each sentinel of a record, once per sentinel.
class SentinelWarnings {
 public:
  void warn(const DiagnosticsRecord& record);

 private:
  std::set<std::string> warned_;
};

/// The minimum number of latents for `slopegan diagnose`. Fractions of units, such as those that are always positive,
/// decrease as the number of probes grows, because a few hundred images contain few of the rare values.
inline constexpr std::int64_t least_diagnosed_probes = 5120;

/// The fractions of units that are never or always positive, if they decrease by more than 2 % of the units when the
/// number of probes is doubled: more probes would lower them further. One sentence per layer and fraction.
std::vector<std::string> unsettled_shares(const DiagnosticsRecord& fewer, const DiagnosticsRecord& more);

struct CheckpointDiagnosis {
  DiagnosticsRecord record;
  std::vector<std::string> unsettled;  ///< see unsettled_shares()
};

/// Diagnoses a checkpoint for `slopegan diagnose`: its layers, and the gradients from a step on the first probe images
/// (the step is taken in memory only). `probes` is the number of latents; 0 selects least_diagnosed_probes or, if
/// larger, the number that config.diagnostics.probes requires. Throws CheckpointError if the tensors do not match the
/// configuration, and DataError if the images cannot be read.
CheckpointDiagnosis diagnose_checkpoint(const Checkpoint& checkpoint, std::int64_t probes = 0);

}  // namespace slopegan
