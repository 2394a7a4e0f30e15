#include "bench/timing.h"

#include <chrono>
#include <string>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace slopegan {
namespace {

TEST(Timing, ComputesQuantiles) {
  const Timing timing{{4, 1, 3, 2}};
  EXPECT_DOUBLE_EQ(timing.quantile(0), 1);
  EXPECT_DOUBLE_EQ(timing.median(), 2.5);
  EXPECT_DOUBLE_EQ(timing.quantile(0.25), 1.75);
  EXPECT_DOUBLE_EQ(timing.quantile(1), 4);
  EXPECT_DOUBLE_EQ(Timing{{7}}.median(), 7);
}

TEST(TimeRounds, MeasuresEachCaseOncePerRoundInOrderAfterAWarmUp) {
  std::string calls;
  const std::vector<BenchCase> cases = {{.name = "a", .run = [&] { calls += 'a'; }},
                                        {.name = "b", .run = [&] { calls += 'b'; }}};
  const RoundOptions options{.seconds = 0, .min_rounds = 3, .max_rounds = 3, .seconds_per_measurement = 0};
  const auto timings = time_rounds(cases, options);
  EXPECT_EQ(calls, "abababab");
  ASSERT_EQ(timings.size(), 2u);
  EXPECT_EQ(timings[1].seconds.size(), 3u);
}

TEST(TimeRounds, AssumesThatACallWithAMeasuredTimeOfZeroTakesSomeTime) {
  EXPECT_EQ(calls_per_measurement(0, 0), 1);
  EXPECT_EQ(calls_per_measurement(0, 0.02), 1'000'000);
  EXPECT_EQ(calls_per_measurement(0.125, 0.5), 4);
  EXPECT_EQ(calls_per_measurement(1, 0.5), 1);
}

TEST(TimeRounds, RepeatsShortCases) {
  int calls = 0;
  const std::vector<BenchCase> cases = {{.name = "short", .run = [&] { ++calls; }}};
  time_rounds(cases, {.seconds = 0, .min_rounds = 1, .max_rounds = 1, .seconds_per_measurement = 1});
  EXPECT_GT(calls, 20);  // about a million unless the machine stalls
}

TEST(TimeRounds, DividesTheTimeByTheNumberOfRepeats) {
  const auto run = [] { std::this_thread::sleep_for(std::chrono::milliseconds(20)); };
  const std::vector<BenchCase> cases = {{.name = "once", .run = run}, {.name = "often", .run = run, .repeats = 1000}};
  const auto timings =
      time_rounds(cases, {.seconds = 0, .min_rounds = 3, .max_rounds = 3, .seconds_per_measurement = 0});
  EXPECT_LT(timings[1].median(), timings[0].median());
}

BenchResult example() {
  const auto wait = [](int milliseconds) {
    return [=] { std::this_thread::sleep_for(std::chrono::milliseconds(milliseconds)); };
  };
  const std::vector<BenchCase> cases = {
      {.name = "peak", .run = wait(1), .flop = 1e6, .group = "float32", .is_reference = true},
      {.name = "step", .run = wait(50), .images = 64, .flop = 1e6, .group = "float32"},
      {.name = "alone", .run = wait(1), .bytes = 1e6}};
  return run_bench("step", cases, {.seconds = 0, .min_rounds = 3, .max_rounds = 3, .seconds_per_measurement = 0});
}

TEST(RunBench, ComparesEachRateWithTheFastestReferenceOfItsGroup) {
  const auto result = example();
  EXPECT_DOUBLE_EQ(result.rows[1].ceiling, 1e6 / result.rows[0].timing.quantile(0));
  EXPECT_EQ(result.rows[2].ceiling, 0);
  EXPECT_DOUBLE_EQ(result.rows[1].images_per_second(), 64 / result.rows[1].timing.median());
}

TEST(BenchTable, ComparesABusyMachineWithAQuietOne) {
  auto result = example();
  result.rows[1].of_quiet = 0.5;
  EXPECT_THAT(bench_table(result), ::testing::HasSubstr("step: 0.50 times the rate on a quiet machine\n"));
  EXPECT_EQ(nlohmann::json::parse(bench_json(result))["rows"][1]["ratio_to_quiet"], 0.5);
  EXPECT_FALSE(nlohmann::json::parse(bench_json(result))["rows"][0].contains("ratio_to_quiet"));
}

TEST(BenchJson, ContainsOnlyTheRatesThatApply) {
  auto result = example();
  result.facts = {{"machine", "a \"quoted\" one"}};
  const auto json = nlohmann::json::parse(bench_json(result));
  EXPECT_EQ(json["bench"], "step");
  EXPECT_EQ(json["machine"], "a \"quoted\" one");
  EXPECT_GT(json["peak_memory_mib"], 1);
  const auto& step = json["rows"][1];
  EXPECT_EQ(step["rounds"], 3);
  EXPECT_DOUBLE_EQ(step["images_per_second"], 64 / step["seconds"].get<double>());
  EXPECT_DOUBLE_EQ(step["flop_per_image"], 1e6 / 64);
  EXPECT_LE(step["share_of_peak"], 1);  // even on a busy machine, because the step sleeps 50 times as long
  EXPECT_FALSE(json["rows"][0].contains("images_per_second"));
  EXPECT_TRUE(json["rows"][0]["reference"]);
  EXPECT_GT(json["rows"][2]["gigabytes_per_second"], 0);
  EXPECT_FALSE(json["rows"][2].contains("share_of_peak"));
}

}  // namespace
}  // namespace slopegan
