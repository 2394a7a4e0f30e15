#include <filesystem>
#include <string>
#include <unistd.h>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "run/checkpoint.h"
#include "sample_checkpoints.h"
#include "temporary_directory.h"

/// Tests of `latest` and `best`, which are normally symlinks to checkpoints. On file systems without symlinks, they are
/// files that contain the name of a checkpoint. In copies made by programs that follow symlinks, they are directories.
namespace slopegan {
namespace {

using ::testing::ElementsAre;
namespace fs = std::filesystem;

class CheckpointLinksTest : public CheckpointDirectory {};

TEST_F(CheckpointLinksTest, TheBestCheckpointIsNotPrunedUntilAnotherIsMarked) {
  save(dir_, 1000, 2);
  mark_best(dir_, 1000);
  for (const std::int64_t images : {2000, 3000, 4000}) save(dir_, images, 2);
  EXPECT_THAT(names_in(dir_), ElementsAre("1000", "3000", "4000", "best", "latest"));
  EXPECT_EQ(images_in(load_checkpoint(dir_ / "best")), 1000);
  mark_best(dir_, 4000);
  save(dir_, 5000, 2);
  EXPECT_THAT(names_in(dir_), ElementsAre("4000", "5000", "best", "latest"));
}

TEST_F(CheckpointLinksTest, ADanglingBestSymlinkIsRemoved) {
  for (const std::int64_t images : {1000, 2000}) save(dir_, images);
  mark_best(dir_, 2000);
  remove_newer_checkpoints(dir_, 1000);
  mark_best(dir_, 500);  // the best checkpoint in the truncated metrics, 500, was pruned
  EXPECT_THAT(names_in(dir_), ElementsAre("1000", "latest"));
}

/// Replaces the symlinks with directories, as cp -rL, scp -r and zip do.
void follow_links(const fs::path& dir) {
  for (const char* name : {"latest", "best"}) {
    if (!fs::is_symlink(dir / name)) continue;
    const fs::path target = dir / fs::read_symlink(dir / name);
    fs::remove(dir / name);
    fs::copy(target, dir / name);
  }
}

TEST_F(CheckpointLinksTest, ACheckpointIsSavedInACopyWhoseSymlinksBecameDirectories) {
  for (const std::int64_t images : {1000, 2000, 3000}) save(dir_, images);
  mark_best(dir_, 1000);
  follow_links(dir_);
  save(dir_, 4000, 2);
  EXPECT_THAT(names_in(dir_), ElementsAre("1000", "3000", "4000", "best", "latest"));
  EXPECT_EQ(fs::read_symlink(dir_ / "best"), "1000");
  EXPECT_EQ(fs::read_symlink(dir_ / "latest"), "4000");
}

TEST_F(CheckpointLinksTest, ACheckpointIsReadFromACopyThatLacksTheNumberedDirectory) {
  for (const std::int64_t images : {1000, 2000}) save(dir_, images);
  mark_best(dir_, 1000);
  follow_links(dir_);
  fs::remove_all(dir_ / "2000");
  fs::remove_all(dir_ / "1000");
  std::vector<std::string> warnings;
  EXPECT_EQ(images_in(*load_newest(dir_, warnings)), 2000);
  EXPECT_THAT(warnings, ::testing::IsEmpty());
  EXPECT_EQ(resolve_checkpoint(temporary_.path()), dir_ / "latest");
  restore_links(dir_);
  EXPECT_THAT(names_in(dir_), ElementsAre("1000", "2000", "best", "latest"));
  EXPECT_EQ(images_in(load_checkpoint(dir_ / "2000")), 2000);
  EXPECT_EQ(fs::read_symlink(dir_ / "best"), "1000");
}

TEST_F(CheckpointLinksTest, ADamagedCheckpointIsReplacedByItsCopy) {
  save(dir_, 1000);
  follow_links(dir_);
  damage(dir_ / "1000");
  std::vector<std::string> warnings;
  EXPECT_EQ(load_newest(dir_, warnings)->directory, dir_ / "latest");
  restore_links(dir_);
  EXPECT_THAT(names_in(dir_), ElementsAre("1000", "1000-unreadable", "latest"));
  EXPECT_EQ(images_in(load_checkpoint(dir_ / "1000")), 1000);
}

TEST_F(CheckpointLinksTest, ACheckpointIsKeptIfItsCopyIsDamaged) {
  save(dir_, 1000);
  follow_links(dir_);
  damage(dir_ / "latest");
  save(dir_, 2000);
  EXPECT_THAT(names_in(dir_), ElementsAre("1000", "2000", "latest", "latest-unreadable"));
}

/// In containers, the new process often has the same process ID as the killed one.
TEST_F(CheckpointLinksTest, ACheckpointIsMarkedDespiteASymlinkLeftByAKilledProcess) {
  for (const std::int64_t images : {1000, 2000}) save(dir_, images);
  for (const std::string name : {"best", "latest"}) {
    fs::create_symlink("nowhere", dir_ / (".tmp-" + name + "-" + std::to_string(::getpid())));
  }
  mark_best(dir_, 1000);
  EXPECT_EQ(images_in(load_checkpoint(dir_ / "best")), 1000);
  remove_newer_checkpoints(dir_, 1000);
  EXPECT_THAT(names_in(dir_), ElementsAre("1000", "best", "latest"));
}

TEST_F(CheckpointLinksTest, ACheckpointIsFoundByItsPathOrThePathOfItsRun) {
  const fs::path run = temporary_.path();
  for (const std::int64_t images : {1000, 2000}) save(dir_, images);
  EXPECT_EQ(resolve_checkpoint(dir_ / "1000"), dir_ / "1000");
  EXPECT_EQ(resolve_checkpoint(dir_ / "1000/"), dir_ / "1000");
  EXPECT_EQ(resolve_checkpoint(dir_ / "latest"), dir_ / "2000");
  EXPECT_EQ(resolve_checkpoint(run), dir_ / "2000");
  fs::remove(dir_ / "latest");
  fs::create_symlink("1000", dir_ / "latest");  // left by a process that was killed after it saved 2000
  EXPECT_EQ(resolve_checkpoint(run), dir_ / "2000");
  fs::create_directory(dir_ / "3000");  // contains no manifest
  EXPECT_EQ(resolve_checkpoint(run), dir_ / "2000");
  fs::remove(dir_ / "latest");
  EXPECT_EQ(resolve_checkpoint(run), dir_ / "2000");
  fs::create_symlink("4000", dir_ / "latest");
  EXPECT_EQ(resolve_checkpoint(run), dir_ / "2000");
}

TEST_F(CheckpointLinksTest, ACheckpointIsFoundByTheFilesThatReplaceSymlinks) {
  save(dir_, 1000);
  for (const std::string name : {"latest", "best"}) {
    fs::remove(dir_ / name);
    overwrite(dir_ / name, "1000\n");
    EXPECT_TRUE(is_run_or_checkpoint(dir_ / name));
    EXPECT_EQ(resolve_checkpoint(dir_ / name), dir_ / "1000");
    overwrite(temporary_ / name, "weights");  // an unrelated file with this name
    EXPECT_FALSE(is_run_or_checkpoint(temporary_ / name));
  }
  for (const auto& path : {temporary_.path(), dir_ / "1000"}) EXPECT_TRUE(is_run_or_checkpoint(path)) << path;
  for (const auto& path : {dir_ / "1000/manifest.json", temporary_ / "missing"}) {
    EXPECT_FALSE(is_run_or_checkpoint(path)) << path;
  }
}

}  // namespace
}  // namespace slopegan
