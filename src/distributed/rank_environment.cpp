#include "distributed/rank_environment.h"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <sstream>

#include "support/errors.h"
#include "support/text.h"

namespace slopegan {

namespace {

constexpr std::uint16_t default_port = 29500;  // the default of torchrun

/// The environment variables that a launcher sets. The first launcher whose variables are set is used.
struct Launcher {
  const char* rank;
  const char* size;
  const char* local_rank;
  const char* local_size;
  std::array<const char*, 2> job_ids;  ///< nullptr if there are fewer
};
constexpr Launcher torchrun = {"RANK", "WORLD_SIZE", "LOCAL_RANK", "LOCAL_WORLD_SIZE", {}};
constexpr Launcher open_mpi = {"OMPI_COMM_WORLD_RANK",
                               "OMPI_COMM_WORLD_SIZE",
                               "OMPI_COMM_WORLD_LOCAL_RANK",
                               "OMPI_COMM_WORLD_LOCAL_SIZE",
                               {"PMIX_NAMESPACE"}};
// SLURM_NTASKS is also set in a batch script, which is a single process; SLURM_STEP_NUM_TASKS is set only in processes
// that srun starts.
constexpr Launcher slurm = {"SLURM_PROCID",
                            "SLURM_STEP_NUM_TASKS",
                            "SLURM_LOCALID",
                            "SLURM_STEP_TASKS_PER_NODE",
                            {"SLURM_JOB_ID", "SLURM_STEP_ID"}};
constexpr Launcher pmi = {"PMI_RANK", "PMI_SIZE", "MPI_LOCALRANKID", "MPI_LOCALNRANKS", {"PMI_JOBID"}};

int parse_integer(const std::string& name, const std::string& text, int min, int max) {
  const auto number = parse_as<int>(text);
  if (number && *number >= min && *number <= max) return *number;
  throw UsageError(format_text("{}={} in the environment is not allowed; allowed: an integer from {} to {}", name,
                               printable(text, 40), min, max));
}

/// The number of tasks on the machine with the index `node`, given a list such as "2(x3),1": two tasks on each of three
/// machines and one task on the fourth.
std::string tasks_on_node(const std::string& list, int node) {
  std::istringstream entries(list);
  std::string entry, tasks;
  for (std::int64_t end = 0; end <= node && std::getline(entries, entry, ',');) {
    const auto repeat = entry.find("(x");
    tasks = entry.substr(0, repeat);
    const auto count = repeat == std::string::npos ? "1" : entry.substr(repeat + 2, entry.size() - repeat - 3);
    end += std::max(1, parse_as<int>(count).value_or(1));
  }
  return tasks;
}

class EnvironmentReader {
 public:
  EnvironmentReader(const EnvironmentLookup& value, const Launcher& launcher) : value_(value), launcher_(launcher) {}

  std::optional<RankEnvironment> read() const {
    const auto size = value_(launcher_.size), rank = value_(launcher_.rank);
    if (!size && !rank) return std::nullopt;
    if (&launcher_ == &slurm && !size) return std::nullopt;
    if (!size || !rank) {
      throw UsageError(
          format_text("{} is set in the environment but {} is not; training with several processes needs both",
                      size ? launcher_.size : launcher_.rank, size ? launcher_.rank : launcher_.size));
    }
    RankEnvironment found;
    found.rank_variable = launcher_.rank;
    found.size_variable = launcher_.size;
    found.size = parse_integer(launcher_.size, *size, 1, 1 << 16);
    found.rank = parse_integer(launcher_.rank, *rank, 0, found.size - 1);
    found.local_size = read_local_size(found.size);
    found.local_rank = number_or(launcher_.local_rank, 0, found.size - 1, 0);
    if (found.size > 1) read_master(found);
    return found;
  }

 private:
  int number_or(const char* name, int min, int max, int otherwise) const {
    const auto text = value_(name);
    return text ? parse_integer(name, *text, min, max) : otherwise;
  }

  int read_local_size(int size) const {
    if (&launcher_ != &slurm) return number_or(launcher_.local_size, 1, size, 1);
    const auto list = value_(launcher_.local_size);
    if (!list) return 1;
    const int node = parse_as<int>(value_("SLURM_NODEID").value_or("")).value_or(0);
    const auto tasks = parse_as<int>(tasks_on_node(*list, node));
    if (tasks && *tasks >= 1 && *tasks <= size) return *tasks;
    return parse_integer(launcher_.local_size, *list, 1, size);  // reports the error
  }

  std::string master_address(const RankEnvironment& found) const {
    if (const auto address = value_("MASTER_ADDR")) return *address;
    if (&launcher_ == &slurm) {
      for (const char* name : {"SLURM_STEP_NODELIST", "SLURM_JOB_NODELIST"}) {
        if (const auto list = value_(name)) return first_host(*list);
      }
    }
    if (&launcher_ != &torchrun && found.local_size == found.size) return "127.0.0.1";
    throw UsageError(
        format_text("{}={} is set in the environment but MASTER_ADDR is not; the processes need it to connect",
                    launcher_.size, found.size));
  }

  void read_master(RankEnvironment& found) const {
    found.master_address = master_address(found);
    const auto port = value_("MASTER_PORT");
    if (!port && &launcher_ == &torchrun) {
      throw UsageError(
          format_text("{}={} is set in the environment but MASTER_PORT is not; the processes need it to connect",
                      launcher_.size, found.size));
    }
    found.master_port =
        port ? static_cast<std::uint16_t>(parse_integer("MASTER_PORT", *port, 1, 65535)) : port_of_job();
    found.has_external_store = value_("TORCHELASTIC_USE_AGENT_STORE") == "True";
    // If the user has chosen the port, the processes of separate jobs may train together, so the IDs of the job are
    // omitted.
    found.job = (port ? "" : job_name()) + value_("TORCHELASTIC_RESTART_COUNT").value_or("0");
  }

  /// The IDs that the launcher gives to all processes of a job, each followed by a slash; empty if it gives none. The
  /// IDs of other launchers are not used: with mpirun in a Slurm job, SLURM_STEP_ID differs between the nodes.
  std::string job_name() const {
    std::string name;
    for (const char* id : launcher_.job_ids) {
      if (const auto text = id == nullptr ? std::nullopt : value_(id)) name += *text + "/";
    }
    return name;
  }

  /// A port derived from the IDs of the job, so that jobs on the same machine use different ports.
  std::uint16_t port_of_job() const {
    std::uint32_t number = 0;
    for (const char c : job_name()) number = number * 31 + static_cast<unsigned char>(c);
    return static_cast<std::uint16_t>(default_port + number % 10000);
  }

  const EnvironmentLookup& value_;
  const Launcher& launcher_;
};

}  // namespace

std::optional<std::string> environment_value(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr || *value == '\0' ? std::nullopt : std::optional<std::string>(value);
}

std::string first_host(const std::string& node_list) {
  std::string host;
  for (std::size_t i = 0; i < node_list.size() && node_list[i] != ','; ++i) {
    if (node_list[i] != '[') {
      host += node_list[i];
      continue;
    }
    const auto close = node_list.find(']', i);
    if (close == std::string::npos) throw UsageError("the node list " + printable(node_list) + " has no ]");
    host += node_list.substr(i + 1, node_list.find_first_of(",-]", i + 1) - i - 1);
    i = close;
  }
  if (host.empty()) throw UsageError("the node list " + printable(node_list) + " contains no host name");
  return host;
}

std::optional<RankEnvironment> read_rank_environment(const EnvironmentLookup& value) {
  for (const auto* launcher : {&torchrun, &open_mpi, &slurm, &pmi}) {
    const auto found = EnvironmentReader(value, *launcher).read();
    if (found) return found->size > 1 ? found : std::nullopt;
  }
  return std::nullopt;
}

bool is_rank_variable(const std::string& name) {
  static constexpr std::array launchers = {&torchrun, &open_mpi, &slurm, &pmi};
  return std::any_of(launchers.begin(), launchers.end(),
                     [&](const Launcher* launcher) { return name == launcher->rank || name == launcher->size; });
}

}  // namespace slopegan
