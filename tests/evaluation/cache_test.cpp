#include "evaluation/cache.h"

#include <atomic>
#include <fstream>
#include <thread>

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "temporary_directory.h"

namespace slopegan {
namespace {

/// Counts the calls to make().
struct Maker {
  std::atomic<int> calls = 0;
  Safetensors operator()() {
    ++calls;
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
    return {{{"x", at::arange(12).to(at::kFloat)}}, {{"made", "yes"}}};
  }
};

TEST(CachedTensors, AreCreatedOnce) {
  const CacheDirectory cache;
  Maker make;
  for (int i = 0; i < 3; ++i) {
    const auto found = cached_tensors("kind/a.safetensors", "", std::ref(make));
    EXPECT_TRUE(at::equal(found.tensors.at("x"), at::arange(12).to(at::kFloat)));
    EXPECT_EQ(found.metadata.at("made"), "yes");
  }
  EXPECT_EQ(make.calls, 1);
  cached_tensors("kind/b.safetensors", "", std::ref(make));
  EXPECT_EQ(make.calls, 2);
}

TEST(CachedTensors, AreCreatedAgainAfterABitFlip) {
  const CacheDirectory cache;
  Maker make;
  cached_tensors("a.safetensors", "", std::ref(make));
  std::fstream file(cache.path() / "a.safetensors", std::ios::in | std::ios::out | std::ios::binary);
  file.seekp(-3, std::ios::end);
  file.put('\x40');
  file.close();
  EXPECT_TRUE(
      at::equal(cached_tensors("a.safetensors", "", std::ref(make)).tensors.at("x"), at::arange(12).to(at::kFloat)));
  EXPECT_EQ(make.calls, 2);
  cached_tensors("a.safetensors", "", std::ref(make));
  EXPECT_EQ(make.calls, 2);
}

TEST(CachedTensors, AreCreatedOnceByConcurrentThreads) {
  const CacheDirectory cache;
  Maker make;
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) threads.emplace_back([&] { cached_tensors("a.safetensors", "", std::ref(make)); });
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(make.calls, 1);
}

TEST(CachedTensors, AreCreatedEachTimeIfTheCacheIsNotWritable) {
  const CacheDirectory cache("/dev/null/cache");
  Maker make;
  EXPECT_TRUE(cached_tensors("a.safetensors", "", std::ref(make)).tensors.contains("x"));
  EXPECT_TRUE(cached_tensors("a.safetensors", "", std::ref(make)).tensors.contains("x"));
  EXPECT_EQ(make.calls, 2);
}

TEST(TensorHash, DependsOnNamesTypesShapesAndValues) {
  const auto x = at::arange(6).to(at::kFloat);
  const std::string hash = tensor_hash({{"x", x}});
  EXPECT_EQ(tensor_hash({{"x", x.clone()}}), hash);
  EXPECT_EQ(tensor_hash({{"x", at::stack({x, x}).t().select(1, 0)}}), hash);  // strides do not matter
  EXPECT_NE(tensor_hash({{"y", x}}), hash);
  EXPECT_NE(tensor_hash({{"x", x.view({2, 3})}}), hash);
  EXPECT_NE(tensor_hash({{"x", x.to(at::kInt)}}), hash);
  EXPECT_NE(tensor_hash({{"x", x + 1}}), hash);
}

}  // namespace
}  // namespace slopegan
