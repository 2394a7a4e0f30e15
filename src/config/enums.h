#pragma once

#include <string_view>

#include "layers/slope_schedule.h"
#include "support/enum_values.h"

/// The enumerations of the configuration and their names in YAML; see support/enum_values.h.
namespace slopegan {

enum class DatasetKind { idx, cifar, image_folder, npz };

constexpr std::string_view name_of(DatasetKind value) {
  switch (value) {
    case DatasetKind::idx:
      return "idx";
    case DatasetKind::cifar:
      return "cifar";
    case DatasetKind::image_folder:
      return "image_folder";
    case DatasetKind::npz:
      return "npz";
  }
  return {};
}

/// Whether every image file below data.path is an image of the data set. Such images may differ in size; when they are
/// packed, they are fitted to the resolution, by default with ImageFit::crop.
constexpr bool consists_of_image_files(DatasetKind kind) {
  switch (kind) {
    case DatasetKind::image_folder:
      return true;
    case DatasetKind::idx:
    case DatasetKind::cifar:
    case DatasetKind::npz:
      return false;
  }
  return {};
}

/// How images whose size differs from the resolution are fitted to it.
enum class ImageFit { automatic, pad, crop, stretch };

constexpr std::string_view name_of(ImageFit value) {
  switch (value) {
    case ImageFit::automatic:
      return "auto";
    case ImageFit::pad:
      return "pad";
    case ImageFit::crop:
      return "crop";
    case ImageFit::stretch:
      return "stretch";
  }
  return {};
}

enum class LabelUse { automatic, none };

constexpr std::string_view name_of(LabelUse value) {
  switch (value) {
    case LabelUse::automatic:
      return "auto";
    case LabelUse::none:
      return "none";
  }
  return {};
}

enum class ActivationKind { leaky_relu, relu, prelu, rrelu };

constexpr std::string_view name_of(ActivationKind value) {
  switch (value) {
    case ActivationKind::leaky_relu:
      return "leaky_relu";
    case ActivationKind::relu:
      return "relu";
    case ActivationKind::prelu:
      return "prelu";
    case ActivationKind::rrelu:
      return "rrelu";
  }
  return {};
}

/// Properties of an activation.
struct ActivationTraits {
  bool uses_negative_slope;  ///< negative_slope is its slope, or the initial value of a learned slope
  bool learns_slope;         ///< the slope is a parameter of the network
  /// Training draws random numbers. Several ranks would not draw the same numbers as a single process, so such an
  /// activation can only be trained in a single process.
  bool is_random;
};

constexpr ActivationTraits traits_of(ActivationKind kind) {
  switch (kind) {
    case ActivationKind::leaky_relu:
      return {.uses_negative_slope = true, .learns_slope = false, .is_random = false};
    case ActivationKind::relu:
      return {.uses_negative_slope = false, .learns_slope = false, .is_random = false};
    case ActivationKind::prelu:
      return {.uses_negative_slope = true, .learns_slope = true, .is_random = false};
    case ActivationKind::rrelu:
      return {.uses_negative_slope = false, .learns_slope = false, .is_random = true};
  }
  return {};
}

enum class PReluKind { shared, channel, bounded, bounded_channel };

constexpr std::string_view name_of(PReluKind value) {
  switch (value) {
    case PReluKind::shared:
      return "shared";
    case PReluKind::channel:
      return "channel";
    case PReluKind::bounded:
      return "bounded";
    case PReluKind::bounded_channel:
      return "bounded_channel";
  }
  return {};
}

constexpr std::string_view name_of(RReLUDefinition value) {
  switch (value) {
    case RReLUDefinition::slope:
      return "slope";
    case RReLUDefinition::divisor:
      return "divisor";
  }
  return {};
}

enum class GeneratorNorm { batch, self_modulated, none };

constexpr std::string_view name_of(GeneratorNorm value) {
  switch (value) {
    case GeneratorNorm::batch:
      return "batch";
    case GeneratorNorm::self_modulated:
      return "self_modulated";
    case GeneratorNorm::none:
      return "none";
  }
  return {};
}

enum class DiscriminatorNorm { batch, spectral, none };

constexpr std::string_view name_of(DiscriminatorNorm value) {
  switch (value) {
    case DiscriminatorNorm::batch:
      return "batch";
    case DiscriminatorNorm::spectral:
      return "spectral";
    case DiscriminatorNorm::none:
      return "none";
  }
  return {};
}

enum class InitMode { normal, slope_matched };

constexpr std::string_view name_of(InitMode value) {
  switch (value) {
    case InitMode::normal:
      return "normal";
    case InitMode::slope_matched:
      return "slope_matched";
  }
  return {};
}

enum class LossKind { bce, hinge, wasserstein, lsgan, relativistic };

constexpr std::string_view name_of(LossKind value) {
  switch (value) {
    case LossKind::bce:
      return "bce";
    case LossKind::hinge:
      return "hinge";
    case LossKind::wasserstein:
      return "wasserstein";
    case LossKind::lsgan:
      return "lsgan";
    case LossKind::relativistic:
      return "relativistic";
  }
  return {};
}

/// Whether the loss compares logits with targets, so that real_label and label_noise apply.
constexpr bool has_targets(LossKind kind) {
  switch (kind) {
    case LossKind::bce:
    case LossKind::lsgan:
      return true;
    case LossKind::hinge:
    case LossKind::wasserstein:
    case LossKind::relativistic:
      return false;
  }
  return {};
}

enum class Augmentation { color, translation, cutout };

constexpr std::string_view name_of(Augmentation value) {
  switch (value) {
    case Augmentation::color:
      return "color";
    case Augmentation::translation:
      return "translation";
    case Augmentation::cutout:
      return "cutout";
  }
  return {};
}

enum class LearningRateDecay { none, linear, cosine };

constexpr std::string_view name_of(LearningRateDecay value) {
  switch (value) {
    case LearningRateDecay::none:
      return "none";
    case LearningRateDecay::linear:
      return "linear";
    case LearningRateDecay::cosine:
      return "cosine";
  }
  return {};
}

enum class Precision { automatic, float32, bfloat16 };

constexpr std::string_view name_of(Precision value) {
  switch (value) {
    case Precision::automatic:
      return "auto";
    case Precision::float32:
      return "float32";
    case Precision::bfloat16:
      return "bfloat16";
  }
  return {};
}

enum class Device { automatic, cpu, cuda };

constexpr std::string_view name_of(Device value) {
  switch (value) {
    case Device::automatic:
      return "auto";
    case Device::cpu:
      return "cpu";
    case Device::cuda:
      return "cuda";
  }
  return {};
}

enum class MetricName { fd, kd, precision_recall, density_coverage, classifier_score, memorisation };

constexpr std::string_view name_of(MetricName value) {
  switch (value) {
    case MetricName::fd:
      return "fd";
    case MetricName::kd:
      return "kd";
    case MetricName::precision_recall:
      return "precision_recall";
    case MetricName::density_coverage:
      return "density_coverage";
    case MetricName::classifier_score:
      return "classifier_score";
    case MetricName::memorisation:
      return "memorisation";
  }
  return {};
}

/// The names allowed in metrics.extractor; see evaluation/extractor.h.
enum class ExtractorKind { automatic, classifier, efficientnet_lite0, random };

constexpr std::string_view name_of(ExtractorKind value) {
  switch (value) {
    case ExtractorKind::automatic:
      return "auto";
    case ExtractorKind::classifier:
      return "classifier";
    case ExtractorKind::efficientnet_lite0:
      return "efficientnet-lite0";
    case ExtractorKind::random:
      return "random";
  }
  return {};
}

enum class SweepTarget { both, generator, discriminator };

constexpr std::string_view name_of(SweepTarget value) {
  switch (value) {
    case SweepTarget::both:
      return "both";
    case SweepTarget::generator:
      return "generator";
    case SweepTarget::discriminator:
      return "discriminator";
  }
  return {};
}

/// How the number of arms of a sweep is decided: in advance, or by the results (statistics/race.h).
enum class SweepDesign { fixed, race };

constexpr std::string_view name_of(SweepDesign value) {
  switch (value) {
    case SweepDesign::fixed:
      return "fixed";
    case SweepDesign::race:
      return "race";
  }
  return {};
}

constexpr std::string_view name_of(SlopeShape value) {
  switch (value) {
    case SlopeShape::linear:
      return "linear";
    case SlopeShape::cosine:
      return "cosine";
    case SlopeShape::log:
      return "log";
  }
  return {};
}

}  // namespace slopegan
