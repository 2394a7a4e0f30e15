#include <algorithm>
#include <fstream>
#include <span>

#include "exact_resume.h"
#include "slow_check.h"
#include "support/text.h"

namespace slopegan::testing {
namespace {

struct Usage {
  double minutes, memory_mib, files;
};

Usage usage_of(pid_t process, double minutes) {
  const std::filesystem::path proc = "/proc/" + std::to_string(process);
  double pages = 0, resident = 0;
  std::ifstream(proc / "statm") >> pages >> resident;
  const auto files = std::distance(std::filesystem::directory_iterator(proc / "fd"), {});
  return {minutes, resident * static_cast<double>(::sysconf(_SC_PAGESIZE)) / (1 << 20), static_cast<double>(files)};
}

/// Returns the growth of `value` per minute, from a least-squares fit.
double slope_of(const std::vector<Usage>& samples, double Usage::* value) {
  double mean_x = 0, mean_y = 0, xy = 0, xx = 0;
  for (const auto& sample : samples) {
    mean_x += sample.minutes / static_cast<double>(samples.size());
    mean_y += sample.*value / static_cast<double>(samples.size());
  }
  for (const auto& sample : samples) {
    xy += (sample.minutes - mean_x) * (sample.*value - mean_y);
    xx += (sample.minutes - mean_x) * (sample.minutes - mean_x);
  }
  return xy / xx;
}

double least_memory_mib(std::span<const Usage> samples) {
  return std::ranges::min_element(samples, {}, &Usage::memory_mib)->memory_mib;
}

/// The most that memory use may grow during a short test. Sanitizers keep freed memory for a while.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr double most_growth_mib = 1000;
#else
constexpr double most_growth_mib = 100;
#endif

class SoakSlowCheck : public ExactResume {};

TEST_F(SoakSlowCheck, MemoryAndOpenFilesDoNotGrow) {
  using Clock = std::chrono::steady_clock;
  using Minutes = std::chrono::duration<double, std::ratio<60>>;
  const auto length = std::chrono::seconds(check_count(2, 300));
  Program program(directory_.path(), arguments("run", {"training.total_images=100000000"}));
  ASSERT_TRUE(wait_for_content(run_dir("run") / "metrics.jsonl"));  // each periodic task has run at least once
  const auto start = Clock::now();
  std::vector<Usage> samples;
  while (Clock::now() - start < length || samples.size() < 10) {
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
    ASSERT_FALSE(program.poll()) << program.err();
    // Skips the first tenth of the time, during which memory use settles.
    if (Clock::now() - start > length / 10)
      samples.push_back(usage_of(program.pid(), Minutes(Clock::now() - start).count()));
  }
  program.send(SIGTERM);
  EXPECT_EQ(program.wait(), 128 + SIGTERM);
  const double memory = slope_of(samples, &Usage::memory_mib), files = slope_of(samples, &Usage::files);
  const auto [fewest, most] = std::minmax_element(samples.begin(), samples.end(),
                                                  [](const Usage& a, const Usage& b) { return a.files < b.files; });
  // Writing checkpoints and pictures opens a few files at a time.
  EXPECT_LE(most->files - fewest->files, 8);
  // Evaluations need additional memory for a short time, so the test compares the minima of the two halves.
  const auto half = samples.size() / 2;
  const std::span<const Usage> all(samples);
  EXPECT_LT(least_memory_mib(all.subspan(half)), least_memory_mib(all.first(half)) + most_growth_mib);
  if (check_count(0, 1) == 1) {
    EXPECT_LT(memory, 1.0);
    EXPECT_LT(files, 0.5);
  }
  report_check(format_text("{} s of training with {} checkpoints", length.count(), newest_images(run_dir("run")) / 64),
               format_text("memory {:.0f} MiB, {:+.3f} per minute; {:.0f} open files, {:+.3f} per minute",
                           samples.back().memory_mib, memory, samples.back().files, files));
}

}  // namespace
}  // namespace slopegan::testing
