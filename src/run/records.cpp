#include "run/records.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "support/text.h"

namespace slopegan {

std::string history_line(const HistoryRecord& record) { return json_text(record_json(record)); }

std::optional<double> find_value(const std::map<std::string, double>& values, const std::string& name) {
  const auto found = values.find(name);
  return found == values.end() ? std::nullopt : std::optional(found->second);
}

bool has_few_images(const RulerFigures& ruler, std::int64_t samples) {
  constexpr std::int64_t images_per_feature = 5;
  return ruler.real_samples > 0 && std::min(samples, ruler.real_samples) < images_per_feature * ruler.features;
}

bool is_bias_reliable(const RulerFigures& ruler, std::int64_t samples) {
  return ruler.real_samples == 0 || std::min(samples, ruler.real_samples) >= 2 * ruler.features;
}

bool is_mostly_bias(const RulerFigures& ruler, std::int64_t samples) {
  if (!has_few_images(ruler, samples)) return false;
  if (!is_bias_reliable(ruler, samples)) return true;
  const auto fd = find_value(ruler.values, "fd");
  return fd && ruler.fd_bias && *ruler.fd_bias > *fd / 2;
}

bool ClassifierAccuracy::is_near_chance() const {
  const double error = std::sqrt(guessing * (1 - guessing) / static_cast<double>(images));
  return images > 0 && accuracy <= guessing + 2 * error;
}

std::string accuracy_text(const ClassifierAccuracy& classifier) {
  return format_text(
      "an accuracy of {:.1f} % on images that it was not trained on, compared with {:.1f} % for guessing the most "
      "frequent label",
      100 * classifier.accuracy, 100 * classifier.guessing);
}

std::optional<std::string> unrelated_labels_text(const RulerFigures& ruler) {
  if (!ruler.classifier || !ruler.classifier->is_near_chance()) return std::nullopt;
  return "The labels seem to be unrelated to the images: the classifier whose features the metrics use has " +
         accuracy_text(*ruler.classifier) + ". With data.labels: none, the metrics do not use the labels.";
}

std::string metrics_line(const MetricsRecord& record) { return json_text(record_json(record)); }
std::string diagnostics_text(const DiagnosticsRecord& record, int indent) {
  return json_text(record_json(record), indent);
}

LayerDiagnosis whole_network(const std::vector<LayerDiagnosis>& layers, std::string_view network) {
  LayerDiagnosis whole;
  whole.name = network;
  whole.slope_energy = std::numeric_limits<double>::quiet_NaN();
  double units = 0, values = 0;
  for (const auto& layer : layers) {
    if (!layer.name.starts_with(std::string(network) + ".")) continue;
    const auto n = static_cast<double>(layer.units), all = n * static_cast<double>(layer.values);
    const bool is_same = whole.units == 0 || whole.negative_slope == layer.negative_slope;
    whole.negative_slope = is_same ? layer.negative_slope : std::numeric_limits<double>::quiet_NaN();
    whole.units += layer.units;
    whole.values += layer.values;
    whole.never_positive += n * layer.never_positive;
    whole.always_positive += n * layer.always_positive;
    whole.dormant += n * layer.dormant;
    whole.negative_fraction += all * layer.negative_fraction;
    units += n;
    values += all;
  }
  for (double* share : {&whole.never_positive, &whole.always_positive, &whole.dormant}) *share /= std::max(1.0, units);
  whole.negative_fraction /= std::max(1.0, values);
  return whole;
}

std::vector<HistoryRecord> read_history(const std::filesystem::path& file) {
  return read_records<HistoryRecord>(file, "history");
}
std::vector<MetricsRecord> read_metrics(const std::filesystem::path& file) {
  return read_records<MetricsRecord>(file, "metrics");
}
std::vector<DiagnosticsRecord> read_diagnostics(const std::filesystem::path& file) {
  return read_records<DiagnosticsRecord>(file, "diagnostics");
}

std::optional<HistoryRecord> read_last_history(const std::filesystem::path& file) {
  return read_last_record<HistoryRecord>(file);
}
std::optional<MetricsRecord> read_last_metrics(const std::filesystem::path& file, std::optional<std::uint64_t> size) {
  return read_last_record<MetricsRecord>(file, size);
}

}  // namespace slopegan
