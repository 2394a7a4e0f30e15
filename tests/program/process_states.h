#pragma once

#include <chrono>
#include <filesystem>
#include <fstream>
#include <sys/types.h>
#include <thread>
#include <vector>

namespace slopegan::testing {

/// Returns the state of a process as a letter from /proc, such as 'R' (running), 'T' (suspended) or 'Z' (zombie).
/// Returns 0 if the process does not exist. Stores the ID of its parent in `*parent` if `parent` is not null.
inline char state_of_process(pid_t process, pid_t* parent = nullptr) {
  std::ifstream file("/proc/" + std::to_string(process) + "/stat");
  std::string number, name;
  char state = 0;
  pid_t its_parent = 0;
  if (!(file >> number >> name >> state >> its_parent)) return 0;
  if (parent != nullptr) *parent = its_parent;
  return state;
}

/// Returns the child processes of `parent` that have not ended.
inline std::vector<pid_t> children_of(pid_t parent) {
  std::vector<pid_t> children;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator("/proc", error)) {
    const auto process = static_cast<pid_t>(std::atoi(entry.path().filename().c_str()));
    pid_t its_parent = 0;
    if (process <= 0) continue;
    const char state = state_of_process(process, &its_parent);
    if (state != 0 && state != 'Z' && its_parent == parent) children.push_back(process);
  }
  return children;
}

/// Waits up to a minute for `condition` to hold. Returns whether it holds.
template <class Condition>
bool wait_until(const Condition& condition) {
  for (int i = 0; i < 6000; ++i) {
    if (condition()) return true;
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  return false;
}

}  // namespace slopegan::testing
