#include <fstream>
#include <sstream>
#include <string>

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "metrics/frechet_distance.h"
#include "metrics/kernel_distance.h"
#include "metrics/manifold.h"
#include "metrics/neighbours.h"
#include "metrics/random_features.h"
#include "slow_check.h"
#include "support/text.h"

namespace slopegan {
namespace {

/// Returns the value of a line in /proc/self/status in MiB: VmRSS is the current memory, VmHWM the maximum since the
/// last reset.
double status_mebibytes(const std::string& key) {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (line.rfind(key + ":", 0) == 0) return std::stod(line.substr(key.size() + 1)) / 1024;
  }
  return 0;
}

bool reset_peak() { return static_cast<bool>(std::ofstream("/proc/self/clear_refs") << "5" << std::flush); }

template <typename Action>
double peak_beyond_now(const Action& action) {
  reset_peak();
  const double before = status_mebibytes("VmRSS");
  action();
  return status_mebibytes("VmHWM") - before;
}

TEST(MetricsMemorySlowCheck, IsBelowTheSizeOfTheMatrixOfAllPairs) {
#ifdef __SANITIZE_ADDRESS__
  GTEST_SKIP() << "the sanitizer keeps freed memory";
#endif
  if (!reset_peak() || status_mebibytes("VmHWM") == 0) GTEST_SKIP() << "the kernel does not report peak memory";
  // A matrix of all pairs takes 763 MiB in the full check, which has 2,048 features, and 275 MiB in the short check.
  const std::int64_t count = testing::check_count(6000, 10'000), width = testing::check_count(8, 2048);
  const double limit = testing::check_count(128, 600);
  const at::Tensor real = testing::normal_features(1, count, width);
  const at::Tensor generated = testing::normal_features(2, count, width) * 1.05;
  const double manifolds = peak_beyond_now([&] { manifold_metrics(manifold_of(real), manifold_of(generated)); });
  const double kernels = peak_beyond_now([&] { kernel_distance(real, generated); });
  const double moments = peak_beyond_now([&] { frechet_distance(moments_of(real), moments_of(generated)); });
  const double nearest = peak_beyond_now([&] { nearest_distances(generated, real); });
  EXPECT_LT(manifolds, limit);
  EXPECT_LT(kernels, limit);
  EXPECT_LT(moments, limit);
  EXPECT_LT(nearest, limit);
  testing::report_check(
      format_text("memory of metrics, 2 x {} x {}", count, width),
      format_text(
          "MiB beyond the inputs: manifolds {:.0f}, kernel distance {:.0f}, Frechet distance {:.0f}, nearest {:.0f}",
          manifolds, kernels, moments, nearest));
}

}  // namespace
}  // namespace slopegan
