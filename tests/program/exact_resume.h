#pragma once

#include <chrono>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include <gmock/gmock.h>

#include "faults/faults.h"
#include "process_states.h"
#include "program.h"
#include "run/checkpoint.h"
#include "run/event_reader.h"
#include "run/records.h"
#include "slow_check.h"

namespace slopegan::testing {

/// Returns the history of a run, with the fields that depend on the clock and the machine set to 0.
inline std::vector<HistoryRecord> timeless_history(const std::filesystem::path& run) {
  auto records = read_history(run / "history.jsonl");
  for (auto& record : records) record.seconds = record.images_per_second = record.memory_mib = 0;
  return records;
}

template <class Record>
std::vector<Record> timeless(std::vector<Record> records) {
  EXPECT_GE(records.size(), 3u);
  for (auto& record : records) record.seconds = 0;
  return records;
}

inline std::string best_of(const std::filesystem::path& run) {
  return std::filesystem::read_symlink(run / "checkpoints/best").string();
}

/// Creates symlinks in `directory` to the image files of Fashion-MNIST, but not to its label files, so that no
/// classifier is trained.
inline void link_images_without_labels(const std::filesystem::path& directory) {
  std::filesystem::create_directories(directory);
  for (const std::string name : {"train-images-idx3-ubyte.gz", "t10k-images-idx3-ubyte.gz"}) {
    const auto link = directory / name;
    std::error_code is_there;
    std::filesystem::create_symlink(std::filesystem::path(DataConfig().path) / name, link, is_there);
  }
}

/// Returns a function to pass to Program as `prepare`. It preloads the fault library with `plan`, whose format is
/// described in faults.h.
inline std::function<void()> with_faults(const std::string& plan) {
  return [plan] {
    ::setenv("LD_PRELOAD", SLOPEGAN_FAULTS_LIBRARY, 1);
    ::setenv("ASAN_OPTIONS", "verify_asan_link_order=0", 0);
    ::setenv(faults_variable, plan.c_str(), 1);
  };
}

/// Compares interrupted and resumed runs to an uninterrupted run. Each run takes 20 steps and writes a checkpoint every
/// 2 steps.
class ExactResume : public ProgramTest {
 protected:
  /// The test directory is on an in-memory file system in a normal test run, and on disk under scripts/check_slow.sh.
  ExactResume() : ProgramTest(check_count(1, 0) == 1 ? memory_parent() : temporary_parent()) {}

  static constexpr int total_images = 640;

  /// Returns the arguments for starting or resuming the run in the directory `run`. Also creates the data directory
  /// that the run reads.
  static std::vector<std::string> arguments_at(const std::filesystem::path& run,
                                               const std::vector<std::string>& more = {}) {
    link_images_without_labels(run.parent_path() / ".images");
    std::vector<std::string> all = {"train",
                                    config_file("smoke.yaml"),
                                    "run.output_dir=" + run.parent_path().string(),
                                    "run.name=" + run.filename().string(),
                                    "training.precision=float32",
                                    "training.threads=1",
                                    "training.total_images=" + std::to_string(total_images),
                                    "checkpoint.every_images=64",
                                    "samples.every_images=128",
                                    "data.path=" + (run.parent_path() / ".images").string(),
                                    "diagnostics.every_images=96",
                                    "diagnostics.probes=100",
                                    "metrics.every_images=160",
                                    "metrics.samples=100",
                                    "--resume",
                                    "auto"};
    all.insert(all.end(), more.begin(), more.end());
    return all;
  }
  std::vector<std::string> arguments(const std::string& name, const std::vector<std::string>& more = {}) const {
    return arguments_at(run_dir(name), more);
  }
  std::filesystem::path run_dir(const std::string& name) const { return outputs() / name; }

  /// Returns the directory of the uninterrupted run. The first call in a test trains the run.
  const std::filesystem::path& uninterrupted() {
    if (uninterrupted_.empty()) {
      const auto start = std::chrono::steady_clock::now();
      const auto result = slopegan(arguments("uninterrupted"));
      uninterrupted_time_ = std::chrono::steady_clock::now() - start;
      EXPECT_EQ(result.code, 0) << result.err;
      uninterrupted_ = run_dir("uninterrupted");
    }
    return uninterrupted_;
  }

  /// Waits at most a minute for `program` to log that training starts, or to end. Returns false after a minute.
  static bool has_begun_to_train(const Program& program) {
    return wait_until([&] {
      return program.err().find(" images on ") != std::string::npos || state_of_process(program.pid()) == 'Z';
    });
  }

  /// If `turn` is even, sleeps for a random fraction of the duration of the uninterrupted run. Otherwise, waits until
  /// training starts, and then sleeps for a random time of at most a quarter of that duration.
  void wait_for_random_moment(const Program& program, int turn, std::mt19937& random) const {
    const double part = std::uniform_real_distribution(0.0, 1.0)(random);
    if (turn % 2 == 0) return std::this_thread::sleep_for(uninterrupted_time_ * part);
    EXPECT_TRUE(has_begun_to_train(program)) << program.err();
    std::this_thread::sleep_for(uninterrupted_time_ * part / 4);
  }

  /// Returns the image count of the newest checkpoint, or 0 if there is none. Checks that the newest checkpoint is
  /// valid.
  static std::int64_t newest_images(const std::filesystem::path& run) {
    std::vector<std::string> warnings;
    const auto newest = load_newest(run / "checkpoints", warnings);
    EXPECT_THAT(warnings, ::testing::IsEmpty());
    return newest ? newest->info.images : 0;
  }

  /// Resumes `run` and trains it to the end. Returns whether it equals the uninterrupted run.
  bool resumes_to_same_result(const std::filesystem::path& run, const std::string& where) {
    const auto before = newest_images(run);
    const auto result = slopegan(arguments_at(run));
    EXPECT_EQ(result.code, 0) << where << ": " << result.err;
    if (before > 0 && before < total_images) {
      EXPECT_THAT(result.err, ::testing::HasSubstr("resumed at " + std::to_string(before) + " images")) << where;
    }
    return equals_uninterrupted(run, where);
  }

  /// Returns the content of state.safetensors in the checkpoint at the end of the run.
  static std::string state_of(const std::filesystem::path& run) {
    return read_text(run / "checkpoints" / std::to_string(total_images) / "state.safetensors");
  }

  bool equals_uninterrupted(const std::filesystem::path& run, const std::string& where) {
    const bool same_weights = state_of(run) == state_of(uninterrupted());
    const bool same_history =
        timeless_history(run) == timeless_history(uninterrupted()) &&
        timeless(read_metrics(run / "metrics.jsonl")) == timeless(read_metrics(uninterrupted() / "metrics.jsonl")) &&
        timeless(read_diagnostics(run / "diagnostics.jsonl")) ==
            timeless(read_diagnostics(uninterrupted() / "diagnostics.jsonl"));
    const bool same_events = timeless_points(run) == timeless_points(uninterrupted());
    const bool same_best = best_of(run) == best_of(uninterrupted());
    EXPECT_TRUE(same_weights) << where;
    EXPECT_TRUE(same_history) << where;
    EXPECT_TRUE(same_events) << where;
    EXPECT_TRUE(same_best) << where;
    return same_weights && same_history && same_events && same_best && !state_of(run).empty();
  }

  std::filesystem::path uninterrupted_;
  std::chrono::duration<double> uninterrupted_time_{};
};

}  // namespace slopegan::testing
