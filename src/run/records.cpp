#include "run/records.h"

#include <algorithm>

namespace slopegan {

std::string history_line(const HistoryRecord& record) { return json_text(record_json(record)); }
bool has_few_images(const RulerFigures& ruler, std::int64_t samples) {
  constexpr std::int64_t images_per_feature = 5;
  return ruler.real_samples > 0 && std::min(samples, ruler.real_samples) < images_per_feature * ruler.features;
}

bool is_bias_reliable(const RulerFigures& ruler, std::int64_t samples) {
  return ruler.real_samples == 0 || std::min(samples, ruler.real_samples) >= 2 * ruler.features;
}

std::string metrics_line(const MetricsRecord& record) { return json_text(record_json(record)); }
std::string diagnostics_text(const DiagnosticsRecord& record, int indent) {
  return json_text(record_json(record), indent);
}

std::vector<HistoryRecord> read_history(const std::filesystem::path& file) {
  return read_records<HistoryRecord>(file, "a history");
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
std::optional<MetricsRecord> read_last_metrics(const std::filesystem::path& file) {
  return read_last_record<MetricsRecord>(file);
}

}  // namespace slopegan
