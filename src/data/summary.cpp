#include "data/summary.h"

#include <algorithm>
#include <cmath>

#include "support/text.h"

namespace slopegan {

namespace {

void summarize_pixels(const torch::Tensor& images, DatasetSummary& summary) {
  const auto histogram = torch::bincount(images.flatten(), /*weights=*/{}, /*minlength=*/256);
  const std::int64_t* counts = histogram.const_data_ptr<std::int64_t>();
  double sum = 0, squares = 0;
  summary.lowest = 255;
  for (int value = 0; value < 256; ++value) {
    if (counts[value] == 0) continue;
    summary.lowest = std::min(summary.lowest, value);
    summary.highest = value;
    sum += static_cast<double>(counts[value]) * value;
    squares += static_cast<double>(counts[value]) * value * value;
  }
  const auto total = static_cast<double>(images.numel());
  summary.mean = sum / total;
  summary.deviation = std::sqrt(std::max(0.0, squares / total - summary.mean * summary.mean));
}

std::string counts_text(const DatasetSummary& summary) {
  std::string text;
  for (const auto& [label, count] : summary.label_counts) {
    text +=
        format("%s%lld: %lld", text.empty() ? "" : ", ", static_cast<long long>(label), static_cast<long long>(count));
  }
  return text.empty() ? "none" : text;
}

}  // namespace

DatasetSummary summarize(const Dataset& dataset) {
  DatasetSummary summary;
  summarize_pixels(dataset.images, summary);
  if (dataset.has_labels()) {
    const std::int64_t* labels = dataset.labels.const_data_ptr<std::int64_t>();
    for (std::int64_t i = 0; i < dataset.size(); ++i) ++summary.label_counts[labels[i]];
  }
  return summary;
}

std::string summary_text(const Dataset& dataset, Split split) {
  const auto summary = summarize(dataset);
  std::string text = format("%s\n", split_name(split));
  text += format("  images  %lld of %lld x %lld pixels (height x width), %s\n", static_cast<long long>(dataset.size()),
                 static_cast<long long>(dataset.height()), static_cast<long long>(dataset.width()),
                 dataset.channels() == 1 ? "gray" : "RGB");
  text += format("  pixels  %d to %d, mean %.3f, standard deviation %.3f\n", summary.lowest, summary.highest,
                 summary.mean, summary.deviation);
  text += "  labels  " + counts_text(summary) + "\n";
  for (const auto& file : dataset.files) text += "  file    " + printable(file.string()) + "\n";
  return text + "  sha256  " + dataset.hash + "\n";
}

}  // namespace slopegan
