#include "support/wait_for_lock.h"

#include <chrono>
#include <string>
#include <thread>

#include "support/errors.h"
#include "support/signals.h"

namespace slopegan {

FileLock wait_for_lock(const std::filesystem::path& file, const std::filesystem::path& guarded) {
  for (;;) {
    try {
      return FileLock(file, guarded);
    } catch (const BusyError& error) {
      if (const int signal = stop_signal()) throw StoppedError(signal, std::string("stopped while ") + error.what());
      std::this_thread::sleep_for(std::chrono::milliseconds(100));
    }
  }
}

}  // namespace slopegan
