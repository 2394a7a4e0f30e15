#include "data/batch_stream.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <stdexcept>
#include <vector>

#include <gtest/gtest.h>

namespace slopegan {
namespace {

/// Images of 2 x 2 pixels whose left column encodes the index and whose right column is white.
std::shared_ptr<const Dataset> numbered_images(std::int64_t count) {
  auto dataset = std::make_shared<Dataset>();
  dataset->images = torch::full({count, 1, 2, 2}, 255, torch::kByte);
  dataset->images.select(3, 0).copy_(torch::arange(count).view({-1, 1, 1}).expand({-1, 1, 2}));
  return dataset;
}

BatchStreamOptions options(std::int64_t dataset_size, std::int64_t total) {
  BatchStreamOptions options;
  options.dataset = numbered_images(dataset_size);
  options.resolution = 2;
  options.batch_size = 4;
  options.total_images = total;
  return options;
}

/// All batches of a stream.
std::vector<torch::Tensor> all_batches(const BatchStreamOptions& stream_options) {
  BatchStream stream(stream_options);
  std::vector<torch::Tensor> batches;
  for (auto position = stream_options.images_seen; position < stream_options.total_images;) {
    const Batch batch = stream.next();
    EXPECT_EQ(batch.position, position);
    batches.push_back(batch.images);
    position += batch.part.total;
  }
  return batches;
}

int number_of(const torch::Tensor& image) {
  const auto column = image.select(2, 0).min().item<float>() < image.select(2, 1).min().item<float>() ? 0 : 1;
  return static_cast<int>(std::lround((image[0][0][column].item<float>() + 1) * 127.5));
}

std::vector<int> numbers(const std::vector<torch::Tensor>& batches) {
  std::vector<int> found;
  for (const auto& batch : batches) {
    for (std::int64_t i = 0; i < batch.size(0); ++i) found.push_back(number_of(batch[i]));
  }
  return found;
}

TEST(BatchStream, ReturnsEveryImageOncePerEpochInADifferentOrder) {
  const auto order = numbers(all_batches(options(10, 30)));  // batches of 4 span epochs
  ASSERT_EQ(order.size(), 30u);
  std::vector<std::vector<int>> epochs;
  for (int epoch = 0; epoch < 3; ++epoch) {
    epochs.emplace_back(order.begin() + 10 * epoch, order.begin() + 10 * (epoch + 1));
    auto sorted = epochs.back();
    std::sort(sorted.begin(), sorted.end());
    EXPECT_EQ(sorted, (std::vector<int>{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}));
  }
  EXPECT_NE(epochs[0], epochs[1]);
  EXPECT_NE(epochs[1], epochs[2]);
}

TEST(BatchStream, ReturnsFloatImagesInChannelsLastOrder) {
  auto stream_options = options(10, 8);
  auto dataset = std::make_shared<Dataset>();
  dataset->images = torch::randint(256, {10, 3, 4, 4}, torch::kLong).to(torch::kByte);
  stream_options.dataset = dataset;
  stream_options.resolution = 4;
  BatchStream stream(stream_options);
  const auto images = stream.next().images;
  EXPECT_EQ(images.sizes(), (torch::IntArrayRef{4, 3, 4, 4}));
  EXPECT_EQ(images.scalar_type(), torch::kFloat32);
  EXPECT_TRUE(images.is_contiguous(torch::MemoryFormat::ChannelsLast));
  const auto bytes = images.add(1).mul(127.5).round().to(torch::kByte);
  const auto same_as_first = dataset->images.eq(bytes[0]).flatten(1).all(1);
  EXPECT_EQ(same_as_first.sum().item<int>(), 1);
}

TEST(BatchStream, TheLastBatchContainsTheRemainingImages) {
  const auto batches = all_batches(options(10, 10));
  ASSERT_EQ(batches.size(), 3u);
  EXPECT_EQ(batches[2].size(0), 2);
}

TEST(BatchStream, ContinuesFromAnyBatchAsIfUninterrupted) {
  auto stream_options = options(10, 50);
  stream_options.flip = true;
  const auto whole = all_batches(stream_options);
  for (std::size_t start = 0; start < whole.size(); ++start) {
    stream_options.images_seen = static_cast<std::int64_t>(start) * 4;
    const auto rest = all_batches(stream_options);
    ASSERT_EQ(rest.size(), whole.size() - start);
    for (std::size_t i = 0; i < rest.size(); ++i) EXPECT_TRUE(torch::equal(rest[i], whole[start + i])) << start;
  }
}

TEST(BatchStream, ContinuesFromAnyImageWithTheSameImages) {
  auto stream_options = options(10, 35);
  stream_options.flip = true;
  const auto whole = torch::cat(all_batches(stream_options));
  for (std::int64_t start = 0; start < 35; ++start) {
    stream_options.images_seen = start;
    EXPECT_TRUE(torch::equal(torch::cat(all_batches(stream_options)), whole.slice(0, start))) << start;
  }
}

TEST(BatchStream, TheOrderDependsOnTheSeed) {
  auto stream_options = options(100, 100);
  const auto first = numbers(all_batches(stream_options));
  EXPECT_EQ(first, numbers(all_batches(stream_options)));
  stream_options.seed = 1;
  EXPECT_NE(first, numbers(all_batches(stream_options)));
}

TEST(BatchStream, FlipsDoNotChangeTheOrder) {
  auto stream_options = options(100, 200);
  const auto straight = torch::cat(all_batches(stream_options));
  stream_options.flip = true;
  const auto mixed = torch::cat(all_batches(stream_options));
  int flips = 0;
  for (std::int64_t i = 0; i < 200; ++i) {
    const bool is_flipped = torch::equal(mixed[i], straight[i].flip({2}));
    EXPECT_TRUE(is_flipped || torch::equal(mixed[i], straight[i]));
    flips += is_flipped ? 1 : 0;
  }
  EXPECT_GT(flips, 60);
  EXPECT_LT(flips, 140);
}

TEST(BatchStream, RanksShareEveryBatchWithoutOverlap) {
  auto stream_options = options(10, 38);
  stream_options.batch_size = 12;
  const auto whole = numbers(all_batches(stream_options));
  stream_options.world_size = 3;
  std::vector<std::vector<torch::Tensor>> ranks;
  for (stream_options.rank = 0; stream_options.rank < 3; ++stream_options.rank) {
    ranks.push_back(all_batches(stream_options));
    ASSERT_EQ(ranks.back().size(), 4u);
  }
  std::vector<torch::Tensor> together;
  for (std::size_t batch = 0; batch < 4; ++batch) {
    for (const auto& rank : ranks) together.push_back(rank[batch]);
  }
  EXPECT_EQ(numbers(together), whole);  // the last batch has two images for three ranks
  EXPECT_EQ(ranks[0][0].size(0), 4);
}

TEST(BatchStream, DoesNotOverwriteAKeptTensor) {
  BatchStream stream(options(10, 400));
  const auto kept = stream.next().images;
  const auto copy = kept.clone();
  const auto part = stream.next().images.narrow(0, 1, 2);
  const auto part_copy = part.clone();
  for (int i = 0; i < 20; ++i) stream.next();
  EXPECT_TRUE(torch::equal(kept, copy));
  EXPECT_TRUE(torch::equal(part, part_copy));
}

TEST(BatchStream, KeptTensorsOutliveTheStream) {
  torch::Tensor kept;
  {
    BatchStream stream(options(10, 400));
    kept = stream.next().images;
  }
  EXPECT_EQ(kept.add_(1).size(0), 4);
}

TEST(BatchStream, ReusesMemory) {
  BatchStream stream(options(10, 400));
  std::map<const void*, int> uses;
  for (int i = 0; i < 60; ++i) ++uses[stream.next().images.const_data_ptr()];
  EXPECT_EQ(uses.size(), 3u);
}

TEST(BatchStream, ThrowsAfterTheLastImage) {
  BatchStream stream(options(10, 4));
  stream.next();
  EXPECT_THROW(stream.next(), std::logic_error);
  auto finished = options(10, 4);
  finished.images_seen = 4;
  EXPECT_THROW(BatchStream(finished).next(), std::logic_error);
}

TEST(BatchStream, RejectsOptionsOutOfRange) {
  const auto good = options(10, 4);
  auto bad = good;
  bad.dataset = nullptr;
  EXPECT_THROW(BatchStream{bad}, std::invalid_argument);
  bad = good;
  bad.rank = 1;
  EXPECT_THROW(BatchStream{bad}, std::invalid_argument);
  bad = good;
  bad.batch_size = 0;
  EXPECT_THROW(BatchStream{bad}, std::invalid_argument);
  bad = good;
  bad.images_seen = -1;
  EXPECT_THROW(BatchStream{bad}, std::invalid_argument);
  bad = good;
  bad.resolution = 0;
  EXPECT_THROW(BatchStream{bad}, std::invalid_argument);
}

}  // namespace
}  // namespace slopegan
