#include "sweep/arms.h"

#include <algorithm>
#include <utility>

#include "config/conditions.h"
#include "config/print.h"
#include "config/sweep_target.h"
#include "support/errors.h"
#include "support/log.h"
#include "support/ranges.h"
#include "support/text.h"

namespace slopegan {

/// The values of `keys` under the condition.
static std::vector<Setting> values_of(const std::vector<std::string>& keys, const Config& config,
                                      const std::vector<Setting>& condition) {
  const Config changed = with_settings(config, condition);
  std::vector<Setting> values;
  for (const auto& key : keys) values.push_back({key, value_text(changed, key)});
  return values;
}

std::vector<Arm> make_arms(const Config& config, const std::filesystem::path& sweep_dir) {
  const auto& cross = config.sweep.cross;
  const auto keys = crossed_keys(cross);
  const std::vector<std::vector<Setting>> no_conditions(1);
  const auto& conditions = cross.list.empty() ? no_conditions : cross.list;
  std::vector<Arm> arms;
  for (const auto seed : config.sweep.seeds) {
    for (std::size_t c = 0; c < conditions.size(); ++c) {
      const auto values = values_of(keys, config, conditions[c]);
      for (const double slope : config.sweep.negative_slope) {
        Arm arm;
        arm.negative_slope = slope;
        arm.seed = seed;
        arm.condition = c;
        arm.settings = values;
        const std::string condition = cross.list.empty() ? "" : "-cond_" + std::to_string(c + 1);
        arm.name = "slope_" + shortest(slope) + condition + "-seed_" + std::to_string(seed);
        arm.directory = sweep_dir / "runs" / arm.name;
        arm.overrides = {"seed=" + std::to_string(seed), "run.name=" + arm.name};
        for (const auto& setting : conditions[c]) arm.overrides.push_back(setting.key + "=" + setting.value);
        for (auto& slope_override : slope_overrides(config.sweep.apply_to, slope)) {
          arm.overrides.push_back(std::move(slope_override));
        }
        arms.push_back(std::move(arm));
      }
    }
  }
  return arms;
}

/// Returns the last record that `read` finds in `file`, or std::nullopt if there is none. Logs a warning and returns
/// std::nullopt if there is an error.
template <typename Record>
static std::optional<Record> last_record(const std::filesystem::path& file,
                                         std::vector<Record> (*read)(const std::filesystem::path&)) {
  if (!std::filesystem::exists(file)) return std::nullopt;
  try {
    const auto records = read(file);
    return records.empty() ? std::nullopt : std::optional(records.back());
  } catch (const Error& error) {
    log::warning(error.what());
    return std::nullopt;
  }
}

std::optional<HistoryRecord> last_history(const Arm& arm) {
  return last_record(RunPaths(arm.directory).history_file(), read_history);
}

std::optional<MetricsRecord> last_metrics(const Arm& arm) {
  return last_record(RunPaths(arm.directory).metrics_file(), read_metrics);
}

std::optional<DiagnosticsRecord> last_diagnostics(const Arm& arm) {
  return last_record(RunPaths(arm.directory).diagnostics_file(), read_diagnostics);
}

/// The status in run.json. An unreadable file counts as missing; the arm itself reports the error when it starts.
static std::optional<RunStatus> status_of(const Arm& arm) {
  try {
    return read_run_status(RunPaths(arm.directory).run_info_file());
  } catch (const Error& error) {
    log::warning(error.what());
    return std::nullopt;
  }
}

ArmHardware hardware_of(const Arm& arm) {
  try {
    const auto info = read_run_info(RunPaths(arm.directory).run_info_file());
    if (!info) return {};
    std::vector<std::string> precisions = {info->precision};
    std::vector<std::string> processors = {processor_of(*info).value_or(info->device)};
    for (const auto& earlier : info->earlier_compute) {
      precisions.push_back(earlier.precision);
      if (earlier.processor) processors.push_back(*earlier.processor);
    }
    return {join(sorted_unique(std::move(precisions)), " and "), join(sorted_unique(std::move(processors)), " and "),
            info->kernels.value_or("")};
  } catch (const Error&) {  // status_of warns about unreadable files
    return {};
  }
}

/// The hash of the images that the arm was trained on, according to its run.json; empty if it is unknown.
static std::string data_hash_of(const Arm& arm) {
  try {
    const auto info = read_run_info(RunPaths(arm.directory).run_info_file());
    return info ? info->dataset.hash : "";
  } catch (const Error&) {  // status_of warns about unreadable files
    return "";
  }
}

std::string mark_other_images(const std::vector<Arm>& arms, const std::vector<std::int64_t>& decisive,
                              std::vector<ArmScore>& scores) {
  std::vector<std::string> hashes, voters, decisive_voters;
  for (const auto& arm : arms) {
    hashes.push_back(data_hash_of(arm));
    if (hashes.back().empty()) continue;
    voters.push_back(hashes.back());
    if (contains(decisive, arm.seed)) decisive_voters.push_back(hashes.back());
  }
  if (!decisive_voters.empty()) voters = std::move(decisive_voters);
  const auto votes = [&](const std::string& hash) { return std::ranges::count(voters, hash); };
  const auto usual = std::ranges::max_element(voters, {}, votes);
  std::size_t count = 0;
  for (std::size_t i = 0; i < arms.size(); ++i) {
    if (hashes[i].empty() || hashes[i] == *usual || scores[i].outcome == ArmOutcome::pending) continue;
    scores[i].outcome = ArmOutcome::error;
    ++count;
  }
  if (count == 0) return "";
  return format_text(
      "{} arm{} trained on images that differ from those of the other arms. Such arms are not comparable and count as "
      "missing.",
      count, count == 1 ? " was" : "s were");
}

ArmState read_arm_state(const Arm& arm) {
  ArmState state;
  state.status = status_of(arm);
  if (const auto record = last_history(arm)) state.images = record->images;
  return state;
}

bool is_over(const ArmState& state, const Config& config) {
  if (state.status == RunStatus::diverged) return true;
  return state.status == RunStatus::done && state.images >= config.training.total_images;
}

std::vector<Arm> started_arms(const std::vector<Arm>& arms) {
  std::vector<Arm> started;
  for (const auto& arm : arms) {
    if (status_of(arm)) started.push_back(arm);
  }
  return started;
}

std::optional<RunStatus> end_of(const Arm& arm, const Config& config) {
  const auto status = status_of(arm);
  if (status != RunStatus::done && status != RunStatus::diverged) return std::nullopt;
  return is_over(read_arm_state(arm), config) ? status : std::nullopt;
}

}  // namespace slopegan
