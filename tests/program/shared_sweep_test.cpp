#include <gmock/gmock.h>

#include "process_states.h"
#include "program.h"
#include "support/file_lock.h"
#include "support/files.h"
#include "support/text.h"

namespace slopegan::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

/// Tests processes that train the same sweep at the same time.
class SharedSweep : public ProgramTest {
 protected:
  std::vector<std::string> sweep(const std::vector<std::string>& more = {}) const {
    auto arguments = smoke("sweep", {"training.total_images=640", "samples.every_images=0", "training.threads=1",
                                     "training.precision=float32", "--jobs", "1"});
    arguments.insert(arguments.end(), more.begin(), more.end());
    return arguments;
  }
  std::filesystem::path arm(const std::string& name) const { return outputs() / "smoke/runs" / name; }

  static bool wait_for_text(const Program& program, const std::string& text) {
    return wait_until([&] { return program.err().find(text) != std::string::npos; });
  }
};

TEST_F(SharedSweep, TwoProcessesWithTheSameCommandTrainEveryArmOnce) {
  const TemporaryDirectory scratch;
  Program first(directory_.path(), sweep({"sweep.seeds=[0, 1]"}));
  Program second(scratch.path(), sweep({"sweep.seeds=[0, 1]"}));
  EXPECT_EQ(first.wait(), 0) << first.err();
  EXPECT_EQ(second.wait(), 0) << second.err();
  for (const char* name : {"slope_0-seed_0", "slope_0.2-seed_0", "slope_0-seed_1", "slope_0.2-seed_1"}) {
    EXPECT_EQ(starts_of(arm(name)), 1) << name;
    EXPECT_THAT(read_text(arm(name) / "run.json"), HasSubstr("\"done\""));
  }
}

TEST_F(SharedSweep, DoesNotRetrainAnArmThatAnotherProcessHasJustFinished) {
  const auto name = "slope_0.2-seed_0";
  ASSERT_EQ(slopegan(sweep({"sweep.negative_slope=[0.2]"})).code, 0);
  const auto info = read_text(arm(name) / "run.json");
  // A process decides to start an arm before it locks the run, so another process may finish the arm in between.
  const auto late = slopegan({"train", (outputs() / "smoke/sweep.yaml").string(), "--arm", "--resume", "auto", "seed=0",
                              std::string("run.name=") + name, "run.output_dir=" + (outputs() / "smoke/runs").string(),
                              "generator.negative_slope=0.2", "discriminator.negative_slope=0.2"});
  EXPECT_EQ(late.code, 0) << late.err;
  EXPECT_THAT(late.err, HasSubstr("another process has finished this arm"));
  EXPECT_EQ(starts_of(arm(name)), 1);
  EXPECT_EQ(read_text(arm(name) / "run.json"), info);
}

TEST_F(SharedSweep, ReportsTheProcessThatHoldsALockAndContinuesWhenTheLockIsReleased) {
  ASSERT_EQ(slopegan(sweep({"sweep.negative_slope=[0.2]"})).code, 0);
  std::filesystem::create_directories(arm("slope_0-seed_0"));
  std::optional<FileLock> holder(std::in_place, arm("slope_0-seed_0") / ".lock", arm("slope_0-seed_0"));
  Program program(directory_.path(), sweep());
  EXPECT_TRUE(wait_for_text(program, format_text("waiting for slope_0-seed_0 (in use by process {})", ::getpid())))
      << program.err();
  holder.reset();
  EXPECT_EQ(program.wait(), 0) << program.err();
  EXPECT_THAT(program.err(), Not(HasSubstr("failed")));
  EXPECT_EQ(starts_of(arm("slope_0-seed_0")), 1);
}

TEST_F(SharedSweep, ASignalEndsTheWait) {
  ASSERT_EQ(slopegan(sweep({"sweep.negative_slope=[0.2]"})).code, 0);
  std::filesystem::create_directories(arm("slope_0-seed_0"));
  const FileLock holder(arm("slope_0-seed_0") / ".lock", arm("slope_0-seed_0"));
  Program program(directory_.path(), sweep());
  ASSERT_TRUE(wait_for_text(program, "waiting for slope_0-seed_0"));
  program.send(SIGTERM);
  EXPECT_EQ(program.wait(), 128 + SIGTERM) << program.err();
}

}  // namespace
}  // namespace slopegan::testing
