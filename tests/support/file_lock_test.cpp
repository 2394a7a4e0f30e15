#include "support/file_lock.h"

#include <chrono>
#include <fstream>
#include <optional>
#include <signal.h>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "expect_error.h"
#include "support/errors.h"
#include "support/log.h"
#include "temporary_directory.h"

namespace slopegan {
namespace {

using ::testing::HasSubstr;
namespace fs = std::filesystem;

/// Starts a process that holds a lock for `seconds` or until it is killed.
pid_t start_holder(const fs::path& lock, int seconds = 3600) {
  int ready[2];
  EXPECT_EQ(::pipe(ready), 0);
  const pid_t child = ::fork();
  if (child == 0) {
    const FileLock held(lock, lock.parent_path());
    [[maybe_unused]] const auto told = ::write(ready[1], "x", 1);
    std::this_thread::sleep_for(std::chrono::seconds(seconds));
    ::_exit(0);
  }
  char answer;
  EXPECT_EQ(::read(ready[0], &answer, 1), 1);
  ::close(ready[0]);
  ::close(ready[1]);
  return child;
}

TEST(FileLock, NamesTheHolderAndIsReleasedWhenTheHolderIsKilled) {
  const TemporaryDirectory directory;
  const auto file = directory / ".lock";
  const pid_t child = start_holder(file);
  EXPECT_EQ(message_of<BusyError>([&] { FileLock(file, directory.path()); }),
            directory.path().string() + " is in use by process " + std::to_string(child));
  ::kill(child, SIGKILL);
  ASSERT_EQ(::waitpid(child, nullptr, 0), child);
  EXPECT_NO_THROW(FileLock(file, directory.path()));
}

TEST(FileLock, ExcludesTheSameProcessAndIsReleasedOnDestruction) {
  const TemporaryDirectory directory;
  {
    const FileLock held(directory / ".lock", directory.path());
    EXPECT_THROW(FileLock(directory / ".lock", directory.path()), BusyError);
  }
  EXPECT_NO_THROW(FileLock(directory / ".lock", directory.path()));
}

TEST(FileLock, CanBeMoved) {
  const TemporaryDirectory directory;
  std::optional<FileLock> first(std::in_place, directory / ".lock", directory.path());
  const FileLock second = std::move(*first);
  first.reset();
  EXPECT_THROW(FileLock(directory / ".lock", directory.path()), BusyError);
}

TEST(FileLock, IsNotInheritedByChildProcesses) {
  const TemporaryDirectory directory;
  std::optional<FileLock> held(std::in_place, directory / ".lock", directory.path());
  int pipe_to_child[2];
  ASSERT_EQ(::pipe(pipe_to_child), 0);
  int started[2];
  ASSERT_EQ(::pipe(started), 0);
  const pid_t child = ::fork();
  if (child == 0) {
    ::dup2(pipe_to_child[0], 0);
    ::dup2(started[1], 1);
    ::close(pipe_to_child[1]);
    ::execl("/bin/sh", "sh", "-c", "echo; read line", nullptr);
    ::_exit(127);
  }
  char answer;
  ASSERT_EQ(::read(started[0], &answer, 1), 1);  // the child is running
  held.reset();
  EXPECT_NO_THROW(FileLock(directory / ".lock", directory.path()));
  for (const int end : {pipe_to_child[0], pipe_to_child[1], started[0], started[1]}) ::close(end);
  EXPECT_EQ(::waitpid(child, nullptr, 0), child);
}

TEST(FileLock, NamesNoProcessIfTheFileContainsNoId) {
  const TemporaryDirectory directory;
  const FileLock held(directory / ".lock", directory.path());
  std::ofstream(directory / ".lock") << "nonsense";
  EXPECT_THAT(message_of<BusyError>([&] { FileLock(directory / ".lock", directory.path()); }),
              HasSubstr("in use by another process"));
  EXPECT_THROW(FileLock(directory / "missing/.lock", directory.path()), IoError);
}

TEST(FileLock, NamesTheMachineOfAHolderOnAnotherMachine) {
  const TemporaryDirectory directory;
  const FileLock held(directory / ".lock", directory.path());
  std::ofstream(directory / ".lock") << "17 another-node 123";
  EXPECT_EQ(lock_holder(directory / ".lock"), "process 17 on another-node");
}

TEST(LockHolder, IsKnownOnlyWhileTheLockIsHeld) {
  const TemporaryDirectory directory;
  EXPECT_EQ(lock_holder(directory / ".lock"), std::nullopt);
  {
    const FileLock held(directory / ".lock", directory.path());
    EXPECT_EQ(lock_holder(directory / ".lock"), "process " + std::to_string(::getpid()));
  }
  EXPECT_EQ(lock_holder(directory / ".lock"), std::nullopt);
}

TEST(WaitForLock, LogsWhichProcessItWaitsFor) {
  const TemporaryDirectory directory;
  const pid_t child = start_holder(directory / ".lock", 4);
  ::testing::internal::CaptureStderr();
  log::init({});
  EXPECT_NO_THROW(wait_for_lock(directory / ".lock", directory / "cached file"));
  log::init({});
  EXPECT_THAT(::testing::internal::GetCapturedStderr(), HasSubstr("waiting: " + (directory / "cached file").string() +
                                                                  " is in use by process " + std::to_string(child)));
  EXPECT_EQ(::waitpid(child, nullptr, 0), child);
}

}  // namespace
}  // namespace slopegan
