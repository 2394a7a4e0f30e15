#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "config/config.h"
#include "run/diagnostics_log.h"
#include "run/history.h"
#include "run/metrics_log.h"

/// The contents of run and sweep directories. All strings are untrusted: escape them before they enter the page.
namespace slopegan {

struct RunData {
  std::filesystem::path directory;
  std::string name;
  /// The status in run.json: "done", "running", "stopped", "diverged" or "failed". "pending" if the file does not
  /// exist, "unreadable" if it is damaged.
  std::string status = "pending";
  std::int64_t images = 0;  ///< images seen
  std::vector<std::string> argv;
  /// Versions, machine, data and times from run.json, as labels and values.
  std::vector<std::pair<std::string, std::string>> facts;
  std::optional<Config> config;
  std::vector<HistoryRecord> history;
  std::vector<MetricsRecord> metrics;
  std::vector<DiagnosticsRecord> diagnostics;
  std::string last_error;          ///< message of the last error in log.txt
  std::vector<std::string> notes;  ///< files that could not be read, with reasons

  bool is_bad() const { return status == "diverged" || status == "failed" || status == "unreadable"; }
};

/// Reads all files of a run. Damaged files are listed in `notes`; their contents never cause an exception.
RunData read_run_data(const std::filesystem::path& directory);

struct ArmData {
  double negative_slope = 0;
  std::int64_t seed = 0;
  RunData run;
};

/// statistics.json, see statistics/statistics.h for the meaning of the figures.
struct StatisticsData {
  struct Limits {
    double low = 0, high = 0;  ///< infinite where there is no limit
  };
  struct Slope {
    double negative_slope = 0;
    std::int64_t scored = 0, diverged = 0, collapsed = 0, missing = 0;
    std::optional<double> mean_fd, fd_deviation, probability_best;
  };
  struct Comparison {
    double negative_slope = 0;
    std::int64_t pairs = 0, wins = 0;
    std::optional<double> median_ratio, p, p_holm;
    std::optional<Limits> median_ratio_interval, simultaneous_interval;
    bool significant = false, can_be_significant = false;
  };
  std::string answer, metric_name, extractor;
  std::vector<std::string> notes;
  std::optional<double> floor, rank_stability, pairing_correlation, seed_variance, metric_variance;
  double control = 0;
  std::vector<Slope> slopes;
  std::vector<Comparison> comparisons;
  std::vector<std::pair<std::string, std::string>> methods;
};

struct SweepData {
  std::filesystem::path directory;
  Config config;
  std::vector<double> slopes;       ///< ascending
  std::vector<std::int64_t> seeds;  ///< in the order of the configuration
  /// All slopes × seeds, ordered by slope and then by seed. Arms that have not started are "pending".
  std::vector<ArmData> arms;
  std::optional<StatisticsData> statistics;
  std::vector<std::string> notes;
};

/// Reads all files of a sweep. Throws UsageError if sweep.yaml is not a valid configuration.
SweepData read_sweep_data(const std::filesystem::path& directory);

/// statistics.json; nothing where there is none. Throws DataError for a damaged one.
std::optional<StatisticsData> read_statistics(const std::filesystem::path& file);

}  // namespace slopegan
