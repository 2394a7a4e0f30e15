#pragma once

#include <sys/types.h>
#include <vector>

namespace slopegan {

/// Processes that occupy one core each, to simulate other users of the machine. Each of them runs in its own session,
/// because the scheduler may divide the cores evenly among sessions. The destructor kills the processes. If this
/// process ends without running the destructor, the kernel kills them.
class BusyProcesses {
 public:
  /// Throws IoError if a process cannot be started.
  explicit BusyProcesses(int count);
  BusyProcesses(const BusyProcesses&) = delete;
  BusyProcesses& operator=(const BusyProcesses&) = delete;
  ~BusyProcesses() { kill_all(); }

 private:
  void kill_all();

  std::vector<pid_t> processes_;
};

}  // namespace slopegan
