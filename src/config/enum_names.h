#pragma once

#include <algorithm>
#include <stdexcept>
#include <string_view>

#include "config/config.h"

/// The words for the enumerations of the configuration: one table each, for reading, printing and help.
namespace slopegan {

template <class Enum>
struct NamedValue {
  std::string_view name;
  Enum value;
};

template <class Enum>
struct EnumNames;

template <>
struct EnumNames<DatasetKind> {
  static constexpr NamedValue<DatasetKind> table[] = {{"idx", DatasetKind::idx},
                                                      {"cifar", DatasetKind::cifar},
                                                      {"image_folder", DatasetKind::image_folder},
                                                      {"npz", DatasetKind::npz}};
};

template <>
struct EnumNames<ActivationKind> {
  static constexpr NamedValue<ActivationKind> table[] = {{"leaky_relu", ActivationKind::leaky_relu},
                                                         {"relu", ActivationKind::relu},
                                                         {"prelu", ActivationKind::prelu},
                                                         {"rrelu", ActivationKind::rrelu}};
};

template <>
struct EnumNames<PReluKind> {
  static constexpr NamedValue<PReluKind> table[] = {{"shared", PReluKind::shared},
                                                    {"channel", PReluKind::channel},
                                                    {"bounded", PReluKind::bounded},
                                                    {"bounded_channel", PReluKind::bounded_channel}};
};

template <>
struct EnumNames<RReluKind> {
  static constexpr NamedValue<RReluKind> table[] = {{"slope", RReluKind::slope}, {"divisor", RReluKind::divisor}};
};

template <>
struct EnumNames<SlopeShape> {
  static constexpr NamedValue<SlopeShape> table[] = {
      {"linear", SlopeShape::linear}, {"cosine", SlopeShape::cosine}, {"log", SlopeShape::log}};
};

template <>
struct EnumNames<GeneratorNorm> {
  static constexpr NamedValue<GeneratorNorm> table[] = {{"batch", GeneratorNorm::batch}, {"none", GeneratorNorm::none}};
};

template <>
struct EnumNames<DiscriminatorNorm> {
  static constexpr NamedValue<DiscriminatorNorm> table[] = {{"batch", DiscriminatorNorm::batch},
                                                            {"spectral", DiscriminatorNorm::spectral},
                                                            {"none", DiscriminatorNorm::none}};
};

template <>
struct EnumNames<InitMode> {
  static constexpr NamedValue<InitMode> table[] = {{"normal", InitMode::normal},
                                                   {"slope_matched", InitMode::slope_matched}};
};

template <>
struct EnumNames<LossKind> {
  static constexpr NamedValue<LossKind> table[] = {{"bce", LossKind::bce},
                                                   {"hinge", LossKind::hinge},
                                                   {"wasserstein", LossKind::wasserstein},
                                                   {"lsgan", LossKind::lsgan},
                                                   {"relativistic", LossKind::relativistic}};
};

template <>
struct EnumNames<Augmentation> {
  static constexpr NamedValue<Augmentation> table[] = {
      {"color", Augmentation::color}, {"translation", Augmentation::translation}, {"cutout", Augmentation::cutout}};
};

template <>
struct EnumNames<LearningRateDecay> {
  static constexpr NamedValue<LearningRateDecay> table[] = {
      {"none", LearningRateDecay::none}, {"linear", LearningRateDecay::linear}, {"cosine", LearningRateDecay::cosine}};
};

template <>
struct EnumNames<Precision> {
  static constexpr NamedValue<Precision> table[] = {
      {"auto", Precision::automatic}, {"float32", Precision::float32}, {"bfloat16", Precision::bfloat16}};
};

template <>
struct EnumNames<Device> {
  static constexpr NamedValue<Device> table[] = {
      {"auto", Device::automatic}, {"cpu", Device::cpu}, {"cuda", Device::cuda}};
};

template <>
struct EnumNames<MetricName> {
  static constexpr NamedValue<MetricName> table[] = {{"fd", MetricName::fd},
                                                     {"kd", MetricName::kd},
                                                     {"precision_recall", MetricName::precision_recall},
                                                     {"density_coverage", MetricName::density_coverage},
                                                     {"classifier_score", MetricName::classifier_score},
                                                     {"memorisation", MetricName::memorisation}};
};

template <>
struct EnumNames<SweepTarget> {
  static constexpr NamedValue<SweepTarget> table[] = {{"both", SweepTarget::both},
                                                      {"generator", SweepTarget::generator},
                                                      {"discriminator", SweepTarget::discriminator}};
};

/// The word for `value`: "auto" for Precision::automatic.
template <class Enum>
std::string_view name_of(Enum value) {
  const auto& table = EnumNames<Enum>::table;
  const auto found =
      std::find_if(std::begin(table), std::end(table), [&](const auto& row) { return row.value == value; });
  if (found == std::end(table)) throw std::logic_error("an enumeration holds a value without a name");
  return found->name;
}

}  // namespace slopegan
