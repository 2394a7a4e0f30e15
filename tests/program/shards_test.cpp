#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <fstream>
#include <random>
#include <set>
#include <thread>

#include <gmock/gmock.h>

#include "exact_resume.h"
#include "live_program.h"
#include "process_states.h"
#include "program.h"
#include "slow_check.h"
#include "support/text.h"

namespace slopegan::testing {
namespace {

/// Returns the content of results.csv without the columns that depend on the clock and the machine.
std::string timeless_results(const std::filesystem::path& sweep) {
  std::istringstream lines(read_text(sweep / "results.csv"));
  std::set<std::size_t> timed;
  std::string kept, line;
  while (std::getline(lines, line)) {
    std::istringstream cells(line);
    std::size_t column = 0;
    for (std::string cell; std::getline(cells, cell, ','); ++column) {
      for (const char* name : {"seconds", "images_per_second", "memory_mib"}) {
        if (cell == name) timed.insert(column);
      }
      if (!timed.contains(column)) kept += cell + ',';
    }
    kept += '\n';
  }
  EXPECT_EQ(timed.size(), 3u);
  return kept;
}

/// Tests the shards of a sweep. GNU parallel starts them, and they share a directory.
class ShardsSlowCheck : public ProgramTest {
 protected:
  const int shards_ = check_count(2, 8), kills_ = check_count(1, 3);
  const std::string seeds_ = check_count(0, 1) == 1 ? "[0, 1, 2, 3, 4, 5, 6, 7]" : "[0, 1]";
  const std::string slopes_ = check_count(0, 1) == 1 ? "[0, 0.1, 0.2]" : "[0, 0.2]";

  /// Returns the arguments for a sweep in the directory outputs()/name/smoke.
  std::vector<std::string> sweep(const std::string& name, const std::vector<std::string>& more) const {
    auto all = smoke("sweep", {"run.output_dir=" + (outputs() / name).string(), "training.total_images=1280",
                               "samples.every_images=640", "checkpoint.every_images=320", "training.precision=float32",
                               "training.threads=1", "sweep.seeds=" + seeds_, "sweep.negative_slope=" + slopes_});
    all.insert(all.end(), more.begin(), more.end());
    return all;
  }

  /// Runs all shards, and `meanwhile` at the same time. Each shard writes its process ID to a file. Returns the exit
  /// code of GNU parallel, which is the number of failed shards.
  int run_shards(const std::function<void()>& meanwhile = {}) {
    std::string command = "parallel --will-cite --jobs " + std::to_string(shards_) + " 'echo $$ >" +
                          (directory_ / "pid").string() + "{}; exec " SLOPEGAN_BINARY;
    for (const auto& argument : sweep("sharded", {"--jobs", "1", "--shard"})) command += " \"" + argument + "\"";
    command += " {}/" + std::to_string(shards_) + " 2>" + (directory_ / "log").string() + "{}' ::: $(seq " +
               std::to_string(shards_) + ") >" + (directory_ / "out").string() + " 2>&1";
    int status = 0;
    std::thread parallel([&] { status = std::system(command.c_str()); });
    if (meanwhile) meanwhile();
    parallel.join();
    return WEXITSTATUS(status);
  }

  /// Kills some of the shards at random times soon after they start their first arm, long before they end. Returns how
  /// many were killed.
  int kill_some() {
    std::mt19937 random(1);
    std::vector<int> victims(static_cast<std::size_t>(shards_));
    for (int i = 0; i < shards_; ++i) victims[static_cast<std::size_t>(i)] = i + 1;
    std::shuffle(victims.begin(), victims.end(), random);
    int killed = 0;
    for (int i = 0; i < kills_; ++i) {
      const auto number = std::to_string(victims[static_cast<std::size_t>(i)]);
      const auto has_started = [&] {
        return read_text(directory_ / ("log" + number)).find(" started (") != std::string::npos;
      };
      if (!wait_until(has_started)) continue;
      std::this_thread::sleep_for(std::chrono::milliseconds(std::uniform_int_distribution(0, 600)(random)));
      pid_t process = 0;
      std::ifstream(directory_ / ("pid" + number)) >> process;
      killed += process > 1 && ::kill(process, SIGKILL) == 0;
    }
    return killed;
  }
};

TEST_F(ShardsSlowCheck, KilledAndRestartedShardsGiveTheResultsOfAnUnshardedSweep) {
  if (!is_installed("parallel")) GTEST_SKIP() << "GNU parallel is not installed";
  const auto whole = slopegan(sweep("whole", {}));
  ASSERT_EQ(whole.code, 0) << whole.err;
  int killed = 0;
  const int failed = run_shards([&] { killed = kill_some(); });
  EXPECT_EQ(killed, kills_);
  EXPECT_EQ(failed, kills_);
  const auto alone = outputs() / "whole/smoke", sharded = outputs() / "sharded/smoke";
  const auto arms = lines_of(slopegan(sweep("whole", {"--list"})).out);
  std::set<std::string> with_checkpoint;
  for (const auto& arm : arms) {
    if (std::filesystem::exists(sharded / "runs" / arm / "checkpoints/latest")) with_checkpoint.insert(arm);
  }
  EXPECT_EQ(run_shards(), 0) << read_text(directory_ / "log1");

  EXPECT_EQ(timeless_results(sharded), timeless_results(alone));
  std::size_t same = 0;
  int resumed = 0;
  for (const auto& arm : arms) {
    const auto one = alone / "runs" / arm, other = sharded / "runs" / arm;
    same += read_text(one / "checkpoints/1280/state.safetensors") ==
                read_text(other / "checkpoints/1280/state.safetensors") &&
            timeless_history(one) == timeless_history(other);
    resumed += starts_of(other) - 1;
    if (starts_of(other) > 1 && with_checkpoint.contains(arm)) {
      EXPECT_THAT(read_text(other / "log.txt"), ::testing::HasSubstr("resumed at ")) << arm;
    }
  }
  EXPECT_EQ(same, arms.size());
  EXPECT_LE(resumed, kills_);  // a killed shard was training one arm; all other arms started once
  EXPECT_TRUE(std::filesystem::exists(sharded / "report.html"));
  for (const char* name : {"statistics.json", "contact_sheet.png", "time_sheet.png"}) {
    EXPECT_TRUE(read_text(sharded / name) == read_text(alone / name)) << name;
  }
  report_check(
      format_text("{} shards of a sweep of {} arms under GNU parallel, {} killed", shards_, arms.size(), killed),
      format_text("after a second start, {} of {} arms and results.csv equal those of an unsharded sweep", same,
                  arms.size()));
}

}  // namespace
}  // namespace slopegan::testing
