#include <algorithm>
#include <map>

#include "config/load.h"
#include "config/sweep_target.h"
#include "report/run_data.h"
#include "run/run_directory.h"
#include "support/errors.h"
#include "support/text.h"

namespace slopegan {

namespace {

using ArmKey = std::pair<double, std::int64_t>;  // slope and seed

/// The run directories of a sweep by slope and seed. Other slopes and seeds, from earlier sweeps, are not used.
std::map<ArmKey, std::filesystem::path> find_arms(SweepData& sweep) {
  std::map<ArmKey, std::filesystem::path> found;
  for (const auto& directory : entries_of(sweep.directory / "runs")) {
    const auto file = RunPaths(directory).config_file();
    if (!std::filesystem::exists(file)) continue;
    try {
      const Config config = load_config(file).config;
      if (const auto slope = swept_slope(config, sweep.config.sweep.apply_to)) found[{*slope, config.seed}] = directory;
    } catch (const Error& error) {
      sweep.notes.emplace_back(error.what());
    }
  }
  return found;
}

}  // namespace

std::optional<StatisticsFile> read_statistics(const std::filesystem::path& file) {
  if (!std::filesystem::exists(file)) return std::nullopt;
  auto statistics = parse_statistics(read_file(file, std::size_t{1} << 26));
  if (!statistics) throw DataError(display(file) + ": damaged, or written by another version");
  return statistics;
}

SweepData read_sweep_data(const std::filesystem::path& directory) {
  SweepData sweep;
  sweep.directory = directory;
  sweep.config = load_config(directory / "sweep.yaml").config;
  sweep.slopes = sweep.config.sweep.negative_slope;
  std::sort(sweep.slopes.begin(), sweep.slopes.end());
  sweep.slopes.erase(std::unique(sweep.slopes.begin(), sweep.slopes.end()), sweep.slopes.end());
  sweep.seeds = sweep.config.sweep.seeds;
  try {
    sweep.statistics = read_statistics(directory / "statistics.json");
  } catch (const Error& error) {
    sweep.notes.emplace_back(error.what());
  }
  const auto found = find_arms(sweep);
  for (const double slope : sweep.slopes) {
    for (const auto seed : sweep.seeds) {
      ArmData arm{slope, seed, {}};
      const auto place = found.find({slope, seed});
      if (place != found.end()) arm.run = read_run_data(place->second);
      if (arm.run.name.empty()) arm.run.name = "slope " + shortest(slope) + ", seed " + std::to_string(seed);
      sweep.arms.push_back(std::move(arm));
    }
  }
  return sweep;
}

}  // namespace slopegan
