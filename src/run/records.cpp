#include "run/records.h"

namespace slopegan {

std::string history_line(const HistoryRecord& record) { return json_text(record_json(record)); }
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
