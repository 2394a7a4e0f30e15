#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "run/record_json.h"
#include "run/run_directory.h"

/// run.json, which describes a run and its status for the user and for the sweep.
namespace slopegan {

/// If the process is killed, the status remains `running`; the lock on the run directory shows whether the process
/// still exists.
enum class RunStatus { running, done, diverged, stopped, failed };

constexpr const char* name_of(RunStatus status) {
  switch (status) {
    case RunStatus::running:
      return "running";
    case RunStatus::done:
      return "done";
    case RunStatus::diverged:
      return "diverged";
    case RunStatus::stopped:
      return "stopped";
    case RunStatus::failed:
      return "failed";
  }
  return "";
}

nlohmann::ordered_json field_json(RunStatus status);
/// Throws WrongJsonType for a name that is not a status.
void read_field(const nlohmann::json& value, RunStatus& status);

struct Versions {
  std::string slopegan;
  std::string libtorch;
  std::string opencv;
  std::string compiler;
  std::string git_commit;  ///< the commit of slopegan's source tree; empty if it was not built from a git checkout

  template <class Self, class Visit>
  static void visit_fields(Self& self, Visit&& visit) {
    visit({"slopegan"}, self.slopegan);
    visit({"libtorch"}, self.libtorch);
    visit({"opencv"}, self.opencv);
    visit({"compiler"}, self.compiler);
  }
};

struct HostInfo {
  std::string cpu;              ///< see cpu_model
  std::int64_t cores = 0;       ///< number of cores that the affinity mask and the CPU quota allow
  std::int64_t memory_mib = 0;  ///< memory that this process may use: the machine's memory or the container's limit

  template <class Self, class Visit>
  static void visit_fields(Self& self, Visit&& visit) {
    visit({"cpu"}, self.cpu);
    visit({"cores"}, self.cores);
    visit({"memory_mib"}, self.memory_mib);
  }
};

/// Describes this machine.
HostInfo this_host();

struct DatasetInfo {
  std::string name;
  std::string hash;
  std::int64_t count = 0;

  template <class Self, class Visit>
  static void visit_fields(Self& self, Visit&& visit) {
    visit({"name"}, self.name);
    visit({"hash"}, self.hash);
    visit({"count"}, self.count);
  }
};

/// The hardware, precision and number of threads with which a run was trained until it was resumed with different ones.
/// If several ranks train the run, these are those of rank 0.
struct EarlierCompute {
  std::int64_t until = 0;  ///< images seen when the run was resumed with different values
  std::string device;
  std::string precision;
  std::int64_t threads = 0;
  std::optional<std::string> processor;  ///< see processor_of; absent in files of earlier versions

  template <class Self, class Visit>
  static void visit_fields(Self& self, Visit&& visit) {
    visit({"until"}, self.until);
    visit({"device"}, self.device);
    visit({"precision"}, self.precision);
    visit({"threads"}, self.threads);
    visit({"processor"}, self.processor);
  }
};

struct RunInfo {
  RunStatus status = RunStatus::running;
  std::int64_t images = 0;  ///< real images shown to the discriminator so far
  /// When the run started for the first time, in the format of utc_timestamp. RunRecord sets it if it is empty.
  std::string started;
  std::string updated;
  Versions versions;
  std::vector<std::string> argv;
  HostInfo host;
  std::int64_t threads = 0;
  std::string threads_reason;  ///< what determined the number of threads
  std::string precision;
  std::string device;
  std::optional<std::string> gpu;  ///< the GPU's name; absent if the device is not a GPU, or if the name is unknown
  /// How the kernels were chosen at the last start: "measured" or "table" (models/measured_kernels.h). Absent if the
  /// device is not the CPU, for imported weights, and in files of earlier versions.
  std::optional<std::string> kernels;
  DatasetInfo dataset;
  /// The numbers of images at which the run was resumed in a way that may have changed its results; see inexact_reasons
  /// (training/run_files.h).
  std::vector<std::int64_t> inexact_at;
  /// Earlier values of `device`, `precision`, `threads` and the processor, in ascending order of `until`.
  std::vector<EarlierCompute> earlier_compute;

  template <class Self, class Visit>
  static void visit_fields(Self& self, Visit&& visit) {
    visit({"status"}, self.status);
    visit({"images"}, self.images);
    visit({"started"}, self.started);
    visit({"updated"}, self.updated);
    visit({"versions"}, self.versions);
    visit({"git"}, self.versions.git_commit);
    visit({"argv"}, self.argv);
    visit({"host"}, self.host);
    visit({"threads"}, self.threads);
    visit({.key = "threads_reason", .may_be_absent = true}, self.threads_reason);
    visit({"precision"}, self.precision);
    visit({"device"}, self.device);
    visit({"gpu"}, self.gpu);
    visit({"kernels"}, self.kernels);
    visit({"dataset"}, self.dataset);
    visit({.key = "inexact_at", .may_be_absent = true}, self.inexact_at);
    visit({.key = "earlier_compute", .may_be_absent = true}, self.earlier_compute);
  }
};

/// The model of the CPU or GPU that a run was last trained on; std::nullopt if it is unknown.
std::optional<std::string> processor_of(const RunInfo& info);

/// Formats a time as "2026-01-31T23:59:59Z".
std::string utc_timestamp(std::chrono::system_clock::time_point time);

/// Parses the format of utc_timestamp. Returns std::nullopt for any other text.
std::optional<std::chrono::system_clock::time_point> parse_utc_timestamp(const std::string& text);

/// Replaces the file atomically. Throws IoError.
void write_run_info(const std::filesystem::path& file, const RunInfo& info);

/// Reads a run.json. Returns std::nullopt if the file does not exist. Throws DataError if it is damaged.
std::optional<RunInfo> read_run_info(const std::filesystem::path& file);

/// Reads only the status. Returns std::nullopt if the file does not exist. Throws DataError if it has no valid status.
std::optional<RunStatus> read_run_status(const std::filesystem::path& file);

/// Records the status of a run in its run.json when the run starts and when it ends.
class RunRecord {
 public:
  /// Writes the status `running`. Throws IoError.
  RunRecord(const RunDirectory& directory, RunInfo info);

  /// Writes the final status. Throws IoError.
  void end(RunStatus status, std::int64_t images);

  /// Like end(), for a run that ends with an exception: an IoError is only logged, so that it does not replace that
  /// exception.
  void end_badly(RunStatus status, std::int64_t images);

 private:
  const RunDirectory& directory_;
  RunInfo info_;
};

}  // namespace slopegan
