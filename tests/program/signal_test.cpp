#include <algorithm>
#include <array>
#include <random>

#include <nlohmann/json.hpp>

#include "exact_resume.h"
#include "process_states.h"
#include "slow_check.h"
#include "support/text.h"

namespace slopegan::testing {
namespace {

using ::testing::HasSubstr;

class SignalSlowCheck : public ExactResume {
 protected:
  /// Completes a stopped sweep of two arms. Returns how many of the arms equal those of the sweep "uninterrupted".
  int arms_equal_to_uninterrupted(const std::string& name, const std::vector<std::string>& arguments) {
    const std::string arms[] = {"slope_0-seed_0", "slope_0.2-seed_0"};
    std::vector<std::int64_t> before;
    for (const auto& arm : arms) before.push_back(newest_images(outputs() / name / "runs" / arm));
    EXPECT_EQ(slopegan(arguments).code, 0) << name;
    int same = 0;
    for (std::size_t i = 0; i < before.size(); ++i) {
      const auto arm = outputs() / name / "runs" / arms[i], uninterrupted = outputs() / "uninterrupted/runs" / arms[i];
      if (before[i] > 0 && before[i] < total_images) {
        EXPECT_THAT(read_text(arm / "log.txt"), HasSubstr(format_text("resumed at {} images", before[i]))) << arm;
      }
      const bool is_same = state_of(arm) == state_of(uninterrupted) && !state_of(uninterrupted).empty();
      EXPECT_TRUE(is_same) << arm;
      same += is_same && timeless_history(arm) == timeless_history(uninterrupted);
    }
    return same;
  }
};

TEST_F(SignalSlowCheck, ARunStoppedAtRandomTimesExitsWithTheCodeOfTheSignalAndResumesExactly) {
  const int signals = check_count(3, 33);
  std::mt19937 random(2);
  uninterrupted();
  int sent = 0, with_checkpoint = 0, runs = 0, same = 0;
  while (sent < signals) {
    const std::string name = format_text("run{}", runs++);
    std::optional<int> code;
    while (code != 0 && sent < signals) {
      Program program(directory_.path(), arguments(name));
      // Every second signal arrives after the first checkpoint and after the start of training, so it must stop the
      // run.
      const bool must_stop = sent % 2 == 1;
      if (must_stop) {
        ASSERT_TRUE(wait_for(run_dir(name) / "checkpoints/latest")) << program.err();
      }
      wait_for_random_moment(program, sent, random);
      const int number = std::array{SIGINT, SIGTERM, SIGHUP}[static_cast<std::size_t>(sent) % 3];
      program.send(number);
      code = program.wait();
      if (code == 0) break;
      ++sent;
      // Before there is anything to save, a signal kills the process, which is the default action.
      if (code == -number && !must_stop) continue;
      ASSERT_EQ(*code, 128 + number) << program.err();
      ++with_checkpoint;
      EXPECT_GT(newest_images(run_dir(name)), 0);
      EXPECT_EQ(nlohmann::json::parse(read_text(run_dir(name) / "run.json")).at("status"), "stopped");
    }
    same += resumes_to_same_result(run_dir(name), name);
  }
  EXPECT_EQ(same, runs);
  EXPECT_GE(with_checkpoint, sent / 2);
  report_check(
      format_text("SIGINT, SIGTERM or SIGHUP at {} random times in {} runs", sent, runs),
      format_text(
          "{} stopped with exit code 130, 143 or 129 and a checkpoint, the others before training; {} of {} runs "
          "resumed to the same weights and history",
          with_checkpoint, same, runs));
}

TEST_F(SignalSlowCheck, AStoppedSweepResumesEveryArmExactly) {
  const auto sweep = [&](const std::string& name) {
    return smoke("sweep", {"run.name=" + name, "training.total_images=640", "checkpoint.every_images=64",
                           "training.precision=float32", "training.threads=1", "sweep.jobs=2"});
  };
  const auto start = std::chrono::steady_clock::now();
  ASSERT_EQ(slopegan(sweep("uninterrupted")).code, 0);
  const std::chrono::duration<double> uninterrupted_time = std::chrono::steady_clock::now() - start;
  const int signals = check_count(1, 9);
  std::mt19937 random(4);
  int sent = 0, stopped = 0, sweeps = 0, same = 0;
  while (sent < signals) {
    const std::string name = format_text("sweep{}", sweeps++);
    std::optional<int> code;
    while (code != 0 && sent < signals) {
      Program program(directory_.path(), sweep(name));
      // Every second signal, including the first, arrives after the start of an arm, so it must stop the sweep.
      const bool must_stop = sent % 2 == 0;
      if (must_stop) {
        ASSERT_TRUE(wait_until([&] {
          return program.err().find(" started (") != std::string::npos || state_of_process(program.pid()) == 'Z';
        })) << program.err();
      }
      const double part = std::uniform_real_distribution(0.0, 1.0)(random);
      std::this_thread::sleep_for(uninterrupted_time * (must_stop ? part / 2 : part));
      const int number = std::array{SIGINT, SIGTERM, SIGHUP}[static_cast<std::size_t>(sent) % 3];
      program.send(number);
      code = program.wait();
      if (code == 0) break;
      ++sent;
      // Until the sweep installs its signal handlers, a signal kills it, which is the default action.
      if (code == -number && !must_stop) continue;
      ASSERT_EQ(*code, 128 + number) << program.err();
      ++stopped;
    }
    same += arms_equal_to_uninterrupted(name, sweep(name));
  }
  EXPECT_EQ(same, 2 * sweeps);
  EXPECT_GE(stopped, (sent + 1) / 2);
  report_check(format_text("{} signals at random times in {} sweeps of two arms", sent, sweeps),
               format_text("{} stopped with exit code 130, 143 or 129; {} of {} arms resumed to the same weights and "
                           "history",
                           stopped, same, 2 * sweeps));
}

class Signals : public ExactResume {};

TEST_F(Signals, ASecondSignalEndsTheRunBeforeTheStepIsFinished) {
  // Each step takes seconds. Metrics are disabled, because the first signal would end the run during their preparation.
  Program program(directory_.path(),
                  arguments("run", {"data.resolution=128", "training.batch_size=512", "training.total_images=512000",
                                    "discriminator.width=32", "metrics.every_images=0"}));
  ASSERT_TRUE(wait_for(run_dir("run") / "diagnostics.jsonl"));  // written before the first step
  program.send(SIGINT);
  // Signals that are handled within 0.1 s of each other count as one. On a busy machine, the first one may be handled
  // late.
  std::this_thread::sleep_for(std::chrono::seconds(1));
  program.send(SIGTERM);
  EXPECT_EQ(program.wait(), 128 + SIGTERM);
  EXPECT_FALSE(std::filesystem::exists(run_dir("run") / "checkpoints/latest"));
}

/// A run whose evaluations take long enough to be interrupted.
class Evaluation : public ExactResume {
 protected:
  std::vector<std::string> slow_arguments(const std::string& name) const {
    return arguments(name, {"metrics.samples=5000", "metrics.names=[fd]"});
  }
};

TEST_F(Evaluation, IsRepeatedIfTheRunEndedDuringItAndTheCheckpointIsNotLost) {
  uninterrupted_ = run_dir("uninterrupted");
  ASSERT_EQ(slopegan(slow_arguments("uninterrupted")).code, 0);
  int interruptions = 0;  // not always 4, because a signal may arrive after the evaluation
  for (const int number : {SIGTERM, SIGKILL}) {
    for (const std::string images : {"320", "640"}) {  // the run saves a checkpoint and evaluates at both counts
      const auto name = format_text("run{}-{}", number, images);
      Program program(directory_.path(), slow_arguments(name));
      ASSERT_TRUE(wait_for(run_dir(name) / "checkpoints" / images / "manifest.json"));
      program.send(number);
      program.wait();
      const auto newest = newest_images(run_dir(name));
      EXPECT_GE(newest, std::stoi(images));
      const auto last = read_last_metrics(run_dir(name) / "metrics.jsonl");
      const bool interrupted = newest == std::stoi(images) && last && last->images < newest;
      const auto resumed = slopegan(slow_arguments(name));
      EXPECT_EQ(resumed.code, 0) << resumed.err;
      if (interrupted) {
        ++interruptions;
        EXPECT_EQ(program.wait(), number == SIGKILL ? -SIGKILL : 128 + number) << program.err();
        EXPECT_THAT(resumed.err, HasSubstr("evaluating the generator at " + images + " images first"));
      }
      EXPECT_TRUE(equals_uninterrupted(run_dir(name), name));
      EXPECT_THAT(slopegan(slow_arguments(name)).err, HasSubstr("nothing to do"));
    }
  }
  EXPECT_GT(interruptions, 0);
}

TEST_F(ExactResume, KeepsTheLastGradientPenaltyForTheNextLineOfTheHistory) {
  // A penalty is computed every 8 steps, that is, every 256 images, and a line is written every 256 images.
  const std::vector<std::string> more = {"loss.r1=1", "loss.r1_every=8", "checkpoint.keep=20", "training.batch_size=32",
                                         "metrics.every_images=0"};
  ASSERT_EQ(slopegan(arguments("run", more)).code, 0);
  const auto before = timeless_history(run_dir("run"));
  for (const auto& line : before) EXPECT_TRUE(line.gradient_penalty) << line.images;
  auto again = arguments("run", more);
  *std::ranges::find(again, "auto") = (run_dir("run") / "checkpoints/320").string();
  ASSERT_EQ(slopegan(again).code, 0);
  EXPECT_EQ(timeless_history(run_dir("run")), before);
}

TEST_F(Signals, TheSameSignalSentTwiceInARowCountsOnce) {
  Program program(directory_.path(), arguments("run", {"training.total_images=10000000", "metrics.every_images=0"}));
  ASSERT_TRUE(wait_for_content(run_dir("run") / "history.jsonl"));
  program.send(SIGINT);
  program.send(SIGINT);
  EXPECT_EQ(program.wait(), 128 + SIGINT);
  EXPECT_TRUE(std::filesystem::exists(run_dir("run") / "checkpoints/latest"));
  EXPECT_EQ(nlohmann::json::parse(read_text(run_dir("run") / "run.json")).at("status"), "stopped");
}

TEST_F(Signals, ASignalFromABatchSystemStopsARunAfterACheckpoint) {
  for (const int number : {SIGUSR1, SIGUSR2, SIGXCPU}) {
    const std::string name = format_text("run{}", number);
    Program program(directory_.path(), arguments(name, {"training.total_images=10000000", "metrics.every_images=0"}));
    ASSERT_TRUE(wait_for_content(run_dir(name) / "history.jsonl"));
    program.send(number);
    EXPECT_EQ(program.wait(), 128 + number);
    EXPECT_TRUE(std::filesystem::exists(run_dir(name) / "checkpoints/latest"));
    EXPECT_EQ(nlohmann::json::parse(read_text(run_dir(name) / "run.json")).at("status"), "stopped");
  }
}

TEST_F(Signals, FurtherSignalsFromABatchSystemDoNotPreventTheCheckpoint) {
  // Each step takes seconds.
  Program program(directory_.path(),
                  arguments("run", {"data.resolution=128", "training.batch_size=512", "training.total_images=512000",
                                    "discriminator.width=32", "metrics.every_images=0", "diagnostics.every_images=0",
                                    "samples.every_images=0"}));
  ASSERT_TRUE(wait_for(run_dir("run") / "history.jsonl"));
  for (const int number : {SIGXCPU, SIGXCPU, SIGTERM}) {
    program.send(number);
    std::this_thread::sleep_for(std::chrono::milliseconds(150));
  }
  EXPECT_EQ(program.wait(), 128 + SIGXCPU);
  EXPECT_TRUE(std::filesystem::exists(run_dir("run") / "checkpoints/latest"));
}

TEST_F(Signals, AnIgnoredSignalStaysIgnored) {
  Program program(directory_.path(), arguments("run"), [] {
    for (const int number : {SIGINT, SIGTERM, SIGUSR1}) ::signal(number, SIG_IGN);
  });
  ASSERT_TRUE(wait_for(run_dir("run") / "checkpoints/latest"));
  for (const int number : {SIGINT, SIGTERM, SIGUSR1}) program.send(number);
  EXPECT_EQ(program.wait(), 0);
  EXPECT_TRUE(equals_uninterrupted(run_dir("run"), "ignored signals"));
}

/// A sweep of two arms that takes longer than the test.
class Suspension : public ProgramTest {
 protected:
  Suspension()
      : program_(directory_.path(), smoke("sweep", {"run.name=sweep", "training.total_images=10000000",
                                                    "metrics.every_images=0", "training.threads=1", "sweep.jobs=2"})) {}

  void SetUp() override {
    const auto runs = outputs() / "sweep/runs";
    for (const std::string arm : {"slope_0-seed_0", "slope_0.2-seed_0"}) {
      ASSERT_TRUE(wait_for_content(runs / arm / "history.jsonl")) << program_.err();
    }
    for (const pid_t child : children_of(program_.pid())) {
      const bool is_arm = read_text(format_text("/proc/{}/cmdline", child)).find("--arm") != std::string::npos;
      if (is_arm) arms_.push_back(child);
    }
    ASSERT_EQ(arms_.size(), 2u);
  }

  bool are_suspended() const {
    return state_of_process(program_.pid()) == 'T' &&
           std::ranges::all_of(arms_, [](pid_t arm) { return state_of_process(arm) == 'T'; });
  }
  bool are_running() const {
    return state_of_process(program_.pid()) != 'T' &&
           std::ranges::none_of(arms_, [](pid_t arm) { return state_of_process(arm) == 'T'; });
  }

  Program program_;
  std::vector<pid_t> arms_;
};

TEST_F(Suspension, OfASweepIncludesItsArms) {
  for (int i = 0; i < 2; ++i) {
    program_.send(SIGTSTP);
    EXPECT_TRUE(wait_until([&] { return are_suspended(); }));
    program_.send(SIGCONT);
    EXPECT_TRUE(wait_until([&] { return are_running(); }));
  }
  program_.send(SIGTERM);
  EXPECT_EQ(program_.wait(), 128 + SIGTERM);
}

TEST_F(Suspension, OfASweepLeavesNoArmBehindIfTheSweepIsKilled) {
  program_.send(SIGTSTP);
  EXPECT_TRUE(wait_until([&] { return are_suspended(); }));
  program_.send(SIGKILL);
  program_.wait();
  EXPECT_TRUE(wait_until([&] {
    return std::ranges::all_of(arms_, [](pid_t arm) {
      const char state = state_of_process(arm);
      return state == 0 || state == 'Z';
    });
  }));
}

class Streams : public ExactResume {
 protected:
  void expect_an_undisturbed_end(const std::string& name, const std::function<void()>& prepare) {
    EXPECT_EQ(run(directory_.path(), arguments(name), prepare).code, 0) << name;
    EXPECT_TRUE(equals_uninterrupted(run_dir(name), name));
  }
};

TEST_F(Streams, AClosedPipeDoesNotStopARun) {
  expect_an_undisturbed_end("pipes", [] {
    int ends[2];
    if (::pipe(ends) != 0) ::_exit(126);
    ::close(ends[0]);
    ::dup2(ends[1], STDOUT_FILENO);
    ::dup2(ends[1], STDERR_FILENO);
  });
}

TEST_F(Streams, ClosedStreamsAreNotReusedForFilesOfTheRun) {
  expect_an_undisturbed_end("closed", [] {
    for (const int stream : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) ::close(stream);
  });
}

TEST_F(Streams, AFullDeviceAsStdoutDoesNotStopARun) {
  const auto to_full = [] { ::dup2(::open("/dev/full", O_WRONLY), STDOUT_FILENO); };
  const auto result = run(directory_.path(), arguments("full"), to_full);
  EXPECT_EQ(result.code, 6);
  EXPECT_THAT(result.err, HasSubstr("cannot write the results to stdout"));
  EXPECT_TRUE(equals_uninterrupted(run_dir("full"), "full"));
}

TEST_F(Streams, AHangUpDoesNotStopARunUnderNohup) {
  Program program(directory_.path(), arguments("run"), [] { ::signal(SIGHUP, SIG_IGN); });
  ASSERT_TRUE(wait_for(run_dir("run") / "checkpoints/latest"));
  program.send(SIGHUP);
  EXPECT_EQ(program.wait(), 0);
  EXPECT_TRUE(equals_uninterrupted(run_dir("run"), "nohup"));
}

}  // namespace
}  // namespace slopegan::testing
