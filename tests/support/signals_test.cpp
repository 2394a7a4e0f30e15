#include "support/signals.h"

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <thread>

#include <gtest/gtest.h>

namespace slopegan {
namespace {

TEST(StopDeadline, TakesEffectOnlyWhenItHasPassedAndWhileTheObjectExists) {
  const auto now = std::chrono::steady_clock::now();
  ASSERT_EQ(stop_signal(), 0);
  {
    const StopDeadline later(now + std::chrono::hours(1));
    EXPECT_EQ(stop_signal(), 0);
  }
  {
    const StopDeadline passed(now);
    EXPECT_EQ(stop_signal(), SIGALRM);
  }
  EXPECT_EQ(stop_signal(), 0);
}

/// Records a SIGINT that another rank received, and then raises SIGTERM `count` times. The pauses are long enough that
/// the signals count separately.
void receive_after_another_rank(int count) {
  install_signal_handlers();
  record_stop_signal(SIGINT);
  for (int i = 0; i < count; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(150));
    std::raise(SIGTERM);
  }
}

TEST(StopSignal, OfAnotherRankDoesNotCountAsTheFirstOfThisProcess) {
  const auto receive_one = [] {
    receive_after_another_rank(1);
    std::_Exit(stop_signal() == SIGINT ? 0 : 1);
  };
  const auto receive_two = [] {
    receive_after_another_rank(2);
    std::_Exit(0);
  };
  EXPECT_EXIT(receive_one(), ::testing::ExitedWithCode(0), "");
  EXPECT_EXIT(receive_two(), ::testing::ExitedWithCode(128 + SIGTERM), "");
}

TEST(StopSignal, OfAnotherRankDoesNotReplaceTheOneOfThisProcess) {
  const auto receive = [] {
    install_signal_handlers();
    std::raise(SIGTERM);
    record_stop_signal(SIGINT);
    record_stop_signal(0);
    std::_Exit(stop_signal() == SIGTERM ? 0 : 1);
  };
  EXPECT_EXIT(receive(), ::testing::ExitedWithCode(0), "");
}

TEST(StopSignal, SentTwiceInARowCountsOnce) {
  const auto receive = [] {
    install_signal_handlers();
    std::raise(SIGTERM);
    std::raise(SIGTERM);
    std::_Exit(stop_signal() == SIGTERM ? 0 : 1);
  };
  EXPECT_EXIT(receive(), ::testing::ExitedWithCode(0), "");
}

}  // namespace
}  // namespace slopegan
