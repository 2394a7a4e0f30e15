#include <array>
#include <cerrno>
#include <functional>
#include <set>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "faults/crashing_disk.h"
#include "faults/faults.h"
#include "sample_checkpoints.h"
#include "slow_check.h"
#include "support/text.h"
#include "temporary_directory.h"

namespace slopegan {
namespace {

using testing::arm_faults;
using testing::check_count;
using testing::CrashingDisk;
using testing::FaultPlan;
using testing::report_check;
using testing::UnsyncedData;
using testing::UnsyncedNames;
namespace fs = std::filesystem;

/// A change to a directory of checkpoints. Each checkpoint is identified by the result of images_in; -1 means no
/// checkpoint.
struct Change {
  const char* name;
  std::vector<std::int64_t> before;           ///< the checkpoints before the change
  std::function<void(const fs::path&)> make;  ///< makes the change
  std::set<std::int64_t> while_made;          ///< the possible newest intact checkpoints if the change is interrupted
  std::int64_t after;                         ///< the newest intact checkpoint after the change
};

/// Saves a checkpoint with an existing number but different content.
void replace_2000(const fs::path& dir) { save_checkpoint(dir, info_at(2000), state_at(7), 2); }

const std::vector<Change>& changes() {
  static const std::vector<Change> all = {
      {"saving the first checkpoint", {}, [](const fs::path& dir) { save(dir, 1000); }, {-1, 1000}, 1000},
      {"saving and pruning", {1000, 2000}, [](const fs::path& dir) { save(dir, 3000, 2); }, {2000, 3000}, 3000},
      {"replacing a checkpoint", {1000, 2000}, replace_2000, {2000, 7}, 7},
      {"removing newer checkpoints",
       {1000, 2000, 3000},
       [](const fs::path& dir) { remove_newer_checkpoints(dir, 1000); },
       {1000, 2000, 3000},
       1000},
  };
  return all;
}

/// Returns images_in of the newest intact checkpoint, or -1 if there is none. Every directory whose name is a number,
/// and the target of `latest`, must be intact.
std::int64_t newest_whole(const fs::path& dir) {
  for (const auto& directory : list_checkpoints(dir)) EXPECT_NO_THROW(load_checkpoint(directory));
  if (fs::is_symlink(dir / "latest")) {
    EXPECT_NO_THROW(load_checkpoint(dir / "latest"));
  }
  std::vector<std::string> warnings;
  const auto loaded = load_newest(dir, warnings);
  return loaded ? images_in(*loaded) : -1;
}

class CheckpointFaultsSlowCheck : public ::testing::Test {
 protected:
  /// Creates a new directory in the state before the change.
  fs::path prepare(const Change& change) {
    const fs::path dir = temporary_ / std::to_string(prepared_++) / "checkpoints";
    make_directories(dir);
    for (const auto images : change.before) save(dir, images);
    return dir;
  }

  /// Makes the change in a child process with the faults of `plan`. Returns the exit code of the process (0, 6 for
  /// IoError, or 99 for other exceptions), or 128 + signal.
  static int make(const Change& change, const fs::path& dir, FaultPlan plan) {
    const std::string below = dir.parent_path();
    plan.below = below.c_str();
    const pid_t child = ::fork();
    if (child == 0) {
      arm_faults(plan);
      try {
        change.make(dir);
        ::_exit(0);
      } catch (const IoError&) {
        ::_exit(6);
      } catch (...) {
        ::_exit(99);
      }
    }
    int status = 0;
    ::waitpid(child, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  }

  std::vector<testing::RecordedCall> record(const Change& change, const fs::path& dir) {
    const std::string file = temporary_ / (std::to_string(prepared_++) + ".recording");
    FaultPlan plan;
    plan.record = file.c_str();
    EXPECT_EQ(make(change, dir, plan), 0);
    return testing::read_recording(file);
  }

  /// Checks that the next save works and cleans up.
  static void expect_recovery(const fs::path& dir) {
    save(dir, 9000, 2);
    EXPECT_EQ(newest_whole(dir), 9000);
    for (const auto& name : names_in(dir)) EXPECT_FALSE(name.starts_with('.')) << name;
    EXPECT_EQ(fs::read_symlink(dir / "latest"), "9000");
  }

  TemporaryDirectory temporary_{memory_parent()};
  int prepared_ = 0;
};

TEST_F(CheckpointFaultsSlowCheck, TheOldOrTheNewCheckpointIsIntactAfterAKillAtAnyStep) {
  int kills = 0;
  for (const auto& change : changes()) {
    const long steps = std::ssize(record(change, prepare(change)));
    ASSERT_GT(steps, 4) << change.name;
    for (long step = 1; step <= steps; ++step, ++kills) {
      const fs::path dir = prepare(change);
      FaultPlan plan;
      plan.kill = step;
      ASSERT_EQ(make(change, dir, plan), 128 + SIGKILL) << change.name << ", step " << step;
      EXPECT_THAT(change.while_made, ::testing::Contains(newest_whole(dir))) << change.name << ", step " << step;
      expect_recovery(dir);
    }
  }
  report_check("kill -9 before every step of 4 changes to checkpoints",
               format_text("{} of {}: the old or the new checkpoint is intact", kills, kills));
}

TEST_F(CheckpointFaultsSlowCheck, TheOldOrTheNewCheckpointIsIntactIfAnyCallFails) {
  const std::array all_errors = {EIO, ENOSPC, EFBIG, EROFS};
  const std::vector<int> errors(all_errors.begin(), all_errors.begin() + check_count(1, all_errors.size()));
  int failures = 0, survived = 0;
  for (const auto& change : changes()) {
    const long steps = std::ssize(record(change, prepare(change)));
    for (const int error : errors) {
      for (const bool stays : {false, true}) {
        for (long step = 1; step <= steps; ++step, ++failures) {
          const fs::path dir = prepare(change);
          FaultPlan plan;
          plan.fail = step;
          plan.error = error;
          plan.stays = stays;
          const int code = make(change, dir, plan);
          const std::string where =
              format_text("{}, step {}, errno {}, stays {}", change.name, step, error, stays ? "yes" : "no");
          const auto found = newest_whole(dir);
          // If the atomic exchange fails, save_checkpoint uses a fallback; all other failures are I/O errors.
          if (code == 0) {
            EXPECT_EQ(found, change.after) << where;
            ++survived;
          } else {
            EXPECT_EQ(code, 6) << where;
            EXPECT_THAT(change.while_made, ::testing::Contains(found)) << where;
          }
          expect_recovery(dir);
        }
      }
    }
  }
  EXPECT_LT(survived, failures / 20);
  report_check("every write, sync, rename, ... of 4 changes fails (ENOSPC, EIO, EFBIG, EROFS; once or permanently)",
               format_text("{} of {}: the old or the new checkpoint is intact; exit 6, or success by a fallback ({})",
                           failures, failures, survived));
}

TEST_F(CheckpointFaultsSlowCheck, TheOldOrTheNewCheckpointIsIntactAfterAPowerFailureAtAnyStep) {
  constexpr std::array data = {UnsyncedData::lost, UnsyncedData::zeros, UnsyncedData::part, UnsyncedData::written};
  const int shuffles = check_count(1, 10);
  RandomStream random(0, "power cut");
  int states = 0;
  for (const auto& change : changes()) {
    const fs::path dir = prepare(change);
    CrashingDisk disk(dir);
    const auto calls = record(change, dir);
    for (std::size_t step = 0; step <= calls.size(); ++step) {
      if (step > 0) disk.replay(calls[step - 1]);
      for (const auto unsynced : data) {
        for (int i = 0; i < shuffles + 2; ++i, ++states) {
          const auto names = i == 0 ? UnsyncedNames::lost : i == 1 ? UnsyncedNames::kept : UnsyncedNames::some;
          const TemporaryDirectory left(memory_parent());
          disk.crash(names, unsynced, random, left.path());
          const auto found = newest_whole(left.path());
          EXPECT_THAT(change.while_made, ::testing::Contains(found)) << change.name << ", step " << step;
          if (step == calls.size()) {
            EXPECT_EQ(found, change.after) << change.name;
          }
        }
      }
    }
  }
  report_check("power failure after every step of 4 changes, unsynced data and names lost or reordered",
               format_text("{} of {} disks: the old or the new checkpoint is intact", states, states));
}

}  // namespace
}  // namespace slopegan
