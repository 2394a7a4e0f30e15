#include "sweep/sweep.h"

#include <chrono>
#include <map>
#include <memory>
#include <thread>

#include "commands/arguments.h"
#include "commands/commands.h"
#include "data/dataset.h"
#include "report/report.h"
#include "sheets/sheets.h"
#include "support/errors.h"
#include "support/files.h"
#include "support/log.h"
#include "support/signals.h"
#include "support/text.h"
#include "sweep/results.h"
#include "sweep/scheduler.h"
#include "training/run_metrics.h"

namespace slopegan {

namespace {

struct SweepArguments {
  ConfigArguments config;
  std::int64_t jobs = 0;
  std::string shard = "1/1";
  bool list = false;
  std::int64_t report_every = 0;  ///< in seconds; 0: only at the end
};

/// Loads the data once before any arm starts, so that errors are reported once instead of once per arm, and the shared
/// part of the metrics is computed with all cores. Returns the hash of the training images.
std::string prepare_data(const Config& config) {
  const auto train = load_dataset(config.data, Split::train);
  log_notes(*train, Split::train);
  if (config.metrics.every_images > 0) make_evaluators(config, *train);
  return train->hash;
}

int sweep_command(const SweepArguments& arguments) {
  const LoadedConfig loaded = arguments.config.load_for_sweep();
  Config config = loaded.config;
  config.data.as_in_0_9 = continues_sweep_of_0_9(loaded);
  if (arguments.jobs > 0) config.sweep.jobs = arguments.jobs;
  const Shard shard = parse_shard(arguments.shard);
  if (arguments.list) {
    const auto directory = std::filesystem::path(config.run.output_dir) / config.run.name;
    for (const auto& arm : arms_of_shard(make_arms(config, directory), shard)) print(arm.name + "\n");
    return static_cast<int>(ExitCode::done);
  }
  install_signal_handlers();
  const auto directory = open_sweep(config, prepare_data(config));
  const auto all = make_arms(config, directory);
  const auto mine = arms_of_shard(all, shard);
  const SweepResult result = run_sweep(config, directory, all, fixed_agenda(config, mine),
                                       {.report_every = std::chrono::seconds(arguments.report_every)});
  log::table(results_table(all));
  if (result.stopped) {
    log::info("stopped; run the same command again to resume");
    return result.exit_code;
  }
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
  command.add_option("--shard", arguments->shard, "Train only the I-th of N parts of the arms, for clusters")
      ->type_name("I/N");
  command
      .add_option("--report-every", arguments->report_every,
                  "Update report.html at this interval during the sweep: 90s, 5m, 1h (default: only at the end)")
      ->transform(
          CLI::AsNumberWithUnit(std::map<std::string, std::int64_t>{{"s", 1}, {"m", 60}, {"h", 3600}}).description(""))
      ->check(CLI::Range(std::int64_t{1}, std::int64_t{1'000'000}).description(""))
      ->type_name("TIME");
  command.add_flag("--list", arguments->list, "Print the names of the arms and exit");
  command.callback([arguments, &action] {
    action = [arguments](const std::vector<std::string>&) { return sweep_command(*arguments); };
  });
}

}  // namespace slopegan
