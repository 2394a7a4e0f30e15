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

std::string counts_text(const Dataset& dataset, const DatasetSummary& summary) {
  constexpr std::size_t max_labels = 100;
  std::vector<std::string> texts;
  for (const auto& [label, count] : summary.label_counts) {
    if (texts.size() == max_labels) {
      texts.push_back(format_text("and {} more", summary.label_counts.size() - max_labels));
      break;
    }
    texts.push_back(label_text(dataset, label) + format_text(": {}", count));
  }
  return texts.empty() ? "none" : join(texts, ", ");
}

std::string unreadable_text(const Dataset& dataset) {
  constexpr std::size_t max_named = 100;
  if (dataset.unreadable.empty()) return "";
  std::string text = format_text("  skipped {} file{} that cannot be read\n", dataset.unreadable.size(),
                                 plural_s(dataset.unreadable.size()));
  for (std::size_t i = 0; i < std::min(max_named, dataset.unreadable.size()); ++i) {
    text += "    " + dataset.unreadable[i] + "\n";
  }
  if (dataset.unreadable.size() > max_named) {
    text += format_text("    and {} more\n", dataset.unreadable.size() - max_named);
  }
  return text;
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

std::string range_warning(const Dataset& dataset) {
  constexpr std::int64_t most_images = 4096, narrow = 32;
  constexpr double outliers = 0.0005;  // fraction of the pixels that is ignored at each end
  const std::int64_t step = (dataset.size() + most_images - 1) / most_images;
  const auto histogram =
      torch::bincount(dataset.images.slice(0, 0, dataset.size(), step).flatten(), /*weights=*/{}, /*minlength=*/256);
  const auto share = histogram.to(torch::kDouble).cumsum(0) / histogram.sum();
  const auto below = [&](double part) { return share.lt(part).sum().item<std::int64_t>(); };
  const std::int64_t lowest = below(outliers), highest = below(1 - outliers);
  if (highest - lowest >= narrow) return "";
  return format_text("nearly all pixels lie between {} and {} in the range 0 to 255, so the images are almost uniform",
                     lowest, highest);
}

std::string small_data_note(const Config& config, std::int64_t images) {
  constexpr std::int64_t few = 2000;
  if (images >= few || !config.discriminator.augment.empty()) return "";
  return format_text(
      "there are only {} training images, which the discriminator may memorise; augmentation helps "
      "('discriminator.augment=[color, translation, cutout]', or configs/small_data.yaml)",
      images);
}

std::string label_text(const Dataset& dataset, std::int64_t label) {
  const auto names = std::ssize(dataset.class_names);
  return label >= 0 && label < names ? printable(dataset.class_names[static_cast<std::size_t>(label)])
                                     : std::to_string(label);
}

std::string summary_text(const Dataset& dataset, Split split) {
  const auto summary = summarize(dataset);
  std::string text = format_text("{}\n", split_name(split));
  text += format_text("  images  {} of {} x {} pixels (height x width), {}\n", dataset.size(), dataset.height(),
                      dataset.width(), dataset.channels() == 1 ? "gray" : "RGB");
  text += format_text("  pixels  {} to {}, mean {:.3f}, standard deviation {:.3f}\n", summary.lowest, summary.highest,
                      summary.mean, summary.deviation);
  text += "  labels  " + counts_text(dataset, summary) + "\n";
  for (const auto& file : dataset.files) text += "  file    " + printable(file.string()) + "\n";
  for (const auto& note : dataset.notes) text += "  note    " + note + "\n";
  for (const auto& warning : dataset.warnings) text += "  warning " + warning + "\n";
  text += unreadable_text(dataset);
  return text + "  sha256  " + dataset.hash + "\n";
}

}  // namespace slopegan
