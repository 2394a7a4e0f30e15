#include "support/thread_waiting.h"

#include <cstdlib>
#include <fstream>
#include <sys/resource.h>
#include <unistd.h>

#include <gtest/gtest.h>

#include "temporary_directory.h"

namespace slopegan::testing {
namespace {

using Times = std::map<std::int64_t, ThreadTimes>;

TEST(ThreadTimes, AreReadForEveryThreadWithAReadableFile) {
  const TemporaryDirectory tasks;
  for (const auto* text : {"10/1200 34 5", "11/7 0 1", "12/nothing"}) {
    const std::string line = text;
    std::filesystem::create_directories(tasks.path() / line.substr(0, 2));
    std::ofstream(tasks.path() / line.substr(0, 2) / "schedstat") << line.substr(3) << '\n';
  }
  std::filesystem::create_directories(tasks.path() / "13");
  const auto times = read_thread_times(tasks.path());
  ASSERT_EQ(times.size(), 2U);
  EXPECT_EQ(times.at(10).running, 1200);
  EXPECT_EQ(times.at(10).waiting, 34);
  EXPECT_EQ(times.at(11).running, 7);
}

TEST(ThreadTimes, AreEmptyIfThereAreNoFiles) { EXPECT_TRUE(read_thread_times("/nowhere").empty()); }

TEST(WaitingShare, IsMeasuredForTheBusyThreadThatWaitedLongest) {
  const Times before = {{1, {0, 0}}, {2, {100, 100}}, {3, {0, 0}}};
  const Times after = {{1, {900'000'000, 50'000'000}},   // waited for 5 %
                       {2, {500'000'100, 400'000'100}},  // 40 %
                       {3, {1'000'000, 200'000'000}},    // 20 %, but hardly busy
                       {4, {0, 900'000'000}}};           // new
  EXPECT_NEAR(largest_waiting_share(before, after, 1), 0.4, 1e-9);
  EXPECT_EQ(largest_waiting_share(before, after, 0), 0);
  EXPECT_EQ(largest_waiting_share({}, after, 1), 0);
}

int updates_until(Contention& contention, bool competing, double share) {
  for (int i = 1; i < 1000; ++i) {
    if (contention.update(share) == competing) return i;
  }
  return 1000;
}

TEST(Contention, IgnoresAShortDisturbance) {
  Contention contention;
  for (int i = 0; i < 20; ++i) {
    EXPECT_FALSE(contention.update(0.9));
    EXPECT_FALSE(contention.update(0.0));
    EXPECT_FALSE(contention.update(0.05));
  }
}

TEST(Contention, IsReportedUntilTenSuccessiveWindowsAreCalm) {
  Contention contention;
  EXPECT_EQ(updates_until(contention, true, 0.5), 2);
  for (int i = 0; i < 5; ++i) EXPECT_TRUE(contention.update(0.0));
  EXPECT_TRUE(contention.update(0.05));  // not a calm window, so the count starts again
  EXPECT_EQ(updates_until(contention, false, 0.0), 10);
}

TEST(Contention, IsReportedForLongerEachTimeItReturnsSoon) {
  Contention contention;
  updates_until(contention, true, 0.5);
  EXPECT_EQ(updates_until(contention, false, 0.0), 10);
  updates_until(contention, true, 0.5);
  EXPECT_EQ(updates_until(contention, false, 0.0), 20);
  for (int i = 0; i < 10; ++i) {
    updates_until(contention, true, 0.5);
    updates_until(contention, false, 0.0);
  }
  updates_until(contention, true, 0.5);
  EXPECT_EQ(updates_until(contention, false, 0.0), 100);
  for (int i = 0; i < 100; ++i) contention.update(0.0);
  updates_until(contention, true, 0.5);
  EXPECT_EQ(updates_until(contention, false, 0.0), 10);
}

/// Limits the address space of the process to 64 MiB more than it uses, which is enough for a few thread stacks.
void limit_address_space() {
  std::uint64_t pages = 0;
  std::ifstream("/proc/self/statm") >> pages;
  rlimit limit{};
  ::getrlimit(RLIMIT_AS, &limit);
  limit.rlim_cur = pages * static_cast<std::uint64_t>(::getpagesize()) + (std::uint64_t{64} << 20);
  ::setrlimit(RLIMIT_AS, &limit);
}

TEST(CanStartThreads, IsFalseIfASystemLimitIsReached) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  GTEST_SKIP() << "sanitizers reserve address space for each thread";
#endif
  const auto check = [] {
    limit_address_space();
    std::_Exit(can_start_threads(2000) ? 1 : 0);
  };
  EXPECT_EXIT(check(), ::testing::ExitedWithCode(0), "");
}

TEST(CanStartThreads, IsTrueIfThereIsNoLimit) {
  EXPECT_TRUE(can_start_threads(0));
  for (int i = 0; i < 100; ++i) ASSERT_TRUE(can_start_threads(8)) << "the threads of earlier calls have not ended";
}

}  // namespace
}  // namespace slopegan::testing
