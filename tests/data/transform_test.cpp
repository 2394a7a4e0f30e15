#include "data/transform.h"

#include <numeric>
#include <stdexcept>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "support/text.h"

namespace slopegan {
namespace {

std::vector<float> transformed(ImageTransform& transform, const std::vector<std::uint8_t>& image, bool flip = false) {
  std::vector<float> out(static_cast<std::size_t>(transform.output_size()), 99.0f);
  transform(image, flip, out);
  return out;
}

std::vector<std::uint8_t> ramp_image(std::size_t count) {
  std::vector<std::uint8_t> image(count);
  std::iota(image.begin(), image.end(), std::uint8_t{1});
  return image;
}

float scaled(int byte) { return static_cast<float>(byte) / 127.5f - 1.0f; }

TEST(FitImage, PadsImagesThatAreAtMostAQuarterSmaller) {
  EXPECT_FALSE(fit_image(28, 28, 32, ImageFit::pad).resize);
  EXPECT_EQ(fit_image(28, 28, 32, ImageFit::pad).offset, cv::Point(2, 2));
  EXPECT_FALSE(fit_image(24, 24, 32, ImageFit::pad).resize);
  EXPECT_TRUE(fit_image(23, 23, 32, ImageFit::pad).resize);
  EXPECT_TRUE(fit_image(33, 33, 32, ImageFit::pad).resize);
  EXPECT_FALSE(fit_image(32, 32, 32, ImageFit::pad).resize);
  EXPECT_EQ(fit_image(27, 27, 32, ImageFit::pad).offset, cv::Point(2, 2));
}

TEST(FitImage, KeepsImagesThatFitAndCropsOthersToTheCentralSquare) {
  EXPECT_EQ(fit_image(28, 32, 32, ImageFit::pad).crop, cv::Rect(0, 0, 32, 28));
  EXPECT_EQ(fit_image(28, 32, 32, ImageFit::pad).offset, cv::Point(0, 2));
  EXPECT_EQ(fit_image(100, 60, 32, ImageFit::pad).crop, cv::Rect(0, 20, 60, 60));
  EXPECT_EQ(fit_image(28, 40, 32, ImageFit::pad).crop, cv::Rect(6, 0, 28, 28));
  EXPECT_FALSE(fit_image(28, 40, 32, ImageFit::pad).resize);
}

TEST(FitImage, CropsOrStretchesWithoutPaddingAtAnyResolution) {
  for (const std::int64_t resolution : {16, 64, 256}) {
    for (const auto& [height, width] : {std::pair{48, 48}, {100, 100}, {33, 70}, {400, 300}, {1, 5}}) {
      const auto crop = fit_image(height, width, resolution, ImageFit::crop);
      const int side = std::min(height, width);
      EXPECT_EQ(crop.crop, cv::Rect((width - side) / 2, (height - side) / 2, side, side));
      EXPECT_EQ(crop.resize, side != resolution);
      const auto stretch = fit_image(height, width, resolution, ImageFit::stretch);
      EXPECT_EQ(stretch.crop, cv::Rect(0, 0, width, height));
      EXPECT_FALSE(crop.is_padded(resolution) || stretch.is_padded(resolution));
    }
  }
  EXPECT_FALSE(fit_image(64, 64, 64, ImageFit::stretch).resize);
  EXPECT_THROW(fit_image(8, 8, 8, ImageFit::automatic), std::invalid_argument);
}

TEST(ChosenFit, DependsOnTheKindOfDataAndTheConfiguration) {
  DataConfig data;
  for (const auto kind : {DatasetKind::idx, DatasetKind::npz, DatasetKind::cifar}) {
    data.kind = kind;
    EXPECT_EQ(chosen_fit(data), ImageFit::pad);
  }
  data.kind = DatasetKind::image_folder;
  EXPECT_EQ(chosen_fit(data), ImageFit::crop);
  data.fit = ImageFit::stretch;
  EXPECT_EQ(chosen_fit(data), ImageFit::stretch);
  data.as_in_0_9 = true;
  EXPECT_EQ(chosen_fit(data), ImageFit::pad);
}

TEST(FitText, DescribesHowImagesAreChanged) {
  EXPECT_EQ(fit_text(28, 28, 32, ImageFit::pad), "images of 28 x 28 are padded with black to 32 x 32 (data.fit: pad)");
  EXPECT_EQ(fit_text(28, 28, 64, ImageFit::crop), "images of 28 x 28 are enlarged to 64 x 64 (data.fit: crop)");
  EXPECT_EQ(
      fit_text(218, 178, 64, ImageFit::pad),
      "images of 218 x 178 are cropped to their central 178 x 178 (18 % of the area is cut) and reduced to 64 x 64 "
      "(data.fit: pad)");
  for (const auto& [height, width] : {std::pair(48, 96), {40, 50}, {96, 100}}) {
    EXPECT_EQ(fit_text(height, width, 64, ImageFit::stretch),
              format_text("images of {} x {} are stretched to 64 x 64 (data.fit: stretch)", height, width));
  }
  EXPECT_EQ(fit_text(40, 40, 64, ImageFit::stretch), "images of 40 x 40 are enlarged to 64 x 64 (data.fit: stretch)");
  EXPECT_EQ(fit_text(32, 32, 32, ImageFit::crop), "");
}

TEST(ImageTransform, StretchesTheWholeImage) {
  ImageTransform both(1, 1, 8, 4, ImageFit::stretch);  // reduces one side and enlarges the other
  const auto out = transformed(both, {0, 0, 80, 80, 100, 100, 200, 200});
  for (std::size_t y = 0; y < 4; ++y) {
    EXPECT_NEAR(out[4 * y], scaled(0), 1e-6);
    EXPECT_NEAR(out[4 * y + 1], scaled(80), 1e-6);
    EXPECT_NEAR(out[4 * y + 3], scaled(200), 1e-6);
  }
}

TEST(ImageTransform, ScalesEveryByteExactly) {
  ImageTransform transform(1, 16, 16, 16, ImageFit::pad);
  std::vector<std::uint8_t> image(256);
  std::iota(image.begin(), image.end(), std::uint8_t{0});
  const auto out = transformed(transform, image);
  for (int byte = 0; byte < 256; ++byte) EXPECT_EQ(out[static_cast<std::size_t>(byte)], scaled(byte));
  EXPECT_EQ(out.front(), -1.0f);
  EXPECT_EQ(out.back(), 1.0f);
}

TEST(ImageTransform, AddsAnOddRowAndColumnOfPaddingAtTheEnd) {
  ImageTransform transform(1, 3, 3, 4, ImageFit::pad);
  const std::vector<float> expected = {scaled(1), scaled(2), scaled(3), -1, scaled(4), scaled(5), scaled(6), -1,
                                       scaled(7), scaled(8), scaled(9), -1, -1,        -1,        -1,        -1};
  EXPECT_EQ(transformed(transform, ramp_image(9)), expected);
}

TEST(ImageTransform, WritesChannelsLast) {
  ImageTransform transform(3, 1, 1, 1, ImageFit::pad);
  EXPECT_EQ(transformed(transform, {10, 20, 30}), (std::vector<float>{scaled(10), scaled(20), scaled(30)}));
  ImageTransform larger(3, 2, 2, 2, ImageFit::pad);
  const auto out = transformed(larger, ramp_image(12));
  EXPECT_EQ(out[3], scaled(2));    // red at (0, 1)
  EXPECT_EQ(out[4], scaled(6));    // green
  EXPECT_EQ(out[11], scaled(12));  // blue at (1, 1)
}

TEST(ImageTransform, FlipMirrorsTheResult) {
  ImageTransform transform(3, 3, 3, 4, ImageFit::pad);
  const auto straight = transformed(transform, ramp_image(27)), mirrored = transformed(transform, ramp_image(27), true);
  for (std::size_t y = 0; y < 4; ++y) {
    for (std::size_t x = 0; x < 4; ++x) {
      for (std::size_t c = 0; c < 3; ++c) {
        EXPECT_EQ(mirrored[(y * 4 + x) * 3 + c], straight[(y * 4 + 3 - x) * 3 + c]);
      }
    }
  }
}

TEST(ImageTransform, AveragesAreasWhenDownscaling) {
  ImageTransform transform(1, 4, 4, 2, ImageFit::pad);
  const auto out = transformed(transform, {0, 100, 10, 10, 100, 200, 10, 10, 255, 255, 0, 0, 255, 255, 0, 0});
  EXPECT_NEAR(out[0], scaled(100), 1e-6);
  EXPECT_NEAR(out[1], scaled(10), 1e-6);
  EXPECT_EQ(out[2], 1.0f);
  EXPECT_EQ(out[3], -1.0f);
}

TEST(ImageTransform, InterpolatesWhenUpscaling) {
  ImageTransform transform(1, 2, 2, 4, ImageFit::pad);
  const auto out = transformed(transform, {0, 200, 0, 200});
  for (std::size_t y = 0; y < 4; ++y) {
    EXPECT_NEAR(out[4 * y], scaled(0), 1e-6);
    EXPECT_NEAR(out[4 * y + 1], scaled(50), 1e-6);
    EXPECT_NEAR(out[4 * y + 2], scaled(150), 1e-6);
    EXPECT_NEAR(out[4 * y + 3], scaled(200), 1e-6);
  }
}

TEST(ImageTransform, CropsTheCentralSquareBeforeResizing) {
  ImageTransform transform(1, 2, 6, 1, ImageFit::pad);
  EXPECT_NEAR(transformed(transform, {0, 0, 80, 80, 0, 0, 0, 0, 80, 80, 0, 0}).front(), scaled(80), 1e-6);
}

TEST(ImageTransform, StaysInRangeForWhiteImagesOfAnySize) {
  for (const std::int64_t side : {5, 33, 37, 100, 211}) {
    ImageTransform transform(1, side, side, 32, ImageFit::pad);
    for (const float value :
         transformed(transform, std::vector<std::uint8_t>(static_cast<std::size_t>(side * side), 255))) {
      ASSERT_LE(value, 1.0f);
      ASSERT_GT(value, 0.999f);
    }
  }
}

TEST(ImageTransform, RejectsInvalidChannelsAndSizes) {
  EXPECT_THROW(ImageTransform(2, 8, 8, 8, ImageFit::pad), std::invalid_argument);
  EXPECT_THROW(ImageTransform(1, 0, 8, 8, ImageFit::pad), std::invalid_argument);
  ImageTransform transform(1, 2, 2, 2, ImageFit::pad);
  EXPECT_THROW(transformed(transform, ramp_image(3)), std::invalid_argument);
}

TEST(IsFlipped, IsTrueForAboutHalfOfTheImagesAndDependsOnTheSeed) {
  int flips = 0, differences = 0;
  for (std::int64_t position = 0; position < 10000; ++position) {
    flips += is_flipped(0, position) ? 1 : 0;
    differences += is_flipped(0, position) != is_flipped(1, position) ? 1 : 0;
  }
  EXPECT_NEAR(flips, 5000, 250);
  EXPECT_NEAR(differences, 5000, 250);
}

TEST(PrepareImages, FitsImagesAccordingToTheDataset) {
  Dataset dataset;
  dataset.images = torch::full({1, 1, 28, 28}, 200, torch::kByte);
  const std::vector<std::int64_t> indices = {0};
  dataset.hash = "0123";
  EXPECT_EQ(prepare_images(dataset, indices, 32)[0][0][0][0].item<float>(), -1.0f);
  EXPECT_EQ(dataset.pixel_key(), "0123");
  dataset.fit = ImageFit::crop;
  EXPECT_NEAR(prepare_images(dataset, indices, 32)[0][0][0][0].item<float>(), scaled(200), 1e-6);
  EXPECT_EQ(dataset.pixel_key(), "0123 crop");  // because the pixels differ
}

TEST(PrepareImages, ReturnsTheChosenImagesInOrder) {
  Dataset dataset;
  dataset.images = torch::arange(3).to(torch::kByte).view({3, 1, 1, 1}).expand({3, 3, 4, 4}).contiguous();
  const std::vector<std::int64_t> indices = {2, 0};
  const auto images = prepare_images(dataset, indices, 4);
  EXPECT_EQ(images.sizes(), (torch::IntArrayRef{2, 3, 4, 4}));
  EXPECT_TRUE(images.is_contiguous(torch::MemoryFormat::ChannelsLast));
  EXPECT_TRUE(torch::equal(images[0], torch::full({3, 4, 4}, scaled(2))));
  EXPECT_TRUE(torch::equal(images[1], torch::full({3, 4, 4}, -1.0f)));
  EXPECT_THROW(prepare_images(dataset, std::vector<std::int64_t>{3}, 4), std::out_of_range);
}

}  // namespace
}  // namespace slopegan
