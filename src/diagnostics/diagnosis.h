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
#include "models/dcgan.h"
#include "run/records.h"
#include "support/histogram.h"

namespace slopegan {

/// The number of latents that gives every unit in both networks at least config.diagnostics.probes values, rounded up
/// to a multiple of training.batch_size.
std::int64_t probe_count(const Config& config, std::int64_t channels);

/// Measures the networks of a run on fixed probes: the latents, the training images and, if the data set has a test
/// split, the held-out images are the same each time.
///
/// The probes pass through copies of the networks in training mode, as in the next training step: batch norm uses batch
/// statistics, random slopes are drawn, and spectral norm performs its power iteration. The networks themselves
/// (running statistics, u, gradients) and the run's random streams do not change.
class Diagnosis {
 public:
  /// `config`, `compute` and `train` must outlive the object. A test split that cannot be used is skipped with a
  /// warning. `probes` is rounded up to whole batches and to at least two images; 0 means probe_count.
  Diagnosis(const Config& config, const Compute& compute, const Dataset& train, std::int64_t probes = 0);

  /// Measures the layers and images of networks that were trained on `images` images. `last_step` describes a training
  /// step of these networks and becomes part of the record. If `pre_activations` is not nullptr, a histogram of the
  /// input to each activation is appended to it, in the order of the record's layers.
  DiagnosticsRecord operator()(const Generator& generator, const Discriminator& discriminator, std::int64_t images,
                               std::vector<ParameterDiagnosis> last_step,
                               std::vector<Histogram>* pre_activations = nullptr) const;

  /// The number of latents, which is also the number of training images and of held-out images.
  std::int64_t probes() const { return probes_; }

  /// Returns training.batch_size training images, from probe `begin` on.
  at::Tensor training_images(std::int64_t begin) const { return train_.batch(config_, begin); }

 private:
  struct Outputs;
  struct Reals {
    Reals(const Config& config, std::shared_ptr<const Dataset> from);
    at::Tensor batch(const Config& config, std::int64_t begin) const;
    std::shared_ptr<const Dataset> dataset;
    std::vector<std::uint32_t> order;
  };
  Outputs run_probes(Generator& generator, Discriminator& discriminator) const;
  void measure_networks(const Generator& live_generator, const Discriminator& live_discriminator,
                        DiagnosticsRecord& record, std::vector<Histogram>* pre_activations) const;
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

}  // namespace slopegan
