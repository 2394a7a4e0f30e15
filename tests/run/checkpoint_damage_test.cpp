#include <csignal>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sample_checkpoints.h"
#include "slow_check.h"
#include "support/random.h"
#include "support/text.h"
#include "temporary_directory.h"

namespace slopegan {
namespace {

using testing::check_count;
using testing::report_check;

/// Damages the files of a checkpoint. Loading the checkpoint must detect the damage.
class CheckpointDamageSlowCheck : public ::testing::Test {
 protected:
  CheckpointDamageSlowCheck() {
    NamedTensors tensors = state_at(1000);
    tensors["discriminator.weight"] = at::arange(2500, at::kFloat);  // more than 8 KiB in total
    save_checkpoint(dir_, info_at(1000), tensors, 2);
  }

  /// Returns whether loading throws CheckpointError if `file` has this content. Other exceptions fail the test.
  bool is_refused_with(const std::string& file, const std::string& content) {
    overwrite(dir_ / "1000" / file, content);
    try {
      load_checkpoint(dir_ / "1000");
      return false;
    } catch (const CheckpointError&) {
      return true;
    }
  }
  std::string content_of(const std::string& file) const { return read_file(dir_ / "1000" / file, 1 << 20); }

  TemporaryDirectory temporary_{memory_parent()};
  const std::filesystem::path dir_ = temporary_ / "checkpoints";
  RandomStream random_{0, "damage"};
};

TEST_F(CheckpointDamageSlowCheck, EveryTruncationIsDetected) {
  const int stride = check_count(64, 1), random_cuts = check_count(20, 500);
  int cuts = 0, detected = 0;
  for (const std::string file : {"state.safetensors", "manifest.json"}) {
    const std::string whole = content_of(file);
    const auto cut = [&](std::size_t size) {
      ++cuts;
      detected += is_refused_with(file, whole.substr(0, size));
    };
    const std::size_t edge = std::min<std::size_t>(4096, whole.size());
    const auto last = static_cast<std::size_t>(stride);
    for (std::size_t size = 0; size < edge; size += last) cut(size);
    for (std::size_t size = whole.size() - edge; size < whole.size(); size += last) cut(size);
    cut(whole.size() - 1);
    for (int i = 0; i < random_cuts; ++i) cut(random_.below(static_cast<std::uint32_t>(whole.size())));
    EXPECT_FALSE(is_refused_with(file, whole));
  }
  EXPECT_EQ(detected, cuts);
  const std::string bytes = stride == 1 ? "every byte" : format_text("every {}th byte", stride);
  report_check(
      format_text("state and manifest truncated at {} of the first and last 4 KiB and at 2 x {} other positions", bytes,
                  random_cuts),
      format_text("{} of {} detected", detected, cuts));
}

TEST_F(CheckpointDamageSlowCheck, EveryBitFlipIsDetected) {
  const int flips = check_count(100, 2000);
  int detected = 0;
  for (const std::string file : {"state.safetensors", "manifest.json"}) {
    const std::string whole = content_of(file);
    for (int i = 0; i < flips; ++i) {
      std::string flipped = whole;
      char& byte = flipped[random_.below(static_cast<std::uint32_t>(whole.size()))];
      byte = static_cast<char>(byte ^ (1 << random_.below(8)));
      const bool refused = is_refused_with(file, flipped);
      EXPECT_TRUE(refused) << file << ": " << flipped;
      detected += refused;
    }
    EXPECT_FALSE(is_refused_with(file, whole));
  }
  EXPECT_EQ(detected, 2 * flips);
  report_check(format_text("{} random bit flips in state.safetensors and as many in manifest.json", flips),
               format_text("{} of {} detected", detected, 2 * flips));
}

}  // namespace
}  // namespace slopegan
