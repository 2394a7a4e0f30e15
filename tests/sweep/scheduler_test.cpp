#include "sweep/scheduler.h"

#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <sys/resource.h>
#include <utility>

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

TEST(Scheduler, DoesNotStartAnArmThatAnotherProcessHasFinishedSinceTheAgendaWasRead) {
  const TemporaryDirectory directory;
  Config config;
  config.sweep.negative_slope = {0.2};
  config.sweep.seeds = {0};
  auto arms = make_arms(config, directory.path());
  // An arm that is started runs this test program, which then only lists its tests.
  arms[0].overrides = {"--gtest_list_tests"};
  int reads = 0;
  const ReadAgenda read_agenda = [&] {
    const bool is_first = ++reads == 1;
    return is_first ? Agenda{{&arms[0]}, 1, 0, 0} : Agenda{{}, 0, 1, 0};
  };
  ::testing::internal::CaptureStderr();
  log::init({});
  const auto result = run_sweep(config, directory.path(), arms, read_agenda);
  const auto messages = ::testing::internal::GetCapturedStderr();
  EXPECT_THAT(messages, HasSubstr("up to 1 arm at a time"));
  EXPECT_THAT(messages, Not(HasSubstr("started")));
  EXPECT_EQ(result.exit_code, 0);
}

/// The arms of the next test run this one.
TEST(SchedulerArm, WarnsThatTheCoresAreBusy) {
  log::warning("another warning");
  log::warning(std::string(busy_cores_warning) + ": an example");
}

TEST(Scheduler, LogsOneWarningThatOtherProcessesUseTheCoresOfItsArms) {
  const TemporaryDirectory directory;
  Config config;
  config.sweep.negative_slope = {0, 0.2};
  config.sweep.seeds = {0};
  auto arms = make_arms(config, directory.path());
  for (auto& arm : arms) arm.overrides = {"--gtest_filter=SchedulerArm.WarnsThatTheCoresAreBusy"};
  const ReadAgenda read_agenda = [&] { return Agenda{{&arms[0], &arms[1]}, 2, 0, 0}; };
  ::testing::internal::CaptureStderr();
  log::init({});
  run_sweep(config, directory.path(), arms, read_agenda);
  const auto messages = ::testing::internal::GetCapturedStderr();
  const auto warning = "-seed_0: " + std::string(busy_cores_warning) + ": an example\n";
  const auto first = messages.find(warning);
  EXPECT_NE(first, std::string::npos) << messages;
  EXPECT_EQ(messages.rfind(warning), first) << messages;
  EXPECT_THAT(messages, Not(HasSubstr("another warning\n")));
}

constexpr const char* signal_variable = "SLOPEGAN_TEST_SIGNAL";

/// The arm of the next test runs this one. Without the variable, it does nothing.
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
    const TemporaryDirectory directory;
    Config config;
    config.sweep.negative_slope = {0.2};
    config.sweep.seeds = {0};
    auto arms = make_arms(config, directory.path());
    arms[0].overrides = {"--gtest_filter=SchedulerArm.IsEndedByTheSignalInTheEnvironment"};
    const ScopedVariable variable(signal_variable, std::to_string(signal).c_str());
    const ReadAgenda read_agenda = [&] { return Agenda{{&arms[0]}, 1, 0, 0}; };
    ::testing::internal::CaptureStderr();
    log::init({});
    const auto result = run_sweep(config, directory.path(), arms, read_agenda);
    EXPECT_THAT(::testing::internal::GetCapturedStderr(), HasSubstr("was terminated by signal"));
    EXPECT_EQ(result.exit_code, code) << signal;
    EXPECT_FALSE(result.stopped);
  }
}

}  // namespace
}  // namespace slopegan
