#include "support/signals.h"

#include <csignal>

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

}  // namespace
}  // namespace slopegan
