#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

/// run.json: what a run is and how it stands, for people and for the sweep.
namespace slopegan {

/// `running` also stays behind where the process was killed; the lock of the run directory tells the two apart.
enum class RunStatus { running, done, diverged, stopped, failed };

struct Versions {
  std::string slopegan;
  std::string libtorch;
  std::string opencv;
  std::string compiler;
  /// Of slopegan's source tree; empty where it was not built from one.
  std::string git_commit;
};

struct HostInfo {
  std::string cpu;
  std::int64_t cores = 0;
  std::int64_t memory_mib = 0;
};

/// This machine: the model from /proc/cpuinfo ("unknown" where it names none), the cores this process may use.
HostInfo this_host();

struct DatasetInfo {
  std::string name;
  std::string hash;
  std::int64_t count = 0;
};

struct RunInfo {
  RunStatus status = RunStatus::running;
  /// Real images shown to the discriminator so far.
  std::int64_t images = 0;
  /// As utc_timestamp writes them.
  std::string started;
  std::string updated;
  Versions versions;
  std::vector<std::string> argv;
  HostInfo host;
  std::int64_t threads = 0;
  std::string precision;
  std::string device;
  DatasetInfo dataset;
};

/// 2026-01-31T23:59:59Z.
std::string utc_timestamp(std::chrono::system_clock::time_point time);

/// Replaces the file atomically. Throws IoError.
void write_run_info(const std::filesystem::path& file, const RunInfo& info);

/// The status in the run.json at `file`, or nothing where there is no such file. Throws DataError for a damaged one.
std::optional<RunStatus> read_run_status(const std::filesystem::path& file);

}  // namespace slopegan
