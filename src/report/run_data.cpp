#include "report/run_data.h"

#include <algorithm>
#include <map>
#include <utility>

#include "config/load.h"
#include "config/sweep_target.h"
#include "run/run_directory.h"
#include "run/run_info.h"
#include "support/errors.h"
#include "support/files.h"
#include "support/ranges.h"
#include "support/text.h"

namespace slopegan {

namespace {

constexpr std::size_t max_log_size = std::size_t{1} << 26;

void add_fact(RunData& run, const char* label, const std::string& value) {
  if (!value.empty()) run.facts.emplace_back(label, value);
}

/// "cpu, float32, threads: 2; up to 640 images: cpu, bfloat16, threads: 1".
std::string device_text(const RunInfo& info) {
  std::string text = format_text("{}, {}, threads: {}{}", info.device, info.precision, info.threads,
                                 info.kernels == "measured" ? ", measured kernels" : "");
  for (const auto& earlier : info.earlier_compute) {
    text += format_text("; up to {} images: {}, {}, threads: {}", earlier.until, earlier.device, earlier.precision,
                        earlier.threads);
    if (earlier.processor && earlier.processor != processor_of(info)) text += " (" + *earlier.processor + ")";
  }
  return text;
}

void take_info(RunData& run, const RunInfo& info) {
  run.status = name_of(info.status);
  run.images = info.images;
  run.argv = info.argv;
  run.inexact_at = info.inexact_at;
  run.has_measured_kernels = info.kernels == "measured";
  const std::string& commit = info.versions.git_commit;
  add_fact(run, "slopegan", info.versions.slopegan + (commit.empty() ? "" : ", commit " + commit));
  add_fact(run, "LibTorch", info.versions.libtorch);
  add_fact(run, "OpenCV", info.versions.opencv);
  add_fact(run, "Compiler", info.versions.compiler);
  add_fact(run, "Machine",
           format_text("{}, {} core{}, {} MiB", info.host.cpu, info.host.cores, plural_s(info.host.cores),
                       info.host.memory_mib));
  add_fact(run, "GPU", info.gpu.value_or(""));
  add_fact(run, "Device", device_text(info));
  add_fact(run, "Data", format_text("{}, {} images", info.dataset.name, info.dataset.count));
  add_fact(run, "SHA-256 of the data", info.dataset.hash);
  add_fact(run, "Started", info.started);
  add_fact(run, "Last update", info.updated);
}

void read_info(RunData& run, const std::filesystem::path& file) {
  if (!std::filesystem::exists(file)) return;
  run.status = "unreadable";
  if (const auto info = read_run_info(file)) take_info(run, *info);
}

std::string last_error_line(const std::filesystem::path& file) {
  if (!std::filesystem::exists(file)) return {};
  const std::string log = read_file(file, max_log_size);
  const auto found = log.rfind(" error ");
  if (found == std::string::npos) return {};
  return log.substr(found + 7, log.find('\n', found) - found - 7);
}

/// Calls `read` and adds its errors to the notes of the run.
template <class Read>
void attempt(RunData& run, Read read) {
  try {
    read();
  } catch (const Error& error) {
    run.notes.emplace_back(error.what());
  } catch (const std::filesystem::filesystem_error& error) {
    run.notes.emplace_back(error.what());
  }
}

template <class Record>
void read_log(RunData& run, const std::filesystem::path& file, std::vector<Record>& records,
              std::vector<Record> (*read)(const std::filesystem::path&)) {
  attempt(run, [&] {
    if (std::filesystem::exists(file)) records = read(file);
  });
}

/// Whether the last diagnostics raised the alarm `name`.
bool has_alarm(const RunData& run, const char* name) {
  if (run.diagnostics.empty()) return false;
  const auto& alarms = run.diagnostics.back().sentinels;
  return contains(alarms, name);
}

using ArmKey = std::pair<double, std::int64_t>;  // slope and seed

/// The run directories of a sweep, by slope and seed; for a crossed sweep, only those of its first condition. They may
/// include slopes and seeds that the configuration of the sweep no longer contains.
std::map<ArmKey, std::filesystem::path> find_arms(SweepData& sweep) {
  std::map<ArmKey, std::filesystem::path> found;
  for (const auto& directory : entries_of(sweep.directory / "runs")) {
    const auto file = RunPaths(directory).config_file();
    if (!std::filesystem::exists(file)) continue;
    try {
      const Config config = load_stored_config(file).config;
      const bool is_crossed = !sweep.config.sweep.cross.list.empty();
      if (is_crossed && config.run.name.find("-cond_1-") == std::string::npos) continue;
      if (const auto slope = swept_slope(config, sweep.config.sweep.apply_to)) found[{*slope, config.seed}] = directory;
    } catch (const Error& error) {
      sweep.notes.emplace_back(error.what());
    }
  }
  return found;
}

/// Whether the sweep is a race that needs no further arms of the slope.
bool is_not_needed(const SweepData& sweep, double slope) {
  return sweep.race && !may_need_arms(sweep.race->planned.plan, sweep.race->state, slope);
}

/// The contents of statistics.json; std::nullopt if it does not exist. Throws DataError if it is damaged.
std::optional<StatisticsFile> read_statistics(const std::filesystem::path& file) {
  if (!std::filesystem::exists(file)) return std::nullopt;
  auto statistics = parse_statistics(read_file(file, std::size_t{1} << 26));
  if (!statistics) throw DataError(display(file) + ": damaged, or written by a different version");
  return statistics;
}

/// The contents of race.json; std::nullopt if it does not exist. Throws DataError if it is damaged.
std::optional<RaceFile> read_race_file(const std::filesystem::path& file) {
  if (!std::filesystem::exists(file)) return std::nullopt;
  auto race = parse_race(read_file(file, std::size_t{1} << 26));
  if (!race) throw DataError(display(file) + ": damaged, or the plan was changed");
  return race;
}

/// The seeds of a race for which at least one arm has started. Their number depends on the results.
std::vector<std::int64_t> seeds_of_race(const RaceFile& race, const std::map<ArmKey, std::filesystem::path>& arms) {
  std::vector<std::int64_t> seeds;
  const std::int64_t first = race.planned.first_seed;
  const std::int64_t count = race.planned.plan.looks.empty() ? 0 : race.planned.plan.looks.back();
  for (const auto& [key, directory] : arms) {
    if (key.second >= first && key.second - first < count) seeds.push_back(key.second);
  }
  return sorted_unique(std::move(seeds));
}

}  // namespace

RunData read_run_data(const std::filesystem::path& directory) {
  const RunPaths paths(directory);
  RunData run;
  run.directory = directory;
  run.name = directory_name(directory);
  attempt(run, [&] { read_info(run, paths.run_info_file()); });
  attempt(run, [&] {
    if (!std::filesystem::exists(paths.config_file())) return;
    run.config = load_stored_config(paths.config_file()).config;
    run.name = run.config->run.name;
  });
  read_log(run, paths.history_file(), run.history, read_history);
  read_log(run, paths.metrics_file(), run.metrics, read_metrics);
  read_log(run, paths.diagnostics_file(), run.diagnostics, read_diagnostics);
  attempt(run, [&] { run.last_error = last_error_line(paths.log_file()); });
  if (run.status == "done" && has_alarm(run, "collapse")) {
    run.status = "collapsed";
    run.last_error = "the generated images all look alike";
  }
  // During training, the history is newer than run.json.
  if (!run.history.empty()) run.images = std::max(run.images, run.history.back().images);
  return run;
}

SweepData read_sweep_results(const std::filesystem::path& directory) {
  SweepData sweep;
  sweep.directory = directory;
  sweep.config = load_stored_config(directory / "sweep.yaml").config;
  sweep.stored_name = std::exchange(sweep.config.run.name, directory_name(directory));
  sweep.slopes = sorted_unique(sweep.config.sweep.negative_slope);
  sweep.seeds = sweep.config.sweep.seeds;
  try {
    sweep.statistics = read_statistics(directory / "statistics.json");
  } catch (const Error& error) {
    sweep.notes.emplace_back(error.what());
  }
  try {
    sweep.race = read_race_file(directory / "race.json");
  } catch (const Error& error) {
    sweep.notes.emplace_back(error.what());
  }
  return sweep;
}

SweepData read_sweep_data(const std::filesystem::path& directory) {
  SweepData sweep = read_sweep_results(directory);
  const auto found = find_arms(sweep);
  if (sweep.race) sweep.seeds = seeds_of_race(*sweep.race, found);
  for (const double slope : sweep.slopes) {
    for (const auto seed : sweep.seeds) {
      ArmData arm{slope, seed, {}};
      const auto place = found.find({slope, seed});
      if (place != found.end()) arm.run = read_run_data(place->second);
      if (place == found.end() && is_not_needed(sweep, slope)) arm.run.status = "not needed";
      if (arm.run.name.empty()) arm.run.name = format_text("slope {}, seed {}", shortest(slope), seed);
      sweep.arms.push_back(std::move(arm));
    }
  }
  return sweep;
}

}  // namespace slopegan
