#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "config/config.h"
#include "statistics/statistics.h"

/// The plan of a sweep with a fixed number of seeds. The error rate holds for the seeds that were planned before the
/// first result was seen, but not if seeds are added until something is significant, or if planned seeds are left out.
/// It does not cover slopes and conditions that are added later. plan.json records the plan; visit_fields lists its
/// fields (run/record_json.h).
namespace slopegan {

struct FixedPlan {
  std::vector<double> slopes;
  double control = 0;
  std::vector<std::int64_t> seeds;
  std::int64_t images = 0;
  std::string extractor;          ///< name and hash; empty without metrics
  std::optional<double> alpha{};  ///< std::nullopt if an earlier version recorded the plan
  /// The conditions of a crossed sweep, as condition_text describes them. Empty for other sweeps, and if an earlier
  /// version recorded the plan.
  std::vector<std::string> conditions{};
  bool operator==(const FixedPlan&) const = default;

  template <class Self, class Visit>
  static void visit_fields(Self& self, Visit&& visit) {
    visit({"slopes"}, self.slopes);
    visit({"control"}, self.control);
    visit({"seeds"}, self.seeds);
    visit({"images"}, self.images);
    visit({"extractor"}, self.extractor);
    visit({"alpha"}, self.alpha);
    visit({.key = "conditions", .may_be_absent = true}, self.conditions);
  }
};

FixedPlan fixed_plan(const Config& config, const std::string& extractor);

/// Whether any arm of the sweep has been evaluated.
bool has_scores(const std::filesystem::path& sweep_dir);

/// Throws UsageError if the plan names a feature extractor other than `extractor`, and arms of the sweep have been
/// evaluated or are in training. Does nothing if `extractor` is empty or if the sweep has no plan.
void check_planned_extractor(const std::filesystem::path& sweep_dir, const std::string& extractor);

/// Records the plan in <sweep_dir>/plan.json. Once an arm has been evaluated, the recorded plan no longer changes.
/// Sweeps from earlier versions that have results but no plan remain without a plan.
void note_plan(const std::filesystem::path& sweep_dir, const FixedPlan& plan);

/// The recorded plan; std::nullopt if there is none or if the file is damaged.
std::optional<FixedPlan> read_fixed_plan(const std::filesystem::path& sweep_dir);

/// Adds the slopes and seeds of earlier arms to the configuration, so that the results of these arms stay in the
/// tables, the statistics and the report. Earlier arms are those of the sweep in `sweep_dir` that have started but that
/// `config` does not name. An earlier arm that has not ended counts as missing. If no arm has been trained, nothing is
/// added, so that the sweep can be started again with other values. While another process is training arms of the
/// sweep, even arms that have not started are added, because that process will train them. The calling command only
/// reports the added arms; it does not train them. Logs which arms are kept.
Config with_earlier_arms(Config config, const std::filesystem::path& sweep_dir);

/// The seeds of `config` that can affect the verdicts: the planned ones, or all of them if none is planned.
std::vector<std::int64_t> seeds_that_count(const Config& config, const std::optional<FixedPlan>& plan);

/// The scores of the planned seeds only, with notes on what changed after the first results. If no planned seed has a
/// comparable result, returns the scores of all seeds; if some of these were added, a note says that the error rate
/// does not hold for them.
SweepScores planned_scores(const SweepScores& scores, const FixedPlan& plan, const Config& config);

/// The text to append to the description of the method (StatisticsFile::method) if seeds were added after the first
/// results, but only the planned seeds determine the verdicts; otherwise empty. `scores` contains the scores of the
/// planned seeds.
std::string promise_text(const SweepScores& scores, const FixedPlan& plan, const Config& config);

}  // namespace slopegan
