#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace slopegan {

/// A key-value store shared by several processes. Every function may throw, and may block if the host of the store is
/// gone.
struct KeyValueStore {
  std::function<void(const std::string& key, const std::string& value)> set;
  /// Returns the values of `keys`, which must all be set.
  std::function<std::vector<std::string>(const std::vector<std::string>& keys)> get;
  std::function<bool(const std::string& key)> has;
};

/// A separate thread that writes a beat to the key-value store every second, to show that this process is alive, and
/// monitors the beats of the other processes. Without a heartbeat, a process that waits in a collective call cannot
/// tell a slow rank from a lost one.
class Heartbeat {
 public:
  struct Limits {
    std::chrono::milliseconds period{1000};
    /// A rank counts as lost after this many rounds without a beat, and the store after as many periods without a
    /// response.
    int max_silent_rounds = 12;
    int grace_rounds = 8;  ///< rounds between a failure and give_up
  };
  /// Why this process cannot continue.
  struct Failure {
    std::string text;
    std::optional<int> exit_code;  ///< the exit code of a rank that announced its end
  };

  /// `give_up` is called on the heartbeat's thread if neither failure() nor wait_for_announcement() is called within
  /// the grace period after a failure.
  Heartbeat(KeyValueStore store, int rank, int size, Limits limits, std::function<void(const Failure&)> give_up);
  /// Waits for the thread to end, for at most two periods, because the thread may be blocked in the store.
  ~Heartbeat();
  Heartbeat(const Heartbeat&) = delete;
  Heartbeat& operator=(const Heartbeat&) = delete;

  /// Returns the failure, if there is one. The caller must then exit, because give_up is no longer called.
  std::optional<Failure> failure();

  /// Waits up to `time` for another rank to announce its end. Returns std::nullopt if none does.
  std::optional<Failure> wait_for_announcement(std::chrono::milliseconds time);

  /// The keys of the ranks' beats; a key is set once its rank has connected.
  static std::vector<std::string> beat_keys(int size);

  /// The key and the value that announce the end of a rank.
  static constexpr const char* end_key = "end";
  static std::string end_text(int rank, int exit_code);

 private:
  struct State;
  static void watch(const std::shared_ptr<State>& state);
  std::shared_ptr<State> state_;
};

}  // namespace slopegan
