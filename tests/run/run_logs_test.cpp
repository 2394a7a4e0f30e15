#include "run/run_logs.h"

#include <gtest/gtest.h>

#include "support/errors.h"
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

TEST(RunLogs, RequireRejectsShortOrMissingFilesAndCreatesNone) {
  const TemporaryDirectory directory;
  const RunPaths run(directory.path());
  EXPECT_THROW(RunLogs::require(run, {{"history.jsonl", 1}}), IoError);
  EXPECT_NO_THROW(RunLogs::require(run, {{"history.jsonl", 0}}));
  EXPECT_FALSE(std::filesystem::exists(run.history_file()));
  AppendFile(run.history_file()).append_line("{}");
  EXPECT_NO_THROW(RunLogs::require(run, {{"history.jsonl", 3}}));
  EXPECT_THROW(RunLogs::require(run, {{"history.jsonl", 4}}), IoError);
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
