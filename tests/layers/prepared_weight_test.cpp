#include "layers/prepared_weight.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

namespace slopegan {
namespace {

TEST(PreparedWeight, MakesEachFormOnce) {
  PreparedWeight weight(at::randn({6, 5, 4, 4}), at::kBFloat16);
  EXPECT_EQ(weight.plain().const_data_ptr(), weight.plain().const_data_ptr());
  EXPECT_EQ(weight.for_convolving().const_data_ptr(), weight.for_convolving().const_data_ptr());
  EXPECT_EQ(weight.for_transposing().const_data_ptr(), weight.for_transposing().const_data_ptr());
}

TEST(PreparedWeight, IsTheWeightInTheDtypeOfTheMapsWithoutAGradient) {
  const auto weight = at::randn({6, 5, 4, 4}).requires_grad_(true);
  PreparedWeight prepared(weight, at::kBFloat16);
  EXPECT_TRUE(at::equal(prepared.plain(), weight.to(at::kBFloat16)));
  EXPECT_TRUE(prepared.plain().is_contiguous(at::MemoryFormat::ChannelsLast));
  EXPECT_FALSE(prepared.plain().requires_grad());
}

TEST(PreparedWeight, TakesAPartOfAnotherTensor) {
  const auto part = at::randn({8, 6, 4, 4}).contiguous(at::MemoryFormat::ChannelsLast).slice(1, 0, 3);
  EXPECT_TRUE(PreparedWeight(part, at::kFloat).plain().is_contiguous(at::MemoryFormat::ChannelsLast));
}

TEST(PreparedWeight, PairsTheRowsOfBfloat16AndLeavesThoseOfFloat32) {
  const auto weight = at::randn({6, 5, 4, 4}).to(at::kBFloat16).to(at::kFloat);
  const auto rows = weight.permute({2, 3, 1, 0}).reshape({80, 6});  // [16 high, low]
  EXPECT_TRUE(at::equal(PreparedWeight(weight, at::kFloat).for_convolving().view({80, 6}), rows));
  const auto pairs = PreparedWeight(weight, at::kBFloat16).for_convolving().view({40, 6, 2}).to(at::kFloat);
  EXPECT_TRUE(at::equal(pairs.select(2, 0), rows.slice(0, 0, 80, 2)));
  EXPECT_TRUE(at::equal(pairs.select(2, 1), rows.slice(0, 1, 80, 2)));
}

TEST(PreparedWeight, CutsWhatIsTransposedIntoParts) {
  const auto weight = at::randn({6, 40, 4, 4});  // 640 columns are more than a part has: a part for each line
  const auto parts = PreparedWeight(weight, at::kFloat).for_transposing().view({4, 6, 4, 40});
  EXPECT_TRUE(at::equal(parts, weight.permute({2, 0, 3, 1})));
}

}  // namespace
}  // namespace slopegan
