#include <algorithm>
#include <chrono>
#include <memory>
#include <random>

#include <gmock/gmock.h>

#include "exact_resume.h"
#include "process_states.h"
#include "program.h"
#include "rank_processes.h"
#include "slow_check.h"
#include "support/text.h"

namespace slopegan::testing {
namespace {

using ::testing::HasSubstr;

class RanksTest : public ProgramTest {
 protected:
  std::vector<std::string> arguments(const std::string& name, const std::vector<std::string>& more = {}) const {
    std::vector<std::string> all = {"run.name=" + name,
                                    "training.precision=float32",
                                    "training.threads=1",
                                    "training.batch_size=32",
                                    "samples.every_images=0",
                                    "diagnostics.every_images=0",
                                    "checkpoint.every_images=64",
                                    "--resume",
                                    "auto"};
    all.insert(all.end(), more.begin(), more.end());
    return smoke("train", all);
  }
  std::vector<std::string> endless(const std::string& name) const {
    return arguments(name, {"training.total_images=3200000"});
  }
  std::filesystem::path run_dir(const std::string& name) const { return outputs() / name; }

  /// A process of one rank, with its own directory for its output.
  struct Rank {
    TemporaryDirectory scratch;
    std::unique_ptr<Program> program;
  };
  static std::vector<std::unique_ptr<Rank>> start(int size, const std::vector<std::string>& arguments) {
    const int port = free_port();
    std::vector<std::unique_ptr<Rank>> ranks;
    for (int rank = 0; rank < size; ++rank) {
      ranks.push_back(std::make_unique<Rank>());
      ranks.back()->program =
          std::make_unique<Program>(ranks.back()->scratch.path(), arguments, [=] { become_rank(rank, size, port); });
    }
    return ranks;
  }

  /// Returns the exit code, or std::nullopt if the program is still running after 30 s.
  static std::optional<int> code_within_half_a_minute(Program& program) {
    for (int i = 0; i < 3000; ++i) {
      if (const auto code = program.poll()) return code;
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    return std::nullopt;
  }

  /// Waits at most a minute for rank 0 to report that all ranks are connected, and returns whether it did. If a rank is
  /// lost before this report, the others take longer to end.
  static bool have_met(const Program& first, int size) {
    return wait_until([&] { return first.err().find(format_text("{} ranks", size)) != std::string::npos; });
  }

  /// Returns `text` without the notice that a rank logs if it has to wait for rank 0, as may happen on a busy machine.
  static std::string without_notice(const std::string& text) {
    std::istringstream lines(text);
    std::string rest;
    for (std::string line; std::getline(lines, line);) {
      if (line.find("is waiting for the other ranks") == std::string::npos) rest += line + '\n';
    }
    return rest;
  }

  static std::size_t lines_in(const std::string& text) {
    return static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n'));
  }
};

/// Makes the process one of four Slurm tasks.
void become_slurm_task(const char* rank, int port) {
  ::setenv("SLURM_PROCID", rank, 1);
  ::setenv("SLURM_STEP_NUM_TASKS", "4", 1);
  ::setenv("MASTER_ADDR", "127.0.0.1", 1);
  ::setenv("MASTER_PORT", std::to_string(port).c_str(), 1);
}

/// Waits at most half a minute for `text` to appear on stderr.
void wait_for_message(const Program& program, const std::string& text) {
  for (int i = 0; i < 3000 && program.err().find(text) == std::string::npos; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
}

TEST_F(RanksTest, ReportWhatTheyWaitForIfRankZeroIsMissingAndStopOnASignal) {
  const ReservedPort reserved;  // so that no other process listens there
  const int port = reserved.number();
  Program program(directory_.path(), endless("waiting"), [port] { become_slurm_task("1", port); });
  wait_for_message(program, "to train in a single process");
  EXPECT_THAT(program.err(),
              HasSubstr("rank 1 of 4 is waiting for the other ranks at 127.0.0.1 port " + std::to_string(port) +
                        ", because the environment contains SLURM_PROCID=1 and SLURM_STEP_NUM_TASKS=4; to train in a "
                        "single process, run: env -u SLURM_PROCID -u SLURM_STEP_NUM_TASKS slopegan train ..."));
  program.send(SIGINT);
  EXPECT_EQ(code_within_half_a_minute(program), 130) << program.err();
  EXPECT_EQ(lines_in(program.err()), 2u) << program.err();  // the notice and the message that the run was stopped
}

TEST_F(RanksTest, RankZeroReportsWhichRanksItWaitsForAndStopsOnASignal) {
  const int number = free_port();
  const auto port = std::to_string(number);
  Program program(directory_.path(), endless("waiting"), [number] { become_slurm_task("0", number); });
  wait_for_message(program, "still waiting");
  EXPECT_THAT(program.err(),
              HasSubstr("rank 0 of 4 is waiting for the other ranks at 127.0.0.1 port " + port +
                        ", because the environment contains SLURM_PROCID=0 and SLURM_STEP_NUM_TASKS=4; to train in a "
                        "single process, run: env -u SLURM_PROCID -u SLURM_STEP_NUM_TASKS slopegan train ..."));
  EXPECT_THAT(program.err(), HasSubstr("still waiting for ranks 1, 2, 3"));
  program.send(SIGINT);
  EXPECT_EQ(code_within_half_a_minute(program), 130) << program.err();
}

TEST_F(RanksTest, TrainLikeASingleProcessAndOnlyRankZeroWrites) {
  const auto alone = slopegan(arguments("alone", {"training.total_images=320"}));
  ASSERT_EQ(alone.code, 0) << alone.err;
  const auto ranks = start(2, arguments("together", {"training.total_images=320"}));
  for (const auto& rank : ranks) EXPECT_EQ(rank->program->wait(), 0) << rank->program->err();
  EXPECT_THAT(ranks[0]->program->err(), HasSubstr("2 ranks"));
  EXPECT_EQ(ranks[0]->program->out(), run_dir("together").string() + "\n");
  EXPECT_EQ(without_notice(ranks[1]->program->err()) + ranks[1]->program->out(), "");
  const auto one = read_history(run_dir("alone") / "history.jsonl"),
             two = read_history(run_dir("together") / "history.jsonl");
  ASSERT_EQ(one.size(), two.size());
  for (std::size_t i = 0; i < one.size(); ++i) {
    EXPECT_EQ(one[i].images, two[i].images);
    EXPECT_NEAR(one[i].discriminator_loss, two[i].discriminator_loss, 1e-2) << i;  // float32 rounding over 10 steps
    EXPECT_NEAR(one[i].d_real, two[i].d_real, 1e-2) << i;
  }
  EXPECT_NEAR(one[0].discriminator_loss, two[0].discriminator_loss, 1e-5);
}

class RanksSlowCheck : public RanksTest {};

TEST_F(RanksSlowCheck, TheOtherRanksExitIfOneIsKilledAndAnyNumberOfRanksCanResume) {
  // The first kill is of rank 0 of 2, the second of rank 0 of 3, and the third of rank 1 of 2; rank 0 hosts the
  // key-value store. From the second kill on, a checkpoint already exists, so the rank is killed soon after the ranks
  // have connected.
  const int kills = check_count(3, 20);
  std::mt19937 random(1);
  int ended = 0;
  double slowest = 0;
  for (int kill = 0; kill < kills; ++kill) {
    const int size = 2 + kill % 2, victim = kill / 2 % size;
    const auto ranks = start(size, endless("run"));
    ASSERT_TRUE(have_met(*ranks[0]->program, size)) << ranks[0]->program->err();
    ASSERT_TRUE(wait_for(run_dir("run") / "checkpoints/latest")) << ranks[0]->program->err();
    std::this_thread::sleep_for(std::chrono::milliseconds(std::uniform_int_distribution(0, 500)(random)));
    ranks[static_cast<std::size_t>(victim)]->program->send(SIGKILL);
    const auto start_of_end = std::chrono::steady_clock::now();
    for (int rank = 0; rank < size; ++rank) {
      auto& program = *ranks[static_cast<std::size_t>(rank)]->program;
      const auto code = code_within_half_a_minute(program);
      ASSERT_TRUE(code) << "rank " << rank << " is still running";
      if (rank == victim) continue;
      EXPECT_EQ(*code, 6) << program.err();
      EXPECT_THAT(program.err(), HasSubstr(format_text("rank {} of {} is exiting:", rank, size)));
      EXPECT_TRUE(rank == 0 || lines_in(without_notice(program.err())) == 1) << program.err();
      ended += *code == 6;
    }
    const std::chrono::duration<double> taken = std::chrono::steady_clock::now() - start_of_end;
    slowest = std::max(slowest, taken.count());
  }
  std::vector<std::string> warnings;
  const auto newest = load_newest(run_dir("run") / "checkpoints", warnings);
  ASSERT_TRUE(newest);
  EXPECT_THAT(warnings, ::testing::IsEmpty());
  const auto images = newest->info.images;
  const auto go_on = [&](std::int64_t steps) {
    return arguments("run", {"training.total_images=" + std::to_string(images + 32 * steps)});
  };
  const auto alone = slopegan(go_on(2));
  EXPECT_EQ(alone.code, 0) << alone.err;
  EXPECT_THAT(alone.err, HasSubstr("resumed at " + std::to_string(images) + " images"));
  for (const auto& rank : start(3, go_on(4))) EXPECT_EQ(rank->program->wait(), 0) << rank->program->err();
  EXPECT_TRUE(std::filesystem::exists(run_dir("run") / "checkpoints" / std::to_string(images + 128)));
  report_check(format_text("kill -9 of one of 2 or 3 ranks, {} times", kills),
               format_text("{} other ranks ended with exit code 6 within {:.1f} s; 1 and 3 ranks resumed the run",
                           ended, slowest));
}

TEST_F(RanksTest, ASignalToOneRankStopsAllRanksAfterACheckpoint) {
  const auto ranks = start(2, endless("run"));
  ASSERT_TRUE(wait_for(run_dir("run") / "checkpoints/latest"));
  ranks[1]->program->send(SIGTERM);
  for (const auto& rank : ranks)
    EXPECT_EQ(code_within_half_a_minute(*rank->program), 128 + SIGTERM) << rank->program->err();
  EXPECT_THAT(read_text(run_dir("run") / "run.json"), HasSubstr("\"stopped\""));
  const auto last = read_history(run_dir("run") / "history.jsonl").back().images;
  std::vector<std::string> warnings;
  EXPECT_GE(load_newest(run_dir("run") / "checkpoints", warnings)->info.images, last);
}

TEST_F(RanksTest, ASignalDuringAnEvaluationStopsAllRanks) {
  const std::vector<std::string> evaluating = {"training.total_images=64", "metrics.every_images=64",
                                               "metrics.samples=20000", "metrics.names=[fd]",
                                               "metrics.extractor=random"};
  const auto ranks = start(2, arguments("run", evaluating));
  ASSERT_TRUE(wait_for(run_dir("run") / "checkpoints/64/manifest.json"));
  ranks[0]->program->send(SIGTERM);
  for (const auto& rank : ranks)
    EXPECT_EQ(code_within_half_a_minute(*rank->program), 128 + SIGTERM) << rank->program->err();
  EXPECT_THAT(read_text(run_dir("run") / "run.json"), HasSubstr("\"stopped\""));
  for (const auto& rank : start(2, arguments("run", evaluating))) {
    EXPECT_EQ(rank->program->wait(), 0) << rank->program->err();
  }
  EXPECT_EQ(read_metrics(run_dir("run") / "metrics.jsonl").size(), 1u);
}

TEST_F(RanksTest, AllRanksFailIfRankZeroCannotStart) {
  ASSERT_EQ(slopegan(arguments("run", {"training.total_images=32"})).code, 0);
  auto anew = smoke("train", {"run.name=run", "training.threads=1"});  // without --resume
  const auto ranks = start(2, anew);
  for (const auto& rank : ranks) EXPECT_EQ(code_within_half_a_minute(*rank->program), 2) << rank->program->err();
  EXPECT_THAT(ranks[1]->program->err(), HasSubstr("rank 0 ended with exit code 2"));
}

TEST_F(RanksTest, KeepTheFilesOfARunThatTheyCannotContinue) {
  auto first = arguments("run", {"training.total_images=96", "checkpoint.keep=9"});
  *std::ranges::find(first, "checkpoint.every_images=64") = "checkpoint.every_images=32";
  ASSERT_EQ(slopegan(first).code, 0);
  const std::vector<std::string> files = {"history.jsonl", "config.yaml", "overrides.yaml", "run.json"};
  std::vector<std::string> before;
  for (const auto& file : files) before.push_back(read_text(run_dir("run") / file));
  auto longer = arguments("run", {"training.total_images=97"});  // the last batch has only one image
  *std::ranges::find(longer, "auto") = (run_dir("run") / "checkpoints/32").string();
  const auto ranks = start(2, longer);
  for (const auto& rank : ranks) EXPECT_EQ(code_within_half_a_minute(*rank->program), 2) << rank->program->err();
  EXPECT_THAT(ranks[0]->program->err(), HasSubstr("has 1 image for 2 ranks"));
  for (const char* images : {"32", "64", "96"}) {
    EXPECT_TRUE(std::filesystem::exists(run_dir("run") / "checkpoints" / images)) << images;
  }
  for (std::size_t i = 0; i < files.size(); ++i) EXPECT_EQ(read_text(run_dir("run") / files[i]), before[i]) << files[i];
}

TEST_F(RanksTest, RejectAnInvalidEnvironment) {
  const auto complaint = [&](const std::function<void()>& change) {
    const auto result = run(directory_.path(), arguments("run"), [&] {
      become_rank(1, 2, 29500);
      change();
    });
    EXPECT_EQ(result.code, 2) << result.err;
    EXPECT_EQ(lines_in(result.err), 1u) << result.err;
    return result.err;
  };
  EXPECT_THAT(complaint([] { ::setenv("RANK", "2", 1); }), HasSubstr("RANK=2"));
  EXPECT_THAT(complaint([] { ::setenv("MASTER_PORT", "abc", 1); }), HasSubstr("MASTER_PORT=abc"));
  for (const std::string name : {"RANK", "WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT"}) {
    EXPECT_THAT(complaint([&] { ::unsetenv(name.c_str()); }), HasSubstr(name));
  }
  EXPECT_FALSE(std::filesystem::exists(run_dir("run")));
}

TEST_F(RanksTest, TheArmsOfASweepAreNotRanks) {
  const auto result =
      run(directory_.path(),
          smoke("sweep", {"training.total_images=320", "samples.every_images=0", "diagnostics.every_images=0"}),
          [] { become_rank(0, 2, 29500); });
  EXPECT_EQ(result.code, 0) << result.err;
}

TEST_F(RanksTest, RunUnderTorchrun) {
  const std::filesystem::path torchrun = SLOPEGAN_SOURCE_DIR "/.venv/bin/torchrun";
  if (!std::filesystem::exists(torchrun)) GTEST_SKIP() << "torchrun is not installed";
  std::string command = torchrun.string() + " --no-python --nproc-per-node 2 --master-port " +
                        std::to_string(free_port()) + " " SLOPEGAN_BINARY;
  for (const auto& argument : arguments("run", {"training.total_images=128"})) command += " '" + argument + "'";
  EXPECT_EQ(std::system((command + " >" + (directory_ / "log").string() + " 2>&1").c_str()), 0)
      << read_text(directory_ / "log");
  EXPECT_THAT(read_text(directory_ / "log"), HasSubstr("2 ranks"));
  EXPECT_TRUE(std::filesystem::exists(run_dir("run") / "checkpoints/128"));
}

TEST_F(RanksSlowCheck, TheOtherRanksExitWithinHalfAMinuteIfOneIsSuspended) {
  if (check_count(0, 1) == 0) GTEST_SKIP() << "takes half a minute; scripts/check_slow.sh runs it";
  const auto ranks = start(2, endless("run"));
  ASSERT_TRUE(wait_for(run_dir("run") / "checkpoints/latest"));
  ranks[1]->program->send(SIGSTOP);
  const auto begin = std::chrono::steady_clock::now();
  EXPECT_EQ(code_within_half_a_minute(*ranks[0]->program), 6) << ranks[0]->program->err();
  const std::chrono::duration<double> taken = std::chrono::steady_clock::now() - begin;
  EXPECT_THAT(ranks[0]->program->err(), HasSubstr("rank 1 was lost"));
  report_check("SIGSTOP of one of 2 ranks",
               format_text("the other rank ended with exit code 6 after {:.1f} s", taken.count()));
}

}  // namespace
}  // namespace slopegan::testing
