#include "sweep/sweep.h"

#include <chrono>
#include <map>
#include <memory>
#include <optional>

#include "commands/arguments.h"
#include "commands/commands.h"
#include "report/report.h"
#include "sheets/sheets.h"
#include "support/errors.h"
#include "support/file_lock.h"
#include "support/files.h"
#include "support/log.h"
#include "support/signals.h"
#include "support/text.h"
#include "sweep/plan_text.h"
#include "sweep/prepare.h"
#include "sweep/race.h"
#include "sweep/results.h"
#include "sweep/scheduler.h"

namespace slopegan {

namespace {

struct SweepArguments {
  ConfigArguments config;
  std::int64_t jobs = 0;
  std::string shard = "1/1";
  bool list = false;
  bool plan = false;
  std::int64_t report_every = 0;  ///< in seconds; 0: only at the end
};

/// The configuration to train with and, for a race, its plan.
struct ChosenPlan {
  Config config;
  std::optional<RacePlan> race = std::nullopt;
};

ChosenPlan choose_plan(const Config& config) {
  if (config.sweep.design == SweepDesign::fixed) return {config};
  const RacePlan plan = race_plan(config);
  return {race_config(config, plan), plan};
}

std::string plan_text(const ChosenPlan& plan, const std::vector<Arm>& arms) {
  const ArmCosts costs = known_costs(plan.config, arms);
  if (plan.race) return race_plan_text(plan.config, planned_race(plan.config, *plan.race, {}, {}), costs);
  return fixed_plan_text(plan.config, arms, fixed_agenda(plan.config, arms)().over, costs);
}

int list_arms(const std::vector<Arm>& arms) {
  for (const auto& arm : arms) print(arm.name + "\n");
  return static_cast<int>(ExitCode::done);
}

SweepResult train_fixed(const Config& config, const std::filesystem::path& directory, const std::vector<Arm>& all,
                        const Shard& shard, const ScheduleOptions& options) {
  const auto mine = arms_of_shard(all, shard);
  return run_sweep(config, directory, all, fixed_agenda(config, mine), options);
}

SweepResult train_race(const Config& config, const std::filesystem::path& directory, const std::vector<Arm>& all,
                       const PlannedRace& planned, const Shard& shard, ScheduleOptions options) {
  options.stop_dropped = config.sweep.stop_running;
  RaceFollower race(config, directory, planned, all);
  return run_sweep(config, directory, all, [&] { return race.agenda(shard); }, options);
}

/// Creates or reopens the sweep's directory and writes the plan before any arm starts.
std::filesystem::path open_planned(const Config& config, const PreparedData& data,
                                   const std::optional<PlannedRace>& race) {
  if (race && race->extractor.empty()) throw DataError("a race needs metrics, but there are too few images for them");
  if (race) check_plan(sweep_directory(config), *race);
  const auto directory = open_sweep(config, data.hash);
  if (race) write_plan(directory, *race);
  return directory;
}

/// Writes the files of the whole sweep and prints the answer.
void finish_sweep(const Config& config, const std::filesystem::path& directory, const std::vector<Arm>& all) {
  // Shards that finish at the same time merge one at a time, so that the files of the last one cover all arms.
  const FileLock merging = wait_for_lock(directory / ".merging.lock", directory);
  write_results(directory / "results.csv", all);
  const StatisticsFile statistics = write_statistics(config, directory, all);
  print(statistics.recommendation + "\n");
  for (const auto& finding : statistics.findings) print("  " + finding + "\n");
  print(statistics.method + "\n");
  for (const auto& file : write_sweep_sheets(config, directory, config.sweep.seeds.front(), default_sheet_columns)) {
    print(printable(file.string()) + "\n");
  }
  for (const char* name : {"results.csv", "statistics.json"}) print(printable((directory / name).string()) + "\n");
  if (const auto report = try_write_report(directory)) print(printable(report->string()) + "\n");
  for (const auto& note : statistics.notes) log::info(note);
}

int sweep_command(const SweepArguments& arguments) {
  const LoadedConfig loaded = arguments.config.load_for_sweep();
  Config given = loaded.config;
  given.data.as_in_0_9 = continues_sweep_of_0_9(loaded);
  if (arguments.jobs > 0) given.sweep.jobs = arguments.jobs;
  const Shard shard = parse_shard(arguments.shard);
  const ChosenPlan plan = choose_plan(given);
  const Config& config = plan.config;
  const auto planned_arms = make_arms(config, sweep_directory(config));
  if (arguments.list) return list_arms(arms_of_shard(planned_arms, shard));
  if (arguments.plan) {
    print(plan_text(plan, planned_arms));
    return static_cast<int>(ExitCode::done);
  }
  install_signal_handlers();
  const PreparedData data = prepare_data(config);
  std::optional<PlannedRace> race;
  if (plan.race) race = planned_race(config, *plan.race, data.extractor, data.hash);
  const auto directory = open_planned(config, data, race);
  if (race) log::table(plan_text(plan, planned_arms));
  const auto all = make_arms(config, directory);
  const ScheduleOptions options{.report_every = std::chrono::seconds(arguments.report_every)};
  const SweepResult result = race ? train_race(config, directory, all, *race, shard, options)
                                  : train_fixed(config, directory, all, shard, options);
  log::table(results_table(all));
  if (result.stopped) {
    log::info("stopped; run the same command again to resume");
    return result.exit_code;
  }
  finish_sweep(config, directory, all);
  return result.exit_code;
}

}  // namespace

void setup_sweep(CLI::App& command, Action& action) {
  const auto arguments = std::make_shared<SweepArguments>();
  arguments->config.declare(command);
  command
      .add_option("--jobs", arguments->jobs,
                  "Number of arms in parallel (default: sweep.jobs, where 0 selects it from the number of cores)")
      ->check(CLI::Range(std::int64_t{1}, std::int64_t{1024}))
      ->type_name("N");
  command
      .add_option("--shard", arguments->shard,
                  "Train only the I-th of N parts of the arms, for clusters; in a race, train them first")
      ->type_name("I/N");
  command
      .add_option("--report-every", arguments->report_every,
                  "Update report.html at this interval during the sweep: 90s, 5m, 1h (default: only at the end)")
      ->transform(
          CLI::AsNumberWithUnit(std::map<std::string, std::int64_t>{{"s", 1}, {"m", 60}, {"h", 3600}}).description(""))
      ->check(CLI::Range(std::int64_t{1}, std::int64_t{1'000'000}).description(""))
      ->type_name("TIME");
  command.add_flag("--plan", arguments->plan,
                   "Print what would be trained, how long it would take and what it could show, and exit");
  command.add_flag("--list", arguments->list, "Print the names of the arms and exit");
  command.callback([arguments, &action] {
    action = [arguments](const std::vector<std::string>&) { return sweep_command(*arguments); };
  });
}

}  // namespace slopegan
