#include "distributed/probe.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <gtest/gtest.h>

namespace slopegan {
namespace {

TEST(ObstacleToConnection, IsEmptyWhileSomebodyListensAtThePort) {
  const int listener = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  auto* any = reinterpret_cast<sockaddr*>(&address);
  ASSERT_EQ(::bind(listener, any, size), 0);
  ASSERT_EQ(::getsockname(listener, any, &size), 0);
  const auto port = ntohs(address.sin_port);
  // The port is reserved, but nobody listens there.
  EXPECT_EQ(obstacle_to_connection("127.0.0.1", port), "Connection refused");
  ASSERT_EQ(::listen(listener, 1), 0);
  EXPECT_EQ(obstacle_to_connection("127.0.0.1", port), "");
  ::close(listener);
}

}  // namespace
}  // namespace slopegan
