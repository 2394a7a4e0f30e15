#include "training/augmentation.h"

#include <algorithm>
#include <set>
#include <utility>

#include <ATen/ATen.h>
#include <gtest/gtest.h>

namespace slopegan {
namespace {

const std::vector<Augmentation> every_augmentation = {Augmentation::color, Augmentation::translation,
                                                      Augmentation::cutout};

RandomStream stream(std::uint64_t index = 0) { return {3, "augmentation", index}; }

at::Tensor some_images(std::int64_t count = 16, std::int64_t channels = 3) {
  at::manual_seed(1);
  return at::rand({count, channels, 32, 32}, at::kDouble) * 2 - 1;
}

TEST(Augment, DependsOnlyOnTheImagesAndTheStream) {
  EXPECT_TRUE(at::equal(augment(some_images(), every_augmentation, stream()),
                        augment(some_images(), every_augmentation, stream())));
  EXPECT_FALSE(at::equal(augment(some_images(), every_augmentation, stream()),
                         augment(some_images(), every_augmentation, stream(1))));
}

TEST(Augment, ReturnsTheImagesUnchangedIfNoAugmentationIsConfigured) {
  const auto images = some_images();
  EXPECT_TRUE(augment(images, {}, stream()).is_same(images));
}

TEST(Augment, TranslatesEachImageByWholePixelsWithZeroPadding) {
  // The pixel at (y, x) encodes its position: y · 32 + x + 1, which is never 0.
  const auto images = (at::arange(32 * 32, at::kDouble) + 1).view({1, 1, 32, 32}).repeat({64, 1, 1, 1});
  const auto moved = augment(images, {Augmentation::translation}, stream());
  std::set<std::pair<std::int64_t, std::int64_t>> shifts;
  for (std::int64_t i = 0; i < 64; ++i) {
    const auto center = static_cast<std::int64_t>(moved[i][0][16][16].item<double>()) - 1;
    const std::int64_t dy = center / 32 - 16, dx = center % 32 - 16;
    EXPECT_LE(std::max(std::abs(dy), std::abs(dx)), 4);
    shifts.insert({dy, dx});
    for (const std::int64_t y : {0, 7, 31}) {
      for (const std::int64_t x : {0, 19, 31}) {
        const bool inside = y + dy >= 0 && y + dy < 32 && x + dx >= 0 && x + dx < 32;
        const double expected = inside ? static_cast<double>((y + dy) * 32 + x + dx + 1) : 0;
        EXPECT_EQ(moved[i][0][y][x].item<double>(), expected) << dy << ' ' << dx << ' ' << y << ' ' << x;
      }
    }
  }
  EXPECT_GT(shifts.size(), 30u);
}

TEST(Augment, CutsOutASquareOfHalfTheSide) {
  const auto cut = augment(at::ones({64, 3, 32, 32}), {Augmentation::cutout}, stream());
  for (std::int64_t i = 0; i < 64; ++i) {
    const auto hole = cut[i][0].eq(0);
    const auto rows = hole.any(1).sum().item<std::int64_t>(), columns = hole.any(0).sum().item<std::int64_t>();
    EXPECT_EQ(hole.sum().item<std::int64_t>(), rows * columns);  // a rectangle, clipped at the border
    EXPECT_TRUE(rows >= 8 && rows <= 16 && columns >= 8 && columns <= 16) << rows << ' ' << columns;
    EXPECT_TRUE(at::equal(cut[i][0], cut[i][2]));
  }
}

TEST(Augment, CutsOutPixelsAtOppositeBordersEquallyOften) {
  const auto images = at::ones({1, 1, 32, 32}).expand({1000, 1, 32, 32});
  const auto draws = draw_augmentation(images, {Augmentation::cutout}, stream(), Part::whole(1000));
  for (const auto& centres : {draws.hole_row, draws.hole_column}) {
    EXPECT_EQ(centres.min().item<std::int64_t>(), 0);
    EXPECT_EQ(centres.max().item<std::int64_t>(), 32);
  }
  AugmentationDraws each;  // every centre occurs once
  each.hole_row = each.hole_column = at::arange(33, at::kLong).view({33, 1});
  const auto hole = augment(at::ones({33, 1, 32, 32}), each).eq(0);
  for (const std::int64_t other : {2, 3}) {  // the dimension that is not counted
    const auto counts = hole.any(other).sum({0, 1});
    EXPECT_TRUE(counts.equal(counts.flip(0))) << counts;
    EXPECT_EQ(counts[0].item<std::int64_t>(), 9);
  }
}

TEST(Augment, ChangesSaturationAroundTheGrayValueOfEachPixel) {
  const auto images = some_images(64);
  const auto changed = augment(images, {Augmentation::color}, stream());
  double least = 2, most = 0;
  for (std::int64_t i = 0; i < 64; ++i) {
    const auto grey = images[i].mean(0, true), changed_grey = changed[i].mean(0, true);
    const auto colour = images[i] - grey, changed_colour = changed[i] - changed_grey;
    // Brightness and saturation keep the differences between gray values, so their ratio is the contrast.
    const auto centred = grey - grey.mean();
    const double contrast = ((changed_grey * centred).sum() / centred.square().sum()).item<double>();
    const double factor = ((changed_colour * colour).sum() / colour.square().sum()).item<double>();
    EXPECT_TRUE(contrast >= 0.5 && contrast < 1.5) << contrast;
    EXPECT_TRUE(at::allclose(changed_colour, factor * colour));
    least = std::min(least, factor / contrast);
    most = std::max(most, factor / contrast);
  }
  // Of 64 draws from U(0, 2), some are below 0.5 and some above 1.5.
  EXPECT_TRUE(least >= 0 && least < 0.5) << least;
  EXPECT_TRUE(most > 1.5 && most < 2) << most;
}

TEST(Augment, ChangesBrightnessAndContrastOfGrayImagesAffinely) {
  const auto images = some_images(8, 1);
  const auto changed = augment(images, {Augmentation::color}, stream());
  for (std::int64_t i = 0; i < 8; ++i) {
    // The result is contrast · (x − mean) + mean + brightness, so the ratio of two differences is the contrast.
    const auto x = images[i].flatten(), y = changed[i].flatten();
    const double contrast = ((y[1] - y[0]) / (x[1] - x[0])).item<double>();
    EXPECT_TRUE(contrast >= 0.5 && contrast < 1.5) << contrast;
    const double brightness = (y.mean() - x.mean()).item<double>();
    EXPECT_LE(std::abs(brightness), 0.5);
    EXPECT_TRUE(at::allclose(y, (x - x.mean()) * contrast + x.mean() + brightness));
  }
}

TEST(Augment, MatchesNumericalGradients) {
  auto images = some_images(4).requires_grad_(true);
  const auto weights = at::randn({4, 3, 32, 32}, at::kDouble);
  const auto value = [&](const at::Tensor& x) { return (augment(x, every_augmentation, stream()) * weights).sum(); };
  value(images).backward();
  const auto direction = at::randn_like(images);
  const auto base = images.detach();
  // The function is affine in the images, up to rounding.
  const double numerical = ((value(base + direction * 1e-3) - value(base - direction * 1e-3)) / 2e-3).item<double>();
  EXPECT_NEAR((images.grad() * direction).sum().item<double>(), numerical, 1e-6 * std::abs(numerical) + 1e-9);
}

}  // namespace
}  // namespace slopegan
