#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

namespace slopegan {

/// The position of this process among the ranks that train one network, read from the launcher's environment variables.
struct RankEnvironment {
  int rank = 0;
  int size = 1;
  int local_rank = 0;  ///< index among the ranks on this machine
  int local_size = 1;
  std::string master_address;  ///< host of the key-value store through which the ranks connect
  std::uint16_t master_port = 0;
  bool has_external_store = false;               ///< the launcher hosts the store; otherwise rank 0 does
  std::string job{};                             ///< distinguishes jobs and restarts that use the same store
  std::string rank_variable{}, size_variable{};  ///< the environment variables that make this process a rank
};

/// Returns the value of an environment variable, or std::nullopt if it is unset or empty.
using EnvironmentLookup = std::function<std::optional<std::string>(const char* name)>;

/// Looks up a variable in the environment of this process.
std::optional<std::string> environment_value(const char* name);

/// Reads the variables of torchrun (RANK, WORLD_SIZE, LOCAL_RANK, LOCAL_WORLD_SIZE, MASTER_ADDR, MASTER_PORT), Open MPI
/// (OMPI_COMM_WORLD_*), Slurm's srun (a batch script is not a rank, regardless of the number of tasks in its job) or
/// PMI (MPICH, Intel MPI). With torchrun, MASTER_ADDR and MASTER_PORT are required. With the others, MASTER_PORT is
/// optional. With Slurm, MASTER_ADDR defaults to the first host of the job step; with MPI on a single machine, it
/// defaults to 127.0.0.1. Returns std::nullopt for a single process. Throws UsageError if variables are missing or
/// contradict each other.
std::optional<RankEnvironment> read_rank_environment(const EnvironmentLookup& value);

/// Returns the first host of a Slurm node list: node03 for "node[03-07,9],login1". Throws UsageError if the list is
/// malformed.
std::string first_host(const std::string& node_list);

/// Returns whether a variable makes a process a rank. Child processes that are not ranks must be started without such
/// variables.
bool is_rank_variable(const std::string& name);

}  // namespace slopegan
