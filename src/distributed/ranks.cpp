#include "distributed/ranks.h"

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <memory>
#include <optional>
#include <thread>
#include <unistd.h>
#include <utility>
#include <vector>

#include <ATen/ATen.h>

#include "distributed/heartbeat.h"
#include "distributed/nccl_backend.h"
#include "distributed/probe.h"
#include "support/checksums.h"
#include "support/errors.h"
#include "support/log.h"
#include "support/signals.h"
#include "support/text.h"

// The PyTorch wheel contains Gloo but not its headers; the headers from Debian's libgloo-dev are compatible.
#if defined(USE_C10D_GLOO) && __has_include(<gloo/algorithm.h>)
#define SLOPEGAN_HAS_GLOO
#include <c10/util/Logging.h>
#include <torch/csrc/distributed/c10d/PrefixStore.hpp>
#include <torch/csrc/distributed/c10d/ProcessGroupGloo.hpp>
#include <torch/csrc/distributed/c10d/TCPStore.hpp>
#endif

namespace slopegan {

#ifdef SLOPEGAN_HAS_GLOO

namespace {

constexpr auto connect_timeout = std::chrono::minutes(5);
/// The timeout of collective calls. It is long because a rank that evaluates metrics or reads a data set keeps the
/// others waiting; the heartbeat detects lost ranks.
constexpr auto collective_timeout = std::chrono::hours(24 * 7);

/// If rank 0 is lost, every call to its key-value store fails, and LibTorch logs each failure as a warning with a stack
/// trace. The calls also throw, so this process reports the loss itself, in one line. The level applies to all warnings
/// of LibTorch in this process.
void hide_warnings_of_libtorch() {
  constexpr int error_level = 2;
  FLAGS_caffe2_log_level = error_level;
}

std::string first_line(const char* text) {
  const std::string whole = text;
  return printable(whole.substr(0, whole.find('\n')), 300);
}

std::string place_of(const RankEnvironment& environment) {
  return format_text("{} port {}", printable(environment.master_address), environment.master_port);
}

c10::intrusive_ptr<c10d::Store> connect_store(const RankEnvironment& environment, bool as_server) {
  c10d::TCPStoreOptions options;
  options.port = environment.master_port;
  options.isServer = as_server;
  options.waitWorkers = false;
  options.timeout = connect_timeout;
  try {
    auto store = c10::make_intrusive<c10d::TCPStore>(environment.master_address, options);
    return c10::make_intrusive<c10d::PrefixStore>("slopegan/" + environment.job, std::move(store));
  } catch (const std::exception& error) {
    throw IoError(format_text("rank {} of {} cannot connect to the other ranks at {}: {}", environment.rank,
                              environment.size, place_of(environment), first_line(error.what())));
  }
}

/// "rank 0 of 4 is waiting for the other ranks at ...", followed by a command that trains in a single process. The
/// message contains this command because the environment variables may be left over from an earlier job or an
/// interactive allocation.
std::string waiting_text(const RankEnvironment& environment) {
  return format_text(
      "rank {} of {} is waiting for the other ranks at {}, because the environment contains {}={} and {}={}; "
      "to train in a single process, run: env -u {} -u {} slopegan train ...",
      environment.rank, environment.size, place_of(environment), environment.rank_variable, environment.rank,
      environment.size_variable, environment.size, environment.rank_variable, environment.size_variable);
}

/// Logs waiting_text at most once, after a delay, on each rank other than 0. These ranks otherwise log only errors.
class WaitingNotice {
 public:
  explicit WaitingNotice(const RankEnvironment& environment) : environment_(environment) {}

  void show_after(std::chrono::seconds delay) {
    if (environment_.rank == 0 || was_shown_ || Clock::now() - start_ < delay) return;
    was_shown_ = true;
    log::set_level(log::Level::warning);
    log::warning(waiting_text(environment_));
    log::set_level(log::Level::error);
  }

 private:
  using Clock = std::chrono::steady_clock;
  const RankEnvironment& environment_;
  Clock::time_point start_ = Clock::now();
  bool was_shown_ = false;
};

void throw_if_stopped(const RankEnvironment& environment) {
  if (const int signal = stop_signal()) {
    throw StoppedError(signal, "stopped while waiting for the other ranks at " + place_of(environment));
  }
}

/// Waits until a process is listening at the address of the key-value store. LibTorch would also wait, but its wait
/// cannot be interrupted.
void wait_for_store(const RankEnvironment& environment, WaitingNotice& notice) {
  const auto start = std::chrono::steady_clock::now();
  while (true) {
    const std::string obstacle = obstacle_to_connection(environment.master_address, environment.master_port);
    throw_if_stopped(environment);
    if (obstacle.empty()) return;
    if (std::chrono::steady_clock::now() - start > connect_timeout) {
      throw IoError(
          format_text("rank {} of {} could not connect to {} within five minutes ({}); check that rank 0 is running "
                      "there and that its port is reachable",
                      environment.rank, environment.size, place_of(environment), printable(obstacle)));
    }
    notice.show_after(std::chrono::seconds(2));
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
  }
}

/// The ranks that have not sent a first heartbeat, such as "ranks 1, 2, 3" or "rank 1".
std::string missing_ranks(c10d::Store& store, const std::vector<std::string>& keys) {
  std::vector<std::string> missing;
  for (std::size_t rank = 0; rank < keys.size(); ++rank) {
    if (!store.check({keys[rank]})) missing.push_back(std::to_string(rank));
  }
  constexpr std::size_t most = 16;
  const bool cut = missing.size() > most;
  const std::string noun = missing.size() == 1 ? "rank " : "ranks ";
  missing.resize(std::min(missing.size(), most));
  return noun + join(missing, ", ") + (cut ? ", ..." : "");
}

void wait_for_all(c10d::Store& store, const RankEnvironment& environment, WaitingNotice& notice) {
  using Clock = std::chrono::steady_clock;
  const auto keys = Heartbeat::beat_keys(environment.size);
  const auto start = Clock::now();
  bool has_said = false;
  while (!store.check(keys)) {
    throw_if_stopped(environment);
    const auto waited = Clock::now() - start;
    if (waited > connect_timeout) {
      throw IoError(format_text("rank {} of {}: {} did not connect to {} within five minutes", environment.rank,
                                environment.size, missing_ranks(store, keys), place_of(environment)));
    }
    if (environment.rank == 0 && !has_said && waited > std::chrono::seconds(2)) {
      has_said = true;
      log::warning("still waiting for " + missing_ranks(store, keys));
    }
    notice.show_after(std::chrono::seconds(10));
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
}

KeyValueStore key_value_store(const c10::intrusive_ptr<c10d::Store>& store) {
  KeyValueStore result;
  result.set = [store](const std::string& key, const std::string& value) { store->set(key, value); };
  result.has = [store](const std::string& key) { return store->check({key}); };
  result.get = [store](const std::vector<std::string>& keys) {
    std::vector<std::string> texts;
    for (const auto& value : store->multiGet(keys)) texts.emplace_back(value.begin(), value.end());
    return texts;
  };
  return result;
}

c10::intrusive_ptr<c10d::Backend> make_gloo(const c10::intrusive_ptr<c10d::Store>& store,
                                            const RankEnvironment& environment) {
  const auto options = c10d::ProcessGroupGloo::Options::create(collective_timeout);
  const auto interface = environment_value("GLOO_SOCKET_IFNAME");
  options->devices.push_back(interface ? c10d::ProcessGroupGloo::createDeviceForInterface(*interface)
                                       : c10d::ProcessGroupGloo::createDefaultDevice());
  return c10::make_intrusive<c10d::ProcessGroupGloo>(c10::make_intrusive<c10d::PrefixStore>("gloo", store),
                                                     environment.rank, environment.size, options);
}

[[noreturn]] void throw_error(const RankEnvironment& environment, const Heartbeat::Failure& failure) {
  const std::string text =
      format_text("rank {} of {} is exiting: {}", environment.rank, environment.size, failure.text);
  if (failure.exit_code) throw Error(static_cast<ExitCode>(*failure.exit_code), text);
  throw IoError(text + "; run the same command with --resume auto to continue from the last checkpoint");
}

}  // namespace

struct Ranks::Connection {
  explicit Connection(const RankEnvironment& ranks) : environment(ranks) {}

  RankEnvironment environment;
  c10::intrusive_ptr<c10d::Store> store;
  std::optional<Heartbeat> heartbeat;
  c10::intrusive_ptr<c10d::Backend> gloo, nccl;
  bool broken = false;

  bool uses_nccl(const at::Tensor& tensor) const { return tensor.is_cuda() && nccl; }
  c10d::Backend& backend_of(const at::Tensor& tensor) { return uses_nccl(tensor) ? *nccl : *gloo; }

  /// Starts a collective call. If it cannot be started, throws the same exceptions as wait().
  template <class Call>
  c10::intrusive_ptr<c10d::Work> start(const Call& call) {
    try {
      return call();
    } catch (const std::exception& error) {
      fail(error.what());
    }
  }

  /// Waits for a collective call on `tensor`.
  void wait(c10d::Work& work, const at::Tensor& tensor) {
    // NCCL aborts its communicator if a wait times out. Without a timeout, only the current stream waits, not this
    // thread. If the thread later blocks because another rank is lost, the heartbeat makes the process exit.
    if (uses_nccl(tensor)) return wait_without_timeout(work);
    while (true) {
      try {
        work.wait(std::chrono::milliseconds(500));
        return;
      } catch (const std::exception&) {
        // Either the wait has timed out, or the connection to another rank was lost. The work may also have completed
        // just after the timeout. Waiting again on completed work does not block, and either returns or throws the
        // actual error.
        if (work.isCompleted()) return wait_without_timeout(work);
        if (const auto failure = heartbeat->failure()) {
          broken = true;
          throw_error(environment, *failure);
        }
      }
    }
  }

  void wait_without_timeout(c10d::Work& work) {
    try {
      work.wait();
    } catch (const std::exception& error) {
      fail(error.what());
    }
  }

  [[noreturn]] void fail(const char* reason) {
    broken = true;
    log::debug(first_line(reason));
    const auto announced = heartbeat->wait_for_announcement(std::chrono::seconds(3));
    std::string text = "lost the connection to another rank";
    // NCCL connects, and reports what it lacks, in the first call.
    if (nccl) text += ", or NCCL failed: " + first_line(reason);
    throw_error(environment, announced.value_or(Heartbeat::Failure{text, {}}));
  }
};

struct Ranks::PendingSum::State {
  std::shared_ptr<Connection> connection;
  std::vector<at::Tensor> tensors;
  c10::intrusive_ptr<c10d::Work> work;
};

void Ranks::PendingSum::wait() { state_->connection->wait(*state_->work, state_->tensors.front()); }

Ranks::Ranks(const RankEnvironment& environment, at::Device device)
    : environment_(environment), connection_(std::make_shared<Connection>(environment)) {
  hide_warnings_of_libtorch();
  if (is_first()) log::info(waiting_text(environment));
  WaitingNotice notice(environment_);
  const bool is_server = is_first() && !environment.has_external_store;
  if (!is_server) wait_for_store(environment, notice);
  connection_->store = connect_store(environment, is_server);
  // The heartbeat starts before Gloo connects; otherwise, the loss of a rank while Gloo connects would leave the others
  // waiting. The heartbeat has its own connection to the store, because its thread may block in a call to the store.
  const auto give_up = [environment](const Heartbeat::Failure& failure) {
    log::error(format_text("slopegan: rank {} of {} is exiting: {}", environment.rank, environment.size, failure.text));
    ::_exit(failure.exit_code.value_or(static_cast<int>(ExitCode::io)));
  };
  connection_->heartbeat.emplace(key_value_store(connect_store(environment, false)), environment.rank, environment.size,
                                 Heartbeat::Limits(), give_up);
  try {
    // Wait here, because Gloo itself would wait for as long as collective_timeout.
    wait_for_all(*connection_->store, environment, notice);
    connection_->gloo = make_gloo(connection_->store, environment);
    if (device.is_cuda()) connect_nccl(device);
  } catch (const Error&) {
    throw;
  } catch (const std::exception& error) {
    throw IoError(format_text("rank {} of {} cannot reach the other ranks: {}", environment.rank, environment.size,
                              first_line(error.what())));
  }
}

void Ranks::connect_nccl(at::Device device) {
  std::string obstacle = obstacle_to_nccl();
  enum : std::int64_t { usable, shared_gpu, unusable };
  const auto here = !obstacle.empty() ? unusable : shares_gpu(*connection_->store, device) ? shared_gpu : usable;
  const auto worst = all_reduce_max(here);  // all ranks must decide alike
  if (worst == usable) {
    connection_->nccl = make_nccl(connection_->store, environment_, collective_timeout);
    return;
  }
  if (!is_first()) return;
  if (obstacle.empty()) {
    obstacle = worst == shared_gpu ? "several ranks use the same GPU, which NCCL does not support"
                                   : "the program of another rank was built without NCCL";
  }
  log::warning(obstacle + "; the GPUs exchange gradients through the main memory, which is slow");
}

Ranks::~Ranks() {
  connection_->heartbeat.reset();
  if (!connection_->broken) return;
  // The destructors would join threads that may be waiting for a lost rank.
  connection_->gloo.release();
  connection_->nccl.release();
}

Ranks::PendingSum Ranks::start_all_reduce(const at::Tensor& tensor) {
  PendingSum pending;
  pending.state_ = std::make_shared<PendingSum::State>();
  pending.state_->connection = connection_;
  pending.state_->tensors = {tensor};
  pending.state_->work =
      connection_->start([&] { return connection_->backend_of(tensor).allreduce(pending.state_->tensors); });
  return pending;
}

void Ranks::broadcast(const at::Tensor& tensor) {
  std::vector<at::Tensor> tensors = {tensor};
  const auto work = connection_->start([&] { return connection_->backend_of(tensor).broadcast(tensors); });
  connection_->wait(*work, tensor);
}

std::int64_t Ranks::all_reduce_max(std::int64_t number) {
  std::vector<at::Tensor> tensors = {at::full({1}, number, at::kLong)};
  c10d::AllreduceOptions options;
  options.reduceOp = c10d::ReduceOp::MAX;
  const auto work = connection_->start([&] { return connection_->gloo->allreduce(tensors, options); });
  connection_->wait(*work, tensors.front());
  return tensors.front().item<std::int64_t>();
}

void Ranks::finish() {
  all_reduce_max(0);  // a barrier
  connection_->heartbeat.reset();
}

void Ranks::leave(int exit_code) {
  if (connection_->broken) return;  // another rank has already ended or was lost
  connection_->broken = true;
  try {
    connection_->store->set(Heartbeat::end_key, Heartbeat::end_text(rank(), exit_code));
    // This process hosts the store; the other ranks need time to read the key.
    if (is_first() && !environment_.has_external_store) std::this_thread::sleep_for(std::chrono::seconds(2));
  } catch (const std::exception&) {  // the other ranks detect the missing heartbeat
  }
}

#else

struct Ranks::Connection {};
struct Ranks::PendingSum::State {};

Ranks::Ranks(const RankEnvironment& environment, at::Device) : environment_(environment) {
  throw UsageError(
      format_text("this is rank {} of {}, but this program was built without Gloo's headers (Debian: "
                  "libgloo-dev), so it cannot train in several processes",
                  environment.rank, environment.size));
}
Ranks::~Ranks() = default;
void Ranks::connect_nccl(at::Device) {}
void Ranks::PendingSum::wait() {}
Ranks::PendingSum Ranks::start_all_reduce(const at::Tensor&) { return {}; }
void Ranks::broadcast(const at::Tensor&) {}
std::int64_t Ranks::all_reduce_max(std::int64_t number) { return number; }
void Ranks::finish() {}
void Ranks::leave(int) {}

#endif

bool Ranks::is_same_everywhere(const std::string& text) {
  const auto digest = sha256_hex(text);
  const auto number = static_cast<std::int64_t>(std::strtoull(digest.substr(0, 15).c_str(), nullptr, 16));
  const auto maximum = all_reduce_max(number);
  return maximum == -all_reduce_max(-number);
}

}  // namespace slopegan
