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

/// A run and a sweep as their directories tell. All text in here is of foreign origin.
namespace slopegan {

struct RunData {
  std::filesystem::path directory;
  std::string name;
  /// As run.json has it: done, running, stopped, diverged, failed. "pending" where there is none, "unreadable".
  std::string status = "pending";
  std::int64_t images = 0;
  std::vector<std::string> argv;
  /// What run.json says for reproducing the run: versions, machine, data, times; label and value.
  std::vector<std::pair<std::string, std::string>> facts;
  std::optional<Config> config;
  std::vector<HistoryRecord> history;
  std::vector<MetricsRecord> metrics;
  std::vector<DiagnosticsRecord> diagnostics;
  std::string last_error;          ///< the last line of log.txt that is an error
  std::vector<std::string> notes;  ///< files that could not be read, and why

  bool is_bad() const { return status == "diverged" || status == "failed" || status == "unreadable"; }
};

/// Never throws for what is in the files.
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
  std::vector<std::int64_t> seeds;  ///< in the configuration's order
  /// Every slope of the sweep with every seed, by slope and then by seed; those that have not begun are "pending".
  std::vector<ArmData> arms;
  std::optional<StatisticsData> statistics;
  std::vector<std::string> notes;
};

/// Throws UsageError where sweep.yaml is none.
SweepData read_sweep_data(const std::filesystem::path& directory);

/// statistics.json; nothing where there is none. Throws DataError for a damaged one.
std::optional<StatisticsData> read_statistics(const std::filesystem::path& file);

}  // namespace slopegan
