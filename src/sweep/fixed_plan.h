#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "config/config.h"
#include "statistics/statistics.h"

/// The plan of a sweep with a fixed number of seeds. The error rate holds for the seeds that were planned before the
/// first result was seen; adding seeds until something is significant invalidates it. plan.json records the plan.
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

/// The configuration with the slopes and seeds of the sweep in `sweep_dir` whose arms have ended but that `config` does
/// not name. The results for these slopes and seeds stay in the tables, the statistics and the report; their other arms
/// are not trained. Logs which results are kept.
Config with_earlier_results(Config config, const std::filesystem::path& sweep_dir);

/// The scores of the planned seeds only, with notes on what was added after the first results. Returns the scores
/// unchanged if they include no planned seed.
SweepScores planned_scores(const SweepScores& scores, const FixedPlan& plan, const Config& config);

/// A sentence that follows the method if seeds were added after the first results; otherwise empty.
std::string promise_text(const Config& config, const FixedPlan& plan);

}  // namespace slopegan
