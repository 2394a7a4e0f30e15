#include "sweep/scheduler.h"

#include <csignal>
#include <cstdlib>
#include <string>
#include <sys/resource.h>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "scoped_variable.h"
#include "support/log.h"
#include "support/thread_waiting.h"
#include "sweep/arms.h"
#include "temporary_directory.h"

namespace slopegan {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

/// A sweep whose arms run this test program with `argument`.
struct SmallSweep {
  SmallSweep(std::vector<double> slopes, const std::string& argument) {
    config.sweep.negative_slope = std::move(slopes);
    config.sweep.seeds = {0};
    arms = make_arms(config, directory.path());
    for (auto& arm : arms) {
      arm.overrides = {argument};
      needed.push_back(&arm);
    }
  }

  /// Runs the sweep and stores its messages.
  SweepResult run(const ReadAgenda& read_agenda) {
    ::testing::internal::CaptureStderr();
    log::init({});
    const auto result = run_sweep(config, directory.path(), arms, read_agenda);
    messages = ::testing::internal::GetCapturedStderr();
    return result;
  }
  /// Runs the sweep with an agenda on which all arms remain.
  SweepResult run() {
    return run([&] { return Agenda{needed, needed.size(), 0, 0}; });
  }

  TemporaryDirectory directory;
  Config config;
  std::vector<Arm> arms;
  std::vector<const Arm*> needed;
  std::string messages;
};

TEST(Scheduler, DoesNotStartAnArmThatAnotherProcessHasFinishedSinceTheAgendaWasRead) {
  SmallSweep sweep({0.2}, "--gtest_list_tests");
  int reads = 0;
  const auto result = sweep.run([&] {
    const bool is_first = ++reads == 1;
    return is_first ? Agenda{sweep.needed, 1, 0, 0} : Agenda{{}, 0, 1, 0};
  });
  EXPECT_THAT(sweep.messages, HasSubstr("up to 1 arm at a time"));
  EXPECT_THAT(sweep.messages, Not(HasSubstr("started")));
  EXPECT_EQ(result.exit_code, 0);
}

/// The arms of the next test run this test.
TEST(SchedulerArm, WarnsThatTheCoresAreBusy) {
  log::warning("another warning");
  log::warning(std::string(busy_cores_warning) + ": an example");
}

TEST(Scheduler, LogsOneWarningThatOtherProcessesUseTheCoresOfItsArms) {
  SmallSweep sweep({0, 0.2}, "--gtest_filter=SchedulerArm.WarnsThatTheCoresAreBusy");
  sweep.run();
  const auto warning = "-seed_0: " + std::string(busy_cores_warning) + ": an example\n";
  const auto first = sweep.messages.find(warning);
  EXPECT_NE(first, std::string::npos) << sweep.messages;
  EXPECT_EQ(sweep.messages.rfind(warning), first) << sweep.messages;
  EXPECT_THAT(sweep.messages, Not(HasSubstr("another warning\n")));
}

constexpr const char* signal_variable = "SLOPEGAN_TEST_SIGNAL";

/// The arm of the next test runs this test, which does nothing if the environment variable is not set.
TEST(SchedulerArm, IsEndedByTheSignalInTheEnvironment) {
  const char* text = std::getenv(signal_variable);
  if (text == nullptr) return;
  const int signal = std::atoi(text);
  const rlimit no_core_file{0, 0};
  ::setrlimit(RLIMIT_CORE, &no_core_file);
  ::signal(signal, SIG_DFL);  // a sanitizer may have installed a handler
  ::raise(signal);
}

TEST(Scheduler, CountsAnArmThatCrashedAsABugAndOneThatWasKilledAsAnInputOutputError) {
  for (const auto& [signal, code] : {std::pair{SIGSEGV, 70}, std::pair{SIGABRT, 70}, std::pair{SIGTERM, 6},
                                     std::pair{SIGKILL, 6}, std::pair{SIGHUP, 6}}) {
    const ScopedVariable variable(signal_variable, std::to_string(signal).c_str());
    SmallSweep sweep({0.2}, "--gtest_filter=SchedulerArm.IsEndedByTheSignalInTheEnvironment");
    const auto result = sweep.run();
    EXPECT_THAT(sweep.messages, HasSubstr("was terminated by signal"));
    EXPECT_EQ(result.exit_code, code) << signal;
    EXPECT_FALSE(result.stopped);
  }
}

}  // namespace
}  // namespace slopegan
