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
    {"class_kl", "Class KL", true, "divergence of the class distribution from the real one; 0 is best"}};
inline constexpr Figure memorisation[] = {
    {"copied_share", "Copied share", true,
     "fraction of images as close to a training image as the closest 1 % of test images"},
    {"copying_z", "Copying z", true,
     "distance to training images, compared with test images; far below 0 means copies"}};

}  // namespace figures_detail

/// Returns the values that a metric produces.
inline std::span<const Figure> figures_of(MetricName metric) {
  switch (metric) {
    case MetricName::fd:
      return figures_detail::fd;
    case MetricName::kd:
      return figures_detail::kd;
    case MetricName::precision_recall:
      return figures_detail::precision_recall;
    case MetricName::density_coverage:
      return figures_detail::density_coverage;
    case MetricName::classifier_score:
      return figures_detail::classifier_score;
    case MetricName::memorisation:
      return figures_detail::memorisation;
  }
  throw std::logic_error("a metric has no values");
}

/// All values, in display order.
inline const std::vector<Figure> figures = [] {
  std::vector<Figure> all;
  for (const MetricName metric : enum_values<MetricName>) {
    const auto own = figures_of(metric);
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

/// Whether the metric compares all pairs of images. Such metrics use about as many real images as generated ones; all
/// other metrics use all real images.
inline bool compares_pairs(MetricName metric) {
  switch (metric) {
    case MetricName::kd:
    case MetricName::precision_recall:
    case MetricName::density_coverage:
      return true;
    case MetricName::fd:
    case MetricName::classifier_score:
    case MetricName::memorisation:
      return false;
  }
  throw std::logic_error("a metric has no value in compares_pairs");
}

/// Returns text like "kd, precision, recall, density, coverage: 10000 of the 60000 real images". `keys` contains the
/// keys of the values that are shown. Returns an empty string if no shown metric compares all pairs, if those that do
/// use all real images, or if the numbers are unknown.
template <class Keys>
std::string real_subset_text(const Keys& keys, std::int64_t real_subset, std::int64_t real_samples) {
  std::vector<std::string> names;
  for (const MetricName metric : enum_values<MetricName>) {
    if (!compares_pairs(metric)) continue;
    for (const auto& figure : figures_of(metric)) {
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
