#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "config/config.h"
#include "run/records.h"
#include "statistics/race_json.h"
#include "statistics/statistics_json.h"

/// The contents of run and sweep directories. All strings are untrusted: escape them before they enter the page.
namespace slopegan {

/// Whether a status in RunData::status means that the run has no usable result.
inline bool is_bad_status(const std::string& status) {
  return status == "diverged" || status == "failed" || status == "unreadable" || status == "collapsed";
}

struct RunData {
  std::filesystem::path directory;
  std::string name;
  /// The status in run.json: "done", "running", "stopped", "diverged" or "failed"; "collapsed" if the run is done and
  /// its last diagnostics raised the alarm "collapse"; "not needed" for an arm that a race does not need; "pending" if
  /// run.json does not exist; "unreadable" if it is damaged.
  std::string status = "pending";
  std::int64_t images = 0;  ///< images seen
  std::vector<std::string> argv;
  std::vector<std::int64_t> inexact_at;  ///< see RunInfo
  bool has_measured_kernels = false;     ///< whether RunInfo::kernels is "measured"
  /// Versions, machine, data and times from run.json, as labels and values.
  std::vector<std::pair<std::string, std::string>> facts;
  std::optional<Config> config;
  std::vector<HistoryRecord> history;
  std::vector<MetricsRecord> metrics;
  std::vector<DiagnosticsRecord> diagnostics;
  std::string last_error;          ///< the last error in log.txt, or a message about the collapse
  std::vector<std::string> notes;  ///< files that could not be read, with reasons

  bool has_collapsed() const { return status == "collapsed"; }
  bool is_bad() const { return is_bad_status(status); }
};

/// Reads all files of a run. Damaged files are listed in `notes`; their contents never cause an exception.
RunData read_run_data(const std::filesystem::path& directory);

struct ArmData {
  double negative_slope = 0;
  std::int64_t seed = 0;
  RunData run;
};

struct SweepData {
  std::filesystem::path directory;
  Config config;                    ///< run.name is the name of the directory
  std::string stored_name;          ///< run.name in sweep.yaml; differs if the sweep was renamed or copied
  std::vector<double> slopes;       ///< ascending
  std::vector<std::int64_t> seeds;  ///< in the order of the configuration; for a race, those of started arms, ascending
  /// All slopes × seeds, ordered by slope and then by seed. Arms that have not started are "pending" or "not needed".
  std::vector<ArmData> arms;
  std::optional<StatisticsFile> statistics;  ///< statistics.json
  std::optional<RaceFile> race;              ///< race.json
  std::vector<std::string> notes;

  /// The arms of the i-th slope, one per seed. Must not be called for the result of read_sweep_results, which reads no
  /// arms.
  std::span<const ArmData> arms_of(std::size_t slope) const {
    return std::span(arms).subspan(slope * seeds.size(), seeds.size());
  }

  /// Whether the sweep is a race, even if race.json cannot be read. The verdicts of a race are those in race.json: the
  /// test in statistics.json is not valid for a race, because the race chose the number of seeds.
  bool is_race() const { return race || config.sweep.design == SweepDesign::race; }
};

/// Reads the files in the directory of a sweep, but not those of its arms: `arms` is empty. Throws UsageError if
/// sweep.yaml is not a valid configuration.
SweepData read_sweep_results(const std::filesystem::path& directory);

/// Reads all files of a sweep. Throws UsageError if sweep.yaml is not a valid configuration.
SweepData read_sweep_data(const std::filesystem::path& directory);

}  // namespace slopegan
