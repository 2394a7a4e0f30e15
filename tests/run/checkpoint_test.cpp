#include "run/checkpoint.h"

#include <algorithm>
#include <fstream>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "expect_error.h"
#include "file_size_limit.h"
#include "sample_checkpoints.h"
#include "support/files.h"
#include "support/random.h"
#include "temporary_directory.h"

namespace slopegan {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
namespace fs = std::filesystem;

class CheckpointTest : public CheckpointDirectory {};

TEST_F(CheckpointTest, RoundTrips) {
  save(dir_, 60000);
  const Checkpoint loaded = load_checkpoint(dir_ / "60000");
  EXPECT_EQ(loaded.info, info_at(60000));
  EXPECT_EQ(loaded.directory, dir_ / "60000");
  const NamedTensors expected = state_at(60000);
  ASSERT_EQ(loaded.tensors.size(), expected.size());
  for (const auto& [name, tensor] : expected) EXPECT_TRUE(torch::equal(loaded.tensors.at(name), tensor)) << name;
  EXPECT_THAT(names_in(dir_), ElementsAre("60000", "latest"));
  EXPECT_THAT(names_in(dir_ / "60000"), ElementsAre("manifest.json", "state.safetensors"));
  EXPECT_EQ(fs::read_symlink(dir_ / "latest"), "60000");
}

TEST_F(CheckpointTest, ReplacesInvalidUtf8InTheConfiguration) {
  CheckpointInfo info = info_at(1);
  info.config_yaml = "path: /data/\xff\n";
  save_checkpoint(dir_, info, state_at(1), 2);
  EXPECT_EQ(load_checkpoint(dir_ / "1").info.config_yaml, "path: /data/\xef\xbf\xbd\n");
}

TEST_F(CheckpointTest, KeepsTheNewestAndTheBest) {
  for (const std::int64_t images : {900, 1000, 2000}) save(dir_, images);
  fs::create_symlink("1000", dir_ / "best");
  save(dir_, 10000, 2);
  EXPECT_THAT(names_in(dir_), ElementsAre("1000", "10000", "2000", "best", "latest"));
  EXPECT_EQ(fs::read_symlink(dir_ / "latest"), "10000");
}

TEST_F(CheckpointTest, KeepsTheCheckpointJustWrittenAndTheTwoNewest) {
  for (const std::int64_t images : {1000, 2000, 3000}) save(dir_, images);
  save(dir_, 500, 0);
  EXPECT_THAT(names_in(dir_), ElementsAre("2000", "3000", "500", "latest"));
  EXPECT_EQ(fs::read_symlink(dir_ / "latest"), "500");
}

TEST_F(CheckpointTest, PrunesOnlyCheckpointDirectories) {
  fs::create_directories(dir_ / "007");
  fs::create_directories(dir_ / "notes");
  overwrite(dir_ / "5", "a file");
  for (const std::int64_t images : {0, 1, 2}) save(dir_, images, 1);
  EXPECT_THAT(names_in(dir_), ElementsAre("007", "1", "2", "5", "latest", "notes"));
}

TEST_F(CheckpointTest, IgnoresAndRemovesTheFilesOfAnInterruptedWriter) {
  save(dir_, 1000);
  fs::create_directories(dir_ / ".tmp-2000-99999");
  overwrite(dir_ / ".tmp-2000-99999/state.safetensors", "half");
  fs::create_symlink("2000", dir_ / ".tmp-latest-99999");
  std::vector<std::string> warnings;
  EXPECT_EQ(images_in(*load_newest(dir_, warnings)), 1000);
  EXPECT_TRUE(warnings.empty());
  save(dir_, 3000);
  EXPECT_THAT(names_in(dir_), ElementsAre("1000", "3000", "latest"));
}

/// Saves checkpoints in a child process, and kills the process `microseconds` after it has saved the first checkpoint.
void save_until_killed(const fs::path& directory, std::int64_t first, useconds_t microseconds) {
  int saved[2];
  ASSERT_EQ(::pipe(saved), 0);
  const pid_t child = ::fork();
  if (child == 0) {
    for (std::int64_t images = first;; ++images) {
      save(directory, images, 2);
      if (::write(saved[1], "x", 1) != 1) ::_exit(1);
    }
  }
  char answer;
  EXPECT_EQ(::read(saved[0], &answer, 1), 1);
  ::usleep(microseconds);
  ::kill(child, SIGKILL);
  EXPECT_EQ(::waitpid(child, nullptr, 0), child);
  for (const int end : saved) ::close(end);
}

TEST_F(CheckpointTest, AWriterKilledAtAnyTimeLeavesOnlyCompleteCheckpoints) {
  std::int64_t newest = 1;
  save(dir_, newest);
  RandomStream random(0, "kill");
  for (int trial = 0; trial < 20; ++trial) {
    save_until_killed(dir_, newest + 1, random.below(20000));
    std::vector<std::string> warnings;
    const auto loaded = load_newest(dir_, warnings);
    ASSERT_TRUE(loaded.has_value());
    EXPECT_TRUE(warnings.empty());
    EXPECT_GT(images_in(*loaded), newest);
    newest = images_in(*loaded);
    for (const auto& directory : list_checkpoints(dir_)) EXPECT_NO_THROW(load_checkpoint(directory));
    EXPECT_NO_THROW(load_checkpoint(dir_ / "latest"));
  }
}

TEST_F(CheckpointTest, AnIntactCheckpointWithTheSameContentIsNotReplaced) {
  save(dir_, 1000);
  const auto before = fs::last_write_time(dir_ / "1000/state.safetensors");
  overwrite(dir_ / "1000/note.txt", "still here");
  save(dir_, 1000);
  EXPECT_TRUE(fs::exists(dir_ / "1000/note.txt"));
  EXPECT_EQ(fs::last_write_time(dir_ / "1000/state.safetensors"), before);
  EXPECT_THAT(names_in(dir_), ElementsAre("1000", "latest"));
}

TEST_F(CheckpointTest, ADamagedCheckpointWithTheSameNumberIsReplaced) {
  save(dir_, 1000);
  damage(dir_ / "1000");
  save(dir_, 1000);
  EXPECT_EQ(images_in(load_checkpoint(dir_ / "1000")), 1000);
  EXPECT_THAT(names_in(dir_), ElementsAre("1000", "latest"));
}

TEST_F(CheckpointTest, ACheckpointWithTheSameNumberButDifferentContentIsReplaced) {
  save(dir_, 1000);
  save_checkpoint(dir_, info_at(1000), state_at(1), 2);
  EXPECT_EQ(images_in(load_checkpoint(dir_ / "1000")), 1);
  CheckpointInfo info = info_at(1000);
  info.file_offsets["history.jsonl"] = 7;
  save_checkpoint(dir_, info, state_at(1), 2);
  EXPECT_EQ(load_checkpoint(dir_ / "1000").info.file_offsets.at("history.jsonl"), 7u);
  EXPECT_THAT(names_in(dir_), ElementsAre("1000", "latest"));
}

TEST_F(CheckpointTest, EarlierCheckpointsAreKeptIfTheDiskIsFull) {
  save(dir_, 1000);
  NamedTensors large = state_at(2000);
  large["large"] = at::zeros({100000});
  {
    const FileSizeLimit limit(50000);
    EXPECT_THROW(save_checkpoint(dir_, info_at(2000), large, 1), IoError);
    EXPECT_THROW(save_checkpoint(dir_, info_at(1000), large, 1), IoError);
  }
  EXPECT_THAT(names_in(dir_), ElementsAre("1000", "latest"));
  EXPECT_EQ(images_in(load_checkpoint(dir_ / "latest")), 1000);
}

TEST_F(CheckpointTest, CannotBeSavedIfTheDirectoryIsAFileOrTheNumberIsNegative) {
  overwrite(dir_, "x");
  EXPECT_THROW(save(dir_, 1000), IoError);
  EXPECT_THROW(save(temporary_ / "other", -1), std::invalid_argument);
}

TEST_F(CheckpointTest, TheErrorNamesTheDamagedFile) {
  save(dir_, 1000);
  const fs::path checkpoint = dir_ / "1000";
  const std::string state = (checkpoint / "state.safetensors").string();
  const std::string content = read_file(state, 1 << 20);
  const auto reason = [&] { return message_of<CheckpointError>([&] { load_checkpoint(checkpoint); }); };

  damage(checkpoint);
  EXPECT_EQ(reason(), state + ": the file is damaged (wrong SHA-256)");
  overwrite(state, content.substr(1));
  EXPECT_THAT(reason(), HasSubstr(state + ": the file has " + std::to_string(content.size() - 1) + " bytes"));
  fs::remove(state);
  EXPECT_THAT(reason(), HasSubstr(state + ": the file is in the manifest, but is missing"));
  fs::remove(checkpoint / "manifest.json");
  EXPECT_THAT(reason(), HasSubstr("manifest.json: No such file"));
}

TEST_F(CheckpointTest, RejectsANewerFormat) {
  save(dir_, 1000);
  save(dir_, 2000);
  auto manifest = nlohmann::json::parse(read_file(dir_ / "2000/manifest.json", 1 << 20));
  manifest.erase("manifest_sha256");
  manifest["format_version"] = 2;
  manifest["slopegan"] = "9.0.0";
  overwrite(dir_ / "2000/manifest.json", sealed(manifest.dump()));
  EXPECT_EQ(message_of<NewerFormatError>([&] { load_checkpoint(dir_ / "2000"); }),
            (dir_ / "2000/manifest.json").string() +
                ": format version 2, written by slopegan 9.0.0; this slopegan reads versions up to 1");
  std::vector<std::string> warnings;
  EXPECT_THROW(load_newest(dir_, warnings), NewerFormatError);
}

TEST_F(CheckpointTest, TheNewestCheckpointHasTheLargestNumber) {
  std::vector<std::string> warnings;
  EXPECT_FALSE(load_newest(dir_, warnings).has_value());
  for (const std::int64_t images : {0, 900, 10000}) save(dir_, images);
  EXPECT_EQ(images_in(*load_newest(dir_, warnings)), 10000);
  EXPECT_TRUE(warnings.empty());
  EXPECT_THAT(list_checkpoints(dir_), ElementsAre(dir_ / "10000", dir_ / "900", dir_ / "0"));
}

TEST_F(CheckpointTest, DamagedCheckpointsAreSkippedWithAWarning) {
  for (const std::int64_t images : {1000, 2000, 3000, 4000}) save(dir_, images);
  damage(dir_ / "4000");
  overwrite(dir_ / "3000/manifest.json", "{");
  std::vector<std::string> warnings;
  EXPECT_EQ(images_in(*load_newest(dir_, warnings)), 2000);
  EXPECT_THAT(warnings, ElementsAre(HasSubstr("4000/state.safetensors"), HasSubstr("3000/manifest.json")));
}

TEST_F(CheckpointTest, TheErrorListsAllCheckpointsIfAllAreDamaged) {
  save(dir_, 1000);
  save(dir_, 2000);
  damage(dir_ / "1000");
  fs::remove(dir_ / "2000/state.safetensors");
  std::vector<std::string> warnings;
  const auto message = message_of<CheckpointError>([&] { load_newest(dir_, warnings); });
  EXPECT_THAT(message, HasSubstr("1000/state.safetensors"));
  EXPECT_THAT(message, HasSubstr("2000/state.safetensors"));
}

TEST_F(CheckpointTest, IsSkippedIfItsDirectoryHasADifferentNumber) {
  for (const std::int64_t images : {1000, 2000}) save(dir_, images);
  fs::rename(dir_ / "2000", dir_ / "3000");
  std::vector<std::string> warnings;
  EXPECT_EQ(images_in(*load_newest(dir_, warnings)), 1000);
  EXPECT_THAT(warnings, ElementsAre(HasSubstr("3000/manifest.json: the number of images, 2000, does not match")));
}

TEST_F(CheckpointTest, ASymlinkOutOfTheRunIsNotFollowed) {
  save(dir_, 1000);
  save(temporary_ / "elsewhere", 2000);
  for (const auto& target : {(temporary_ / "elsewhere/2000").string(), std::string("../elsewhere/2000")}) {
    fs::remove(dir_ / "latest");
    fs::create_symlink(target, dir_ / "latest");
    EXPECT_EQ(resolve_checkpoint(temporary_.path()), dir_ / "1000") << target;
  }
}

TEST_F(CheckpointTest, RejectsAnInvalidConfiguration) {
  save(dir_, 1000);
  auto checkpoint = load_checkpoint(dir_ / "1000");
  EXPECT_EQ(checkpoint_config(checkpoint).run.name, Config{}.run.name);
  checkpoint.info.config_yaml = "generator:\n  width: 8\n  charm: 1\n";
  EXPECT_THAT(message_of<CheckpointError>([&] { checkpoint_config(checkpoint); }),
              HasSubstr("1000/manifest.json, config:3: generator.charm is not a key"));
}

TEST_F(CheckpointTest, AnUnreadableNewerCheckpointIsRenamedOnResume) {
  for (const std::int64_t images : {1000, 2000, 3000}) save(dir_, images);
  damage(dir_ / "3000");
  EXPECT_THAT(remove_newer_checkpoints(dir_, 1000), ElementsAre(dir_ / "2000"));
  EXPECT_THAT(names_in(dir_), ElementsAre("1000", "3000-unreadable", "latest"));
}

TEST_F(CheckpointTest, UsesTheAbsoluteDataPathIfTheConfiguredPathDoesNotExist) {
  save(dir_, 1000);
  auto checkpoint = load_checkpoint(dir_ / "1000");
  checkpoint.info.config_yaml = "data: {path: data/not-here}\n";
  EXPECT_EQ(checkpoint_config(checkpoint).data.path, "data/not-here");
  checkpoint.info.data_path = temporary_.path();
  EXPECT_EQ(checkpoint_config(checkpoint).data.path, temporary_.path());
  checkpoint.info.config_yaml = "data: {path: " + dir_.string() + "}\n";
  EXPECT_EQ(checkpoint_config(checkpoint).data.path, dir_);
}

TEST_F(CheckpointTest, OnlyNewerCheckpointsAreRemovedOnResume) {
  for (const std::int64_t images : {1000, 2000, 3000}) save(dir_, images, /*keep=*/5);
  EXPECT_EQ(remove_newer_checkpoints(dir_, 1000), (std::vector<fs::path>{dir_ / "3000", dir_ / "2000"}));
  EXPECT_EQ(list_checkpoints(dir_), std::vector<fs::path>{dir_ / "1000"});
  EXPECT_EQ(fs::read_symlink(dir_ / "latest"), "1000");
  EXPECT_TRUE(remove_newer_checkpoints(dir_, 1000).empty());
}

TEST_F(CheckpointTest, FilesOfAKilledProcessWithTheSameIdDoNotInterfere) {
  const auto leave = [&](const std::string& name) {
    const std::string temporary = ".tmp-" + name + '-' + std::to_string(::getpid());
    fs::create_directories(dir_ / temporary);
    overwrite(dir_ / temporary / "state.safetensors", "half");
  };
  for (const std::int64_t images : {1000, 2000, 3000}) {
    for (const std::string name : {"latest", "1000", "2000", "3000"}) leave(name);
    save(dir_, images);
  }
  for (const std::string name : {"latest", "2000", "3000"}) leave(name);
  remove_newer_checkpoints(dir_, 1000);
  EXPECT_THAT(names_in(dir_), ElementsAre("1000", "latest"));
}

TEST_F(CheckpointTest, TheErrorDescribesAPathThatIsNotACheckpoint) {
  const auto reason = [](const fs::path& path) {
    return message_of<CheckpointError>([&] { resolve_checkpoint(path); });
  };
  EXPECT_THAT(reason(temporary_ / "missing"), HasSubstr("missing does not exist"));
  EXPECT_THAT(reason(temporary_.path()), HasSubstr("is neither a checkpoint"));
  overwrite(temporary_ / "file", "x");
  EXPECT_THAT(reason(temporary_ / "file"), HasSubstr("is neither a checkpoint"));
  fs::create_directory(dir_);
  EXPECT_THAT(reason(temporary_.path()), HasSubstr("is a run that has no checkpoints"));
  fs::create_directories(temporary_ / "sweep/runs/arm");
  EXPECT_THAT(reason(temporary_ / "sweep"), HasSubstr("is a sweep"));
}

}  // namespace
}  // namespace slopegan
