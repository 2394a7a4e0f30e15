#include "distributed/probe.h"

#include <gtest/gtest.h>

#include "rank_processes.h"

namespace slopegan {
namespace {

TEST(ObstacleToConnection, IsEmptyWhileAProcessListensOnThePort) {
  const testing::ReservedPort port;
  EXPECT_EQ(obstacle_to_connection("127.0.0.1", port.number()), "Connection refused");
  ASSERT_TRUE(port.listen());
  EXPECT_EQ(obstacle_to_connection("127.0.0.1", port.number()), "");
}

}  // namespace
}  // namespace slopegan
