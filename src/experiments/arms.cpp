#include "experiments/arms.h"

#include "run/history.h"
#include "support/errors.h"
#include "support/files.h"
#include "support/log.h"
#include "support/text.h"

namespace slopegan {

static std::vector<std::string> arm_overrides(const Config& config, const Arm& arm) {
  const std::string slope = "negative_slope=" + shortest(arm.negative_slope);
  std::vector<std::string> overrides = {"seed=" + std::to_string(arm.seed), "run.name=" + arm.name};
  if (config.sweep.apply_to != SweepTarget::discriminator) overrides.push_back("generator." + slope);
  if (config.sweep.apply_to != SweepTarget::generator) overrides.push_back("discriminator." + slope);
  return overrides;
}

std::vector<Arm> make_arms(const Config& config, const std::filesystem::path& sweep_dir) {
  std::vector<Arm> arms;
  for (const auto seed : config.sweep.seeds) {
    for (const double slope : config.sweep.negative_slope) {
      Arm arm;
      arm.negative_slope = slope;
      arm.seed = seed;
      arm.name = "slope_" + shortest(slope) + "-seed_" + std::to_string(seed);
      arm.directory = sweep_dir / "runs" / arm.name;
      arm.overrides = arm_overrides(config, arm);
      arms.push_back(std::move(arm));
    }
  }
  return arms;
}

/// The last line of the arm's history, or nothing where there is none yet.
static std::optional<HistoryRecord> last_record(const Arm& arm) {
  const auto file = RunPaths(arm.directory).history_file();
  if (!std::filesystem::exists(file)) return std::nullopt;
  try {
    const auto records = read_history(file);
    return records.empty() ? std::nullopt : std::optional(records.back());
  } catch (const Error& error) {
    log::warning(error.what());
    return std::nullopt;
  }
}

/// A run.json that cannot be read tells as much as none: the arm's own start says what is wrong with it.
static std::optional<RunStatus> status_of(const Arm& arm) {
  try {
    return read_run_status(RunPaths(arm.directory).run_info_file());
  } catch (const Error& error) {
    log::warning(error.what());
    return std::nullopt;
  }
}

ArmState read_arm_state(const Arm& arm) {
  ArmState state;
  state.status = status_of(arm);
  if (const auto record = last_record(arm)) state.images = record->images;
  return state;
}

bool is_over(const ArmState& state, const Config& config) {
  if (state.status == RunStatus::diverged) return true;
  return state.status == RunStatus::done && state.images >= config.training.total_images;
}

static std::string status_text(const std::optional<RunStatus>& status) {
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

void write_results(const std::filesystem::path& file, const std::vector<Arm>& arms) {
  constexpr double HistoryRecord::* figures[] = {&HistoryRecord::discriminator_loss,
                                                 &HistoryRecord::generator_loss,
                                                 &HistoryRecord::d_real,
                                                 &HistoryRecord::d_fake,
                                                 &HistoryRecord::generator_gradient_norm,
                                                 &HistoryRecord::discriminator_gradient_norm,
                                                 &HistoryRecord::seconds,
                                                 &HistoryRecord::images_per_second,
                                                 &HistoryRecord::memory_mib};
  std::string csv =
      "arm,negative_slope,seed,status,images,discriminator_loss,generator_loss,d_real,d_fake,"
      "generator_gradient_norm,discriminator_gradient_norm,seconds,images_per_second,memory_mib\n";
  for (const auto& arm : arms) {
    std::vector<std::string> cells = {arm.name, shortest(arm.negative_slope), std::to_string(arm.seed),
                                      status_text(status_of(arm))};
    const auto record = last_record(arm);
    cells.push_back(std::to_string(record ? record->images : 0));
    for (const auto figure : figures) cells.push_back(record ? shortest((*record).*figure) : "");
    csv += join(cells, ",") + "\n";
  }
  write_file_atomic(file, csv);
}

}  // namespace slopegan
