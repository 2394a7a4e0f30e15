// Emoji are degraded step by step, and the distances measured with EfficientNet-Lite0 must rise with every step.
#include <memory>
#include <utility>
#include <vector>

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "evaluation/efficientnet_extractor.h"
#include "evaluation/efficientnet_weights.h"
#include "images/image_file.h"
#include "images/to_tensor.h"
#include "metrics/frechet_distance.h"
#include "metrics/kernel_distance.h"
#include "support/random.h"

namespace slopegan {
namespace {

constexpr int emoji_side = 40, groups = 8, emoji_per_group = 32;

/// Returns a tensor [groups, emoji_per_group, 3, emoji_side, emoji_side] with values in [−1, 1].
at::Tensor read_emoji() {
  const auto sheet = to_tensor(read_image(SLOPEGAN_TEST_DATA "/efficientnet/emoji.png"));
  return sheet.view({3, groups, emoji_side, emoji_per_group, emoji_side}).permute({1, 3, 0, 2, 4});
}

/// Every other emoji in each group counts as real; the others serve as generated images.
class EmojiLadder : public ::testing::Test {
 protected:
  void SetUp() override {
    SLOPEGAN_REQUIRE_WEIGHTS();
    extractor_ = std::make_unique<EfficientNetExtractor>(*installed_weights());
    const auto emoji = read_emoji();
    real_ = emoji.slice(1, 0, at::nullopt, 2);
    others_ = emoji.slice(1, 1, at::nullopt, 2);
    real_features_ = features_of(real_);
  }
  at::Tensor features_of(const at::Tensor& emoji) {
    return extractor_->extract(emoji.reshape({-1, 3, emoji_side, emoji_side})).features;
  }
  /// Expects that each set has larger distances than the set before it, starting from the unchanged emoji in others_.
  void expect_rising(const std::vector<at::Tensor>& sets) {
    auto [fd, kd] = distances(others_);
    for (std::size_t i = 0; i < sets.size(); ++i) {
      const auto [next_fd, next_kd] = distances(sets[i]);
      EXPECT_GT(next_fd, fd) << "step " << i;
      EXPECT_GT(next_kd, kd) << "step " << i;
      fd = next_fd;
      kd = next_kd;
    }
  }
  std::pair<double, double> distances(const at::Tensor& emoji) {
    const auto features = features_of(emoji);
    return {frechet_distance(moments_of(real_features_), moments_of(features)),
            kernel_distance(real_features_, features)};
  }

  std::unique_ptr<EfficientNetExtractor> extractor_;
  at::Tensor real_, others_, real_features_;
};

TEST_F(EmojiLadder, NoiseRaisesTheDistances) {
  std::vector<float> numbers(static_cast<std::size_t>(others_.numel()));
  RandomStream(0, "tests/noise").fill_normal(numbers);
  const auto noise = at::tensor(numbers).view(others_.sizes());
  std::vector<at::Tensor> sets;
  for (const double deviation : {0.05, 0.15, 0.4}) sets.push_back((others_ + deviation * noise).clamp(-1, 1));
  expect_rising(sets);
}

TEST_F(EmojiLadder, BlurRaisesTheDistances) {
  std::vector<at::Tensor> sets;
  for (const std::int64_t size : {3, 7, 13}) {
    const auto images = others_.reshape({-1, 3, emoji_side, emoji_side});
    sets.push_back(at::avg_pool2d(images, {size, size}, {1, 1}, {size / 2, size / 2}, false, false));
  }
  expect_rising(sets);
}

TEST_F(EmojiLadder, MissingGroupsRaiseTheDistances) {
  std::vector<at::Tensor> sets;
  for (const int present : {6, 3, 1}) {
    const auto group = at::arange(groups).remainder(present);
    sets.push_back(others_.index_select(0, group));
  }
  expect_rising(sets);
}

TEST_F(EmojiLadder, FewerDistinctImagesRaiseTheDistances) {
  std::vector<at::Tensor> sets;
  for (const int different : {8, 4, 1}) {
    const auto image = at::arange(emoji_per_group / 2).remainder(different);
    sets.push_back(others_.index_select(1, image));
  }
  expect_rising(sets);
}

TEST_F(EmojiLadder, ScrambledTilesRaiseTheDistances) {
  // Textures and colours are preserved, but the content of the pictures is lost.
  const auto scramble = [](const at::Tensor& images, std::int64_t parts) {
    const std::int64_t size = emoji_side / parts;
    auto tiles = images.reshape({-1, 3, parts, size, parts, size});
    return tiles.flip({2, 4}).reshape({-1, 3, emoji_side, emoji_side});
  };
  expect_rising({scramble(others_, 2), scramble(others_, 4)});
}

}  // namespace
}  // namespace slopegan
