#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <filesystem>

#include "bench/bench.h"
#include "support/errors.h"
#include "support/files.h"
#include "support/machine.h"
#include "support/text.h"
#include "sweep/scheduler.h"
#include "sweep/sweep.h"

namespace slopegan {

namespace {

/// A temporary directory that the destructor removes.
class Scratch {
 public:
  Scratch() {
    std::string pattern = (std::filesystem::temp_directory_path() / "slopegan-bench-XXXXXX").string();
    if (mkdtemp(pattern.data()) == nullptr) throw_io_error("create", pattern, errno);
    path_ = pattern;
  }
  ~Scratch() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

void run_arms(Config config, std::int64_t arms, std::int64_t jobs) {
  const Scratch scratch;
  config.run.output_dir = scratch.path().string();
  config.run.name = "bench";
  config.sweep.seeds.clear();
  for (std::int64_t seed = 0; seed < arms; ++seed) config.sweep.seeds.push_back(seed);
  config.sweep.negative_slope = {config.sweep.control};
  config.sweep.jobs = jobs;
  config.training.threads = jobs == 1 ? usable_cores() : 1;
  const auto directory = open_sweep(config);
  const auto all = make_arms(config, directory);
  const auto result = run_sweep(config, directory, all, fixed_agenda(config, all));
  if (result.stopped) throw StoppedError(result.exit_code - 128, "stopped; a benchmark cannot be resumed");
  if (result.exit_code != 0) {  // the scheduler has logged the arm's error
    throw Error(static_cast<ExitCode>(result.exit_code),
                format_text("an arm of the benchmark failed with exit code {}", result.exit_code));
  }
}

}  // namespace

BenchResult bench_sweep(const Config& config, std::int64_t arms, int rounds) {
  Config one_step = config;
  one_step.training.total_images = config.training.batch_size;
  const double images = static_cast<double>(arms * config.training.total_images);
  const std::int64_t jobs = std::min(arms, usable_cores());
  const std::vector<BenchCase> cases = {
      {.name = format_text("{} arms, {} in parallel with one thread each", arms, jobs),
       .run = [=] { run_arms(config, arms, jobs); },
       .images = images},
      {.name = format_text("{} arms, sequentially with all threads", arms),
       .run = [=] { run_arms(config, arms, 1); },
       .images = images},
      {.name = "one arm with a single step, from start to end", .run = [=] { run_arms(one_step, 1, 1); }}};
  return run_bench("sweep", cases,
                   {.seconds = 0, .min_rounds = rounds, .max_rounds = rounds, .seconds_per_measurement = 0});
}

}  // namespace slopegan
