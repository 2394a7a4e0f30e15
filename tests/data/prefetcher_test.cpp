#include "data/prefetcher.h"

#include <atomic>
#include <chrono>

#include <gtest/gtest.h>

namespace slopegan {
namespace {

TEST(Prefetcher, ReturnsTheItemsInOrderAndThenThrows) {
  int made = 0;
  Prefetcher<int> prefetcher({0, 0, 0}, [&made](int& item) { return (item = ++made) <= 100; });
  for (int i = 1; i <= 100; ++i) {
    const int item = prefetcher.next();
    EXPECT_EQ(item, i);
    prefetcher.recycle(item);
  }
  EXPECT_THROW(prefetcher.next(), std::logic_error);
  EXPECT_THROW(prefetcher.next(), std::logic_error);
}

TEST(Prefetcher, RethrowsAnExceptionAfterTheItemsBeforeIt) {
  int made = 0;
  Prefetcher<int> prefetcher({0, 0, 0}, [&made](int& item) {
    item = ++made;
    if (made == 3) throw std::range_error("the third item");
    return true;
  });
  EXPECT_EQ(prefetcher.next(), 1);
  EXPECT_EQ(prefetcher.next(), 2);
  EXPECT_THROW(prefetcher.next(), std::range_error);
  EXPECT_THROW(prefetcher.next(), std::range_error);
}

TEST(Prefetcher, PreparesNoMoreItemsThanItHasBuffers) {
  std::atomic<int> made = 0;
  Prefetcher<int> prefetcher({0, 0}, [&made](int&) { return ++made > 0; });
  prefetcher.next();
  std::this_thread::sleep_for(std::chrono::milliseconds(50));
  EXPECT_LE(made, 2);
}

TEST(Prefetcher, CanBeDestroyedWhileWaitingForABuffer) {
  std::atomic<int> made = 0;
  {
    Prefetcher<int> prefetcher({0}, [&made](int&) { return ++made > 0; });
    prefetcher.next();
  }
  EXPECT_EQ(made, 1);
}

TEST(Prefetcher, CanBeDestroyedWithoutBeingUsed) {
  for (int i = 0; i < 200; ++i) Prefetcher<int> prefetcher({0, 0, 0}, [](int&) { return true; });
}

}  // namespace
}  // namespace slopegan
