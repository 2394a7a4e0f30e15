#include "metrics/neighbours.h"

#include <algorithm>
#include <cmath>
#include <tuple>
#include <vector>

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "expect_error.h"
#include "metrics/random_features.h"

namespace slopegan {
namespace {

using ::testing::HasSubstr;
using testing::normal_features;
using testing::squared_distances;
using testing::whole_features;

at::Tensor as_tensor(const std::vector<double>& values) { return at::tensor(values); }

TEST(Neighbours, AreCorrectForAFewPointsOnALine) {
  const at::Tensor points = at::tensor({0.0, 1.0, 1.0, 4.0, 10.0}, at::kDouble).view({5, 1});
  const auto radii = squared_neighbour_radii(points, {1, 4, 2});
  EXPECT_EQ(radii[0], (std::vector<double>{1, 0, 0, 9, 36}));
  EXPECT_EQ(radii[1], (std::vector<double>{100, 81, 81, 36, 100}));
  EXPECT_EQ(radii[2], (std::vector<double>{1, 1, 1, 9, 81}));
}

TEST(Neighbours, MatchTheSortedDistances) {
  // There is more than one block of rows, and many rows are equal.
  const at::Tensor points = whole_features(1, 1600, 3, 7);
  const at::Tensor sorted = std::get<0>(squared_distances(points, points).sort(1));
  const auto radii = squared_neighbour_radii(points, {3, 5});
  EXPECT_TRUE(at::equal(as_tensor(radii[0]), sorted.select(1, 3)));  // column 0 is the distance to itself
  EXPECT_TRUE(at::equal(as_tensor(radii[1]), sorted.select(1, 5)));
}

TEST(Neighbours, NearestDistancesToAnotherSetMatchTheSmallestDistances) {
  const at::Tensor points = whole_features(2, 300, 4, 30), others = whole_features(3, 2000, 4, 30);
  const at::Tensor expected = squared_distances(points, others).amin(1);
  // Compares squares, which are integers, because LibTorch's vectorised square root is not correctly rounded on every
  // processor.
  EXPECT_TRUE(at::equal(as_tensor(nearest_distances(points, others)).square().round(), expected));
}

TEST(Neighbours, ACopyIsAtDistanceExactlyZero) {
  for (const double offset : {0.0, 1e3, 1e9}) {
    const at::Tensor others = normal_features(4, 500, 37) + offset;
    for (const double distance : nearest_distances(others.slice(0, 100, 200), others)) EXPECT_EQ(distance, 0);
  }
}

TEST(Neighbours, TheDistanceBetweenTwoPointsDoesNotDependOnTheirSets) {
  const at::Tensor points = normal_features(5, 200, 19) + 1e6;
  const auto radii = squared_neighbour_radii(points, {1});
  for (std::int64_t i = 0; i < 200; ++i) {
    const at::Tensor rest = at::cat({points.slice(0, i + 1).flip(0), points.slice(0, 0, i)});
    const double distance = nearest_distances(points[i].unsqueeze(0), rest)[0];
    EXPECT_EQ(distance, std::sqrt(radii[0][static_cast<std::size_t>(i)]));
  }
}

/// Checks the bounds for all pairs. Returns the largest gap between them, as a fraction of the largest distance.
double widest_gap(const at::Tensor& from, const at::Tensor& to) {
  const at::Tensor origin = to.mean(0);
  std::vector<double> gaps(static_cast<std::size_t>(from.size(0))), distances(gaps.size());
  std::vector<int> wrong(gaps.size());
  for_each_point(Points(from, origin), Points(to, origin), [&](std::int64_t i, const DistancesFrom& row) {
    const auto at = static_cast<std::size_t>(i);
    for (std::int64_t j = 0; j < row.count(); ++j) {
      const double exact = row.exact(j);
      wrong[at] += exact < row.at_least(j) || exact > row.at_most(j) ? 1 : 0;
      gaps[at] = std::max(gaps[at], row.at_most(j) - row.at_least(j));
      distances[at] = std::max(distances[at], exact);
    }
  });
  EXPECT_EQ(std::count(wrong.begin(), wrong.end(), 0), from.size(0));
  return *std::max_element(gaps.begin(), gaps.end()) / *std::max_element(distances.begin(), distances.end());
}

TEST(Neighbours, DistanceBoundsHoldAtAnyScale) {
  for (const std::int64_t width : {1, 3, 64, 1000}) {
    const at::Tensor from = normal_features(6, 60, width), to = normal_features(7, 80, width);
    for (const double scale : {1e-30, 1.0, 1e140}) {
      EXPECT_LT(widest_gap(from * scale, to * scale), 1e-10) << width << " " << scale;
    }
    EXPECT_LT(widest_gap(from + 1e7, to + 1e7), 1e-10) << "the common offset is subtracted";
    // The bounds hold even if squares underflow or the bounds are wide.
    for (const double scale : {1e-150, 1e-158, 1e-170}) widest_gap(from * scale, to * scale);
    widest_gap(from, to * 1e-9 + 1e5);
    widest_gap(from, from + 1e-12);
  }
}

TEST(Neighbours, RejectInvalidFeatures) {
  const at::Tensor points = normal_features(8, 5, 2);
  EXPECT_NO_THROW(squared_neighbour_radii(points, {4}));
  EXPECT_THAT(message_of<std::invalid_argument>([&] { squared_neighbour_radii(points, {3, 5}); }),
              HasSubstr("the number of samples must be at least 6, got 5"));
  EXPECT_THROW(squared_neighbour_radii(points, {0}), std::invalid_argument);
  EXPECT_THROW(squared_neighbour_radii(points, {}), std::invalid_argument);
  EXPECT_THAT(message_of<std::invalid_argument>([&] { squared_neighbour_radii(points * 1e200, {1}); }),
              HasSubstr("overflow"));
  EXPECT_THROW(nearest_distances(points, normal_features(9, 5, 3)), std::invalid_argument);
  EXPECT_THROW(nearest_distances(points, points.slice(0, 0, 0)), std::invalid_argument);
}

}  // namespace
}  // namespace slopegan
