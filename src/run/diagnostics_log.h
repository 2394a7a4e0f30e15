#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

/// diagnostics.jsonl: one look at the layers a line, in the order of the images.
namespace slopegan {

/// An activation layer over all probes; shares in [0, 1].
struct LayerDiagnosis {
  std::string name;           ///< "generator.block0"
  double negative_slope = 0;  ///< in force at that moment; the mean where there are several
  std::int64_t units = 0;     ///< channels
  std::int64_t values = 0;    ///< M, counted of each unit: never positive means P(x > 0) < 3/M at 95 %
  double never_positive = 0;  ///< dead where the slope is 0 (JSON: "dead"), else "always_negative"
  double always_positive = 0;
  double dormant = 0;
  double negative_fraction = 0;  ///< P(x < 0)
  double slope_energy = 0;       ///< share of Σ f(x)² that comes from x ≤ 0

  bool is_dead_kind() const { return negative_slope == 0; }
  bool operator==(const LayerDiagnosis&) const = default;
};

/// A parameter at one training step.
struct ParameterDiagnosis {
  std::string name;  ///< "discriminator.block1.conv.weight"
  double gradient_norm = 0;
  double zero_gradients = 0;  ///< share of exactly zero elements
  double update_ratio = 0;    ///< |ΔW| / |W|
  bool operator==(const ParameterDiagnosis&) const = default;
};

struct DiagnosticsRecord {
  /// Real images shown to the discriminator so far.
  std::int64_t images = 0;
  /// Latents, and real images, that were looked at.
  std::int64_t probes = 0;
  /// Of the generator, then of the discriminator, each input side first.
  std::vector<LayerDiagnosis> layers;
  std::vector<ParameterDiagnosis> parameters;
  /// Share of images on the right side of logit 0: training images, those of the test split where there is one,
  /// generated ones.
  double accuracy_train = 0;
  std::optional<double> accuracy_held_out;
  double accuracy_fake = 0;
  /// Mean logit of training images less that of generated ones.
  double margin = 0;
  /// Mean 2-norm of ∂ logit / ∂ image at training images.
  double image_gradient_norm = 0;
  /// Mean distance between two generated images over that between two real ones.
  double diversity = 0;
  /// Shares of pixels beyond ±0.99.
  double saturated_real = 0;
  double saturated_fake = 0;
  /// The alarms that are raised: collapse, saturation, vanished_gradient.
  std::vector<std::string> sentinels;
  /// What the look took.
  double seconds = 0;
  bool operator==(const DiagnosticsRecord&) const = default;
};

/// The record as JSON: one line for AppendFile (`indent` < 0), or several for people. Every finite number reads back
/// exactly; the others are null.
std::string diagnostics_text(const DiagnosticsRecord& record, int indent = -1);

/// All records; null reads back as NaN. A last line without its newline is skipped. Throws IoError, and DataError
/// naming the line that is no record.
std::vector<DiagnosticsRecord> read_diagnostics(const std::filesystem::path& file);

}  // namespace slopegan
