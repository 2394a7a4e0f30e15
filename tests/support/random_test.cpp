#include "support/random.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <set>

#include <gtest/gtest.h>

namespace slopegan {
namespace {

using Words = std::array<std::uint32_t, 4>;

TEST(Philox, MatchesTheReferenceImplementation) {
  // From the file kat_vectors in Random123: philox4x32 with 10 rounds.
  EXPECT_EQ(philox4x32({0, 0, 0, 0}, {0, 0}), (Words{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}));
  const std::uint32_t ones = 0xffffffff;
  EXPECT_EQ(philox4x32({ones, ones, ones, ones}, {ones, ones}),
            (Words{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}));
  EXPECT_EQ(philox4x32({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, {0xa4093822, 0x299f31d0}),
            (Words{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}));
}

std::vector<float> normals(std::uint64_t seed, std::string_view name, std::uint64_t index, std::size_t count) {
  std::vector<float> values(count);
  RandomStream(seed, name, index).fill_normal(values);
  return values;
}

TEST(RandomStream, DependsOnlyOnSeedNameAndIndex) {
  EXPECT_EQ(normals(1, "latents", 64, 100), normals(1, "latents", 64, 100));
  EXPECT_NE(normals(1, "latents", 64, 100), normals(2, "latents", 64, 100));
  EXPECT_NE(normals(1, "latents", 64, 100), normals(1, "order", 64, 100));
  EXPECT_NE(normals(1, "latents", 64, 100), normals(1, "latents", 128, 100));
}

TEST(RandomStream, AShorterDrawIsAPrefixOfALongerOne) {
  const auto longer = normals(3, "latents", 0, 101);
  const auto shorter = normals(3, "latents", 0, 50);
  EXPECT_TRUE(std::equal(shorter.begin(), shorter.end(), longer.begin()));
}

TEST(RandomStream, NormalSamplesHaveTheMomentsOfTheStandardNormal) {
  const std::size_t count = 200000;
  const auto values = normals(0, "moments", 0, count);
  double sum = 0, squares = 0, fourths = 0;
  for (const double x : values) {
    ASSERT_TRUE(std::isfinite(x));
    sum += x;
    squares += x * x;
    fourths += x * x * x * x;
  }
  const double n = static_cast<double>(count);
  EXPECT_NEAR(sum / n, 0.0, 5 / std::sqrt(n));
  EXPECT_NEAR(squares / n, 1.0, 5 * std::sqrt(2 / n));
  EXPECT_NEAR(fourths / n, 3.0, 5 * std::sqrt(96 / n));
}

TEST(RandomStream, BelowIsUniform) {
  RandomStream stream(0, "below");
  std::vector<double> counts(7);
  const double draws = 70000;
  for (int i = 0; i < static_cast<int>(draws); ++i) counts.at(stream.below(7)) += 1;
  double chi_squared = 0;
  for (const double count : counts) chi_squared += (count - draws / 7) * (count - draws / 7) / (draws / 7);
  EXPECT_LT(chi_squared, 22.5);  // the 99.9 % quantile with 6 degrees of freedom
}

TEST(KeyedPermutation, ContainsEveryIndexOnceAndDiffersBetweenEpochs) {
  const auto first = keyed_permutation(0, "order", 0, 1000);
  EXPECT_EQ(std::set<std::uint32_t>(first.begin(), first.end()).size(), 1000u);
  EXPECT_EQ(*std::max_element(first.begin(), first.end()), 999u);
  EXPECT_EQ(first, keyed_permutation(0, "order", 0, 1000));
  EXPECT_NE(first, keyed_permutation(0, "order", 1, 1000));
  EXPECT_TRUE(keyed_permutation(0, "order", 0, 0).empty());
}

}  // namespace
}  // namespace slopegan
