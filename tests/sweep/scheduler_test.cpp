#include "sweep/scheduler.h"

#include <filesystem>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

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
  const auto result = run_sweep(config, directory.path(), arms, read_agenda);
  EXPECT_THAT(::testing::internal::GetCapturedStderr(), Not(HasSubstr("started")));
  EXPECT_EQ(result.exit_code, 0);
}

}  // namespace
}  // namespace slopegan
