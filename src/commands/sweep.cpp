#include "sweep/sweep.h"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cmath>
#include <memory>
#include <optional>

#include "commands/arguments.h"
#include "commands/commands.h"
#include "report/report.h"
#include "run/run_directory.h"
#include "sheets/sheets.h"
#include "support/errors.h"
#include "support/file_lock.h"
#include "support/files.h"
#include "support/log.h"
#include "support/seconds_since.h"
#include "support/signals.h"
#include "support/text.h"
#include "sweep/fixed_plan.h"
#include "sweep/plan_text.h"
#include "sweep/prepare.h"
#include "sweep/race.h"
#include "sweep/results.h"
#include "sweep/scheduler.h"
#include "sweep/within.h"

namespace slopegan {

namespace {

struct SweepArguments {
  ConfigArguments config;
  std::optional<std::int64_t> jobs;
  std::string shard = "1/1";
  bool list = false;
  bool plan = false;
  std::int64_t within = 0;        ///< in seconds; 0: no limit
  std::int64_t report_every = 0;  ///< in seconds; 0: only at the end
};

using Clock = std::chrono::steady_clock;

/// The time limit of --within, from the start of the command to its end.
struct TimeLimit {
  Clock::time_point start = Clock::now();
  std::int64_t seconds = 0;  ///< 0: unlimited

  /// The time at which the arms must stop, so that the pictures and the report are finished within the limit.
  std::optional<Clock::time_point> deadline() const {
    if (seconds == 0) return std::nullopt;
    return start + std::chrono::seconds(seconds - std::clamp<std::int64_t>(seconds / 20, 1, 60));
  }
  double seconds_left() const { return std::chrono::duration<double>(*deadline() - Clock::now()).count(); }
  double seconds_spent() const { return seconds_since(start); }
};

/// The configuration to train with and, for a race, its plan.
struct ChosenPlan {
  Config config;
  std::optional<RacePlan> race = std::nullopt;
  std::optional<TimedPlan> timed = std::nullopt;
  bool is_prepared = false;  ///< whether the data have been prepared in order to make the plan
};

ChosenPlan choose_timed_plan(const Config& config, const TimeLimit& limit, const Shard& shard) {
  const auto kept = kept_plan(config);
  if (kept) {
    log::info("the existing plan of the race is kept; the time limit applies only to this invocation");
    if (const auto cuts = cuts_of(config, *kept); !cuts.empty()) log::info("the plan: " + join(cuts, "; "));
    return {kept->config, kept->race, kept};
  }
  if (shard.count > 1) {
    throw UsageError(format_text(
        "--within with --shard continues an existing race, but {} contains no race with this plan; first start "
        "the race without --shard, to measure this machine and make the plan, and then start the shards "
        "while the race runs",
        display(configured_directory(config.run))));
  }
  prepare_within(config, *limit.deadline());
  if (limit.seconds_spent() >= 1) log::info("the data are ready after " + clock_time(limit.seconds_spent()));
  log::info("measuring the time of an arm");
  const MeasuredCosts costs = measure_costs(config);
  log::info(
      format_text("{:.0f} images/s per arm ({} at a time); {:.1f} s per evaluation of {} images; {:.1f} s "
                  "per arm for everything else",
                  costs.images_per_second, costs.jobs, costs.evaluation_seconds, costs.samples, costs.other_seconds));
  const TimedPlan plan = plan_within(config, costs, limit.seconds_left(), limit.seconds_spent());
  if (const auto cuts = cuts_of(config, plan); !cuts.empty()) log::info("to fit the time limit: " + join(cuts, "; "));
  return {plan.config, plan.race, plan, true};
}

ChosenPlan choose_plan(const Config& config, const TimeLimit& limit, const Shard& shard) {
  if (limit.seconds > 0) return choose_timed_plan(config, limit, shard);
  if (config.sweep.design == SweepDesign::fixed) return {config};
  const RacePlan plan = continued_plan(config, configured_directory(config.run));
  return {race_config(config, plan), plan};
}

PreparedData prepare_chosen(const ChosenPlan& plan, const TimeLimit& limit) {
  if (limit.seconds == 0) return prepare_data(plan.config);
  return prepare_within(plan.config, *limit.deadline(), /*logs_notes=*/!plan.is_prepared);
}

/// Describes a sweep with fixed seeds. `all` is `config` plus the slopes and seeds of arms that earlier commands
/// started.
std::string fixed_text(const Config& config, const Config& all, const std::vector<Arm>& arms) {
  const auto directory = configured_directory(config.run);
  const auto recorded = has_scores(directory) ? read_fixed_plan(directory) : std::nullopt;
  return fixed_plan_text(config, arms, fixed_agenda(config, arms)().over, known_costs(config, arms),
                         seeds_that_count(all, recorded), all.sweep.negative_slope);
}

std::string plan_text(const ChosenPlan& plan, const std::vector<Arm>& arms) {
  if (!plan.race) {
    return fixed_text(plan.config, with_earlier_arms(plan.config, configured_directory(plan.config.run)), arms);
  }
  ArmCosts costs = known_costs(plan.config, arms);
  if (!costs.seconds && plan.timed && plan.timed->seconds_per_arm > 0) costs.seconds = plan.timed->seconds_per_arm;
  return race_plan_text(plan.config, planned_race(plan.config, *plan.race, {}, {}), costs,
                        plan.timed ? plan.timed->covered_looks : 0);
}

/// Throws UsageError if there is no race that --within would continue: the arms of a new race are known only after this
/// machine has been measured, which --list must not do.
void check_has_plan(const Config& config) {
  if (kept_plan(config)) return;
  throw UsageError(
      format_text("--list with --within lists the arms of an existing race, but {} contains no race with this plan; to "
                  "measure this machine and print the plan of a new race, use --plan instead of --list",
                  display(configured_directory(config.run))));
}

int list_arms(const std::vector<Arm>& arms) {
  for (const auto& arm : arms) print(arm.name + "\n");
  return static_cast<int>(ExitCode::done);
}

/// A sweep whose directory exists and whose plan has been written.
struct OpenedSweep {
  Config config;  ///< including the slopes and seeds of arms that earlier commands started
  std::filesystem::path directory;
  std::vector<Arm> all;
  std::vector<Arm> mine;  ///< the arms that this process trains; in a race, all arms
  std::optional<PlannedRace> race = std::nullopt;
};

OpenedSweep open_fixed(const ChosenPlan& plan, const PreparedData& data, const Shard& shard) {
  check_planned_extractor(configured_directory(plan.config.run), data.extractor);
  OpenedSweep sweep{with_earlier_arms(plan.config, configured_directory(plan.config.run)), {}, {}, {}};
  sweep.directory = open_sweep(sweep.config, data.hash);
  note_plan(sweep.directory, fixed_plan(sweep.config, data.extractor));
  sweep.all = make_arms(sweep.config, sweep.directory);
  const auto planned = make_arms(plan.config, sweep.directory);
  sweep.mine = arms_of_shard(planned, shard);
  // Without metrics, the sweep has no scores, so the plan would promise differences that the sweep cannot show.
  if (!data.extractor.empty()) log::table(fixed_text(plan.config, sweep.config, planned));
  return sweep;
}

OpenedSweep open_race(const ChosenPlan& plan, const PreparedData& data) {
  if (data.extractor.empty()) throw DataError("a race needs metrics, but there are too few images for them");
  OpenedSweep sweep{plan.config, {}, {}, {}};
  sweep.race = planned_race(plan.config, *plan.race, data.extractor, data.hash);
  check_plan(configured_directory(plan.config.run), *sweep.race);
  sweep.directory = open_sweep(plan.config, data.hash);
  write_plan(sweep.directory, *sweep.race);
  sweep.all = sweep.mine = make_arms(plan.config, sweep.directory);
  log::table(plan_text(plan, sweep.all));
  return sweep;
}

SweepResult train_arms(const OpenedSweep& sweep, const Shard& shard, ScheduleOptions options) {
  options.first_gpu = shard.index - 1;
  if (!sweep.race) {
    return run_sweep(sweep.config, sweep.directory, sweep.all, fixed_agenda(sweep.config, sweep.mine), options);
  }
  options.stop_dropped = sweep.config.sweep.stop_running;
  RaceFollower race(sweep.config, sweep.directory, *sweep.race, sweep.all);
  return run_sweep(sweep.config, sweep.directory, sweep.all, [&] { return race.agenda(shard); }, options);
}

/// Writes the files of the whole sweep and prints the recommendation and the findings.
void finish_sweep(const OpenedSweep& sweep) {
  const auto& directory = sweep.directory;
  // Shards that finish at the same time write these files one after another, so that the last shard covers all arms.
  const FileLock merging = wait_for_lock(directory / ".merging.lock", directory);
  // Another command may have added seeds or slopes in the meantime.
  const Config config = sweep.race ? sweep.config : with_earlier_arms(sweep.config, directory);
  const auto all = make_arms(config, directory);
  write_results(config, directory, all);
  const StatisticsFile statistics = write_statistics(config, directory, all);
  print(statistics.recommendation + "\n");
  for (const auto& finding : statistics.findings) print("  " + finding + "\n");
  for (const auto& finding : statistics.cross_findings) print("  " + finding + "\n");
  print(statistics.method + "\n");
  for (const auto& file : write_sweep_sheets(config, directory, config.sweep.seeds.front(), default_sheet_columns)) {
    print(display(file) + "\n");
  }
  for (const char* name : {"results.csv", "statistics.json"}) print(display(directory / name) + "\n");
  if (const auto report = try_write_report(directory)) print(display(*report) + "\n");
  for (const auto& note : statistics.notes) log::info(note);
}

/// Loads the configuration. With --within, sets sweep.design to race.
LoadedConfig load_given(const SweepArguments& arguments) {
  ConfigArguments config = arguments.config;
  if (arguments.within > 0) config.overrides.emplace_back("sweep.design=race");
  return config.load_for_sweep();
}

int sweep_command(const SweepArguments& arguments) {
  const TimeLimit limit{.seconds = arguments.within};
  const LoadedConfig loaded = load_given(arguments);
  Config given = as_existing_sweep(loaded);
  check_sweep_directory(given);
  if (arguments.jobs) given.sweep.jobs = *arguments.jobs;
  const Shard shard = parse_shard(arguments.shard);
  install_signal_handlers();
  if (arguments.list && arguments.within > 0) check_has_plan(given);
  const bool only_reads = arguments.list || (arguments.plan && arguments.within == 0);
  if (!only_reads) remove_left_measurements(given.run.output_dir);
  const ChosenPlan plan = choose_plan(given, limit, shard);
  const Config& config = plan.config;
  const auto planned_arms = make_arms(config, configured_directory(config.run));
  if (arguments.list) return list_arms(arms_of_shard(planned_arms, shard));
  if (arguments.plan) {
    print(plan_text(plan, planned_arms));
    return static_cast<int>(ExitCode::done);
  }
  const PreparedData data = prepare_chosen(plan, limit);
  const OpenedSweep sweep = plan.race ? open_race(plan, data) : open_fixed(plan, data, shard);
  const SweepResult result = train_arms(sweep, shard,
                                        {.report_every = std::chrono::seconds(arguments.report_every),
                                         .deadline = limit.deadline(),
                                         .data_hash = data.hash});
  log::table(results_table(sweep.race ? started_arms(sweep.all) : sweep.all));
  if (result.stopped) {
    log::info("stopped; run the same command again to resume");
    return result.exit_code;
  }
  finish_sweep(sweep);
  if (result.out_of_time)
    log::info("the time limit was reached before the race was over; run the same command again to continue it");
  return result.exit_code;
}

/// Converts "90", "90s", "45m", "1.5h" or "1h30m" to seconds, rounded. Throws CLI::ValidationError.
std::string seconds_in(const std::string& duration) {
  double seconds = 0;
  const char *place = duration.data(), *end = place + duration.size();
  bool is_valid = place != end;
  while (is_valid && place != end) {
    double number = 0;
    const bool is_first = place == duration.data();
    const auto [after, error] = std::from_chars(place, end, number, std::chars_format::fixed);
    is_valid = error == std::errc() && number >= 0 && number <= 1e6 && (after != end || is_first);
    const auto unit = after == end ? 0 : std::string_view("smh").find(*after);
    is_valid = is_valid && unit != std::string_view::npos;
    if (is_valid) seconds += number * std::pow(60.0, static_cast<double>(unit));
    place = after == end ? end : after + 1;
  }
  if (!is_valid) throw CLI::ValidationError(printable(duration) + " is not a time such as 90s, 45m, 1.5h or 1h30m");
  return std::to_string(std::llround(seconds));
}

void declare_duration(CLI::App& command, const std::string& name, std::int64_t& seconds, const std::string& help) {
  command.add_option(name, seconds, help)
      ->transform(seconds_in)
      ->check(CLI::Range(std::int64_t{1}, std::int64_t{1'000'000}).description(""))
      ->type_name("TIME");
}

}  // namespace

void setup_sweep(CLI::App& command, Action& action) {
  const auto arguments = std::make_shared<SweepArguments>();
  arguments->config.declare(command);
  add_integer(command, "--jobs", arguments->jobs,
              "Number of arms to train in parallel (default: sweep.jobs; 0: chosen from the number of cores)")
      ->check(CLI::Range(std::int64_t{0}, std::int64_t{1024}))
      ->type_name("N");
  command
      .add_option(
          "--shard", arguments->shard,
          "Divide the arms into N parts and train only part I, for clusters; in a race, train this part first. With "
          "--within, the race must already exist")
      ->type_name("I/N");
  declare_duration(command, "--report-every", arguments->report_every,
                   "Update report.html at this interval during the sweep, such as 90s, 5m or 1h (default: only at the "
                   "end)");
  declare_duration(command, "--within", arguments->within,
                   "Run a race that is planned to end within this time, such as 45m or 2h. To fit the time, the plan "
                   "reduces, in this order, the images per arm, the evaluation samples and the number of looks that "
                   "the time must cover, and then drops slopes (first those of at least 1, then those closest to "
                   "others). The race ends before the time is up if every slope is decided; otherwise, it stops "
                   "cleanly when the time is up. An existing race keeps its plan");
  command.add_flag("--plan", arguments->plan,
                   "Print what would be trained, how long it would take and which differences it could show, and exit. "
                   "With --within, a few short runs are trained first to measure the speed, unless the race exists");
  command.add_flag("--list", arguments->list,
                   "Print the names of the arms and exit. With --within, the race must already exist");
  command.callback([arguments, &action] {
    action = [arguments](const std::vector<std::string>&) { return sweep_command(*arguments); };
  });
}

}  // namespace slopegan
