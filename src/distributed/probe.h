#pragma once

#include <cstdint>
#include <string>

namespace slopegan {

/// Tries to open a TCP connection to the host (a name or an address), and closes it again. Takes at most three seconds
/// per address of the host, in addition to the time for resolving its name, and ends early if a signal asks the process
/// to stop. Returns the reason why no connection was made, or an empty string on success.
std::string obstacle_to_connection(const std::string& host, std::uint16_t port);

}  // namespace slopegan
