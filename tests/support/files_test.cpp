#include "support/files.h"

#include <algorithm>
#include <fstream>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "expect_error.h"
#include "file_size_limit.h"
#include "support/errors.h"
#include "support/posix_file.h"
#include "temporary_directory.h"

namespace slopegan {
namespace {

using ::testing::HasSubstr;
namespace fs = std::filesystem;

std::size_t entries(const fs::path& directory) {
  return static_cast<std::size_t>(std::distance(fs::directory_iterator(directory), {}));
}

TEST(MakeParentDirectories, CreatesOnlyTheDirectoriesAboveAFile) {
  const TemporaryDirectory directory;
  make_parent_directories(directory / "a/b/file.png");
  EXPECT_TRUE(fs::is_directory(directory / "a/b"));
  EXPECT_TRUE(fs::is_empty(directory / "a/b"));
  make_parent_directories("file.png");
  directory.write("file", "");
  EXPECT_THAT(message_of<IoError>([&] { make_parent_directories(directory / "file/b.png"); }),
              HasSubstr("file: Not a directory"));
}

TEST(ReadFile, ReturnsTheWholeContentUpToTheLimit) {
  const TemporaryDirectory directory;
  std::string content(300000, 'x');
  content[1000] = '\0';
  content[299999] = '\xff';
  std::ofstream(directory / "file", std::ios::binary) << content;
  EXPECT_EQ(read_file(directory / "file", content.size()), content);
  EXPECT_EQ(read_file(directory / "file", SIZE_MAX), content);
  const auto message = message_of<IoError>([&] { read_file(directory / "file", content.size() - 1); });
  EXPECT_THAT(message, HasSubstr("larger than 299999 bytes"));
}

TEST(ReadFile, ReadsAnEmptyFileAndAFileOfUnknownSize) {
  const TemporaryDirectory directory;
  std::ofstream(directory / "empty").flush();
  EXPECT_EQ(read_file(directory / "empty", 0), "");
  EXPECT_THAT(read_file("/proc/self/status", 1 << 20), HasSubstr("Pid:"));
}

TEST(ReadFile, NamesThePathAndTheReason) {
  const TemporaryDirectory directory;
  EXPECT_EQ(message_of<IoError>([&] { read_file(directory / "missing", 10); }),
            "cannot open " + (directory / "missing").string() + ": No such file or directory");
  EXPECT_THAT(message_of<IoError>([&] { read_file(directory.path(), 10); }), HasSubstr("Is a directory"));
}

TEST(ReadFile, LeavesNoControlCharactersInTheMessage) {
  EXPECT_THAT(message_of<IoError>([] { read_file("/no\nsuch\x1b[1m", 10); }), HasSubstr("/no?such?[1m:"));
}

TEST(ReadFile, RejectsPipesAndDevices) {
  const TemporaryDirectory directory;
  const fs::path pipe = directory / "pipe";
  ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
  EXPECT_EQ(message_of<IoError>([&] { read_file(pipe, 10); }),
            "cannot read " + pipe.string() + ": it is a pipe or a device");
  EXPECT_THAT(message_of<IoError>([] { read_file("/dev/zero", 10); }), HasSubstr("a pipe or a device"));
}

TEST(WriteFileAtomic, CreatesAndReplacesAndLeavesNoOtherFiles) {
  const TemporaryDirectory directory;
  write_file_atomic(directory / "file", "first");
  write_file_atomic(directory / "file", "second");
  EXPECT_EQ(read_file(directory / "file", 100), "second");
  EXPECT_EQ(entries(directory.path()), 1u);
}

TEST(WriteFileAtomic, KeepsTheOldContentIfTheDiskIsFull) {
  const TemporaryDirectory directory;
  write_file_atomic(directory / "file", "old");
  const std::string larger(10000, 'x');
  {
    const FileSizeLimit limit(5000);
    EXPECT_THROW(write_file_atomic(directory / "file", larger), IoError);
  }
  EXPECT_EQ(read_file(directory / "file", 100), "old");
  EXPECT_EQ(entries(directory.path()), 1u);
}

TEST(WriteFileAtomic, FailsIfTheTargetIsADirectoryOrItsDirectoryIsMissing) {
  const TemporaryDirectory directory;
  fs::create_directory(directory / "taken");
  EXPECT_THROW(write_file_atomic(directory / "taken", "x"), IoError);
  EXPECT_EQ(entries(directory.path()), 1u);
  EXPECT_THROW(write_file_atomic(directory / "missing/file", "x"), IoError);
}

TEST(WriteFileAtomic, ReplacesNeitherPipesNorDevices) {
  const TemporaryDirectory directory;
  ASSERT_EQ(::mkfifo((directory / "pipe").c_str(), 0600), 0);
  fs::create_symlink("pipe", directory / "link");
  fs::create_symlink("/dev/null", directory / "null");
  fs::create_symlink("/proc/self/fd/1", directory / "stdout");  // like /dev/stdout; may be a regular file
  for (const char* name : {"pipe", "link", "null", "stdout"}) {
    const auto before = fs::symlink_status(directory / name).type();
    const auto refused = HasSubstr(std::string(name) + ": it is a pipe or a device; choose the name of a file");
    EXPECT_THAT(message_of<IoError>([&] { write_file_atomic(directory / name, "x"); }), refused);
    EXPECT_THAT(message_of<IoError>([&] { PendingFile(directory / name); }), refused);
    EXPECT_THAT(message_of<UsageError>([&] { require_free(directory / name, /*overwrite=*/true); }),
                HasSubstr(std::string(name) + " is a pipe or a device"));
    EXPECT_EQ(fs::symlink_status(directory / name).type(), before);
  }
  EXPECT_EQ(entries(directory.path()), 4u);
  directory.write("file", "old");
  fs::create_symlink("file", directory / "link to a file");
  write_file_atomic(directory / "link to a file", "new");
  EXPECT_EQ(read_file(directory / "link to a file", 10), "new");
  EXPECT_EQ(read_file(directory / "file", 10), "old");
}

TEST(Directories, AreCreatedRemovedAndSynced) {
  const TemporaryDirectory directory;
  make_directories(directory / "a/b");
  make_directories(directory / "a/b");
  sync_directory(directory / "a");
  EXPECT_TRUE(fs::is_directory(directory / "a/b"));
  remove_tree(directory / "a");
  remove_tree(directory / "a");
  EXPECT_FALSE(fs::exists(directory / "a"));
  EXPECT_THROW(sync_directory(directory / "a"), IoError);
  EXPECT_THROW(rename_path(directory / "a", directory / "b"), IoError);
  std::ofstream(directory / "file") << "x";
  EXPECT_THROW(make_directories(directory / "file"), IoError);
}

TEST(AppendFile, AppendsAndTruncatesLines) {
  const TemporaryDirectory directory;
  const auto path = directory / "lines";
  {
    AppendFile file(path);
    EXPECT_EQ(file.size(), 0u);
    file.append_line("one");
    file.append_line("");
  }
  AppendFile file(path);
  EXPECT_EQ(file.size(), 5u);
  file.append_line("three");
  file.sync();
  EXPECT_EQ(read_file(path, 100), "one\n\nthree\n");
  file.truncate_to(4);
  file.append_line("two");
  EXPECT_EQ(read_file(path, 100), "one\ntwo\n");
}

TEST(AppendFile, RejectsALineWithANewlineAndTruncationBeyondTheEnd) {
  const TemporaryDirectory directory;
  AppendFile file(directory / "lines");
  EXPECT_THROW(file.append_line("a\nb"), std::invalid_argument);
  file.append_line("abc");
  EXPECT_THAT(message_of<IoError>([&] { file.truncate_to(5); }), HasSubstr("has 4 bytes, expected at least 5"));
  EXPECT_EQ(file.size(), 4u);
}

TEST(AppendFile, KeepsCompleteLinesIfTheDiskIsFull) {
  const TemporaryDirectory directory;
  AppendFile file(directory / "lines");
  file.append_line("abc");
  {
    const FileSizeLimit limit(10);
    EXPECT_THROW(file.append_line("a longer line"), IoError);
  }
  EXPECT_EQ(read_file(directory / "lines", 100), "abc\n");
  file.append_line("def");
  EXPECT_EQ(read_file(directory / "lines", 100), "abc\ndef\n");
}

TEST(WriteFileAtomic, WritesTheSameContentWithSyncLater) {
  const TemporaryDirectory directory;
  write_file_atomic(directory / "file", "old", Sync::later);
  write_file_atomic(directory / "file", "new", Sync::later);
  EXPECT_EQ(read_file(directory / "file", 10), "new");
  EXPECT_EQ(entries(directory.path()), 1u);
  sync_file_system(directory.path());
  EXPECT_THROW(sync_file_system(directory / "missing"), IoError);
}

TEST(PendingFile, AppearsOnlyAfterCommit) {
  const TemporaryDirectory directory;
  std::ofstream(directory / "file") << "old";
  {
    const PendingFile given_up(directory / "file");
    std::ofstream(given_up.temporary()) << "half";
    EXPECT_TRUE(given_up.temporary().filename().native().starts_with(temporary_prefix));
  }
  EXPECT_EQ(read_file(directory / "file", 10), "old");
  EXPECT_EQ(entries(directory.path()), 1u);
  PendingFile whole(directory / "file");
  std::ofstream(whole.temporary()) << "new";
  whole.commit();
  EXPECT_EQ(read_file(directory / "file", 10), "new");
  EXPECT_EQ(entries(directory.path()), 1u);
  PendingFile empty(directory / "file");  // never written
  EXPECT_THAT(message_of<IoError>([&] { empty.commit(); }), HasSubstr((directory / "file").string()));
}

TEST(AppendFile, ReportsAFullDevice) {
  EXPECT_EQ(message_of<IoError>([] { AppendFile("/dev/full").append_line("x"); }),
            "cannot write /dev/full: No space left on device");
}

TEST(MappedFile, RemainsValidAfterTheFileIsUnlinked) {
  const TemporaryDirectory directory;
  const auto path = directory.write("a", "0123");
  const MappedFile file(path);
  std::filesystem::remove(path);
  ASSERT_EQ(file.bytes().size(), 4u);
  EXPECT_EQ(file.bytes()[3], std::byte{'3'});
  EXPECT_TRUE(MappedFile(directory.write("empty", "")).bytes().empty());
}

TEST(MappedFile, NamesAMissingFileOrADirectory) {
  const TemporaryDirectory directory;
  EXPECT_THAT(message_of<IoError>([&] { MappedFile file(directory / "nothing"); }), ::testing::HasSubstr("nothing"));
  EXPECT_THAT(message_of<IoError>([&] { MappedFile file(directory.path()); }), ::testing::HasSubstr("directory"));
}

}  // namespace
}  // namespace slopegan
