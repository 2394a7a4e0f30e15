#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "config/config.h"
#include "statistics/statistics.h"

/// The plan of a sweep with a fixed number of seeds. The error rate holds for the seeds that were planned before the
/// first result was seen, but not if seeds are added until something is significant. plan.json records the plan.
namespace slopegan {

struct FixedPlan {
  std::vector<double> slopes;
  double control = 0;
  std::vector<std::int64_t> seeds;
  std::int64_t images = 0;
  std::string extractor;  ///< name and hash; empty without metrics
  bool operator==(const FixedPlan&) const = default;
};

FixedPlan fixed_plan(const Config& config, const std::string& extractor);

/// Whether any arm of the sweep has been evaluated.
bool has_scores(const std::filesystem::path& sweep_dir);

/// Records the plan in <sweep_dir>/plan.json. Once an arm has been evaluated, the recorded plan no longer changes.
/// Sweeps from earlier versions that have results but no plan remain without a plan.
void note_plan(const std::filesystem::path& sweep_dir, const FixedPlan& plan);

/// The recorded plan; std::nullopt if there is none or if the file is damaged.
std::optional<FixedPlan> read_fixed_plan(const std::filesystem::path& sweep_dir);

/// Adds to the configuration the slopes and seeds of those arms of the sweep in `sweep_dir` that have ended but that
/// `config` does not name, so that their results stay in the tables, the statistics and the report. Other arms with the
/// added slopes and seeds are not trained. Logs which results are kept.
Config with_earlier_results(Config config, const std::filesystem::path& sweep_dir);

/// The scores of the planned seeds only, with notes on what changed after the first results. Returns the scores
/// unchanged if they include no planned seed.
SweepScores planned_scores(const SweepScores& scores, const FixedPlan& plan, const Config& config);

/// The text to append to the method if seeds were added after the first results; otherwise empty.
std::string promise_text(const Config& config, const FixedPlan& plan);

}  // namespace slopegan
