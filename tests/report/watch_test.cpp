#include "report/watch.h"

#include <fstream>

#include <gtest/gtest.h>

#include "temporary_directory.h"

namespace slopegan {
namespace {

TEST(StateOfResults, ChangesWithWhatAReportShowsAndWithNothingElse) {
  const TemporaryDirectory directory;
  for (const char* folder : {"runs/arm/samples", "runs/arm/checkpoints/640"}) {
    std::filesystem::create_directories(directory / folder);
  }
  std::string before = state_of_results(directory.path());
  const auto changes = [&](const std::string& name) {
    std::ofstream(directory / name, std::ios::app) << "x";
    const auto after = state_of_results(directory.path());
    const bool changed = after != before;
    before = after;
    return changed;
  };
  for (const char* name :
       {"sweep.yaml", "results.csv", "runs/arm/history.jsonl", "runs/arm/history.jsonl", "runs/arm/samples/640.png"}) {
    EXPECT_TRUE(changes(name)) << name;
  }
  for (const char* name : {"report.html", ".tmp-x", "runs/arm/log.txt", "runs/arm/.lock",
                           "runs/arm/events.out.tfevents.1.slopegan", "runs/arm/checkpoints/640/manifest.json"}) {
    EXPECT_FALSE(changes(name)) << name;
  }
  std::filesystem::remove(directory / "runs/arm/samples/640.png");
  EXPECT_NE(state_of_results(directory.path()), before);
  EXPECT_EQ(state_of_results(directory / "nothing"), "");
}

}  // namespace
}  // namespace slopegan
