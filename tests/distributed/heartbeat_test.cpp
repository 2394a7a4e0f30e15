#include "distributed/heartbeat.h"

#include <atomic>
#include <initializer_list>
#include <map>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace slopegan {
namespace {

using std::chrono::milliseconds;
using ::testing::HasSubstr;

/// The key-value store that all ranks in a test share. A test can make it block or throw.
struct SharedStore {
  KeyValueStore of_rank() {
    KeyValueStore store;
    store.set = [this](const std::string& key, const std::string& value) { touch()[key] = value; };
    store.has = [this](const std::string& key) { return touch().contains(key); };
    store.get = [this](const std::vector<std::string>& keys) {
      std::vector<std::string> values;
      for (const auto& key : keys) values.push_back(touch()[key]);
      return values;
    };
    return store;
  }

  std::map<std::string, std::string>& touch() {
    while (blocked) std::this_thread::sleep_for(milliseconds(1));
    if (gone) throw std::runtime_error("gone");
    return written_;
  }

  std::atomic<bool> blocked = false, gone = false;

 private:
  std::map<std::string, std::string> written_;
};

/// Returns a store that locks a mutex around every call, because the ranks are threads that share one store.
KeyValueStore guarded(KeyValueStore store, std::mutex& mutex) {
  KeyValueStore safe;
  safe.set = [=, &mutex](const std::string& key, const std::string& value) {
    const std::lock_guard lock(mutex);
    store.set(key, value);
  };
  safe.has = [=, &mutex](const std::string& key) {
    const std::lock_guard lock(mutex);
    return store.has(key);
  };
  safe.get = [=, &mutex](const std::vector<std::string>& keys) {
    const std::lock_guard lock(mutex);
    return store.get(keys);
  };
  return safe;
}

class HeartbeatTest : public ::testing::Test {
 protected:
  /// Tests in which no rank must be reported as lost pass `patient` as `max_silent_rounds`, because a busy machine may
  /// suspend a thread for a while.
  std::unique_ptr<Heartbeat> rank(int number, int max_silent_rounds = 10, int grace_rounds = 1000) {
    const auto give_up = [this](const Heartbeat::Failure&) { ++given_up; };
    return std::make_unique<Heartbeat>(guarded(shared.of_rank(), mutex), number, 2,
                                       Heartbeat::Limits{milliseconds(10), max_silent_rounds, grace_rounds}, give_up);
  }

  static constexpr int patient = 100;

  /// Checks that no rank reports a failure for slightly longer than `patient` rounds.
  static void expect_no_failure(std::initializer_list<Heartbeat*> ranks) {
    for (int i = 0; i < patient + patient / 4; ++i) {
      for (auto* one : ranks) EXPECT_FALSE(one->failure());
      std::this_thread::sleep_for(milliseconds(10));
    }
  }

  /// Polls for a failure for up to ten seconds.
  static std::optional<Heartbeat::Failure> wait_for_failure(Heartbeat& heartbeat) {
    for (int i = 0; i < 2000; ++i) {
      if (auto failure = heartbeat.failure()) return failure;
      std::this_thread::sleep_for(milliseconds(5));
    }
    return std::nullopt;
  }

  SharedStore shared;
  std::mutex mutex;
  std::atomic<int> given_up = 0;
};

TEST_F(HeartbeatTest, ReportsNoFailureWhileAllRanksAreAlive) {
  const auto first = rank(0, patient), second = rank(1, patient);
  expect_no_failure({first.get(), second.get()});
  EXPECT_EQ(given_up, 0);
}

TEST_F(HeartbeatTest, ReportsASilentRankAsLost) {
  const auto first = rank(0);
  auto second = rank(1);
  std::this_thread::sleep_for(milliseconds(50));
  second.reset();
  const auto failure = wait_for_failure(*first);
  ASSERT_TRUE(failure);
  EXPECT_THAT(failure->text, HasSubstr("rank 1 was lost"));
  EXPECT_FALSE(failure->exit_code);
}

TEST_F(HeartbeatTest, PassesOnTheExitCodeOfARank) {
  const auto first = rank(0, patient), second = rank(1, patient);
  {
    const std::lock_guard lock(mutex);
    shared.touch()[Heartbeat::end_key] = Heartbeat::end_text(1, 5);
  }
  const auto failure = first->wait_for_announcement(std::chrono::seconds(10));
  ASSERT_TRUE(failure);
  EXPECT_EQ(failure->exit_code, 5);
  EXPECT_EQ(failure->text, "rank 1 ended with exit code 5");
}

TEST_F(HeartbeatTest, ReportsThatTheStoreIsGone) {
  const auto first = rank(0), second = rank(1);
  shared.gone = true;
  const auto failure = wait_for_failure(*first);
  ASSERT_TRUE(failure);
  EXPECT_THAT(failure->text, HasSubstr("was lost"));
}

TEST_F(HeartbeatTest, ReportsAStoreThatDoesNotRespond) {
  const auto first = rank(0);
  shared.blocked = true;
  const auto failure = wait_for_failure(*first);
  shared.blocked = false;
  ASSERT_TRUE(failure);
  EXPECT_THAT(failure->text, HasSubstr("does not respond"));
}

TEST_F(HeartbeatTest, DoesNotReportARankThatHasNotConnectedYet) {
  const auto first = rank(0, patient);
  expect_no_failure({first.get()});
  auto second = rank(1, patient);
  std::this_thread::sleep_for(milliseconds(50));
  EXPECT_FALSE(first->failure());
  second.reset();
  EXPECT_TRUE(wait_for_failure(*first));
}

TEST_F(HeartbeatTest, GivesUpIfTheFailureIsNotReadInTime) {
  const auto first = rank(0, 10, 3);
  rank(1).reset();
  for (int i = 0; i < 2000 && given_up == 0; ++i) std::this_thread::sleep_for(milliseconds(5));
  EXPECT_EQ(given_up, 1);
}

}  // namespace
}  // namespace slopegan
