#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "data/dataset.h"
#include "data/file_writers.h"
#include "expect_error.h"
#include "support/errors.h"
#include "temporary_directory.h"

namespace slopegan {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

const std::filesystem::path golden = std::filesystem::path(SLOPEGAN_TEST_DATA) / "npz";

DataConfig npz_at(const std::filesystem::path& file) {
  DataConfig config;
  config.kind = DatasetKind::npz;
  config.path = file.string();
  return config;
}

/// The value that scripts/golden_npz.py writes at [i, y, x, c].
std::int64_t golden_value(std::int64_t i, std::int64_t y, std::int64_t x, std::int64_t c, std::int64_t width,
                          std::int64_t channels) {
  return (i + (y * width + x) * channels + c) % 251;
}

TEST(NpzDataset, MatchesTheArraysWrittenByNumPy) {
  const auto dataset = load_dataset(npz_at(golden / "rgb.npz"), Split::train);
  ASSERT_EQ(dataset->images.sizes(), (torch::IntArrayRef{7, 3, 4, 5}));
  EXPECT_TRUE(dataset->images.is_contiguous());
  const auto values = dataset->images.accessor<std::uint8_t, 4>();
  for (std::int64_t i = 0; i < 7; ++i) {
    for (std::int64_t c = 0; c < 3; ++c) {
      for (std::int64_t y = 0; y < 4; ++y) {
        for (std::int64_t x = 0; x < 5; ++x) EXPECT_EQ(values[i][c][y][x], golden_value(i, y, x, c, 5, 3));
      }
    }
  }
  EXPECT_TRUE(torch::equal(dataset->labels, torch::arange(7).remainder(3)));
  EXPECT_EQ(dataset->name, "rgb");
  EXPECT_EQ(load_dataset(npz_at(golden / "rgb.npz"), Split::test)->size(), 4);
}

TEST(NpzDataset, UsesTheValidationArraysIfThereIsNoTestSplit) {
  const auto config = npz_at(golden / "gray.npz");
  EXPECT_TRUE(has_split(config, Split::test));
  const auto train = load_dataset(config, Split::train), test = load_dataset(config, Split::test);
  EXPECT_EQ(train->images.sizes(), (torch::IntArrayRef{6, 1, 4, 4}));
  EXPECT_EQ(train->images[5][0][3][2].item<std::int64_t>(), golden_value(5, 3, 2, 0, 4, 1));
  EXPECT_TRUE(torch::equal(train->labels, torch::arange(6).remainder(3)));  // int64 in the file
  EXPECT_EQ(test->size(), 2);
}

TEST(NpzDataset, NeedsNeitherLabelsNorATestSplit) {
  const TemporaryDirectory directory;
  const auto file = directory / "plain.npz";
  write_zip(file, {{"train_images.npy", npy("|u1", "(3, 4, 4)", ramp(48))}});
  EXPECT_FALSE(has_split(npz_at(file), Split::test));
  EXPECT_FALSE(load_dataset(npz_at(file), Split::train)->has_labels());
  EXPECT_THAT(message_of<DataError>([&] { load_dataset(npz_at(file), Split::test); }),
              AllOf(HasSubstr("plain.npz holds no array test_images"), HasSubstr("it holds: train_images")));
}

TEST(NpzDataset, IgnoresSeveralLabelsPerImage) {
  const TemporaryDirectory directory;
  const auto file = directory / "chest.npz";
  write_zip(file, {{"train_images.npy", npy("|u1", "(3, 4, 4)", ramp(48))},
                   {"train_labels.npy", npy("|u1", "(3, 14)", ramp(42))}});
  EXPECT_FALSE(load_dataset(npz_at(file), Split::train)->has_labels());
}

TEST(NpzDataset, ReadsSignedLabels) {
  const TemporaryDirectory directory;
  const auto file = directory / "signed.npz";
  write_zip(file, {{"train_images.npy", npy("|u1", "(2, 4, 4)", ramp(32))},
                   {"train_labels.npy", npy("<i2", "(2,)", std::string("\xfe\xff\1\1", 4))}});
  EXPECT_TRUE(torch::equal(load_dataset(npz_at(file), Split::train)->labels, torch::tensor({-2, 257}, torch::kLong)));
}

}  // namespace
}  // namespace slopegan
