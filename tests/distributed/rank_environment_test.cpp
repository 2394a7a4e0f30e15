#include "distributed/rank_environment.h"

#include <map>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "expect_error.h"
#include "support/errors.h"

namespace slopegan {
namespace {

using ::testing::HasSubstr;

using Variables = std::map<std::string, std::string>;

std::optional<RankEnvironment> ranks(const Variables& variables) {
  return read_rank_environment([&](const char* name) -> std::optional<std::string> {
    const auto found = variables.find(name);
    return found == variables.end() ? std::nullopt : std::optional(found->second);
  });
}

std::string error_of(const Variables& variables) {
  return message_of<UsageError>([&] { ranks(variables); });
}

/// The variables that torchrun sets for the second of two processes.
const Variables second = {{"RANK", "1"},
                          {"WORLD_SIZE", "2"},
                          {"LOCAL_RANK", "1"},
                          {"LOCAL_WORLD_SIZE", "2"},
                          {"MASTER_ADDR", "127.0.0.1"},
                          {"MASTER_PORT", "29400"}};

Variables with(Variables variables, const std::string& name, const std::string& value) {
  variables[name] = value;
  return variables;
}

Variables without(Variables variables, const std::string& name) {
  variables.erase(name);
  return variables;
}

TEST(RankEnvironment, IsReadFromTorchrun) {
  const auto found = ranks(with(second, "TORCHELASTIC_USE_AGENT_STORE", "True"));
  ASSERT_TRUE(found);
  EXPECT_EQ(found->rank, 1);
  EXPECT_EQ(found->size, 2);
  EXPECT_EQ(found->local_rank, 1);
  EXPECT_EQ(found->local_size, 2);
  EXPECT_EQ(found->master_address, "127.0.0.1");
  EXPECT_EQ(found->master_port, 29400);
  EXPECT_TRUE(found->has_external_store);
  EXPECT_FALSE(ranks(second)->has_external_store);
  EXPECT_EQ(found->rank_variable, "RANK");
  EXPECT_EQ(found->size_variable, "WORLD_SIZE");
}

TEST(RankEnvironment, IsEmptyForASingleProcess) {
  EXPECT_FALSE(ranks({}));
  EXPECT_FALSE(ranks({{"RANK", "0"}, {"WORLD_SIZE", "1"}}));
  EXPECT_FALSE(ranks({{"OMPI_COMM_WORLD_RANK", "0"}, {"OMPI_COMM_WORLD_SIZE", "1"}}));
}

TEST(RankEnvironment, IsEmptyInASlurmBatchScriptWithSeveralTasks) {
  const Variables batch = {{"SLURM_PROCID", "0"}, {"SLURM_NTASKS", "4"}, {"SLURM_JOB_NODELIST", "node[1-4]"}};
  EXPECT_FALSE(ranks(batch));
  EXPECT_FALSE(ranks(with(batch, "SLURM_STEP_NUM_TASKS", "1")));
}

TEST(RankEnvironment, IsReadFromSrun) {
  const Variables task = {{"SLURM_PROCID", "2"},
                          {"SLURM_STEP_NUM_TASKS", "4"},
                          {"SLURM_LOCALID", "0"},
                          {"SLURM_STEP_TASKS_PER_NODE", "2(x2)"},
                          {"SLURM_STEP_NODELIST", "node[03-04]"},
                          {"SLURM_JOB_ID", "4711"}};
  const auto found = ranks(task);
  ASSERT_TRUE(found);
  EXPECT_EQ(found->rank, 2);
  EXPECT_EQ(found->size, 4);
  EXPECT_EQ(found->local_size, 2);
  EXPECT_EQ(found->master_address, "node03");
  EXPECT_FALSE(found->has_external_store);
  EXPECT_GE(found->master_port, 29500);
  EXPECT_NE(ranks(with(task, "SLURM_JOB_ID", "4712"))->master_port, found->master_port);
  EXPECT_EQ(ranks(with(task, "MASTER_ADDR", "10.0.0.1"))->master_address, "10.0.0.1");
}

TEST(RankEnvironment, CountsTheTasksOnItsOwnMachine) {
  Variables task = {{"SLURM_PROCID", "7"},
                    {"SLURM_STEP_NUM_TASKS", "12"},
                    {"SLURM_LOCALID", "0"},
                    {"SLURM_STEP_TASKS_PER_NODE", "1,4(x2),3"},
                    {"MASTER_ADDR", "10.0.0.1"}};
  EXPECT_EQ(ranks(task)->local_size, 1) << "without SLURM_NODEID";
  const std::vector<int> sizes = {1, 4, 4, 3};
  for (std::size_t node = 0; node < sizes.size(); ++node) {
    EXPECT_EQ(ranks(with(task, "SLURM_NODEID", std::to_string(node)))->local_size, sizes[node]) << node;
  }
  for (const char* list : {"four", "13", "0(x3)", "-1", "13(x2147483647),1"}) {
    EXPECT_THAT(error_of(with(task, "SLURM_STEP_TASKS_PER_NODE", list)),
                HasSubstr(std::string("SLURM_STEP_TASKS_PER_NODE=") + list + " in the environment is not allowed"));
  }
}

TEST(RankEnvironment, SeparatesTheJobsOnAMachine) {
  const Variables first = {{"OMPI_COMM_WORLD_RANK", "1"},
                           {"OMPI_COMM_WORLD_SIZE", "2"},
                           {"OMPI_COMM_WORLD_LOCAL_SIZE", "2"},
                           {"PMIX_NAMESPACE", "468320257"}};
  const auto second_job = with(first, "PMIX_NAMESPACE", "467795969");
  EXPECT_NE(ranks(first)->master_port, ranks(second_job)->master_port);
  EXPECT_NE(ranks(first)->job, ranks(second_job)->job) << "the jobs must differ even if their ports are equal";
  EXPECT_EQ(ranks(with(first, "OMPI_COMM_WORLD_RANK", "0"))->master_port, ranks(first)->master_port);
  // With mpirun in a Slurm job, the ranks on the first node are not in a job step, but those on the other nodes are.
  const auto elsewhere = with(with(first, "SLURM_JOB_ID", "4711"), "SLURM_STEP_ID", "0");
  EXPECT_EQ(ranks(elsewhere)->master_port, ranks(first)->master_port);
  EXPECT_EQ(ranks(elsewhere)->job, ranks(first)->job);
  // Several jobs may form one group of ranks if the user gives them the same port.
  EXPECT_EQ(ranks(with(first, "MASTER_PORT", "4000"))->job, ranks(with(second_job, "MASTER_PORT", "4000"))->job);
}

TEST(RankEnvironment, IsReadFromMpi) {
  const Variables open_mpi = {{"OMPI_COMM_WORLD_RANK", "1"},
                              {"OMPI_COMM_WORLD_SIZE", "2"},
                              {"OMPI_COMM_WORLD_LOCAL_RANK", "1"},
                              {"OMPI_COMM_WORLD_LOCAL_SIZE", "2"}};
  EXPECT_EQ(ranks(open_mpi)->rank, 1);
  EXPECT_EQ(ranks(open_mpi)->master_address, "127.0.0.1");
  EXPECT_THAT(error_of(with(open_mpi, "OMPI_COMM_WORLD_LOCAL_SIZE", "1")), HasSubstr("MASTER_ADDR"));
  EXPECT_EQ(ranks({{"PMI_RANK", "0"}, {"PMI_SIZE", "3"}, {"MASTER_ADDR", "host"}})->size, 3);
}

TEST(RankEnvironment, NamesTheInvalidOrMissingVariable) {
  EXPECT_EQ(error_of(with(second, "RANK", "2")),
            "RANK=2 in the environment is not allowed; allowed: an integer from 0 to 1");
  EXPECT_EQ(error_of(with(second, "MASTER_PORT", "abc")),
            "MASTER_PORT=abc in the environment is not allowed; allowed: an integer from 1 to 65535");
  EXPECT_THAT(error_of(with(second, "WORLD_SIZE", "0")), HasSubstr("WORLD_SIZE=0"));
  EXPECT_THAT(error_of(with(second, "WORLD_SIZE", "2x")), HasSubstr("WORLD_SIZE=2x"));
  EXPECT_THAT(error_of(with(second, "RANK", "\x1b[31m")), HasSubstr("RANK=?[31m"));
  EXPECT_EQ(error_of(without(second, "WORLD_SIZE")),
            "RANK is set in the environment but WORLD_SIZE is not; training with several processes needs both");
  EXPECT_THAT(error_of(without(second, "RANK")), HasSubstr("WORLD_SIZE is set in the environment but RANK is not"));
  EXPECT_THAT(error_of(without(second, "MASTER_ADDR")), HasSubstr("MASTER_ADDR is not; the processes need it"));
  EXPECT_THAT(error_of(without(second, "MASTER_PORT")), HasSubstr("MASTER_PORT is not; the processes need it"));
}

TEST(RankEnvironment, ReturnsTheFirstHostOfANodeList) {
  EXPECT_EQ(first_host("node1"), "node1");
  EXPECT_EQ(first_host("login,node1"), "login");
  EXPECT_EQ(first_host("node[03-07,9],login1"), "node03");
  EXPECT_EQ(first_host("node[9]-ib"), "node9-ib");
  EXPECT_EQ(first_host("rack[2-3]n[5,7]"), "rack2n5");
  EXPECT_THROW(first_host("node[1-2"), UsageError);
  EXPECT_THROW(first_host(""), UsageError);
}

TEST(RankEnvironment, RecognisesTheVariablesOfARank) {
  for (const char* name : {"RANK", "WORLD_SIZE", "SLURM_PROCID", "OMPI_COMM_WORLD_SIZE", "PMI_RANK"}) {
    EXPECT_TRUE(is_rank_variable(name)) << name;
  }
  EXPECT_FALSE(is_rank_variable("PATH"));
  EXPECT_FALSE(is_rank_variable("OMP_NUM_THREADS"));
}

}  // namespace
}  // namespace slopegan
