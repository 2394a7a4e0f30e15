#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <sched.h>
#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <nlohmann/json.hpp>

#include "bench/busy_processes.h"
#include "process_states.h"
#include "program.h"
#include "support/text.h"

namespace slopegan::testing {
namespace {

using ::testing::HasSubstr;

class Bench : public ProgramTest {};

TEST_F(Bench, PrintsJsonOnStdoutAndATableOnStderr) {
  const auto ended = slopegan({"bench", "step", "--seconds", "0", "training.threads=1", "training.batch_size=4",
                               "generator.width=8", "discriminator.width=8", "--vary",
                               "discriminator.negative_slope=0,0.2", "--vary", "training.precision=float32"});
  EXPECT_EQ(ended.code, 0) << ended.err;
  const auto json = nlohmann::json::parse(ended.out);
  ASSERT_EQ(json["rows"].size(), 4u);
  EXPECT_EQ(json["rows"][3]["name"], "step, discriminator.negative_slope=0.2 training.precision=float32");
  EXPECT_GT(json["rows"][3]["images_per_second"], 0);
  EXPECT_EQ(json["rows"][3]["rounds"], 5);
  EXPECT_THAT(ended.err, HasSubstr("step, discriminator.negative_slope=0 training.precision=float32"));
}

TEST_F(Bench, VariesAKeyWhoseValuesContainCommas) {
  const std::string key = "generator.negative_slope=", schedule = "{from: 0.3, to: 0.1, over_images: 64}";
  const auto ended = slopegan({"bench", "inference", "--seconds", "0", "training.threads=1", "generator.width=8",
                               "--vary", key + "[0.1, 0.2, 0.3]," + schedule + ",0.2"});
  ASSERT_EQ(ended.code, 0) << ended.err;
  const auto json = nlohmann::json::parse(ended.out);
  ASSERT_EQ(json["rows"].size(), 6u);
  EXPECT_EQ(json["rows"][0]["name"], "1 at a time, " + key + "[0.1, 0.2, 0.3]");
  EXPECT_EQ(json["rows"][1]["name"], "1 at a time, " + key + schedule);
  EXPECT_EQ(json["rows"][2]["name"], "1 at a time, " + key + "0.2");
}

TEST_F(Bench, MeasuresTheStepOnAQuietAndOnABusyMachine) {
  const auto ended =
      slopegan({"bench", "step", "--seconds", "0", "--busy", "2", "training.threads=2", "training.batch_size=4",
                "generator.width=8", "discriminator.width=8", "--vary", "training.precision=float32"});
  EXPECT_EQ(ended.code, 0) << ended.err;
  const auto json = nlohmann::json::parse(ended.out);
  ASSERT_EQ(json["rows"].size(), 4u);
  EXPECT_EQ(json["rows"][3]["name"], "step, training.precision=float32, 2 busy processes");
  EXPECT_GT(json["rows"][3]["ratio_to_quiet"], 0);
  EXPECT_FALSE(json["rows"][3].contains("share_of_peak"));
  EXPECT_THAT(ended.err, HasSubstr("times the rate on a quiet machine"));
}

TEST_F(Bench, LeavesNoBusyProcessBehindWhenItIsInterrupted) {
  Program program(directory_.path(), {"bench", "step", "--seconds", "5", "--busy", "1", "training.batch_size=4",
                                      "generator.width=8", "discriminator.width=8"});
  std::vector<pid_t> busy;
  ASSERT_TRUE(wait_until([&] { return !(busy = children_of(program.pid())).empty(); }));
  program.send(SIGINT);
  // The step benchmark has nothing to save, so the signal kills it.
  EXPECT_EQ(program.wait(), -SIGINT);
  EXPECT_TRUE(wait_until([&] {
    return std::ranges::all_of(busy, [](pid_t process) {
      const char state = state_of_process(process);
      return state == 0 || state == 'Z';
    });
  }));
}

TEST_F(Bench, TimesTheArmsOfASweep) {
  const auto ended =
      slopegan({"bench", "sweep", "--arms", "2", "--rounds", "1", "training.total_images=128", "generator.width=8",
                "discriminator.width=8", "metrics.every_images=0", "diagnostics.every_images=0"});
  EXPECT_EQ(ended.code, 0) << ended.err;
  const auto json = nlohmann::json::parse(ended.out);
  ASSERT_EQ(json["rows"].size(), 3u);
  EXPECT_GT(json["rows"][0]["images_per_second"], 0);
}

TEST_F(Bench, PassesOnTheExitCodeOfAnArm) {
  const auto ended = slopegan({"bench", "sweep", "--arms", "1", "--rounds", "1", "training.total_images=64",
                               "data.path=" + (directory_ / "missing").string()});
  EXPECT_EQ(ended.code, 3) << ended.err;
  EXPECT_THAT(ended.err, HasSubstr("an arm of the benchmark failed with exit code 3"));
}

TEST_F(Bench, RemovesItsTemporaryDirectoryWhenItIsInterrupted) {
  const auto temporary = directory_ / "tmp";
  std::filesystem::create_directories(temporary);
  const auto has_arm = [&] {
    for (const auto& entry : std::filesystem::directory_iterator(temporary)) {
      if (std::filesystem::exists(entry.path() / "bench/runs")) return true;
    }
    return false;
  };
  Program program(directory_.path(), {"bench", "sweep", "--arms", "1", "--rounds", "1"},
                  [&] { ::setenv("TMPDIR", temporary.c_str(), 1); });
  ASSERT_TRUE(wait_until(has_arm));
  program.send(SIGINT);
  EXPECT_EQ(program.wait(), 128 + SIGINT) << program.err();
  EXPECT_TRUE(std::filesystem::is_empty(temporary));
}

TEST_F(Bench, RejectsInvalidArgumentsWithAOneLineMessage) {
  const auto refused = [&](const std::vector<std::string>& arguments) {
    const auto ended = slopegan(arguments);
    EXPECT_EQ(ended.code, 2);
    EXPECT_EQ(std::count(ended.err.begin(), ended.err.end(), '\n'), 1) << ended.err;
    return ended.err;
  };
  EXPECT_THAT(refused({"bench"}), HasSubstr("subcommand"));
  EXPECT_THAT(refused({"bench", "step", "--vary", "training.batch_size"}), HasSubstr("KEY=VALUE"));
  EXPECT_THAT(refused({"bench", "step", "--vary", "training.batch_siz=1,2"}), HasSubstr("training.batch_size"));
  EXPECT_THAT(refused({"bench", "step", "--channels", "2"}), HasSubstr("--channels"));
  EXPECT_THAT(refused({"bench", "activation", "--slope", "2"}), HasSubstr("--slope"));
  EXPECT_THAT(refused({"bench", "sweep", "--arms", "0"}), HasSubstr("--arms"));
}

/// Limits this thread, and the processes that it starts, to two cores, or to one if only one is available.
class TwoCores {
 public:
  TwoCores() {
    if (::sched_getaffinity(0, sizeof before_, &before_) != 0) return;
    cpu_set_t two;
    CPU_ZERO(&two);
    for (int core = 0; core < CPU_SETSIZE && CPU_COUNT(&two) < 2; ++core) {
      if (CPU_ISSET(core, &before_)) CPU_SET(core, &two);
    }
    is_limited_ = ::sched_setaffinity(0, sizeof two, &two) == 0;
  }
  TwoCores(const TwoCores&) = delete;
  TwoCores& operator=(const TwoCores&) = delete;
  ~TwoCores() {
    if (is_limited_) ::sched_setaffinity(0, sizeof before_, &before_);
  }
  bool is_limited() const { return is_limited_; }

 private:
  cpu_set_t before_{};
  bool is_limited_ = false;
};

TEST_F(Bench, TrainingOnABusyMachineWarnsOnceAndComputesTheSameWeights) {
  const TwoCores cores;
  if (!cores.is_limited()) GTEST_SKIP() << "the number of cores cannot be limited";
  const auto training = [&](const std::string& name, const std::string& images) {
    return smoke("train", {"run.name=" + name, "training.total_images=" + images, "training.threads=2",
                           "training.precision=float32", "samples.every_images=0", "diagnostics.every_images=0",
                           "checkpoint.every_images=640", "checkpoint.keep=1000000"});
  };
  const auto state_of = [&](const std::string& name) {
    return read_text(outputs() / name / "checkpoints/640/state.safetensors");
  };
  const auto quiet = slopegan(training("quiet", "640"));
  ASSERT_EQ(quiet.code, 0) << quiet.err;

  const BusyProcesses busy(4);
  Program program(directory_.path(), training("busy", "10000000"));
  ASSERT_TRUE(wait_for(outputs() / "busy/checkpoints/640")) << program.err();
  EXPECT_TRUE(state_of("busy") == state_of("quiet")) << "threads that wait must not change the results";
  const std::string warning = "other processes are using the cores of this machine: ";
  const auto count = [&] {
    const std::string text = program.err();
    std::size_t found = 0;
    for (auto at = text.find(warning); at != std::string::npos; at = text.find(warning, at + 1)) ++found;
    return found;
  };
  // If this file is missing or contains only zeros, the kernel does not report how long threads wait.
  const auto measured = read_text(format_text("/proc/{}/schedstat", program.pid()));
  const bool is_measured = !measured.empty() && !measured.starts_with("0 0 ");
  if (is_measured) {
    EXPECT_TRUE(wait_until([&] { return count() > 0; })) << program.err();
    EXPECT_THAT(program.err(), HasSubstr("compute with one thread per free core (training.threads=1"));
  }
  std::this_thread::sleep_for(std::chrono::seconds(1));
  program.send(SIGTERM);
  EXPECT_EQ(program.wait(), 128 + SIGTERM) << program.err();
  EXPECT_LE(count(), 1u) << program.err();
  if (!is_measured) GTEST_SKIP() << "the kernel does not report how long threads wait";
}

TEST_F(Bench, TrainingWithOneThreadWarnsOnABusyMachine) {
  const TwoCores cores;
  if (!cores.is_limited()) GTEST_SKIP() << "the number of cores cannot be limited";
  const BusyProcesses busy(4);
  Program program(directory_.path(),
                  smoke("train", {"training.threads=1", "training.total_images=10000000", "samples.every_images=0",
                                  "diagnostics.every_images=0", "checkpoint.every_images=0"}));
  ASSERT_TRUE(wait_for(outputs() / "smoke/history.jsonl")) << program.err();
  const auto measured = read_text(format_text("/proc/{}/schedstat", program.pid()));
  const bool is_measured = !measured.empty() && !measured.starts_with("0 0 ");
  if (is_measured) {
    EXPECT_TRUE(wait_until([&] {
      return program.err().find("start fewer arms at the same time") != std::string::npos;
    })) << program.err();
  }
  program.send(SIGTERM);
  EXPECT_EQ(program.wait(), 128 + SIGTERM) << program.err();
  if (!is_measured) GTEST_SKIP() << "the kernel does not report how long threads wait";
}

/// Tests the effect of the OpenMP variables that bind threads to cores, which users and batch systems set.
class BoundThreads : public ProgramTest {
 protected:
  /// Runs the program with the environment variable `name` and without the other variables that affect OpenMP threads,
  /// such as OMP_NUM_THREADS.
  Result run_with(const char* name, const char* value, const std::vector<std::string>& arguments) const {
    return run(directory_.path(), arguments, [&] {
      for (const auto* other : {"OMP_NUM_THREADS", "OMP_PROC_BIND", "OMP_PLACES", "GOMP_CPU_AFFINITY"}) {
        ::unsetenv(other);
      }
      ::setenv(name, value, 1);
    });
  }
};

TEST_F(BoundThreads, HaveTheSameCountAsUnboundThreads) {
  const auto arguments = smoke("train", {"training.threads=0", "--dry-run"});
  const auto unbound = run_with("OMP_PROC_BIND", "false", arguments);
  ASSERT_EQ(unbound.code, 0) << unbound.err;
  for (const auto& [name, value] : {std::pair{"OMP_PROC_BIND", "true"}, std::pair{"OMP_PROC_BIND", "close"},
                                    std::pair{"OMP_PLACES", "threads"}, std::pair{"OMP_PLACES", "cores"}}) {
    const auto bound = run_with(name, value, arguments);
    ASSERT_EQ(bound.code, 0) << bound.err;
    EXPECT_EQ(bound.out, unbound.out) << name << "=" << value;
  }
}

TEST_F(BoundThreads, DoNotRestrictTheArmsOfASweepToOneCore) {
  const auto cores_of_arms = [&](const char* binding) {
    const auto name = std::string("bound_") + binding;
    const auto result = run_with(
        "OMP_PROC_BIND", binding,
        smoke("sweep", {"run.name=" + name, "training.total_images=64", "sweep.jobs=2", "samples.every_images=0"}));
    EXPECT_EQ(result.code, 0) << result.err;
    std::vector<std::int64_t> cores;
    for (const auto* arm : {"slope_0-seed_0", "slope_0.2-seed_0"}) {
      const auto info = nlohmann::json::parse(read_text(outputs() / name / "runs" / arm / "run.json"));
      cores.push_back(info.at("host").at("cores"));
    }
    return cores;
  };
  EXPECT_EQ(cores_of_arms("true"), cores_of_arms("false"));
}

}  // namespace
}  // namespace slopegan::testing
