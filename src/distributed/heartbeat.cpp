#include "distributed/heartbeat.h"

#include <charconv>
#include <exception>
#include <thread>
#include <utility>

#include "support/text.h"

namespace slopegan {

struct Heartbeat::State {
  MessageBoard board;
  int rank, size;
  Limits limits;
  std::function<void(const Trouble&)> give_up;

  std::mutex mutex;
  std::condition_variable changed;
  bool stopping = false, ended = false, noticed = false;
  std::optional<Trouble> trouble;
  std::int64_t rounds = 0;

  // Of the thread that asks.
  std::int64_t rounds_seen = 0;
  std::chrono::steady_clock::time_point asked = std::chrono::steady_clock::now();
  std::chrono::milliseconds silence{0};

  void report(Trouble found) {
    const std::lock_guard lock(mutex);
    if (!trouble || (found.exit_code && !trouble->exit_code)) trouble = std::move(found);
    changed.notify_all();
  }

  /// False where it is time to end.
  bool sleep() {
    std::unique_lock lock(mutex);
    return !changed.wait_for(lock, limits.period, [&] { return stopping; });
  }
};

namespace {

std::string beat_key(int rank) { return "beat/" + std::to_string(rank); }

/// How many rounds ago each of the others last beat. Rounds, not seconds: where all were stopped for a while (a laptop
/// that slept, Ctrl-Z), nobody is missing.
class Listener {
 public:
  Listener(int rank, int size, int limit)
      : rank_(rank),
        limit_(limit),
        keys_(Heartbeat::beat_keys(size)),
        last_(static_cast<std::size_t>(size)),
        silent_(static_cast<std::size_t>(size)) {}

  /// The rank that is missing. Who has not come yet is not missed: the meeting has a limit of its own.
  std::optional<std::size_t> listen(const MessageBoard& board) {
    std::vector<std::size_t> others;
    std::vector<std::string> keys;
    for (std::size_t other = 0; other < keys_.size(); ++other) {
      if (static_cast<int>(other) == rank_) continue;
      if (last_[other].empty() && !board.has(keys_[other])) continue;
      others.push_back(other);
      keys.push_back(keys_[other]);
    }
    if (keys.empty()) return std::nullopt;
    const auto beats = board.get(keys);
    for (std::size_t i = 0; i < others.size(); ++i) {
      const auto other = others[i];
      silent_[other] = beats[i] == last_[other] ? silent_[other] + 1 : 0;
      last_[other] = beats[i];
      if (silent_[other] >= limit_) return other;
    }
    return std::nullopt;
  }

 private:
  int rank_, limit_;
  std::vector<std::string> keys_, last_;
  std::vector<int> silent_;
};

std::optional<Heartbeat::Trouble> read_end(const std::string& text) {
  int rank = 0, code = 0;
  const auto* end = text.data() + text.size();
  const auto first = std::from_chars(text.data(), end, rank);
  if (first.ec != std::errc() || first.ptr == end) return std::nullopt;
  if (std::from_chars(first.ptr + 1, end, code).ec != std::errc()) return std::nullopt;
  return Heartbeat::Trouble{format_text("rank {} ended with exit code {}", rank, code), code};
}

}  // namespace

std::vector<std::string> Heartbeat::beat_keys(int size) {
  std::vector<std::string> keys;
  for (int rank = 0; rank < size; ++rank) keys.push_back(beat_key(rank));
  return keys;
}

std::string Heartbeat::end_text(int rank, int exit_code) { return format_text("{} {}", rank, exit_code); }

Heartbeat::Heartbeat(MessageBoard board, int rank, int size, Limits limits, std::function<void(const Trouble&)> give_up)
    : state_(std::make_shared<State>()) {
  state_->board = std::move(board);
  state_->rank = rank;
  state_->size = size;
  state_->limits = limits;
  state_->give_up = std::move(give_up);
  std::thread([state = state_] { watch(state); }).detach();
}

Heartbeat::~Heartbeat() {
  std::unique_lock lock(state_->mutex);
  state_->stopping = true;
  state_->changed.notify_all();
  state_->changed.wait_for(lock, 2 * state_->limits.period, [&] { return state_->ended; });
}

void Heartbeat::watch(const std::shared_ptr<State>& state) {
  Listener listener(state->rank, state->size, state->limits.silent_rounds);
  std::int64_t beat = 0;
  int troubled_rounds = 0;
  do {
    try {
      state->board.set(beat_key(state->rank), std::to_string(beat++));
      if (state->board.has(end_key)) {
        if (auto end = read_end(state->board.get({end_key}).front())) state->report(std::move(*end));
      }
      if (const auto lost = listener.listen(state->board)) {
        state->report({format_text("rank {} was lost: nothing was heard of it for {} s", *lost,
                                   static_cast<int>(state->limits.silent_rounds * state->limits.period.count() / 1000)),
                       {}});
      }
    } catch (const std::exception&) {
      state->report({"what the ranks meet at is gone", {}});
    }
    std::unique_lock lock(state->mutex);
    ++state->rounds;
    if (state->stopping) break;
    if (!state->trouble || state->noticed) continue;
    if (++troubled_rounds < state->limits.patient_rounds) continue;
    lock.unlock();
    state->give_up(*state->trouble);
    break;
  } while (state->sleep());
  const std::lock_guard lock(state->mutex);
  state->ended = true;
  state->changed.notify_all();
}

std::optional<Heartbeat::Trouble> Heartbeat::trouble() {
  const std::lock_guard lock(state_->mutex);
  const auto now = std::chrono::steady_clock::now();
  const auto passed = std::chrono::duration_cast<std::chrono::milliseconds>(now - state_->asked);
  // A thread that stands still waits for a machine that is gone. What this process slept through does not count.
  state_->silence = state_->rounds == state_->rounds_seen ? state_->silence + std::min(passed, state_->limits.period)
                                                          : std::chrono::milliseconds(0);
  state_->asked = now;
  state_->rounds_seen = state_->rounds;
  if (!state_->trouble && state_->silence >= state_->limits.silent_rounds * state_->limits.period) {
    state_->trouble = Trouble{"what the ranks meet at does not answer", {}};
  }
  if (state_->trouble) state_->noticed = true;
  return state_->trouble;
}

std::optional<Heartbeat::Trouble> Heartbeat::announced(std::chrono::milliseconds time) {
  std::unique_lock lock(state_->mutex);
  state_->noticed = true;
  state_->changed.wait_for(lock, time, [&] { return state_->trouble && state_->trouble->exit_code; });
  return state_->trouble && state_->trouble->exit_code ? state_->trouble : std::nullopt;
}

}  // namespace slopegan
