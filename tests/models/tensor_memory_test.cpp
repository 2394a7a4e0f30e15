#include "models/tensor_memory.h"

#include <cstdint>
#include <cstring>
#include <thread>
#include <vector>

#include <c10/util/Exception.h>
#include <gtest/gtest.h>

namespace slopegan {
namespace {

constexpr std::size_t mebibyte = std::size_t{1} << 20;

TEST(TensorMemory, ReusesAFreedBlockForATensorOfAboutTheSameSize) {
  TensorMemory memory(64 * mebibyte);
  auto first = memory.allocate(8 * mebibyte);
  void* const data = first.get();
  EXPECT_EQ(memory.free_bytes(), 0u);
  first.clear();
  EXPECT_EQ(memory.free_bytes(), 8 * mebibyte);
  const auto larger = memory.allocate(8 * mebibyte + 1), much_smaller = memory.allocate(7 * mebibyte);
  EXPECT_NE(larger.get(), data);
  EXPECT_NE(much_smaller.get(), data);
  auto similar = memory.allocate(8 * mebibyte - 4096);
  EXPECT_EQ(similar.get(), data);
  similar.clear();
  EXPECT_EQ(memory.free_bytes(), 8 * mebibyte) << "the block keeps its size";
}

TEST(TensorMemory, KeepsOnlyBlocksOf4To32Mebibytes) {
  TensorMemory memory(512 * mebibyte);
  for (const std::size_t size :
       {std::size_t{0}, std::size_t{100}, TensorMemory::smallest - 1, TensorMemory::largest + 1}) {
    auto block = memory.allocate(size);
    EXPECT_EQ(block.get() == nullptr, size == 0);
    block.clear();
    EXPECT_EQ(memory.free_bytes(), 0u) << size;
  }
  for (const std::size_t size : {TensorMemory::smallest, TensorMemory::largest}) memory.allocate(size).clear();
  EXPECT_EQ(memory.free_bytes(), TensorMemory::smallest + TensorMemory::largest);
}

TEST(TensorMemory, KeepsTheBlocksThatWereFreedLastUpToItsLimit) {
  TensorMemory memory(20 * mebibyte);
  {
    std::vector<c10::DataPtr> blocks;
    for (int i = 0; i < 10; ++i) blocks.push_back(memory.allocate(6 * mebibyte));
  }
  EXPECT_EQ(memory.free_bytes(), 18 * mebibyte);
  auto other = memory.allocate(16 * mebibyte);
  void* const data = other.get();
  other.clear();
  EXPECT_EQ(memory.free_bytes(), 16 * mebibyte);
  EXPECT_EQ(memory.allocate(16 * mebibyte).get(), data);
  EXPECT_TRUE(memory.release(0));
  EXPECT_EQ(memory.free_bytes(), 0u);
  EXPECT_FALSE(memory.release(0));
}

TEST(TensorMemory, ReusesTheBlockThatWasFreedLastAndFitsBest) {
  TensorMemory memory(512 * mebibyte);
  auto first = memory.allocate(8 * mebibyte), second = memory.allocate(8 * mebibyte),
       larger = memory.allocate(8 * mebibyte + 4096);
  void* const expected = second.get();
  first.clear();
  second.clear();
  larger.clear();
  EXPECT_EQ(memory.allocate(8 * mebibyte).get(), expected);
}

TEST(TensorMemory, FreesABlockByItsAddress) {
  TensorMemory memory(512 * mebibyte);
  for (const std::size_t size : {std::size_t{10}, 5 * mebibyte, 40 * mebibyte}) {
    void* const data = memory.raw_allocate(size);
    std::memset(data, 1, size);
    memory.raw_deallocate(data);
  }
  EXPECT_EQ(memory.free_bytes(), 5 * mebibyte);
}

TEST(TensorMemory, ReportsThatMemoryIsExhaustedAfterReleasingItsBlocks) {
  TensorMemory memory(512 * mebibyte);
  memory.allocate(5 * mebibyte).clear();
  EXPECT_THROW(memory.allocate(std::size_t{1} << 62), c10::Error);
  EXPECT_EQ(memory.free_bytes(), 0u);
  EXPECT_THROW(memory.allocate(SIZE_MAX), c10::Error);
}

TEST(TensorMemory, GivesEachTensorItsOwnBlockInSeveralThreads) {
  TensorMemory memory(64 * mebibyte);
  const auto use = [&](unsigned char value) {
    bool intact = true;
    for (int i = 0; i < 50; ++i) {
      const auto block = memory.allocate(5 * mebibyte);
      std::memset(block.get(), value, 5 * mebibyte);
      const auto* bytes = static_cast<const unsigned char*>(block.get());
      intact = intact && bytes[0] == value && bytes[5 * mebibyte - 1] == value;
    }
    EXPECT_TRUE(intact);
  };
  std::vector<std::thread> threads;
  for (unsigned char value = 1; value <= 4; ++value) threads.emplace_back(use, value);
  for (auto& thread : threads) thread.join();
  EXPECT_LE(memory.free_bytes(), 4 * 5 * mebibyte);
}

TEST(TensorMemory, AlignsItsBlocks) {
  TensorMemory memory(0);
  const auto block = memory.allocate(TensorMemory::smallest + 1);
  EXPECT_EQ(reinterpret_cast<std::uintptr_t>(block.get()) % 64, 0u);
}

}  // namespace
}  // namespace slopegan
