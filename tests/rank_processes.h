#pragma once

#include <arpa/inet.h>
#include <cstdint>
#include <cstdlib>
#include <netinet/in.h>
#include <stdexcept>
#include <string>
#include <sys/socket.h>
#include <unistd.h>

namespace slopegan::testing {

/// A free TCP port on this machine, reserved while this object exists. No process listens on it before listen() is
/// called.
class ReservedPort {
 public:
  ReservedPort() : descriptor_(::socket(AF_INET, SOCK_STREAM, 0)) {
    address_.sin_family = AF_INET;
    address_.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address_;
    auto* any = reinterpret_cast<sockaddr*>(&address_);
    if (::bind(descriptor_, any, size) == 0 && ::getsockname(descriptor_, any, &size) == 0) return;
    ::close(descriptor_);
    throw std::runtime_error("no free port");
  }
  ReservedPort(const ReservedPort&) = delete;
  ReservedPort& operator=(const ReservedPort&) = delete;
  ~ReservedPort() { ::close(descriptor_); }

  std::uint16_t number() const { return ntohs(address_.sin_port); }
  bool listen() const { return ::listen(descriptor_, 1) == 0; }

 private:
  int descriptor_;
  sockaddr_in address_{};
};

inline int free_port() { return ReservedPort().number(); }

/// Sets the environment variables of rank `rank` of `size` on this machine, as torchrun does.
inline void become_rank(int rank, int size, int port) {
  const auto set = [](const char* name, const std::string& value) { ::setenv(name, value.c_str(), 1); };
  set("RANK", std::to_string(rank));
  set("WORLD_SIZE", std::to_string(size));
  set("LOCAL_RANK", std::to_string(rank));
  set("LOCAL_WORLD_SIZE", std::to_string(size));
  set("MASTER_ADDR", "127.0.0.1");
  set("MASTER_PORT", std::to_string(port));
}

}  // namespace slopegan::testing
