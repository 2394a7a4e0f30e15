#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <sys/stat.h>
#include <unistd.h>

#include <gmock/gmock.h>
#include <opencv2/core.hpp>

#include "images/image_file.h"
#include "process_states.h"
#include "program.h"

namespace slopegan::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
namespace fs = std::filesystem;

/// Runs the program on a file system without locks, symlinks, renameat2, fsync of directories, syncfs or mmap. These
/// runs do not replace a checkpoint with another one of the same number, so they do not call renameat2; the fallback
/// for it is tested in run/checkpoint_faults_test.cpp.
class MissingFeatures : public ProgramTest {
 protected:
  std::function<void()> lacking(const std::string& calls) const {
    return [this, calls] {
      ::setenv("LD_PRELOAD", SLOPEGAN_MISSING_FEATURES_LIBRARY, 1);
      ::setenv("SLOPEGAN_MISSING", calls.c_str(), 1);
      ::setenv("SLOPEGAN_MISSING_BELOW", directory_.path().c_str(), 1);
      ::setenv("SLOPEGAN_MISSING_RECORD", record_file().c_str(), 1);
      ::setenv("SLOPEGAN_CACHE", (directory_ / "cache").c_str(), 1);
    };
  }

  std::vector<std::string> training(const std::string& name, int images, std::vector<std::string> more = {}) const {
    more.insert(more.end(), {"run.name=" + name, "training.total_images=" + std::to_string(images),
                             "checkpoint.every_images=320", "--resume", "auto"});
    return smoke("train", more);
  }

  fs::path record_file() const { return directory_ / "failed_calls"; }

  /// Checks that each of these calls failed at least once, which shows that the program used the fallback for it.
  void expect_failures_of(const std::vector<std::string>& calls) const {
    const std::string failed = "\n" + read_text(record_file());
    for (const auto& call : calls) EXPECT_THAT(failed, HasSubstr("\n" + call + "\n"));
  }

  std::string weights_of(const std::string& name) const {
    return read_text(outputs() / name / "checkpoints/640/state.safetensors");
  }

  static std::string all_calls() {
    const auto missing = [](const char* call, int error) { return call + ("=" + std::to_string(error)) + " "; };
    return missing("flock", ENOSYS) + missing("symlink", EPERM) + missing("renameat2", EINVAL) +
           missing("fsync_directory", EINVAL) + missing("syncfs", ENOSYS) + missing("mmap", ENODEV);
  }
};

TEST_F(MissingFeatures, DoNotPreventTrainingAndResuming) {
  ASSERT_EQ(slopegan(training("plain", 640)).code, 0);
  const auto started = run(directory_.path(), training("lacking", 320), lacking(all_calls()));
  ASSERT_EQ(started.code, 0) << started.err;
  EXPECT_THAT(started.err, HasSubstr("the file system does not support locks"));
  const auto resumed = run(directory_.path(), training("lacking", 640), lacking(all_calls()));
  ASSERT_EQ(resumed.code, 0) << resumed.err;
  EXPECT_TRUE(weights_of("lacking") == weights_of("plain"));

  const auto checkpoints = outputs() / "lacking/checkpoints";
  EXPECT_FALSE(fs::is_symlink(fs::symlink_status(checkpoints / "latest")));
  EXPECT_EQ(read_text(checkpoints / "latest"), "640\n");
  for (const auto& given : {outputs() / "lacking", checkpoints / "latest"}) {
    const auto generated =
        run(directory_.path(),
            {"generate", given.string(), "--count", "1", "--out", (directory_ / "images").string(), "--overwrite"},
            lacking(all_calls()));
    EXPECT_EQ(generated.code, 0) << generated.err;
  }
  expect_failures_of({"flock", "symlink", "fsync_directory", "syncfs"});
}

TEST_F(MissingFeatures, SymlinksAreReplacedByFilesWhateverErrorTheFileSystemReports) {
  for (const int error : {EPERM, EACCES, ENOSYS, EOPNOTSUPP}) {
    const std::string name = "symlink" + std::to_string(error);
    const auto result = run(directory_.path(), training(name, 64, {"samples.every_images=0"}),
                            lacking("symlink=" + std::to_string(error)));
    EXPECT_EQ(result.code, 0) << std::strerror(error) << ": " << result.err;
    EXPECT_EQ(read_text(outputs() / name / "checkpoints/latest"), "64\n") << std::strerror(error);
    expect_failures_of({"symlink"});
    fs::remove(record_file());
  }
}

TEST_F(MissingFeatures, DoNotPreventReadingAFolderOfImages) {
  fs::create_directory(directory_ / "photos");
  for (int i = 0; i < 5; ++i) {
    write_png(directory_ / "photos" / (std::to_string(i) + ".png"), cv::Mat(40, 40, CV_8UC3, cv::Scalar(i, 90, 200)));
  }
  const std::vector<std::string> look = {"data",
                                         config_file("smoke.yaml"),
                                         "data.kind=image_folder",
                                         "data.path=" + (directory_ / "photos").string(),
                                         "--out",
                                         (directory_ / "reals.png").string()};
  const auto hash = [](const Result& result) { return result.out.substr(result.out.find("sha256")); };
  const auto usual =
      run(directory_.path(), look, [this] { ::setenv("SLOPEGAN_CACHE", (directory_ / "other").c_str(), 1); });
  ASSERT_EQ(usual.code, 0) << usual.err;
  ASSERT_THAT(usual.out, HasSubstr("sha256"));
  for (const std::string when : {"packing", "packed"}) {
    const auto result = run(directory_.path(), look, lacking(all_calls()));
    ASSERT_EQ(result.code, 0) << when << ": " << result.err;
    EXPECT_EQ(hash(result), hash(usual)) << when;
    expect_failures_of({"mmap"});
    fs::remove(record_file());
  }
}

TEST_F(MissingFeatures, DoNotPreventASweep) {
  const auto sweep = smoke("sweep", {"training.total_images=64", "training.threads=1", "samples.every_images=0",
                                     "metrics.every_images=0", "diagnostics.every_images=0", "sweep.seeds=[0]"});
  const auto result = run(directory_.path(), sweep, lacking(all_calls()));
  ASSERT_EQ(result.code, 0) << result.err;
  EXPECT_EQ(run(directory_.path(), sweep, lacking(all_calls())).code, 0) << "the same command is run again";
}

TEST_F(MissingFeatures, ARunInUseIsRejectedEvenWithoutLocks) {
  for (const int error : {ENOSYS, ENOLCK, EOPNOTSUPP}) {
    const auto calls = "flock=" + std::to_string(error);
    const TemporaryDirectory scratch;
    Program first(scratch.path(), training("used", 2560000), lacking(calls));
    ASSERT_TRUE(wait_for(outputs() / "used/history.jsonl"));
    const auto second = run(directory_.path(), training("used", 2560000), lacking(calls));
    EXPECT_EQ(second.code, 7) << second.err;
    EXPECT_THAT(second.err, HasSubstr("in use by process " + std::to_string(first.pid())));
    first.send(SIGKILL);
    EXPECT_EQ(first.wait(), -SIGKILL);
    const auto again = run(directory_.path(), training("used", 320, {"samples.every_images=0"}), lacking(calls));
    EXPECT_THAT(again.err, Not(HasSubstr("in use by"))) << "the holder was killed";
    fs::remove_all(outputs());
  }
}

TEST_F(MissingFeatures, AProcessInAnotherPidNamespaceCountsAsRunning) {
  ASSERT_EQ(slopegan(training("elsewhere", 320)).code, 0);
  std::array<char, 256> name{};
  ASSERT_EQ(::gethostname(name.data(), name.size() - 1), 0);
  struct stat own;
  if (::stat("/proc/self/ns/pid", &own) != 0) GTEST_SKIP() << "the PID namespace is unknown";
  // No process can have this ID, because process IDs are at most 4194304.
  const std::string record = "2147483000 " + std::string(name.data()) + " 123";
  const auto resume_with = [&](const std::string& text) {
    std::ofstream(outputs() / "elsewhere/.lock") << text << "\n";
    return run(directory_.path(), training("elsewhere", 320), lacking("flock=38"));
  };
  const auto refused = resume_with(record + " 1");
  EXPECT_EQ(refused.code, 7) << refused.err;
  EXPECT_THAT(refused.err, HasSubstr("in use by process 2147483000 in another PID namespace; if that process has "
                                     "ended, delete "));
  EXPECT_EQ(resume_with(record + " " + std::to_string(own.st_ino)).code, 0);
  EXPECT_EQ(resume_with(record).code, 0) << "an earlier version wrote the record";
}

TEST_F(MissingFeatures, ASweepThatWaitsForAnotherMachineSaysHowToContinue) {
  const auto sweep = [&](int images) {
    return smoke("sweep",
                 {"training.total_images=" + std::to_string(images), "training.threads=1", "samples.every_images=0",
                  "metrics.every_images=0", "diagnostics.every_images=0", "sweep.seeds=[0]"});
  };
  ASSERT_EQ(slopegan(sweep(64)).code, 0);
  const auto lock = outputs() / "smoke/runs/slope_0-seed_0/.lock";
  std::ofstream(lock) << "17 another-node 123\n";
  Program waiting(directory_.path(), sweep(128), lacking("flock=38"));
  const std::string hint =
      "slope_0-seed_0 (in use by process 17 on another-node; if that process has ended, delete " + lock.string() + ")";
  EXPECT_TRUE(wait_until([&] { return waiting.err().find(hint) != std::string::npos || waiting.poll(); }))
      << waiting.err();
  fs::remove(lock);
  EXPECT_EQ(waiting.wait(), 0) << waiting.err();
  EXPECT_THAT(waiting.err(), HasSubstr(hint));
}

TEST_F(MissingFeatures, AProcessOnAnotherMachineCountsAsRunning) {
  ASSERT_EQ(slopegan(training("elsewhere", 320)).code, 0);
  std::ofstream(outputs() / "elsewhere/.lock") << "17 another-node 123\n";
  const auto refused = run(directory_.path(), training("elsewhere", 640), lacking("flock=38"));
  EXPECT_EQ(refused.code, 7) << refused.err;
  EXPECT_THAT(refused.err, HasSubstr("in use by process 17 on another-node; if that process has ended, delete "));
  EXPECT_EQ(slopegan(training("elsewhere", 640)).code, 0) << "the record is ignored if the file system supports locks";
}

}  // namespace
}  // namespace slopegan::testing
