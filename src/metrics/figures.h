#pragma once

#include <cstdint>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "config/config.h"
#include "config/enums.h"
#include "support/text.h"

/// The values that metrics produce, with the names used in metrics.jsonl, results.csv, tables and reports.
/// "Adding something" in src/README.md lists what a new metric needs.
namespace slopegan {

/// One value that an evaluation produces.
struct Figure {
  const char* key;
  const char* title;
  bool lower_is_better;
  const char* meaning;
  const char* name = nullptr;            ///< the name in metric_title; by default the key
  const char* inception_name = nullptr;  ///< the name with Inception features; by default `name`
  /// Whether the value compares images with the test images. Its floor then compares one half of the test images with
  /// the other.
  bool uses_test_images = false;
};

/// Properties of a metric.
struct MetricTraits {
  std::span<const Figure> figures;  ///< the values that it produces
  /// Whether it compares all pairs of images. Such metrics use about as many real images as generated ones; all other
  /// metrics use all real images.
  bool compares_pairs = false;
  bool uses_manifold = false;  ///< whether it uses RealReference::manifold, which is slow to compute
  bool needs_classes = false;  ///< whether it has values only if the feature extractor returns class probabilities
};

namespace figures_detail {

inline constexpr Figure fd[] = {
    {"fd", "FD", true, "distance between the feature distributions; lower is better", "FD", "FID"}};
inline constexpr Figure kd[] = {{"kd", "KD", true, "kernel distance, unbiased; lower is better", "KD", "KID"}};
inline constexpr Figure precision_recall[] = {
    {"precision", "Precision", false, "fraction of generated images that look real"},
    {"recall", "Recall", false, "fraction of real images that are covered"}};
inline constexpr Figure density_coverage[] = {
    {"density", "Density", false, "how densely real images surround generated ones; 1 is expected"},
    {"coverage", "Coverage", false, "fraction of real images with a generated neighbour"}};
inline constexpr Figure classifier_score[] = {
    {"classifier_score", "Classifier score", false, "confidence and diversity of the classes; higher is better",
     nullptr, "IS"},
    {.key = "class_kl",
     .title = "Class KL",
     .lower_is_better = true,
     .meaning = "divergence of the class distribution from the real one; 0 is best",
     .uses_test_images = true}};
inline constexpr Figure memorisation[] = {
    {.key = "copied_share",
     .title = "Copied share",
     .lower_is_better = true,
     .meaning = "fraction of images as close to a training image as the closest 1 % of test images",
     .uses_test_images = true},
    {.key = "copying_z",
     .title = "Copying z",
     .lower_is_better = true,
     .meaning = "distance to training images, compared with test images; far below 0 means copies",
     .uses_test_images = true}};

}  // namespace figures_detail

inline MetricTraits traits_of(MetricName metric) {
  switch (metric) {
    case MetricName::fd:
      return {.figures = figures_detail::fd};
    case MetricName::kd:
      return {.figures = figures_detail::kd, .compares_pairs = true};
    case MetricName::precision_recall:
      return {.figures = figures_detail::precision_recall, .compares_pairs = true, .uses_manifold = true};
    case MetricName::density_coverage:
      return {.figures = figures_detail::density_coverage, .compares_pairs = true, .uses_manifold = true};
    case MetricName::classifier_score:
      return {.figures = figures_detail::classifier_score, .needs_classes = true};
    case MetricName::memorisation:
      return {.figures = figures_detail::memorisation};
  }
  throw std::logic_error("a metric has no traits");
}

/// All values, in display order.
inline const std::vector<Figure> figures = [] {
  std::vector<Figure> all;
  for (const MetricName metric : enum_values<MetricName>) {
    const auto own = traits_of(metric).figures;
    all.insert(all.end(), own.begin(), own.end());
  }
  return all;
}();

/// Returns the value with this key, or nullptr.
inline const Figure* find_figure(std::string_view key) {
  for (const Figure& figure : figures) {
    if (figure.key == key) return &figure;
  }
  return nullptr;
}

/// Returns text like "kd, precision, recall, density, coverage: 10000 of the 60000 real images". `keys` contains the
/// keys of the values that are shown. Returns an empty string if no shown metric compares all pairs, if the metrics
/// that do so use all real images, or if the numbers are unknown.
template <class Keys>
std::string real_subset_text(const Keys& keys, std::int64_t real_subset, std::int64_t real_samples) {
  std::vector<std::string> names;
  for (const MetricName metric : enum_values<MetricName>) {
    const auto traits = traits_of(metric);
    if (!traits.compares_pairs) continue;
    for (const auto& figure : traits.figures) {
      if (keys.contains(figure.key)) names.emplace_back(figure.key);
    }
  }
  if (names.empty() || real_subset == 0 || real_subset >= real_samples) return {};
  return join(names, ", ") + format_text(": {} of the {} real images", real_subset, real_samples);
}

/// Returns the full name of a value for display: "FD[classifier-fashion-mnist@1a2b3c4d,n=10000]". Only values from the
/// extractor "inception" are called FID, KID and IS.
inline std::string metric_title(std::string_view key, const std::string& extractor, std::int64_t samples) {
  const Figure* figure = find_figure(key);
  std::string name = printable(key);
  if (figure != nullptr && figure->name != nullptr) name = figure->name;
  if (figure != nullptr && figure->inception_name != nullptr && extractor.starts_with("inception@")) {
    name = figure->inception_name;
  }
  return format_text("{}[{},n={}]", name, printable(extractor), samples);
}

}  // namespace slopegan
