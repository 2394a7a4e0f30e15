#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "config/config.h"
#include "statistics/statistics_json.h"
#include "sweep/arms.h"
#include "sweep/fixed_plan.h"

/// The result files in a sweep's directory: results.csv and statistics.json.
namespace slopegan {

/// Writes <sweep>/results.csv: one line per arm, with the last values of its history and its metrics. The metrics may
/// be from an earlier image count than the history. Cells without a value are empty, except that the number of images
/// is 0. An arm that a race has not started and will not need has the status "not needed". Throws IoError.
void write_results(const Config& config, const std::filesystem::path& sweep_dir, const std::vector<Arm>& arms);

/// A table for the terminal: one line per arm, with its most important values. "-" stands for a missing value.
std::string results_table(const std::vector<Arm>& arms);

/// How the arm's training ended, according to its files. An arm has collapsed if its last diagnostics raised the alarm
/// "collapse" (diagnostics/vitals.h).
ArmOutcome outcome_of(const Arm& arm, const Config& config);

/// Reads the FDs at the end of training from the last lines of metrics.jsonl. FDs are comparable only if they were
/// computed with the same extractor, the same number of samples and the same number of images seen, so the FDs of only
/// one such combination are used. Combinations that occur for planned seeds are preferred, then those that match both
/// the extractor and the number of images in `plan`, then those that match the extractor alone. If several remain, the
/// one with the most arms of planned seeds is used, then the one with the most arms. Arms with other FDs count as
/// missing, with a note, and so do arms that were trained on a different set of images (mark_other_images). Arms with
/// unreadable files count as missing, with a warning.
SweepScores read_scores(const Config& config, const std::vector<Arm>& arms,
                        const std::optional<FixedPlan>& plan = std::nullopt);

/// The statistics of the scores. With a plan, only the planned seeds count; see planned_scores.
StatisticsFile evaluate_sweep(const Config& config, const SweepScores& scores,
                              const std::optional<FixedPlan>& plan = std::nullopt);

/// Reads the scores of the arms and replaces <sweep>/statistics.json. Throws IoError, or UsageError for a race whose
/// race.json does not exist or is damaged.
StatisticsFile write_statistics(const Config& config, const std::filesystem::path& sweep_dir,
                                const std::vector<Arm>& arms);

}  // namespace slopegan
