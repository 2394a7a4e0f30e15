#pragma once

#include <cstdint>
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
/// the held-out images are the same each time. The number of probes is a multiple of training.batch_size and large
/// enough that every unit has at least config.diagnostics.probes values.
///
/// The probes pass through copies of the networks in training mode, as in the next training step: batch norm uses batch
/// statistics, random slopes are drawn, and spectral norm performs its power iteration. The state itself (running
/// statistics, u, gradients) and the run's random streams do not change.
class Diagnosis {
 public:
  /// `train` must outlive the object. A test split that cannot be used is skipped with a warning. If `probes` > 0, it
  /// replaces the number of probes described above; it is rounded up to whole batches and to at least two images.
  Diagnosis(const Config& config, const Compute& compute, const Dataset& train, std::int64_t probes = 0);

  /// Measures the layers and images of `state`, and the gradients and updates from the last step of `stepped`. During
  /// training, `stepped` is `state` itself. If `pre_activations` is not nullptr, a histogram of the input to each
  /// activation is appended to it, in the order of the record's layers.
  DiagnosticsRecord operator()(const GanState& state, const GanState& stepped,
                               std::vector<Histogram>* pre_activations = nullptr) const;

  /// The number of latents, which is also the number of training images and of held-out images.
  std::int64_t probes() const { return probes_; }

  /// Takes a training step on the first probe images, to obtain gradients for a state that has none. Then sets the
  /// learning rates of the optimisers to those of the last step of the run.
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

/// Logs a warning for each sentinel the first time that it appears in a record.
class SentinelWarnings {
 public:
  void warn(const DiagnosticsRecord& record);

 private:
  std::set<std::string> warned_;
};

/// The default minimum number of latents for `slopegan diagnose`. The fractions of units that are never or always
/// positive decrease as the number of probes grows, because a few hundred images contain hardly any rare values.
inline constexpr std::int64_t least_diagnosed_probes = 5120;

/// Compares the fractions of units that are never or always positive in two diagnoses. Returns one sentence for each
/// fraction of a layer that is lower in `more` than in `fewer` by more than 0.02. Such a fraction is likely to decrease
/// further with even more probes.
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
