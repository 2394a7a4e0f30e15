#include "distributed/probe.h"

#include <cerrno>
#include <cstring>
#include <memory>
#include <netdb.h>
#include <poll.h>
#include <sys/socket.h>
#include <system_error>
#include <unistd.h>

#include "support/signals.h"

namespace slopegan {
namespace {

/// Whether the two ends of the connection are the same socket. This can happen if nothing is listening on the port
/// and the kernel chooses the same port for the outgoing connection.
bool is_connected_to_itself(int descriptor) {
  sockaddr_storage own{}, other{};
  socklen_t own_size = sizeof own, other_size = sizeof other;
  return ::getsockname(descriptor, reinterpret_cast<sockaddr*>(&own), &own_size) == 0 &&
         ::getpeername(descriptor, reinterpret_cast<sockaddr*>(&other), &other_size) == 0 && own_size == other_size &&
         std::memcmp(&own, &other, own_size) == 0;
}

/// Tries to connect to the address, for at most three seconds or until a signal arrives. Returns 0 or an error number.
int try_address(const addrinfo& address) {
  const int type = address.ai_socktype | SOCK_NONBLOCK | SOCK_CLOEXEC;
  const int descriptor = ::socket(address.ai_family, type, address.ai_protocol);
  if (descriptor < 0) return errno;
  int error = ::connect(descriptor, address.ai_addr, address.ai_addrlen) == 0 ? 0 : errno;
  for (int i = 0; i < 60 && error == EINPROGRESS && stop_signal() == 0; ++i) {
    pollfd waiting{descriptor, POLLOUT, 0};
    socklen_t size = sizeof error;
    if (::poll(&waiting, 1, 50) > 0 && ::getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &error, &size) != 0)
      error = errno;
  }
  if (error == 0 && is_connected_to_itself(descriptor)) error = ECONNREFUSED;
  ::close(descriptor);
  return error == EINPROGRESS ? ETIMEDOUT : error;
}

}  // namespace

std::string obstacle_to_connection(const std::string& host, std::uint16_t port) {
  addrinfo hints{}, *found = nullptr;
  hints.ai_socktype = SOCK_STREAM;
  const int failure = ::getaddrinfo(host.c_str(), std::to_string(port).c_str(), &hints, &found);
  if (failure != 0) return ::gai_strerror(failure);
  const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> addresses(found, &::freeaddrinfo);
  int error = 0;
  for (const addrinfo* address = found; address != nullptr; address = address->ai_next) {
    error = try_address(*address);
    if (error == 0 || stop_signal() != 0) break;
  }
  return error == 0 ? "" : std::generic_category().message(error);
}

}  // namespace slopegan
