#pragma once

#include <sys/types.h>
#include <vector>

namespace slopegan {

/// Processes that do nothing but occupy one core each, as other users of the machine would. They are in sessions of
/// their own, because the scheduler may share cores fairly among sessions. The destructor kills them, and the kernel
/// kills them if this process ends in any other way.
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
