#include "report/run_data.h"

#include <map>

#include <gtest/gtest.h>

#include "run/run_directory.h"
#include "run/run_info.h"
#include "temporary_directory.h"

namespace slopegan {
namespace {

std::map<std::string, std::string> facts_of(const RunInfo& info) {
  const TemporaryDirectory directory;
  write_run_info(RunPaths(directory.path()).run_info_file(), info);
  const auto facts = read_run_data(directory.path()).facts;
  return {facts.begin(), facts.end()};
}

TEST(FactsOfARun, NameTheHardwareOfAllItsParts) {
  RunInfo info;
  info.host.cpu = "A processor";
  info.device = "cuda:0";
  info.gpu = "A new GPU";
  info.precision = "bfloat16";
  info.threads = 4;
  info.earlier_compute = {{640, "cuda:0", "float32", 2, "An old GPU"}, {960, "cuda:0", "bfloat16", 2, "A new GPU"}};
  const auto facts = facts_of(info);
  EXPECT_EQ(facts.at("GPU"), "A new GPU");
  EXPECT_EQ(facts.at("Device"),
            "cuda:0, bfloat16, threads: 4; up to 640 images: cuda:0, float32, threads: 2 (An old GPU); up to 960 "
            "images: cuda:0, bfloat16, threads: 2");
}

TEST(FactsOfARun, OmitAnUnknownGpu) {
  RunInfo info;
  info.device = "cuda:0";
  info.precision = "float32";
  info.threads = 1;
  const auto facts = facts_of(info);
  EXPECT_FALSE(facts.contains("GPU"));
  EXPECT_EQ(facts.at("Device"), "cuda:0, float32, threads: 1");
}

}  // namespace
}  // namespace slopegan
