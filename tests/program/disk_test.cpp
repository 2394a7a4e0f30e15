#include <random>
#include <sys/resource.h>

#include "exact_resume.h"
#include "faults/faults.h"
#include "slow_check.h"
#include "small_disk.h"
#include "support/text.h"

namespace slopegan::testing {
namespace {

using ::testing::HasSubstr;

class DiskSlowCheck : public ExactResume {
 protected:
  std::filesystem::path disk() const { return directory_ / "disk"; }
  std::filesystem::path run_on_disk() const { return disk() / "run"; }
};

TEST_F(DiskSlowCheck, ARunEndsOnAFullDiskAndResumesWithMoreSpace) {
  uninterrupted();
  // A checkpoint takes 440 kB. The disks have room for no checkpoint, for one, for two, and for two and most of a
  // third.
  const std::vector<long> sizes = {100'000, 700'000, 1'100'000, 1'350'000};
  const std::vector<std::int64_t> saved = {0, 64, 128, 128};
  const auto first = static_cast<std::size_t>(check_count(2, 0));
  for (std::size_t i = first; i < sizes.size(); ++i) {
    const auto reason = on_small_disk(disk(), sizes[i], [&] {
      const auto result = slopegan(arguments_at(run_on_disk()));
      EXPECT_EQ(result.code, 6) << result.err;
      EXPECT_THAT(result.err, HasSubstr("No space left on device"));
      EXPECT_EQ(newest_images(run_on_disk()), saved[i]);
      remount(disk(), "size=10000000");
      resumes_to_same_result(run_on_disk(), format_text("a disk of {} bytes", sizes[i]));
    });
    if (!reason.empty()) report_check("small disks", "SKIPPED: " + reason);
    if (!reason.empty()) GTEST_SKIP() << reason;
  }
  report_check("disks of 0.1, 0.7, 1.1 and 1.35 MB (a checkpoint takes 0.44 MB)",
               "exit code 6 with 0, 1, 2 and 2 checkpoints; with more space, resumed to the same weights and history");
}

TEST_F(DiskSlowCheck, AReadOnlyDiskIsReported) {
  const auto reason = on_small_disk(disk(), 10'000'000, [&] {
    ASSERT_EQ(slopegan(arguments_at(run_on_disk(), {"training.total_images=256"})).code, 0);
    remount(disk(), "", MS_RDONLY);
    for (const std::string name : {"run", "other"}) {
      const auto result = slopegan(arguments_at(disk() / name));
      EXPECT_EQ(result.code, 6);
      EXPECT_THAT(result.err, HasSubstr("Read-only file system"));
    }
    EXPECT_EQ(newest_images(run_on_disk()), 256);
    remount(disk(), "");
    // The first part ended at 256 images, so the logs differ from those of the uninterrupted run. The weights do not.
    EXPECT_EQ(slopegan(arguments_at(run_on_disk())).code, 0);
    EXPECT_TRUE(state_of(run_on_disk()) == state_of(uninterrupted()));
  });
  if (!reason.empty()) report_check("a read-only disk", "SKIPPED: " + reason);
  if (!reason.empty()) GTEST_SKIP() << reason;
  report_check("a read-only disk", "exit code 6; once the disk is writable again, resumed to the same weights");
}

TEST_F(DiskSlowCheck, ADiskErrorAtAnyPointEndsTheRunAndKeepsItsCheckpoints) {
  const std::string recording = directory_ / "recording";
  const std::string below = "below=" + outputs().string();
  ASSERT_EQ(run(directory_.path(), arguments("recorded"), with_faults(below + ";record=" + recording)).code, 0);
  const auto calls = static_cast<unsigned long>(read_recording(recording).size());
  std::mt19937 random(3);
  const int failures = check_count(2, 60);
  int good = 0, harmless = 0;
  for (int i = 0; i < failures; ++i) {
    const std::string name = format_text("run{}", i);
    const int error = std::array{ENOSPC, EIO, EFBIG, EROFS}[static_cast<std::size_t>(i) % 4];
    const auto plan = format_text("{};fail={};error={};stays={}", below, 1 + random() % calls, error, i / 4 % 2);
    const auto result = run(directory_.path(), arguments(name), with_faults(plan));
    const auto where = name + ", " + plan;
    if (result.code == 0) {  // only the removal of leftover files failed, which is not an error
      ++harmless;
      good += equals_uninterrupted(run_dir(name), where);
      continue;
    }
    EXPECT_EQ(result.code, 6) << where << ": " << result.err;
    EXPECT_THAT(result.err, HasSubstr(std::strerror(error))) << where;
    good += resumes_to_same_result(run_dir(name), where);
  }
  EXPECT_EQ(good, failures);
  EXPECT_LE(harmless, 1 + failures / 10);
  report_check(
      format_text("{} runs in which a random call fails (ENOSPC, EIO, EFBIG, EROFS; once or permanently)", failures),
      format_text("{} of {} resumed to the same weights and history; exit code 6, except for {} harmless failures",
                  good, failures, harmless));
}

TEST_F(DiskSlowCheck, AFileSizeLimitCausesAnErrorInsteadOfASignal) {
  const auto limited = [] {
    const rlimit limit{200'000, 200'000};
    ::setrlimit(RLIMIT_FSIZE, &limit);
  };
  const auto result = run(directory_.path(), arguments("run"), limited);
  EXPECT_EQ(result.code, 6) << result.err;
  EXPECT_THAT(result.err, HasSubstr("File too large"));
  resumes_to_same_result(run_dir("run"), "limited");
}

TEST_F(DiskSlowCheck, RenamingTheDirectoryEndsTheRunAndKeepsItsFiles) {
  const std::vector<std::string> endless = {"training.total_images=10000000"};
  const auto elsewhere = directory_ / "elsewhere/run";
  std::filesystem::create_directories(elsewhere.parent_path());
  Program program(directory_.path(), arguments("run", endless));
  ASSERT_TRUE(wait_for(run_dir("run") / "checkpoints/latest"));
  std::filesystem::rename(run_dir("run"), elsewhere);
  // A new run can use the old name.
  const TemporaryDirectory scratch;
  Program other(scratch.path(), arguments("run"));
  EXPECT_EQ(program.wait(), 6) << program.err();
  EXPECT_EQ(other.wait(), 0) << other.err();
  EXPECT_TRUE(equals_uninterrupted(run_dir("run"), "the other run"));
  if (newest_images(elsewhere) <= total_images) resumes_to_same_result(elsewhere, "the run elsewhere");
}

TEST_F(DiskSlowCheck, RemovingTheDirectoryEndsTheRun) {
  Program program(directory_.path(), arguments("run", {"training.total_images=10000000"}));
  ASSERT_TRUE(wait_for(run_dir("run") / "checkpoints/latest"));
  std::error_code error;  // the run may create a file during the removal
  while (std::filesystem::exists(run_dir("run"), error)) std::filesystem::remove_all(run_dir("run"), error);
  EXPECT_EQ(program.wait(), 6) << program.err();
  EXPECT_FALSE(std::filesystem::exists(run_dir("run") / "checkpoints/latest"));
}

}  // namespace
}  // namespace slopegan::testing
