#include "distributed/heartbeat.h"

#include <algorithm>
#include <charconv>
#include <condition_variable>
#include <exception>
#include <mutex>
#include <thread>
#include <utility>

#include "support/text.h"

namespace slopegan {

struct Heartbeat::State {
  KeyValueStore store;
  int rank, size;
  Limits limits;
  std::function<void(const Failure&)> give_up;

  std::mutex mutex;
  std::condition_variable changed;
  bool stopping = false, ended = false, acknowledged = false;
  std::optional<Failure> failure;
  std::int64_t rounds = 0;

  // Used only by the thread that calls failure().
  std::int64_t rounds_seen = 0;
  std::chrono::steady_clock::time_point last_call = std::chrono::steady_clock::now();
  std::chrono::milliseconds silence{0};

  void report(Failure found) {
    const std::lock_guard lock(mutex);
    if (!failure || (found.exit_code && !failure->exit_code)) failure = std::move(found);
    changed.notify_all();
  }

  /// Waits for one period. Returns false if the heartbeat stops.
  bool wait() {
    std::unique_lock lock(mutex);
    return !changed.wait_for(lock, limits.period, [&] { return stopping; });
  }
};

namespace {

std::string beat_key(int rank) { return "beat/" + std::to_string(rank); }

/// Counts the rounds since the last beat of each other rank. It counts rounds rather than seconds, so that no rank is
/// reported lost if all processes were suspended for a while (a sleeping laptop, Ctrl-Z).
class BeatMonitor {
 public:
  BeatMonitor(int rank, int size, int limit)
      : rank_(rank),
        limit_(limit),
        keys_(Heartbeat::beat_keys(size)),
        last_(static_cast<std::size_t>(size)),
        silent_(static_cast<std::size_t>(size)) {}

  /// Returns the rank that is lost, if any. A rank that has not connected yet is not lost: connecting has its own
  /// timeout.
  std::optional<std::size_t> check(const KeyValueStore& store) {
    std::vector<std::size_t> others;
    std::vector<std::string> keys;
    for (std::size_t other = 0; other < keys_.size(); ++other) {
      if (static_cast<int>(other) == rank_) continue;
      if (last_[other].empty() && !store.has(keys_[other])) continue;
      others.push_back(other);
      keys.push_back(keys_[other]);
    }
    if (keys.empty()) return std::nullopt;
    const auto beats = store.get(keys);
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

std::optional<Heartbeat::Failure> parse_end(const std::string& text) {
  int rank = 0, code = 0;
  const auto* end = text.data() + text.size();
  const auto first = std::from_chars(text.data(), end, rank);
  if (first.ec != std::errc() || first.ptr == end) return std::nullopt;
  if (std::from_chars(first.ptr + 1, end, code).ec != std::errc()) return std::nullopt;
  return Heartbeat::Failure{format_text("rank {} ended with exit code {}", rank, code), code};
}

}  // namespace

std::vector<std::string> Heartbeat::beat_keys(int size) {
  std::vector<std::string> keys;
  for (int rank = 0; rank < size; ++rank) keys.push_back(beat_key(rank));
  return keys;
}

std::string Heartbeat::end_text(int rank, int exit_code) { return format_text("{} {}", rank, exit_code); }

Heartbeat::Heartbeat(KeyValueStore store, int rank, int size, Limits limits,
                     std::function<void(const Failure&)> give_up)
    : state_(std::make_shared<State>()) {
  state_->store = std::move(store);
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
  BeatMonitor monitor(state->rank, state->size, state->limits.max_silent_rounds);
  std::int64_t beat = 0;
  int failed_rounds = 0;
  do {
    try {
      state->store.set(beat_key(state->rank), std::to_string(beat++));
      if (state->store.has(end_key)) {
        if (auto end = parse_end(state->store.get({end_key}).front())) state->report(std::move(*end));
      }
      if (const auto lost = monitor.check(state->store)) {
        state->report(
            {format_text("rank {} was lost: no heartbeat for {} s", *lost,
                         static_cast<int>(state->limits.max_silent_rounds * state->limits.period.count() / 1000)),
             {}});
      }
    } catch (const std::exception&) {
      state->report({"the connection to the key-value store of the ranks was lost", {}});
    }
    std::unique_lock lock(state->mutex);
    ++state->rounds;
    if (state->stopping) break;
    if (!state->failure || state->acknowledged) continue;
    if (++failed_rounds < state->limits.grace_rounds) continue;
    lock.unlock();
    state->give_up(*state->failure);
    break;
  } while (state->wait());
  const std::lock_guard lock(state->mutex);
  state->ended = true;
  state->changed.notify_all();
}

std::optional<Heartbeat::Failure> Heartbeat::failure() {
  const std::lock_guard lock(state_->mutex);
  const auto now = std::chrono::steady_clock::now();
  const auto passed = std::chrono::duration_cast<std::chrono::milliseconds>(now - state_->last_call);
  // If the watch thread makes no progress, it is waiting for a store whose host does not respond. Time during which
  // this process is suspended does not count.
  state_->silence = state_->rounds == state_->rounds_seen ? state_->silence + std::min(passed, state_->limits.period)
                                                          : std::chrono::milliseconds(0);
  state_->last_call = now;
  state_->rounds_seen = state_->rounds;
  if (!state_->failure && state_->silence >= state_->limits.max_silent_rounds * state_->limits.period) {
    state_->failure = Failure{"the key-value store of the ranks does not respond", {}};
  }
  if (state_->failure) state_->acknowledged = true;
  return state_->failure;
}

std::optional<Heartbeat::Failure> Heartbeat::wait_for_announcement(std::chrono::milliseconds time) {
  std::unique_lock lock(state_->mutex);
  state_->acknowledged = true;
  state_->changed.wait_for(lock, time, [&] { return state_->failure && state_->failure->exit_code; });
  return state_->failure && state_->failure->exit_code ? state_->failure : std::nullopt;
}

}  // namespace slopegan
