#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "run/record_json.h"

/// The records in history.jsonl, metrics.jsonl and diagnostics.jsonl. Each file has one JSON object per line, in the
/// order of the images. "images" is the number of real images shown to the discriminator so far.
///
/// visit_fields lists the fields of a record (run/record_json.h): the key, the TensorBoard tag, and whether it is a
/// column in results.csv.
namespace slopegan {

/// The results of one training step. The losses, d_real and d_fake are means over the last batch of the step.
struct StepStats {
  double discriminator_loss = 0;
  double generator_loss = 0;
  double d_real = 0;                       ///< mean σ(logit) for the real images, in [0, 1]
  double d_fake = 0;                       ///< mean σ(logit) for the generated images, in the discriminator's step
  double discriminator_gradient_norm = 0;  ///< L2 norm over all parameters
  double generator_gradient_norm = 0;
  /// The weighted sum of R1, R2 and the gradient penalty for the last batch of the step that has one of them. It is not
  /// included in discriminator_loss. Empty if no batch has a penalty.
  std::optional<double> gradient_penalty;

  bool operator==(const StepStats&) const = default;
};

/// A line of history.jsonl: one training step. gradient_penalty is that of the last step that computed a penalty.
struct HistoryRecord : StepStats {
  std::int64_t images = 0;
  std::int64_t step = 0;                  ///< steps completed
  std::optional<double> generator_slope;  ///< negative slope in this step, if it follows a schedule or is learned
  std::optional<double> discriminator_slope;
  // The following fields differ between two runs with the same configuration.
  double seconds = 0;            ///< since this run was started
  double images_per_second = 0;  ///< while training, without the time for samples, metrics and so on
  double memory_mib = 0;         ///< resident memory of the process

  bool operator==(const HistoryRecord&) const = default;

  template <class Self, class Visit>
  static void visit_fields(Self& self, Visit&& visit) {
    visit({"images"}, self.images);
    visit({"step"}, self.step);
    visit({"discriminator_loss", "loss/discriminator", true}, self.discriminator_loss);
    visit({"generator_loss", "loss/generator", true}, self.generator_loss);
    visit({"d_real", "answers/D(real)", true}, self.d_real);
    visit({"d_fake", "answers/D(fake)", true}, self.d_fake);
    visit({"generator_gradient_norm", "gradient_norm/generator", true}, self.generator_gradient_norm);
    visit({"discriminator_gradient_norm", "gradient_norm/discriminator", true}, self.discriminator_gradient_norm);
    visit({"gradient_penalty", "loss/gradient_penalty"}, self.gradient_penalty);
    visit({"generator_slope", "negative_slope/generator"}, self.generator_slope);
    visit({"discriminator_slope", "negative_slope/discriminator"}, self.discriminator_slope);
    visit({"seconds", nullptr, true}, self.seconds);
    visit({"images_per_second", "machine/images_per_second", true}, self.images_per_second);
    visit({"memory_mib", "machine/memory_mib", true}, self.memory_mib);
  }
};

/// The value with this name; std::nullopt if there is none.
std::optional<double> find_value(const std::map<std::string, double>& values, const std::string& name);

/// The accuracy of a classifier that serves as feature extractor, on real images on which it was not trained.
struct ClassifierAccuracy {
  double accuracy = 0;      ///< fraction of the images that are classified correctly
  double guessing = 0;      ///< accuracy of always guessing the most frequent label
  std::int64_t images = 0;  ///< number of images that were classified

  /// Whether the accuracy is at most two standard errors above that of guessing. The labels are then probably unrelated
  /// to the images. False if a value is NaN or there are no images.
  bool is_near_chance() const;

  bool operator==(const ClassifierAccuracy&) const = default;

  template <class Self, class Visit>
  static void visit_fields(Self& self, Visit&& visit) {
    visit({"accuracy"}, self.accuracy);
    visit({"guessing"}, self.guessing);
    visit({"images"}, self.images);
  }
};

/// The metrics of the generated images, computed with one feature extractor. In names and JSON keys, a feature
/// extractor with its values is called a ruler.
struct RulerFigures {
  std::string extractor;          ///< its name and hash: "classifier-fashion-mnist@1a2b3c4d"
  std::int64_t features = 0;      ///< number of features; 0 in records of earlier versions
  std::int64_t real_samples = 0;  ///< number of real images for "fd"; 0 in records of earlier versions
  /// Number of real images for the metrics that compare all pairs (MetricTraits::compares_pairs): about the number of
  /// generated images, or all real images if there are fewer; 0 in records of earlier versions.
  std::int64_t real_subset = 0;
  /// The values by key; see metrics/figures.h.
  std::map<std::string, double> values;
  /// The same metrics for real test images: the values of a perfect generator. Empty if there are no test images.
  std::map<std::string, double> floors;
  /// The expected bias of "fd" due to the finite number of images, to leading order. It is the same for all arms of a
  /// sweep.
  std::optional<double> fd_bias;
  /// The Fréchet distance for a second, independent set of generated images of the same size. Its difference from
  /// values["fd"] shows the variance of the metric itself. Computed only at the end of a run.
  std::optional<double> fd_repeat;
  /// Empty if the extractor is not a classifier, if there are no images to measure its accuracy, and in records of
  /// earlier versions.
  std::optional<ClassifierAccuracy> classifier;

  bool operator==(const RulerFigures&) const = default;

  template <class Self, class Visit>
  static void visit_fields(Self& self, Visit&& visit) {
    visit({"extractor"}, self.extractor);
    visit({.key = "features", .may_be_absent = true}, self.features);
    visit({.key = "real_samples", .may_be_absent = true}, self.real_samples);
    visit({.key = "real_subset", .may_be_absent = true}, self.real_subset);
    visit({"values", "metrics"}, self.values);
    visit({"floors", "metrics_floor"}, self.floors);
    visit({"fd_bias", "metrics/fd_bias"}, self.fd_bias);
    visit({"fd_repeat", "metrics/fd_repeat"}, self.fd_repeat);
    visit({"classifier"}, self.classifier);
  }
};

/// A line of metrics.jsonl: one evaluation.
struct MetricsRecord : RulerFigures {
  std::int64_t images = 0;
  std::int64_t samples = 0;  ///< number of generated images
  /// Number of test images for the floors: metrics.samples, or all of them if there are fewer. The floors of class_kl
  /// and of the memorisation metrics use at most half of the test images.
  std::int64_t floor_samples = 0;
  double seconds = 0;                ///< duration of the evaluation
  std::vector<RulerFigures> others;  ///< the metrics computed with the other extractors in metrics.extractor

  bool operator==(const MetricsRecord&) const = default;

  template <class Self, class Visit>
  static void visit_fields(Self& self, Visit&& visit) {
    visit({"images"}, self.images);
    visit({"extractor"}, self.extractor);
    visit({"samples"}, self.samples);
    visit({"values", "metrics"}, self.values);
    visit({"floors", "metrics_floor"}, self.floors);
    visit({.key = "floor_samples", .may_be_absent = true}, self.floor_samples);
    visit({"fd_bias", "metrics/fd_bias"}, self.fd_bias);
    visit({"fd_repeat", "metrics/fd_repeat"}, self.fd_repeat);
    visit({"seconds"}, self.seconds);
    visit({.key = "features", .may_be_absent = true}, self.features);
    visit({.key = "real_samples", .may_be_absent = true}, self.real_samples);
    visit({.key = "real_subset", .may_be_absent = true}, self.real_subset);
    visit({"classifier"}, self.classifier);
    visit({.key = "others", .may_be_absent = true}, self.others);
  }
};

/// Whether there are fewer than five real or generated images per feature. In that case, the Fréchet distance of a good
/// generator is mostly bias, so the kernel distance is preferable. False if the number of real images is unknown.
bool has_few_images(const RulerFigures& ruler, std::int64_t samples);

/// Whether fd_bias is meaningful. It is computed to leading order only, so it is too small if there are fewer than two
/// real or generated images per feature. True if the number of real images is unknown.
bool is_bias_reliable(const RulerFigures& ruler, std::int64_t samples);

/// Whether there are few images (has_few_images) and the Fréchet distance is mostly bias: fd_bias is more than half of
/// the distance, or is not reliable (is_bias_reliable).
bool is_mostly_bias(const RulerFigures& ruler, std::int64_t samples);

/// "an accuracy of 49.0 % on images that it was not trained on, compared with 50.0 % for guessing the most frequent
/// label".
std::string accuracy_text(const ClassifierAccuracy& classifier);

/// Returns a warning that the labels seem to be unrelated to the images, which may make the metrics meaningless.
/// Returns std::nullopt if the classifier is better than guessing, or if its accuracy is unknown. ASCII only.
std::optional<std::string> unrelated_labels_text(const RulerFigures& ruler);

/// One activation layer, measured over all probes. Fractions are in [0, 1].
struct LayerDiagnosis {
  std::string name;              ///< "generator.block0"
  double negative_slope = 0;     ///< the current slope; the mean over the channels if each has its own
  std::int64_t units = 0;        ///< channels
  std::int64_t values = 0;       ///< values counted per unit: images x positions
  double never_positive = 0;     ///< fraction of units without a positive value ("dead" or "always_negative" in JSON)
  double always_positive = 0;    ///< fraction of units with positive values only
  double dormant = 0;            ///< fraction of dormant units; see diagnostics/layer_probe.h
  double negative_fraction = 0;  ///< P(x < 0)
  double slope_energy = 0;       ///< fraction of Σ f(x)² that comes from x ≤ 0

  /// Whether units without a positive value are dead. They are if the slope is 0, because such units then have no
  /// gradient.
  bool is_dead_kind() const { return negative_slope == 0; }
  bool operator==(const LayerDiagnosis&) const = default;

  template <class Self, class Visit>
  static void visit_fields(Self& self, Visit&& visit) {
    visit({"name"}, self.name);
    visit({"negative_slope"}, self.negative_slope);
    visit({"units"}, self.units);
    visit({"values"}, self.values);
    const char* never_positive = self.is_dead_kind() ? "dead" : "always_negative";
    visit({never_positive, never_positive}, self.never_positive);
    visit({"always_positive", "always_positive"}, self.always_positive);
    visit({"dormant", "dormant"}, self.dormant);
    visit({"negative_fraction", "negative_fraction"}, self.negative_fraction);
    visit({"slope_energy", "slope_energy"}, self.slope_energy);
  }
};

/// Combines all layers of a network ("generator" or "discriminator") into one. Fractions of units are weighted by the
/// number of units in each layer, and P(x < 0) by the number of values. slope_energy is NaN, because the layers'
/// energies are not known. negative_slope is NaN if the layers have different slopes. `units` is 0 if there are no
/// layers.
LayerDiagnosis whole_network(const std::vector<LayerDiagnosis>& layers, std::string_view network);

/// One parameter tensor at one training step.
struct ParameterDiagnosis {
  std::string name;           ///< "discriminator.block1.conv.weight"
  double gradient_norm = 0;   ///< L2 norm
  double zero_gradients = 0;  ///< fraction of elements whose gradient is exactly 0
  double update_ratio = 0;    ///< |ΔW| / |W|

  bool operator==(const ParameterDiagnosis&) const = default;

  template <class Self, class Visit>
  static void visit_fields(Self& self, Visit&& visit) {
    visit({"name"}, self.name);
    visit({"gradient_norm", "parameter_gradient_norm"}, self.gradient_norm);
    visit({"zero_gradients", "parameter_zero_gradients"}, self.zero_gradients);
    visit({"update_ratio", "parameter_update_ratio"}, self.update_ratio);
  }
};

/// Measurements of the discriminator on the probes. An accuracy is the fraction of images whose logit has the correct
/// sign.
struct DiscriminatorDiagnosis {
  double accuracy_train = 0;                ///< on training images
  std::optional<double> accuracy_held_out;  ///< on test images; empty if there is no test split
  double accuracy_fake = 0;                 ///< on generated images
  double margin = 0;                        ///< mean logit of training images minus that of generated images
  double image_gradient_norm = 0;           ///< mean L2 norm of ∂ logit / ∂ image at training images

  bool operator==(const DiscriminatorDiagnosis&) const = default;

  template <class Self, class Visit>
  static void visit_fields(Self& self, Visit&& visit) {
    visit({"accuracy_train", "accuracy/train"}, self.accuracy_train);
    visit({"accuracy_held_out", "accuracy/held_out"}, self.accuracy_held_out);
    visit({"accuracy_fake", "accuracy/fake"}, self.accuracy_fake);
    visit({"margin", "discriminator/margin"}, self.margin);
    visit({"image_gradient_norm", "discriminator/image_gradient_norm"}, self.image_gradient_norm);
  }
};

/// The generated images compared with real ones.
struct SampleDiagnosis {
  /// Mean distance between two generated images, divided by that between two real images; empty if all real images are
  /// equal.
  std::optional<double> diversity;
  double saturated_real = 0;  ///< fraction of pixels beyond ±0.99
  double saturated_fake = 0;

  bool operator==(const SampleDiagnosis&) const = default;

  template <class Self, class Visit>
  static void visit_fields(Self& self, Visit&& visit) {
    visit({"diversity", "images/diversity"}, self.diversity);
    visit({"saturated_real", "images/saturated_real"}, self.saturated_real);
    visit({"saturated_fake", "images/saturated_fake"}, self.saturated_fake);
  }
};

/// A line of diagnostics.jsonl.
struct DiagnosticsRecord {
  std::int64_t images = 0;
  std::int64_t probes = 0;             ///< number of latents, and also of real images
  std::vector<LayerDiagnosis> layers;  ///< the generator's, then the discriminator's, each from input to output
  std::vector<ParameterDiagnosis> parameters;
  DiscriminatorDiagnosis discriminator;
  SampleDiagnosis samples;
  std::vector<std::string> sentinels;  ///< alarms raised; see diagnostics/vitals.h
  double seconds = 0;                  ///< duration of the diagnosis

  bool operator==(const DiagnosticsRecord&) const = default;

  template <class Self, class Visit>
  static void visit_fields(Self& self, Visit&& visit) {
    visit({"images"}, self.images);
    visit({"probes"}, self.probes);
    visit({"layers"}, self.layers);
    visit({"parameters"}, self.parameters);
    visit({"discriminator"}, self.discriminator);
    visit({"samples"}, self.samples);
    visit({"sentinels"}, self.sentinels);
    visit({"seconds"}, self.seconds);
  }
};

/// Returns a record as one JSON line without a newline. Finite numbers are written so that they are read back exactly;
/// others are written as null.
std::string history_line(const HistoryRecord& record);
std::string metrics_line(const MetricsRecord& record);
/// Returns a diagnostics record as JSON, on several lines if `indent` ≥ 0.
std::string diagnostics_text(const DiagnosticsRecord& record, int indent = -1);

/// Reads all records of a file. null is read as NaN. An incomplete last line (one without a newline, because the
/// process was killed) is skipped. Throws IoError if the file cannot be read, and a DataError with the line number if a
/// line is malformed.
std::vector<HistoryRecord> read_history(const std::filesystem::path& file);
std::vector<MetricsRecord> read_metrics(const std::filesystem::path& file);
std::vector<DiagnosticsRecord> read_diagnostics(const std::filesystem::path& file);

/// Reads only the last record of the file, or of its first `size` bytes. Returns std::nullopt if there is no complete
/// line or if the last one is not a record. Throws IoError.
std::optional<HistoryRecord> read_last_history(const std::filesystem::path& file);
std::optional<MetricsRecord> read_last_metrics(const std::filesystem::path& file,
                                               std::optional<std::uint64_t> size = std::nullopt);

}  // namespace slopegan
