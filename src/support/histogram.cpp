#include "support/histogram.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstddef>
#include <limits>

namespace slopegan {

namespace {

/// The number of low bits that a bucket ignores: all but the sign, the exponent and three bits of the fraction.
constexpr unsigned cut_bits = 20;
constexpr std::uint32_t bucket_count = std::uint32_t{1} << (32 - cut_bits);
constexpr std::uint32_t negative = bucket_count / 2;  ///< the sign bit of a bucket's index
constexpr std::uint32_t exponent_mask = 0x7f800000;
constexpr std::uint32_t finite_buckets = exponent_mask >> cut_bits;  ///< per sign

/// The lower bound of the positive bucket `index`, or the largest finite float if `index` is beyond the last one.
double edge(std::uint32_t index) {
  if (index >= finite_buckets) return static_cast<double>(std::numeric_limits<float>::max());
  return static_cast<double>(std::bit_cast<float>(index << cut_bits));
}

}  // namespace

Histogram::Histogram() : counts_(bucket_count) {}

/// Independent accumulators, which allow the compiler to vectorise the loop. Values that are not finite add 0 to the
/// sums and are ignored by min and max.
struct Histogram::Lanes {
  static constexpr std::size_t width = 8;
  double sum[width] = {}, sum_of_squares[width] = {};
  float min[width], max[width];

  Lanes() {
    std::fill_n(min, width, std::numeric_limits<float>::max());
    std::fill_n(max, width, std::numeric_limits<float>::lowest());
  }

  void add(const float* values) {
    for (std::size_t lane = 0; lane < width; ++lane) {
      const float value = values[lane];
      const bool finite = std::fabs(value) <= std::numeric_limits<float>::max();
      const auto number = static_cast<double>(finite ? value : 0.0f);
      sum[lane] += number;
      sum_of_squares[lane] += number * number;
      min[lane] = finite && value < min[lane] ? value : min[lane];
      max[lane] = finite && value > max[lane] ? value : max[lane];
    }
  }
};

void Histogram::add(std::span<const float> values) {
  for (const float value : values) ++counts_[std::bit_cast<std::uint32_t>(value) >> cut_bits];
  Lanes lanes;
  std::size_t done = 0;
  for (; done + Lanes::width <= values.size(); done += Lanes::width) lanes.add(values.data() + done);
  float rest[Lanes::width];
  std::fill_n(rest, Lanes::width, std::numeric_limits<float>::quiet_NaN());
  std::copy(values.begin() + static_cast<std::ptrdiff_t>(done), values.end(), rest);
  lanes.add(rest);
  for (std::size_t lane = 0; lane < Lanes::width; ++lane) {
    sum_ += lanes.sum[lane];
    sum_of_squares_ += lanes.sum_of_squares[lane];
    min_ = std::min(min_, lanes.min[lane]);
    max_ = std::max(max_, lanes.max[lane]);
  }
}

std::int64_t Histogram::count() const {
  std::int64_t count = 0;
  for (const auto& bucket : buckets()) count += bucket.count;
  return count;
}

std::vector<Histogram::Bucket> Histogram::buckets() const {
  std::vector<Bucket> buckets;
  for (std::uint32_t i = finite_buckets; i-- > 0;) {
    const auto count = counts_[negative + i];
    if (count > 0) buckets.push_back({-edge(i + 1), -edge(i), count});
  }
  for (std::uint32_t i = 0; i < finite_buckets; ++i) {
    if (counts_[i] > 0) buckets.push_back({edge(i), edge(i + 1), counts_[i]});
  }
  return buckets;
}

}  // namespace slopegan
