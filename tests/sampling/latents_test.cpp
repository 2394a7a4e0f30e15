#include "sampling/latents.h"

#include <algorithm>
#include <cmath>
#include <stdexcept>

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "sampling/samples.h"
#include "training/gan_step.h"

namespace slopegan {
namespace {

at::Tensor latents(std::int64_t count, std::int64_t size) { return draw_latents(5, "tests/walk", 0, count, size); }

double length(const at::Tensor& vector) { return vector.to(at::kDouble).norm().item<double>(); }

double angle(const at::Tensor& a, const at::Tensor& b) {
  const double cosine = a.to(at::kDouble).dot(b.to(at::kDouble)).item<double>() / length(a) / length(b);
  return std::acos(std::clamp(cosine, -1.0, 1.0));
}

TEST(Slerp, FollowsTheQuarterCircleBetweenTwoAxes) {
  const auto x = at::tensor({3.0f, 0.0f}), y = at::tensor({0.0f, 0.5f});
  for (const double t : {0.0, 0.1, 0.25, 0.5, 0.9, 1.0}) {
    const auto point = slerp(x, y, t);
    EXPECT_NEAR(point[0].item<double>(), std::sqrt(2) * std::cos(t * M_PI / 2), 1e-6);
    EXPECT_NEAR(point[1].item<double>(), std::sqrt(2) * std::sin(t * M_PI / 2), 1e-6);
  }
}

TEST(Slerp, HasConstantNormAndSpeed) {
  for (const std::int64_t size : {2, 16, 100, 4096}) {
    const auto ends = latents(2, size);
    const double whole = angle(ends[0], ends[1]);
    for (int i = 0; i <= 10; ++i) {
      const auto point = slerp(ends[0], ends[1], i / 10.0);
      EXPECT_NEAR(length(point), std::sqrt(static_cast<double>(size)), 1e-5 * std::sqrt(static_cast<double>(size)));
      EXPECT_NEAR(angle(ends[0], point), whole * i / 10, 1e-3);
      EXPECT_NEAR(angle(point, ends[1]), whole * (10 - i) / 10, 1e-3);
    }
  }
}

TEST(Slerp, ReturnsItsEndsExactly) {
  const auto ends = latents(2, 100);
  const auto scaled = [](const at::Tensor& end) {
    const auto precise = end.to(at::kDouble);
    return (precise / precise.norm() * 10.0).to(at::kFloat);
  };
  EXPECT_TRUE(at::equal(slerp(ends[0], ends[1], 0), scaled(ends[0])));
  EXPECT_TRUE(at::equal(slerp(ends[0], ends[1], 1), scaled(ends[1])));
}

TEST(Slerp, IsConstantIfBothEndsAreEqual) {
  const auto end = latents(1, 50)[0];
  for (const double t : {0.0, 0.3, 1.0}) EXPECT_TRUE(at::equal(slerp(end, end * 2, t), slerp(end, end, 0)));
}

TEST(Slerp, FollowsAHalfCircleBetweenOppositeEnds) {
  for (const std::int64_t size : {2, 100}) {
    const auto end = latents(1, size)[0];
    for (int i = 0; i <= 8; ++i) {
      const auto point = slerp(end, -end, i / 8.0);
      EXPECT_NEAR(length(point), std::sqrt(static_cast<double>(size)), 1e-4);
      EXPECT_NEAR(angle(end, point), M_PI * i / 8, 1e-3);
    }
  }
}

TEST(Slerp, HandlesNearlyOppositeOrEqualEnds) {
  const auto end = latents(1, 100)[0];
  const auto other = latents(2, 100)[1];
  for (const double sign : {1.0, -1.0}) {
    for (const double shift : {1e-1, 1e-3, 1e-6, 1e-9, 0.0}) {
      const auto near = end * sign + other * shift;
      for (int i = 0; i <= 4; ++i) {
        const auto point = slerp(end, near, i / 4.0);
        ASSERT_NEAR(length(point), 10, 1e-4) << sign << " " << shift;
        ASSERT_NEAR(angle(end, point), angle(end, near) * i / 4, 2e-3) << sign << " " << shift;
      }
    }
  }
}

TEST(Slerp, HandlesOneDimensionAndZeroVectors) {
  const auto one = at::tensor({2.0f}), minus = at::tensor({-0.1f});
  EXPECT_EQ(slerp(one, minus, 0.4).item<float>(), 1);
  EXPECT_EQ(slerp(one, minus, 0.6).item<float>(), -1);
  const auto point = slerp(at::zeros({4}), at::tensor({0.0f, 1.0f, 0.0f, 0.0f}), 0.5);
  EXPECT_NEAR(point[0].item<double>(), std::sqrt(2), 1e-6);
  EXPECT_NEAR(point[1].item<double>(), std::sqrt(2), 1e-6);
  EXPECT_THROW(slerp(at::zeros({4}), at::zeros({5}), 0), std::invalid_argument);
}

TEST(LatentWalk, VisitsItsStationsAndReturnsToTheFirst) {
  const auto stations = latents(3, 100);
  const LatentWalk walk(stations, 4);
  EXPECT_EQ(walk.size(), 12);
  const auto points = walk.latents(0, 13);
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(at::equal(points[4 * i], slerp(stations[i], stations[i], 0)));
  EXPECT_TRUE(at::equal(points[12], points[0]));
  EXPECT_TRUE(at::equal(points[9], slerp(stations[2], stations[0], 0.25)));
  EXPECT_TRUE(at::equal(walk.latents(5, 3), points.narrow(0, 5, 3)));
  const LatentWalk still(stations.narrow(0, 0, 1), 4);
  EXPECT_TRUE(at::equal(still.latents(0, 4)[3], points[0]));
  EXPECT_THROW(LatentWalk(stations, 0), std::invalid_argument);
}

TEST(NumberedLatents, DependOnlyOnSeedAndIndex) {
  const auto source = numbered_latents(7, 100);
  const auto all = source(0, 20);
  EXPECT_TRUE(at::equal(source(5, 3), all.narrow(0, 5, 3)));
  EXPECT_FALSE(at::equal(numbered_latents(8, 100)(0, 20), all));
  for (std::int64_t i = 1; i < 20; ++i) EXPECT_FALSE(at::equal(all[i], all[i - 1]));
  EXPECT_NEAR(all.mean().item<double>(), 0, 0.1);
  EXPECT_NEAR(all.std().item<double>(), 1, 0.1);
}

}  // namespace
}  // namespace slopegan
