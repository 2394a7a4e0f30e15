#include "distributed/heartbeat.h"

#include <atomic>
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

/// What all ranks of a test write on; may stop to answer, or throw.
struct Board {
  MessageBoard of_rank() {
    MessageBoard board;
    board.set = [this](const std::string& key, const std::string& value) { touch()[key] = value; };
    board.has = [this](const std::string& key) { return touch().contains(key); };
    board.get = [this](const std::vector<std::string>& keys) {
      std::vector<std::string> values;
      for (const auto& key : keys) values.push_back(touch()[key]);
      return values;
    };
    return board;
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

/// One rank's board is another's: a mutex around every call.
MessageBoard guarded(MessageBoard board, std::mutex& mutex) {
  MessageBoard safe;
  safe.set = [=, &mutex](const std::string& key, const std::string& value) {
    const std::lock_guard lock(mutex);
    board.set(key, value);
  };
  safe.has = [=, &mutex](const std::string& key) {
    const std::lock_guard lock(mutex);
    return board.has(key);
  };
  safe.get = [=, &mutex](const std::vector<std::string>& keys) {
    const std::lock_guard lock(mutex);
    return board.get(keys);
  };
  return safe;
}

class HeartbeatTest : public ::testing::Test {
 protected:
  std::unique_ptr<Heartbeat> rank(int number, int patient_rounds = 1000) {
    const auto give_up = [this](const Heartbeat::Trouble&) { ++given_up; };
    return std::make_unique<Heartbeat>(guarded(board.of_rank(), mutex), number, 2,
                                       Heartbeat::Limits{milliseconds(10), 10, patient_rounds}, give_up);
  }

  /// Asks until there is trouble, for at most ten seconds.
  static std::optional<Heartbeat::Trouble> wait_for_trouble(Heartbeat& heartbeat) {
    for (int i = 0; i < 2000; ++i) {
      if (auto trouble = heartbeat.trouble()) return trouble;
      std::this_thread::sleep_for(milliseconds(5));
    }
    return std::nullopt;
  }

  Board board;
  std::mutex mutex;
  std::atomic<int> given_up = 0;
};

TEST_F(HeartbeatTest, IsQuietWhileAllLive) {
  const auto first = rank(0), second = rank(1);
  for (int i = 0; i < 30; ++i) {
    EXPECT_FALSE(first->trouble());
    EXPECT_FALSE(second->trouble());
    std::this_thread::sleep_for(milliseconds(10));
  }
  EXPECT_EQ(given_up, 0);
}

TEST_F(HeartbeatTest, MissesARankThatIsSilent) {
  const auto first = rank(0);
  auto second = rank(1);
  std::this_thread::sleep_for(milliseconds(50));
  second.reset();
  const auto trouble = wait_for_trouble(*first);
  ASSERT_TRUE(trouble);
  EXPECT_THAT(trouble->text, HasSubstr("rank 1 was lost"));
  EXPECT_FALSE(trouble->exit_code);
}

TEST_F(HeartbeatTest, PassesOnWhyARankEnds) {
  const auto first = rank(0), second = rank(1);
  {
    const std::lock_guard lock(mutex);
    board.touch()[Heartbeat::end_key] = Heartbeat::end_text(1, 5);
  }
  const auto trouble = first->announced(std::chrono::seconds(10));
  ASSERT_TRUE(trouble);
  EXPECT_EQ(trouble->exit_code, 5);
  EXPECT_EQ(trouble->text, "rank 1 ended with exit code 5");
}

TEST_F(HeartbeatTest, NoticesThatTheBoardIsGone) {
  const auto first = rank(0), second = rank(1);
  board.gone = true;
  const auto trouble = wait_for_trouble(*first);
  ASSERT_TRUE(trouble);
  EXPECT_THAT(trouble->text, HasSubstr("is gone"));
}

TEST_F(HeartbeatTest, NoticesABoardThatDoesNotAnswer) {
  const auto first = rank(0);
  board.blocked = true;
  const auto trouble = wait_for_trouble(*first);
  board.blocked = false;
  ASSERT_TRUE(trouble);
  EXPECT_THAT(trouble->text, HasSubstr("does not answer"));
}

TEST_F(HeartbeatTest, DoesNotMissARankThatHasNotComeYet) {
  const auto first = rank(0);
  for (int i = 0; i < 30; ++i) {
    EXPECT_FALSE(first->trouble());
    std::this_thread::sleep_for(milliseconds(10));
  }
  auto second = rank(1);
  std::this_thread::sleep_for(milliseconds(50));
  EXPECT_FALSE(first->trouble());
  second.reset();
  EXPECT_TRUE(wait_for_trouble(*first));
}

TEST_F(HeartbeatTest, GivesUpWhereNobodyAsks) {
  const auto first = rank(0, 3);
  rank(1).reset();
  for (int i = 0; i < 2000 && given_up == 0; ++i) std::this_thread::sleep_for(milliseconds(5));
  EXPECT_EQ(given_up, 1);
}

}  // namespace
}  // namespace slopegan
