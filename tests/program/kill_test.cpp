#include <random>

#include "exact_resume.h"
#include "faults/crashing_disk.h"
#include "faults/faults.h"
#include "slow_check.h"
#include "support/text.h"

namespace slopegan::testing {
namespace {

class KillSlowCheck : public ExactResume {
 protected:
  std::string recording_file() const { return directory_ / "recording"; }

  /// Returns the system calls that modify files in an uninterrupted run, starting with the first call whose path
  /// contains `from`.
  std::vector<RecordedCall> record(const std::string& name, const std::string& from) {
    const auto result =
        run(directory_.path(), arguments(name),
            with_faults("below=" + outputs().string() + ";record=" + recording_file() + ";from=" + from));
    EXPECT_EQ(result.code, 0) << result.err;
    return read_recording(recording_file());
  }
};

TEST_F(KillSlowCheck, ARunKilledAtRandomTimesEndsLikeAnUninterruptedRun) {
  const int kills = check_count(3, 110);
  std::mt19937 random(1);
  uninterrupted();
  int killed = 0, runs = 0, same = 0;
  while (killed < kills) {
    const std::string name = format_text("run{}", runs++);
    std::optional<int> code;
    while (code != 0) {
      Program program(directory_.path(), arguments(name));
      wait_for_random_moment(program, killed, random);
      program.send(SIGKILL);
      code = program.wait();
      ASSERT_THAT(*code, ::testing::AnyOf(0, -SIGKILL)) << program.err();
      killed += code != 0;
      if (killed == kills) break;
    }
    same += resumes_to_same_result(run_dir(name), name);
  }
  EXPECT_EQ(same, runs);
  report_check(format_text("kill -9 at {} random times in {} runs", killed, runs),
               format_text("{} of {} runs resumed to the same weights and history", same, runs));
}

TEST_F(KillSlowCheck, ARunKilledAtAnyStepOfACommitEndsLikeAnUninterruptedRun) {
  // Saving the third checkpoint is the first save that removes an old one. Recording starts when the temporary
  // directory of the third checkpoint is created.
  const std::string from = "checkpoints/.tmp-192";
  const auto calls = record("recorded", from);
  const auto end = std::find_if(calls.begin(), calls.end(), [](const RecordedCall& call) {
    return call.path.find("checkpoints/.tmp-256") != std::string::npos;
  });
  const auto steps = end - calls.begin();
  ASSERT_GT(steps, 20);
  ASSERT_NE(end, calls.end());
  const auto stride = check_count(20, 1);
  int kills = 0, same = 0;
  for (std::ptrdiff_t step = 1; step <= steps; step += stride, ++kills) {
    const std::string name = format_text("run{}", step);
    const auto plan = format_text("below={};from={};kill={}", outputs().string(), from, step);
    ASSERT_EQ(run(directory_.path(), arguments(name), with_faults(plan)).code, -SIGKILL) << step;
    EXPECT_GE(newest_images(run_dir(name)), 128) << step;
    same += resumes_to_same_result(run_dir(name), name);
  }
  EXPECT_EQ(same, kills);
  report_check("kill -9 of a run before every step of a commit",
               format_text("{} of {} resumed to the same weights and history", same, kills));
}

TEST_F(KillSlowCheck, APowerFailureAtAnyStepLosesNoCommittedData) {
  std::filesystem::create_directories(outputs());
  CrashingDisk disk(outputs());
  const auto calls = record("run", "");
  RandomStream random(0, "power cut of a run");
  const int cuts = check_count(2, 60);
  ASSERT_GT(calls.size(), 100u);
  std::size_t played = 0;
  int same = 0;
  for (int cut = 0; cut < cuts; ++cut) {
    const auto step = calls.size() * static_cast<std::size_t>(cut + 1) / static_cast<std::size_t>(cuts);
    for (; played < step; ++played) disk.replay(calls[played]);
    const TemporaryDirectory left(memory_parent());
    disk.crash(cut % 2 == 0 ? UnsyncedNames::lost : UnsyncedNames::some,
               cut % 3 == 0 ? UnsyncedData::zeros : UnsyncedData::lost, random, left.path());
    same += resumes_to_same_result(left / "run", format_text("after call {} of {}", played, calls.size()));
  }
  EXPECT_EQ(same, cuts);
  report_check(format_text("power cut at {} points of a run; unsynced data and names are lost or reordered", cuts),
               format_text("{} of {} resumed to the same weights and history", same, cuts));
}

TEST_F(KillSlowCheck, ExactlyOneOfTwoProcessesUsesARunDirectoryEvenAfterAKill) {
  const int races = check_count(2, 20);
  int fair = 0;
  for (int race = 0; race < races; ++race) {
    const auto endless = arguments(format_text("race{}", race), {"training.total_images=10000000"});
    const TemporaryDirectory scratch[2];
    if (race % 2 == 1) {  // in every second race, an earlier process used the directory and was killed
      Program holder(directory_.path(), endless);
      ASSERT_TRUE(wait_for(run_dir(format_text("race{}", race)) / "checkpoints/latest"));
      holder.send(SIGKILL);
    }
    Program programs[] = {Program(scratch[0].path(), endless), Program(scratch[1].path(), endless)};
    std::optional<int> codes[2];
    while (!codes[0] && !codes[1]) {
      for (const int i : {0, 1}) codes[i] = programs[i].poll();
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    Program& loser = programs[codes[0] ? 0 : 1];
    Program& winner = programs[codes[0] ? 1 : 0];
    EXPECT_EQ(loser.wait(), 7) << loser.err();
    // A winner that has just acquired the lock may not have written its process ID yet.
    EXPECT_THAT(loser.err(),
                ::testing::AnyOf(::testing::HasSubstr(format_text("is in use by process {}\n", winner.pid())),
                                 ::testing::HasSubstr("is in use by another process\n")));
    winner.send(SIGTERM);
    EXPECT_EQ(winner.wait(), 128 + SIGTERM) << winner.err();
    fair += loser.wait() == 7 && winner.wait() == 128 + SIGTERM;
  }
  EXPECT_EQ(fair, races);
  report_check(format_text("{} races for a run directory, half of them after a kill -9 of its previous user", races),
               format_text("{} of {}: one process trains, the other ends with exit code 7", fair, races));
}

}  // namespace
}  // namespace slopegan::testing
