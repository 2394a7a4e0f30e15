#include <sys/resource.h>

#include <gmock/gmock.h>

#include "program.h"

namespace slopegan::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
namespace fs = std::filesystem;

/// Runs the program with a limited address space, as after `ulimit -v`.
class OutOfMemory : public ProgramTest {
 protected:
  static constexpr rlim_t limit = rlim_t{4} << 30;
  void SetUp() override {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
    GTEST_SKIP() << "sanitizers reserve more address space than the limit";
#endif
  }

  Result run_limited(const std::vector<std::string>& arguments) {
    return run(directory_.path(), arguments, [] {
      const rlimit wanted{limit, limit};
      ::setrlimit(RLIMIT_AS, &wanted);
      ::setenv("OMP_NUM_THREADS", "1", 1);
    });
  }

  static std::vector<std::string> large() {
    return {"training.threads=1",     "training.batch_size=32768", "training.total_images=65536",
            "generator.width=128",    "discriminator.width=128",   "training.precision=float32",
            "samples.every_images=0", "diagnostics.every_images=0"};
  }
};

TEST_F(OutOfMemory, TheErrorNamesTheKeysThatReduceMemory) {
  EXPECT_EQ(run_limited(smoke("train", {"training.threads=1", "training.total_images=64"})).code, 0)
      << "the limit is sufficient for a small run";
  auto more = large();
  more.push_back("run.name=large");
  const auto result = run_limited(smoke("train", more));
  EXPECT_EQ(result.code, 6) << result.err;
  EXPECT_THAT(result.err, HasSubstr("slopegan: out of memory while training with batches of 32768 images of "));
  EXPECT_THAT(result.err, HasSubstr("of 4.0 GiB; to reduce memory use, lower training.batch_size"));
  EXPECT_THAT(result.err, Not(HasSubstr("this is a bug")));
}

TEST_F(OutOfMemory, TheErrorOfABenchmarkNamesTheKeysThatReduceMemory) {
  const auto result =
      run_limited({"bench", "step", "--seconds", "0", "training.threads=1", "training.batch_size=32768",
                   "generator.width=128", "discriminator.width=128", "--vary", "training.precision=float32"});
  EXPECT_EQ(result.code, 6) << result.err;
  EXPECT_THAT(result.err, HasSubstr("slopegan: out of memory while running slopegan bench: "));
  EXPECT_THAT(result.err, HasSubstr("to reduce memory use, lower training.batch_size, generator.width, "));
}

TEST_F(OutOfMemory, TheSweepCountsTheArmsThatRanOutOfMemory) {
  auto more = large();
  more.emplace_back("sweep.jobs=1");
  const auto result = run_limited(smoke("sweep", more));
  EXPECT_EQ(result.code, 6) << result.err;
  EXPECT_THAT(result.err, HasSubstr("slope_0-seed_0 failed with exit code 6: slopegan: out of memory while training"));
  EXPECT_THAT(result.err,
              HasSubstr("2 of 2 arms ran out of memory or were killed; lower sweep.jobs (1 in this sweep)"));
}

TEST_F(OutOfMemory, IsNamedAsAPossibleCauseIfAnArmIsKilled) {
  Program sweep(directory_.path(), smoke("sweep", {"training.total_images=2560000", "sweep.jobs=1",
                                                   "sweep.negative_slope=[0.2]", "training.threads=1"}));
  const auto lock = outputs() / "smoke/runs/slope_0.2-seed_0/.lock";
  ASSERT_TRUE(wait_for(outputs() / "smoke/runs/slope_0.2-seed_0/history.jsonl"));
  const pid_t arm = std::atoi(read_text(lock).c_str());
  ASSERT_GT(arm, 1);
  ::kill(arm, SIGKILL);
  EXPECT_EQ(sweep.wait(), 6) << sweep.err();
  EXPECT_THAT(sweep.err(), HasSubstr("slope_0.2-seed_0 was terminated by signal 9 (Killed)"));
  EXPECT_THAT(sweep.err(), HasSubstr("1 of 1 arms ran out of memory or was killed"));
}

}  // namespace
}  // namespace slopegan::testing
