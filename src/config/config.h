#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/enums.h"

/// The configuration of a run as plain structs; the initialisers are the defaults. config/fields.h defines the meaning
/// and range of every key. These structs do not validate their values.
namespace slopegan {

/// The negative slopes of a network: one number for all activations, one number per layer (from input to output), or a
/// schedule for all activations.
struct NegativeSlope {
  std::vector<double> values = {0.2};
  std::optional<SlopeSchedule> schedule;

  NegativeSlope() = default;
  explicit NegativeSlope(double value) : values{value} {}

  /// The slope of activation `layer` (counted from 0) if there is no schedule.
  double at(std::size_t layer) const { return values.size() == 1 ? values.front() : values.at(layer); }
  bool operator==(const NegativeSlope&) const = default;
};

struct RunConfig {
  std::string name = "fashion_mnist";
  std::string output_dir = "outputs";
};

struct DataConfig {
  DatasetKind kind = DatasetKind::idx;
  std::string path = "/usr/share/datasets/fashion-mnist";
  std::int64_t resolution = 32;
  std::int64_t channels = 0;
  bool flip = false;
  bool transpose = false;
  ImageFit fit = ImageFit::automatic;
  std::string background = "white";
  LabelUse labels = LabelUse::automatic;
  double max_unreadable = 0.01;

  /// Not a key: whether the configuration belongs to a run from version 0.9. Image folders are then read (files, pixels
  /// and labels) and metrics are computed as in that version.
  bool as_in_0_9 = false;
  /// Not a key: if not 0, images with more than 8 bits per channel are scaled from the range 0 to 2^fixed_bits - 1
  /// instead of the range of their data set (Dataset::deep_bits), so that they can be compared with images of this
  /// range.
  int fixed_bits = 0;
};

/// The keys that version 0.9 did not have and that change how the same data is read. to_yaml omits them if
/// data.as_in_0_9 is set.
inline constexpr std::array<std::string_view, 3> keys_since_0_9 = {"data.fit", "data.background", "data.labels"};

struct ActivationConfig {
  ActivationKind activation = ActivationKind::leaky_relu;
  NegativeSlope negative_slope;
  PReluKind prelu = PReluKind::shared;
  RReLUDefinition rrelu = RReLUDefinition::slope;
};

struct GeneratorConfig : ActivationConfig {
  std::int64_t latent_dim = 100;
  std::int64_t width = 32;
  GeneratorNorm norm = GeneratorNorm::batch;
};

struct DiscriminatorConfig : ActivationConfig {
  std::int64_t width = 32;
  DiscriminatorNorm norm = DiscriminatorNorm::batch;
  std::vector<Augmentation> augment;
};

struct InitConfig {
  InitMode mode = InitMode::normal;
  double std = 0.02;
};

struct LossConfig {
  LossKind kind = LossKind::bce;
  double real_label = 1.0;
  double label_noise = 0;
  double r1 = 0.4;
  double r2 = 0;
  std::int64_t r1_every = 8;
  double gradient_penalty = 0;
};

struct OptimizerConfig {
  double generator_lr = 12e-4;
  double discriminator_lr = 6e-4;
  double beta1 = 0.5;
  double beta2 = 0.999;
  std::int64_t discriminator_steps = 1;
  std::int64_t lr_warmup_images = 0;
  LearningRateDecay lr_decay = LearningRateDecay::none;
  std::int64_t lr_decay_images = 0;
};

struct EmaConfig {
  std::int64_t half_life_images = 10000;
};

struct TrainingConfig {
  std::int64_t total_images = 180000;
  std::int64_t batch_size = 32;
  Precision precision = Precision::automatic;
  Device device = Device::automatic;
  std::int64_t threads = 0;
  bool sync_batch_norm = true;
};

struct SamplesConfig {
  std::int64_t every_images = 20000;
  std::int64_t rows = 8;
  std::int64_t columns = 8;
};

struct CheckpointConfig {
  std::int64_t every_images = 60000;
  std::int64_t keep = 2;
  bool keep_best = true;
};

/// The feature extractors of the metrics: names from ExtractorKind, or paths of TorchScript files. The first one
/// decides which checkpoint is the best, and the statistics use its metrics.
struct ExtractorList {
  std::vector<std::string> choices = {"auto"};
  bool operator==(const ExtractorList&) const = default;
};

struct MetricsConfig {
  std::int64_t every_images = 60000;
  std::int64_t samples = 10000;
  ExtractorList extractor;
  std::vector<MetricName> names = {MetricName::fd, MetricName::kd, MetricName::precision_recall,
                                   MetricName::density_coverage, MetricName::classifier_score};
};

struct DiagnosticsConfig {
  std::int64_t every_images = 20000;
  std::int64_t probes = 10000;
};

struct EventsConfig {
  bool tensorboard = true;
};

/// A key that a sweep sets in addition to the slope, with its value as YAML.
struct Setting {
  std::string key;
  std::string value;
  bool operator==(const Setting&) const = default;

  static constexpr bool is_lenient = true;  ///< for statistics.json; see run/record_json.h
  template <class Self, class Visit>
  static void visit_fields(Self& self, Visit&& visit) {
    visit({"key"}, self.key);
    visit({"value"}, self.value);
  }
};

/// The conditions under which a sweep compares the slopes. A condition may be empty.
struct CrossConditions {
  std::vector<std::vector<Setting>> list;
  bool operator==(const CrossConditions&) const = default;
};

struct SweepConfig {
  std::vector<double> negative_slope = {0, 0.01, 0.1, 0.2, 0.3};
  SweepTarget apply_to = SweepTarget::both;
  double control = 0.2;
  std::vector<std::int64_t> seeds = {0, 1, 2};
  std::int64_t jobs = 0;
  SweepDesign design = SweepDesign::fixed;
  CrossConditions cross;
  double alpha = 0.05;
  double equivalence = 0.15;
  double give_up = 1.5;
  bool stop_running = false;
};

struct Config {
  std::int64_t seed = 0;
  RunConfig run;
  DataConfig data;
  GeneratorConfig generator;
  DiscriminatorConfig discriminator;
  InitConfig init;
  LossConfig loss;
  OptimizerConfig optimizer;
  EmaConfig ema;
  TrainingConfig training;
  SamplesConfig samples;
  CheckpointConfig checkpoint;
  MetricsConfig metrics;
  DiagnosticsConfig diagnostics;
  EventsConfig events;
  SweepConfig sweep;
};

}  // namespace slopegan
