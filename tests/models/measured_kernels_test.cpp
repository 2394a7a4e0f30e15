#include "models/measured_kernels.h"

#include <fstream>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "expect_error.h"
#include "ordinary_permissions.h"
#include "scoped_variable.h"
#include "support/cache_directory.h"
#include "support/errors.h"
#include "support/files.h"
#include "support/log.h"
#include "temporary_directory.h"

namespace slopegan {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr ProductShape usual_shape{32, 64, 128, 4, 4};

/// A selector with its own clock, on which each product takes the time that the test sets.
class MeasuredKernelsTest : public ::testing::Test {
 protected:
  /// Selects a kernel for a transposed convolution.
  bool select(MeasuredKernels& kernels, bool expected, const ProductShape& of = usual_shape) {
    return kernels.selects_tiles(Product::transpose, at::kFloat, of, expected, [this](bool in_tiles) {
      ++products_;
      now_ += in_tiles ? tiles_ : library_;
    });
  }
  MeasuredKernels make_kernels() {
    return MeasuredKernels(file_, [this] { return now_; });
  }
  /// Selects two kernels and expects that each is measured once, with one warning about the cache.
  void expect_measured_without_cache() {
    tiles_ = 0.5;
    auto kernels = make_kernels();
    ::testing::internal::CaptureStderr();
    log::init({});
    EXPECT_TRUE(select(kernels, false));
    const int once = products_;
    EXPECT_TRUE(select(kernels, false));
    EXPECT_EQ(products_, once);
    EXPECT_TRUE(select(kernels, false, {1, 2, 3, 4, 5}));
    EXPECT_EQ(products_, 2 * once);
    const std::string text = ::testing::internal::GetCapturedStderr();
    const auto warning = text.find("so other runs may choose differently");
    EXPECT_NE(warning, std::string::npos) << text;
    EXPECT_EQ(text.find("so other runs may choose differently", warning + 1), std::string::npos) << text;
  }

  TemporaryDirectory directory_;
  const std::filesystem::path file_ = directory_ / "cache/kernels/machine.txt";
  double now_ = 0, tiles_ = 1, library_ = 1;
  int products_ = 0;
};

TEST_F(MeasuredKernelsTest, SelectsTheFasterKernelIfItGainsAtLeastTenPercent) {
  library_ = 1.2;
  auto first = make_kernels();
  EXPECT_TRUE(select(first, false));
  EXPECT_TRUE(select(first, true, {32, 1, 2, 3, 4}));
  tiles_ = 1.4;
  EXPECT_FALSE(select(first, true, {32, 1, 2, 3, 5}));
  tiles_ = 1.3;
  EXPECT_TRUE(select(first, true, {32, 1, 2, 3, 6})) << "8 % are not enough to deviate from the table";
  EXPECT_FALSE(select(first, false, {32, 1, 2, 3, 7}));
}

TEST_F(MeasuredKernelsTest, MeasuresEachKindOnce) {
  auto kernels = make_kernels();
  select(kernels, true);
  const int once = products_;
  EXPECT_GT(once, 2);
  select(kernels, true);
  select(kernels, false, {17, 64, 128, 4, 4});  // rounded up to 32 images
  EXPECT_EQ(products_, once);
  select(kernels, false, {33, 64, 128, 4, 4});
  EXPECT_EQ(products_, 2 * once);
  EXPECT_THAT(kernels.choices(), SizeIs(2));
}

TEST_F(MeasuredKernelsTest, SharesTheFirstChoiceThroughTheCache) {
  tiles_ = 0.5;
  auto first = make_kernels(), second = make_kernels(), third = make_kernels();
  EXPECT_TRUE(select(first, false));
  tiles_ = 2;
  const int measured = products_;
  EXPECT_TRUE(select(second, false));
  EXPECT_EQ(products_, measured) << "a stored choice is not measured again";
  EXPECT_FALSE(select(second, false, {64, 64, 128, 4, 4}));
  EXPECT_TRUE(select(third, false));
  EXPECT_FALSE(select(third, true, {64, 64, 128, 4, 4}));
}

TEST_F(MeasuredKernelsTest, UsesTheChoiceThatAnotherProcessStoredWhileItMeasured) {
  auto other = make_kernels(), kernels = make_kernels();
  const bool in_tiles = kernels.selects_tiles(Product::transpose, at::kFloat, usual_shape, false, [&](bool tiles) {
    if (other.choices().empty()) {
      tiles_ = 0.1;
      EXPECT_TRUE(select(other, false));
    }
    now_ += tiles ? 5 : 1;
  });
  EXPECT_TRUE(in_tiles);
}

TEST_F(MeasuredKernelsTest, RestoresChoicesRegardlessOfTheCache) {
  tiles_ = 0.5;
  auto first = make_kernels();
  EXPECT_TRUE(select(first, false));
  const auto lines = first.choices();
  EXPECT_THAT(lines, ElementsAre(::testing::MatchesRegex("transpose float32 32 64 128 4 4, [0-9]+ threads?: tiles")));
  std::string text = read_file(file_, 1000);
  text.replace(text.find("tiles"), 5, "library");
  std::ofstream(file_) << text;
  auto changed = make_kernels(), resumed = make_kernels();
  EXPECT_FALSE(select(changed, true));
  resumed.restore(lines);
  EXPECT_TRUE(select(resumed, false));
  EXPECT_EQ(resumed.choices(), lines);
}

TEST_F(MeasuredKernelsTest, IgnoresLinesThatAreNotChoices) {
  std::filesystem::create_directories(file_.parent_path());
  auto kernels = make_kernels();
  const std::vector<std::string> damaged = {"",
                                            "transpose",
                                            "transpose float32 32 64 128 4 4, 1 thread: magic",
                                            "transpose float64 32 64 128 4 4, 1 thread: tiles",
                                            "transpose float32 32 64 128 4 4, 1 thread: tiles ",
                                            "transpose float32 99999999999999999999 64 128 4 4, 1 thread: tiles"};
  kernels.restore(damaged);
  EXPECT_THAT(kernels.choices(), IsEmpty());
  std::ofstream file(file_);
  for (const auto& line : damaged) file << line << "\n";
  file << std::string("\0\xff", 2);
  file.close();
  EXPECT_TRUE(select(kernels, true));
  EXPECT_GT(products_, 0);
}

TEST_F(MeasuredKernelsTest, MeasuresIfTheCacheIsNotADirectory) {
  directory_.write("cache", "a file, not a directory");
  expect_measured_without_cache();
}

TEST_F(MeasuredKernelsTest, MeasuresIfTheCacheMayNotBeRead) {
  const OrdinaryPermissions permissions;
  if (!permissions.apply()) GTEST_SKIP() << "this process may not remove its capabilities";
  std::filesystem::create_directories(file_.parent_path());
  std::filesystem::permissions(file_.parent_path(), std::filesystem::perms::none);
  expect_measured_without_cache();
  std::filesystem::permissions(file_.parent_path(), std::filesystem::perms::owner_all);
}

TEST_F(MeasuredKernelsTest, DoesNotWaitForAProcessThatKeepsTheCacheLocked) {
  const FileLock lock = try_cache_lock(file_);
  expect_measured_without_cache();
}

TEST_F(MeasuredKernelsTest, MeasuresALimitedNumberOfKinds) {
  std::vector<std::string> many;
  for (std::size_t i = 1; i <= 2 * MeasuredKernels::most_choices; ++i) {
    many.push_back("transpose float32 32 64 128 4 " + std::to_string(i) + ", 1 thread: tiles");
  }
  auto kernels = make_kernels();
  kernels.restore(many);
  EXPECT_THAT(kernels.choices(), SizeIs(MeasuredKernels::most_choices));
  EXPECT_TRUE(select(kernels, true, {1, 1, 1, 1, 1}));
  EXPECT_FALSE(select(kernels, false, {2, 1, 1, 1, 1}));
  EXPECT_EQ(products_, 0);
}

TEST(ConfigureKernels, RejectsUnknownValues) {
  const ScopedVariable variable("SLOPEGAN_KERNELS", "fastest");
  EXPECT_THAT(message_of<UsageError>([] { configure_kernels(); }),
              HasSubstr("SLOPEGAN_KERNELS = fastest: expected measured or table"));
}

TEST(ConfigureKernels, UsesTheTableByDefaultAndOnRequest) {
  for (const char* value : {static_cast<const char*>(nullptr), "", "table"}) {
    const ScopedVariable variable("SLOPEGAN_KERNELS", value);
    configure_kernels();
    EXPECT_EQ(kernel_selector(), nullptr);
  }
  restore_kernel_choices({"transpose float32 32 64 128 4 4, 1 thread: tiles"});
  EXPECT_THAT(kernel_choices(), IsEmpty());
}

TEST(ConfigureKernels, MeasuresOnRequestUntilTheTableIsUsed) {
  const CacheDirectory cache;
  const ScopedVariable variable("SLOPEGAN_KERNELS", "measured");
  configure_kernels();
  EXPECT_NE(kernel_selector(), nullptr);
  restore_kernel_choices({"transpose float32 32 64 128 4 4, 1 thread: tiles"});
  EXPECT_THAT(kernel_choices(), SizeIs(1));
  use_kernel_table();
  EXPECT_EQ(kernel_selector(), nullptr);
  EXPECT_FALSE(measures_kernels(at::kFloat));
  EXPECT_THAT(kernel_choices(), IsEmpty());
}

TEST(KernelsHint, IsGivenForBfloat16WithAmxUnlessTheUserHasChosen) {
  const ScopedVariable unset("SLOPEGAN_KERNELS", nullptr);
  EXPECT_THAT(kernels_hint(at::kBFloat16, true), HasSubstr("SLOPEGAN_KERNELS=measured"));
  EXPECT_EQ(kernels_hint(at::kFloat, true), "");
  EXPECT_EQ(kernels_hint(at::kBFloat16, false), "");
  for (const char* choice : {"table", "measured"}) {
    const ScopedVariable variable("SLOPEGAN_KERNELS", choice);
    EXPECT_EQ(kernels_hint(at::kBFloat16, true), "");
  }
}

}  // namespace
}  // namespace slopegan
