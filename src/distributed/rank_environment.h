#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace slopegan {

/// This process as one of several that train one network, as whoever started them tells it in environment variables.
struct RankEnvironment {
  int rank = 0;
  int size = 1;
  int local_rank = 0;  ///< among the ranks of this machine
  int local_size = 1;
  std::string master_address;  ///< where the ranks meet
  std::uint16_t master_port = 0;
  bool store_is_there = false;  ///< the starter runs what they meet at; otherwise rank 0 does
  std::string meeting;          ///< names this start among those that meet at the same place
};

/// The value of an environment variable, where it is set and not empty.
using EnvironmentLookup = std::function<std::optional<std::string>(const char* name)>;

/// What this process's own environment says.
std::optional<std::string> environment_value(const char* name);

/// torchrun's RANK, WORLD_SIZE, LOCAL_RANK, LOCAL_WORLD_SIZE, MASTER_ADDR and MASTER_PORT; Open MPI's
/// OMPI_COMM_WORLD_*; the variables of Slurm's srun (a batch script is no rank, however many tasks its job has); PMI's
/// (MPICH, Intel MPI). Except with torchrun, MASTER_ADDR may be left away on one machine and with Slurm, where it is
/// the step's first host, and MASTER_PORT anywhere. Nothing where there is one process, which trains as ever. Throws
/// UsageError for variables that are missing or contradict each other.
std::optional<RankEnvironment> find_ranks(const EnvironmentLookup& value);

/// The first host of a Slurm node list: "node[03-07,9],login1" gives node03. Throws UsageError.
std::string first_host(const std::string& node_list);

/// Whether the variable makes its process a rank: a program that is none of the ranks must not be started with it.
bool is_rank_variable(const std::string& name);

}  // namespace slopegan
