#include <cmath>
#include <fstream>
#include <limits>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "expect_error.h"
#include "run/records.h"
#include "support/errors.h"
#include "temporary_directory.h"

namespace slopegan {
namespace {

MetricsRecord metrics_example() {
  return {60000, "classifier-x@1a2b", 10000, {{"fd", 1.0 / 3}, {"kd", -1e-17}}, {{"fd", 0.02}}, 9000, 0.01, 0.34, 2.5};
}

TEST(MetricsLog, ReadsBackWhatWasWritten) {
  const TemporaryDirectory directory;
  auto without_repeat = metrics_example();
  without_repeat.fd_repeat.reset();
  without_repeat.fd_bias.reset();
  std::ofstream(directory / "m.jsonl") << metrics_line(metrics_example()) << "\n"
                                       << metrics_line(without_repeat) << "\n{\"half a li";
  EXPECT_EQ(read_metrics(directory / "m.jsonl"), (std::vector{metrics_example(), without_repeat}));
}

TEST(MetricsLog, KeepsAValueThatIsNoNumber) {
  const TemporaryDirectory directory;
  auto record = metrics_example();
  record.values["fd"] = std::numeric_limits<double>::infinity();
  std::ofstream(directory / "m.jsonl") << metrics_line(record) << "\n";
  EXPECT_TRUE(std::isnan(read_metrics(directory / "m.jsonl").front().values.at("fd")));
}

TEST(MetricsLog, NamesTheLineThatIsNoRecord) {
  const TemporaryDirectory directory;
  std::ofstream(directory / "m.jsonl") << metrics_line(metrics_example()) << "\n{\"images\": \"many\"}\n";
  EXPECT_EQ(message_of<DataError>([&] { read_metrics(directory / "m.jsonl"); }),
            (directory / "m.jsonl").string() + ":2: this line is not a record of metrics");
  auto json = nlohmann::json::parse(metrics_line(metrics_example()));
  json["values"] = 1;
  std::ofstream(directory / "m.jsonl") << json.dump() << '\n';
  EXPECT_THROW(read_metrics(directory / "m.jsonl"), DataError);
}

TEST(MetricsLog, TitlesAValueWithItsExtractorAndCount) {
  EXPECT_EQ(metric_title("fd", metrics_example()), "FD[classifier-x@1a2b,n=10000]");
  EXPECT_EQ(metric_title("recall", metrics_example()), "recall[classifier-x@1a2b,n=10000]");
  auto hostile = metrics_example();
  hostile.extractor = "\x1b[2J";
  EXPECT_EQ(metric_title("\n", hostile), "?[?[2J,n=10000]");
}

TEST(MetricsLog, CallsOnlyTheFiguresOfInceptionFidKidAndIs) {
  auto record = metrics_example();
  record.extractor = "inception@f58cb9b6";
  EXPECT_EQ(metric_title("fd", record), "FID[inception@f58cb9b6,n=10000]");
  EXPECT_EQ(metric_title("kd", record), "KID[inception@f58cb9b6,n=10000]");
  EXPECT_EQ(metric_title("classifier_score", record), "IS[inception@f58cb9b6,n=10000]");
  record.extractor = "inception_of_mine@f58cb9b6";
  EXPECT_EQ(metric_title("classifier_score", record), "classifier_score[inception_of_mine@f58cb9b6,n=10000]");
}

}  // namespace
}  // namespace slopegan
