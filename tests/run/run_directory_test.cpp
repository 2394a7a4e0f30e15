#include "run/run_directory.h"

#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "expect_error.h"
#include "support/errors.h"
#include "temporary_directory.h"

namespace slopegan {
namespace {

using ::testing::HasSubstr;
namespace fs = std::filesystem;

void touch(const fs::path& file) { std::ofstream(file) << "x"; }

TEST(RunPaths, MatchTheDocumentation) {
  const RunPaths paths("outputs/x");
  EXPECT_EQ(paths.config_file(), "outputs/x/config.yaml");
  EXPECT_EQ(paths.history_file(), "outputs/x/history.jsonl");
  EXPECT_EQ(paths.samples_file(20000), "outputs/x/samples/20000.png");
  EXPECT_EQ(paths.checkpoints_dir(), "outputs/x/checkpoints");
}

TEST(RunDirectory, IsCreatedWithItsParentsAndLocked) {
  const TemporaryDirectory directory;
  const fs::path root = directory / "outputs/x";
  {
    const RunDirectory run = RunDirectory::create(root);
    EXPECT_TRUE(fs::is_directory(root));
    EXPECT_EQ(run.root(), root);
    EXPECT_THROW(RunDirectory::create(root), BusyError);
    EXPECT_THAT(message_of<BusyError>([&] { RunDirectory::open(root); }), HasSubstr(root.string() + " is in use by"));
    touch(run.config_file());
    EXPECT_THROW(RunDirectory::create(root), BusyError);
  }
  EXPECT_EQ(RunDirectory::open(root).config_file(), root / "config.yaml");
}

TEST(RunDirectory, IsNotCreatedOverAnExistingRun) {
  const TemporaryDirectory directory;
  const fs::path root = directory / "x";
  touch(RunDirectory::create(root).config_file());
  EXPECT_EQ(message_of<UsageError>([&] { RunDirectory::create(root); }),
            root.string() + " already exists; resume it with --resume auto, or choose another name with run.name=...");
}

TEST(RunDirectory, CanBeCreatedAgainWhileEmpty) {
  const TemporaryDirectory directory;
  RunDirectory::create(directory / "x");
  EXPECT_NO_THROW(RunDirectory::create(directory / "x"));
  fs::create_directory(directory / "y");
  EXPECT_NO_THROW(RunDirectory::create(directory / "y"));
}

TEST(RunDirectory, IsDiscardedWithItsNewParentsIfNothingWasTrained) {
  const TemporaryDirectory directory;
  const fs::path root = directory / "outputs/deep/x";
  const RunDirectory run = RunDirectory::create(root);
  touch(run.config_file());
  std::ofstream(run.history_file()).flush();
  run.discard_if_unused();
  EXPECT_TRUE(fs::is_empty(directory.path()));
}

TEST(RunDirectory, IsNotDiscardedIfItExistedBeforeOrHasResults) {
  const TemporaryDirectory directory;
  const fs::path root = directory / "x", empty = directory / "empty", used = directory / "used";
  touch(RunDirectory::create(root).config_file());
  RunDirectory::open(root).discard_if_unused();
  EXPECT_TRUE(fs::exists(root / "config.yaml"));
  fs::create_directory(empty);
  const RunDirectory filled = RunDirectory::create(empty);
  touch(filled.config_file());
  filled.discard_if_unused();
  EXPECT_TRUE(fs::is_empty(empty));
  const RunDirectory trained = RunDirectory::create(used);
  touch(trained.history_file());
  trained.discard_if_unused();
  EXPECT_TRUE(fs::exists(trained.history_file()));
}

TEST(RunDirectory, RemovesTemporaryFilesOfAKilledProcess) {
  const TemporaryDirectory directory;
  const fs::path root = directory / "x";
  touch(RunDirectory::create(root).config_file());
  fs::create_directory(root / "samples");
  for (const char* name : {".tmp-run.json-1-0", "samples/.tmp-20000.png-1-0", "samples/20000.png"}) touch(root / name);
  const RunDirectory run = RunDirectory::open(root);
  EXPECT_FALSE(fs::exists(root / ".tmp-run.json-1-0"));
  EXPECT_FALSE(fs::exists(root / "samples/.tmp-20000.png-1-0"));
  EXPECT_TRUE(fs::exists(root / "samples/20000.png"));
}

TEST(RunDirectory, DetectsThatItWasRemovedOrReplaced) {
  const TemporaryDirectory directory;
  const fs::path root = directory / "x";
  const RunDirectory run = RunDirectory::create(root);
  EXPECT_NO_THROW(run.check_in_place());
  fs::rename(root, directory / "elsewhere");
  const auto reason = [&] { return message_of<IoError>([&] { run.check_in_place(); }); };
  EXPECT_EQ(reason(), root.string() + " was removed or replaced while it was in use");
  const RunDirectory other = RunDirectory::create(root);
  EXPECT_THAT(reason(), HasSubstr("was removed or replaced"));
  EXPECT_NO_THROW(other.check_in_place());
}

TEST(RunDirectory, LeavesNoFilesInAFolderThatIsNotARun) {
  const TemporaryDirectory directory;
  touch(directory / "somebody's file");
  EXPECT_THROW(RunDirectory::create(directory.path()), UsageError);
  EXPECT_FALSE(fs::exists(directory / ".lock"));
}

TEST(RunDirectory, IsNotOpenedInAUsersFolderThatContainsAConfiguration) {
  const TemporaryDirectory directory;
  touch(directory / "config.yaml");
  fs::create_directories(directory / "checkpoints/best model");
  EXPECT_THAT(message_of<UsageError>([&] { RunDirectory::open(directory.path()); }),
              HasSubstr("exists and is not a run"));
  EXPECT_FALSE(fs::exists(directory / ".lock"));
}

TEST(RunDirectory, IsOpenedAfterAnEarlyKillAndInACopyWithoutHiddenFiles) {
  const TemporaryDirectory directory;
  fs::create_directory(directory / "killed first");
  touch(directory / "killed first/.lock");
  EXPECT_NO_THROW(RunDirectory::open(directory / "killed first"));
  for (const char* written : {".lock", "run.json", "checkpoints/64/manifest.json"}) {
    const fs::path root = directory / ("with " + fs::path(written).filename().string());
    fs::create_directories((root / written).parent_path());
    touch(root / "config.yaml");
    touch(root / written);
    EXPECT_NO_THROW(RunDirectory::open(root)) << written;
  }
}

TEST(RunDirectory, IsNotCreatedThroughASymlinkButMayBeOpenedThroughOne) {
  const TemporaryDirectory directory;
  fs::create_directory(directory / "elsewhere");
  fs::create_symlink("elsewhere", directory / "x");
  EXPECT_THAT(message_of<UsageError>([&] { RunDirectory::create(directory / "x"); }), HasSubstr("x is a symlink"));
  EXPECT_TRUE(fs::is_empty(directory / "elsewhere"));
  fs::create_symlink("nowhere", directory / "y");
  EXPECT_THROW(RunDirectory::create(directory / "y"), UsageError);
  EXPECT_FALSE(fs::exists(directory / "nowhere"));
  for (const char* name : {"elsewhere/config.yaml", "elsewhere/run.json"}) touch(directory / name);
  EXPECT_NO_THROW(RunDirectory::open(directory / "x"));
}

TEST(RunDirectory, CannotReplaceAFile) {
  const TemporaryDirectory directory;
  touch(directory / "file");
  EXPECT_THROW(RunDirectory::create(directory / "file"), IoError);
  EXPECT_THROW(RunDirectory::open(directory / "file"), UsageError);
  EXPECT_THROW(RunDirectory::open(directory / "missing"), UsageError);
}

}  // namespace
}  // namespace slopegan
