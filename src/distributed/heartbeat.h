#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

namespace slopegan {

/// What several processes write to each other; every function may throw, and may block where the other side is gone.
struct MessageBoard {
  std::function<void(const std::string& key, const std::string& value)> set;
  /// The values of keys that are all set.
  std::function<std::vector<std::string>(const std::vector<std::string>& keys)> get;
  std::function<bool(const std::string& key)> has;
};

/// Tells others every second that this process lives, and watches whether they do, on a thread of its own: a process
/// that waits for another cannot tell a slow one from one that is gone.
class Heartbeat {
 public:
  struct Limits {
    std::chrono::milliseconds period{1000};
    int silent_rounds = 12;  ///< of the others, and so many periods of the board
    int patient_rounds = 8;  ///< from trouble to the end of a process that does not notice it
  };
  /// Why this process cannot go on.
  struct Trouble {
    std::string text;
    std::optional<int> exit_code;  ///< of a rank that said that it ends
  };

  /// `give_up` is called on the thread where nobody asks for trouble() in time.
  Heartbeat(MessageBoard board, int rank, int size, Limits limits, std::function<void(const Trouble&)> give_up);
  /// A thread that the board does not let go is left behind.
  ~Heartbeat();
  Heartbeat(const Heartbeat&) = delete;
  Heartbeat& operator=(const Heartbeat&) = delete;

  /// What is wrong, if anything. Whoever asks is expected to end.
  std::optional<Trouble> trouble();

  /// Trouble that one of the others announced, waiting for it for at most `time`.
  std::optional<Trouble> announced(std::chrono::milliseconds time);

  /// Where each rank's beat stands, once it has come.
  static std::vector<std::string> beat_keys(int size);

  /// The key and the value with which a rank announces that it ends.
  static constexpr const char* end_key = "end";
  static std::string end_text(int rank, int exit_code);

 private:
  struct State;
  static void watch(const std::shared_ptr<State>& state);
  std::shared_ptr<State> state_;
};

}  // namespace slopegan
