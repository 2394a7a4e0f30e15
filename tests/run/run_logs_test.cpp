#include "run/run_logs.h"

#include <gtest/gtest.h>

#include "temporary_directory.h"

namespace slopegan {
namespace {

TEST(RunLogs, AreTruncatedToTheSizesInTheCheckpoint) {
  const TemporaryDirectory directory;
  RunLogs logs{RunPaths(directory.path())};
  logs.history.append_line("{\"images\":1}");
  logs.metrics.append_line("{}");
  const auto noted = logs.sizes();
  logs.history.append_line("{\"images\":2}");
  logs.diagnostics.append_line("{}");
  logs.truncate_to(noted);
  EXPECT_EQ(logs.sizes(), noted);
  EXPECT_EQ(read_file(directory.path() / "history.jsonl", 100), "{\"images\":1}\n");
  EXPECT_EQ(read_file(directory.path() / "diagnostics.jsonl", 100), "");
}

TEST(RunLogs, AreEmptiedIfTheCheckpointDoesNotListThem) {
  const TemporaryDirectory directory;
  RunLogs logs{RunPaths(directory.path())};
  logs.metrics.append_line("{}");
  logs.truncate_to({});
  EXPECT_EQ(logs.sizes().at("metrics.jsonl"), 0u);
}

}  // namespace
}  // namespace slopegan
