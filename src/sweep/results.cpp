#include "sweep/results.h"

#include <algorithm>
#include <map>
#include <optional>
#include <string>
#include <utility>

#include "metrics/figures.h"
#include "support/files.h"
#include "support/text.h"

namespace slopegan {

namespace {

using Cells = std::vector<std::string>;

constexpr std::pair<const char*, double HistoryRecord::*> history_figures[] = {
    {"discriminator_loss", &HistoryRecord::discriminator_loss},
    {"generator_loss", &HistoryRecord::generator_loss},
    {"d_real", &HistoryRecord::d_real},
    {"d_fake", &HistoryRecord::d_fake},
    {"generator_gradient_norm", &HistoryRecord::generator_gradient_norm},
    {"discriminator_gradient_norm", &HistoryRecord::discriminator_gradient_norm},
    {"seconds", &HistoryRecord::seconds},
    {"images_per_second", &HistoryRecord::images_per_second},
    {"memory_mib", &HistoryRecord::memory_mib}};

std::string status_text(const std::optional<RunStatus>& status) {
  if (!status) return "pending";
  switch (*status) {
    case RunStatus::running:
      return "running";
    case RunStatus::done:
      return "done";
    case RunStatus::diverged:
      return "diverged";
    case RunStatus::stopped:
      return "stopped";
    case RunStatus::failed:
      return "failed";
  }
  return "unknown";
}

/// As RFC 4180 wants it: in quotes where the text could be taken for several cells or lines.
std::string csv_cell(const std::string& text) {
  if (text.find_first_of(",\"\r\n") == std::string::npos) return text;
  std::string quoted = "\"";
  for (const char letter : text) quoted += letter == '"' ? "\"\"" : std::string(1, letter);
  return quoted + "\"";
}

/// All figures, so that the files of all sweeps are read alike, and behind them those that only these arms have.
Cells metric_names(const std::vector<std::optional<MetricsRecord>>& metrics) {
  Cells names, others;
  for (const auto& figure : figures) names.emplace_back(figure.key);
  for (const auto& record : metrics) {
    if (!record) continue;
    for (const auto& [name, value] : record->values) {
      if (std::find(names.begin(), names.end(), name) == names.end()) others.push_back(name);
    }
  }
  std::sort(others.begin(), others.end());
  others.erase(std::unique(others.begin(), others.end()), others.end());
  names.insert(names.end(), others.begin(), others.end());
  return names;
}

void append_history(Cells& cells, const std::optional<HistoryRecord>& record) {
  cells.push_back(std::to_string(record ? record->images : 0));
  for (const auto& [name, figure] : history_figures) cells.push_back(record ? shortest((*record).*figure) : "");
}

std::string value_or_empty(const std::map<std::string, double>& values, const std::string& name) {
  const auto found = values.find(name);
  return found == values.end() ? "" : shortest(found->second);
}

void append_metrics(Cells& cells, const std::optional<MetricsRecord>& record, const Cells& names) {
  if (!record) {
    cells.resize(cells.size() + names.size() + 5);
    return;
  }
  cells.push_back(std::to_string(record->images));
  cells.push_back(csv_cell(record->extractor));
  cells.push_back(std::to_string(record->samples));
  for (const auto& name : names) cells.push_back(value_or_empty(record->values, name));
  cells.push_back(value_or_empty(record->floors, "fd"));
  cells.push_back(record->fd_repeat ? shortest(*record->fd_repeat) : "");
}

Cells header(const Cells& metrics) {
  Cells names = {"arm", "negative_slope", "seed", "status", "images"};
  for (const auto& [name, figure] : history_figures) names.push_back(name);
  for (const char* name : {"metrics_images", "extractor", "samples"}) names.push_back(name);
  for (const auto& name : metrics) names.push_back(csv_cell(name));
  for (const char* name : {"fd_floor", "fd_repeat"}) names.push_back(name);
  return names;
}

}  // namespace

void write_results(const std::filesystem::path& file, const std::vector<Arm>& arms) {
  std::vector<std::optional<MetricsRecord>> metrics;
  for (const auto& arm : arms) metrics.push_back(last_metrics(arm));
  const Cells names = metric_names(metrics);
  std::string csv = join(header(names), ",") + "\n";
  for (std::size_t i = 0; i < arms.size(); ++i) {
    Cells cells = {arms[i].name, shortest(arms[i].negative_slope), std::to_string(arms[i].seed),
                   status_text(read_arm_state(arms[i]).status)};
    append_history(cells, last_history(arms[i]));
    append_metrics(cells, metrics[i], names);
    csv += join(cells, ",") + "\n";
  }
  write_file_atomic(file, csv);
}

static std::string table_row(const Arm& arm) {
  const auto history = last_history(arm);
  const auto metrics = last_metrics(arm);
  const auto number = [&](double value, int decimals) {
    return history ? format_text("{:.{}f}", value, decimals) : std::string("-");
  };
  const HistoryRecord h = history.value_or(HistoryRecord{});
  const auto fd = metrics ? metrics->values.find("fd") : std::map<std::string, double>::const_iterator();
  const std::string fd_text = metrics && fd != metrics->values.end() ? format_text("{:.4g}", fd->second) : "-";
  return format_text(" {:<9} {:11} {:>10} {:>8} {:>8} {:>9} {:>9} {:>8}\n", status_text(read_arm_state(arm).status),
                     h.images, fd_text, number(h.discriminator_loss, 3), number(h.generator_loss, 3),
                     number(h.images_per_second, 0), (history ? clock_time(h.seconds) : "-"), number(h.memory_mib, 0));
}

std::string results_table(const std::vector<Arm>& arms) {
  std::size_t widest = std::string_view("arm").size();
  for (const auto& arm : arms) widest = std::max(widest, arm.name.size());
  const int width = static_cast<int>(widest);
  std::string text = format_text("{:<{}} {:<9} {:>11} {:>10} {:>8} {:>8} {:>9} {:>9} {:>8}\n", "arm", width, "status",
                                 "images", "FD", "loss D", "loss G", "images/s", "time", "MiB");
  for (const auto& arm : arms) text += format_text("{:<{}}", arm.name, width) + table_row(arm);
  return text;
}

}  // namespace slopegan
