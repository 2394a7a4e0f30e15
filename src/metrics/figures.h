#pragma once

#include <algorithm>
#include <iterator>
#include <string_view>

namespace slopegan {

/// A figure of an evaluation, as metrics.jsonl, results.csv, tables and reports name it.
struct Figure {
  const char* key;
  const char* title;
  bool lower_is_better;
  const char* meaning;
};

/// All figures in the order in which they are shown. A new metric adds its figures here.
inline constexpr Figure figures[] = {
    {"fd", "FD", true, "distance of the feature distributions; lower is better"},
    {"kd", "KD", true, "the same by a kernel, without bias; lower is better"},
    {"precision", "Precision", false, "share of generated images that look real"},
    {"recall", "Recall", false, "share of real images that are covered"},
    {"density", "Density", false, "how deep generated images lie among real ones; 1 is expected"},
    {"coverage", "Coverage", false, "share of real images with a generated neighbour"},
    {"classifier_score", "Classifier score", false, "sureness and variety of the classes; higher is better"},
    {"class_kl", "Class KL", true, "how far the classes' shares are from the real ones; 0 is best"},
    {"copied_share", "Copied share", true, "share as near to a training image as 1 % of test images are"},
    {"copying_z", "Copying z", true, "nearness to training images against test images; far below 0: copies"}};

/// The figure of that key, or nullptr.
inline const Figure* find_figure(std::string_view key) {
  const auto* found =
      std::find_if(std::begin(figures), std::end(figures), [&](const Figure& figure) { return figure.key == key; });
  return found == std::end(figures) ? nullptr : found;
}

}  // namespace slopegan
