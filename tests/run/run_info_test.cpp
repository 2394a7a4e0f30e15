#include "run/run_info.h"

#include <fstream>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "run/json.h"
#include "run/run_directory.h"
#include "support/enum_values.h"
#include "support/errors.h"
#include "support/files.h"
#include "support/machine.h"
#include "temporary_directory.h"

namespace slopegan {
namespace {

RunInfo example_info() {
  RunInfo info;
  info.images = 60000;
  info.started = "2026-01-31T23:59:59Z";
  info.updated = "2026-02-01T00:10:00Z";
  info.versions = {"0.1.0", "2.13.0", "4.6.0", "GNU 12.2.0", "0123abc"};
  info.argv = {"slopegan", "train", "x.yaml", "data.path=/\xff"};
  info.host = {"A processor", 2, 7900};
  info.threads = 2;
  info.threads_reason = "all cores";
  info.precision = "bfloat16";
  info.device = "cpu";
  info.gpu = "Not used here";
  info.kernels = "measured";
  info.dataset = {"fashion-mnist", "9f2a", 60000};
  info.inexact_at = {1000, 30000};
  info.earlier_compute = {{30000, "cpu", "float32", 1, "An older processor"}};
  return info;
}

TEST(RunInfo, IsWrittenAsJson) {
  const TemporaryDirectory directory;
  write_run_info(directory / "run.json", example_info());
  const auto json = nlohmann::json::parse(read_file(directory / "run.json", 1 << 20));
  EXPECT_EQ(json.at("status"), "running");
  EXPECT_EQ(json.at("images"), 60000);
  EXPECT_EQ(json.at("started"), "2026-01-31T23:59:59Z");
  EXPECT_EQ(json.at("updated"), "2026-02-01T00:10:00Z");
  EXPECT_EQ(json.at("versions"), nlohmann::json::parse(R"({"slopegan": "0.1.0", "libtorch": "2.13.0",
                                                           "opencv": "4.6.0", "compiler": "GNU 12.2.0"})"));
  EXPECT_EQ(json.at("git"), "0123abc");
  EXPECT_EQ(json.at("argv"), (std::vector<std::string>{"slopegan", "train", "x.yaml", "data.path=/\xef\xbf\xbd"}));
  EXPECT_EQ(json.at("host"), nlohmann::json::parse(R"({"cpu": "A processor", "cores": 2, "memory_mib": 7900})"));
  EXPECT_EQ(json.at("threads"), 2);
  EXPECT_EQ(json.at("threads_reason"), "all cores");
  EXPECT_EQ(json.at("precision"), "bfloat16");
  EXPECT_EQ(json.at("device"), "cpu");
  EXPECT_EQ(json.at("gpu"), "Not used here");
  EXPECT_EQ(json.at("kernels"), "measured");
  EXPECT_EQ(json.at("dataset"), nlohmann::json::parse(R"({"name": "fashion-mnist", "hash": "9f2a", "count": 60000})"));
  EXPECT_EQ(json.at("inexact_at"), (std::vector<int>{1000, 30000}));
  EXPECT_EQ(json.at("earlier_compute"), nlohmann::json::parse(R"([{"until": 30000, "device": "cpu",
                                                                   "precision": "float32", "threads": 1,
                                                                   "processor": "An older processor"}])"));
}

TEST(RunInfo, RoundTrips) {
  const TemporaryDirectory directory;
  const auto file = directory / "run.json";
  EXPECT_FALSE(read_run_info(file).has_value());
  write_run_info(file, example_info());
  auto info = read_run_info(file);
  ASSERT_TRUE(info.has_value());
  EXPECT_EQ(info->argv.back(), "data.path=/\xef\xbf\xbd");  // invalid UTF-8 is replaced
  info->argv = example_info().argv;
  EXPECT_EQ(json_text(record_json(*info)), json_text(record_json(example_info())));
}

TEST(RunInfo, OfEarlierVersionsIsRead) {
  const TemporaryDirectory directory;
  auto json = record_json(example_info());
  json["earlier_compute"][0].erase("processor");
  write_file_atomic(directory / "run.json", json_text(json));
  EXPECT_FALSE(read_run_info(directory / "run.json")->earlier_compute.at(0).processor.has_value());
  for (const char* key : {"threads_reason", "gpu", "kernels", "inexact_at", "earlier_compute"}) json.erase(key);
  std::ofstream(directory / "run.json") << json_text(json);
  const auto info = read_run_info(directory / "run.json");
  ASSERT_TRUE(info.has_value());
  EXPECT_FALSE(info->kernels.has_value());
  EXPECT_TRUE(info->inexact_at.empty());
  EXPECT_TRUE(info->earlier_compute.empty());
}

TEST(ProcessorOfARun, IsTheModelOfItsCpuOrGpu) {
  RunInfo info = example_info();
  EXPECT_EQ(processor_of(info), "A processor");
  info.host.cpu = unknown_cpu;
  EXPECT_EQ(processor_of(info), std::nullopt);
  info.device = "cuda:1";
  info.gpu.reset();
  EXPECT_EQ(processor_of(info), std::nullopt);
  info.gpu = "A GPU";
  EXPECT_EQ(processor_of(info), "A GPU");
}

TEST(RunRecord, KeepsTheStartTimeOfAResumedRun) {
  const TemporaryDirectory directory;
  const auto run = RunDirectory::create(directory / "run");
  const auto started = [&](const RunInfo& info) {
    const RunRecord record(run, info);
    return read_run_info(run.run_info_file())->started;
  };
  EXPECT_EQ(started(example_info()), example_info().started);
  EXPECT_NE(started(RunInfo()), "");
}

TEST(RunInfo, StatusRoundTrips) {
  const TemporaryDirectory directory;
  const auto file = directory / "run.json";
  EXPECT_FALSE(read_run_status(file).has_value());
  RunInfo info = example_info();
  for (const auto status : enum_values<RunStatus>) {
    info.status = status;
    write_run_info(file, info);
    EXPECT_EQ(read_run_status(file), status);
  }
}

TEST(RunInfo, RejectsADamagedFile) {
  const TemporaryDirectory directory;
  const auto file = directory / "run.json";
  for (const std::string content : {"", "{", "[]", "{}", R"({"status": 1})", R"({"status": "finished"})"}) {
    std::ofstream(file, std::ios::trunc) << content;
    EXPECT_THROW(read_run_status(file), DataError) << content;
    EXPECT_THROW(read_run_info(file), DataError) << content;
  }
}

TEST(UtcTimestamp, IsIso8601) {
  EXPECT_EQ(utc_timestamp(std::chrono::system_clock::from_time_t(0)), "1970-01-01T00:00:00Z");
  EXPECT_EQ(utc_timestamp(std::chrono::system_clock::from_time_t(951782400)), "2000-02-29T00:00:00Z");
}

TEST(UtcTimestamp, IsParsed) {
  EXPECT_EQ(parse_utc_timestamp("2000-02-29T00:00:00Z"), std::chrono::system_clock::from_time_t(951782400));
  for (const char* text : {"", "yesterday", "2000-02-29", "2000-13-01T00:00:00Z", "2000-02-29T00:00:00Z."}) {
    EXPECT_FALSE(parse_utc_timestamp(text).has_value()) << text;
  }
}

TEST(ThisHost, HasAProcessorNameAndCoresAndMemory) {
  const HostInfo host = this_host();
  EXPECT_FALSE(host.cpu.empty());
  EXPECT_EQ(host.cpu.find('\n'), std::string::npos);
  EXPECT_GE(host.cores, 1);
  EXPECT_GE(host.memory_mib, 64);
}

}  // namespace
}  // namespace slopegan
