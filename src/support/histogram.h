#pragma once

#include <cstdint>
#include <limits>
#include <span>
#include <vector>

namespace slopegan {

/// A histogram of float32 values. The leading bits of a value select its bucket; there are eight buckets per power of
/// two, for each sign. The range therefore need not be known in advance, and counting a value costs only a shift and an
/// increment.
class Histogram {
 public:
  struct Bucket {
    /// The bound of smaller magnitude is included. The other one is excluded, unless it is the largest finite float.
    double left = 0, right = 0;
    std::int64_t count = 0;
  };

  Histogram();

  /// Ignores values that are not finite.
  void add(std::span<const float> values);

  /// The non-empty buckets in ascending order.
  std::vector<Bucket> buckets() const;

  std::int64_t count() const;
  /// The statistics below cover all counted values and are 0 if there are none.
  double min() const { return count() == 0 ? 0 : static_cast<double>(min_); }
  double max() const { return count() == 0 ? 0 : static_cast<double>(max_); }
  double sum() const { return sum_; }
  double sum_of_squares() const { return sum_of_squares_; }

 private:
  struct Lanes;

  std::vector<std::int64_t> counts_;
  float min_ = std::numeric_limits<float>::max(), max_ = std::numeric_limits<float>::lowest();
  double sum_ = 0, sum_of_squares_ = 0;
};

}  // namespace slopegan
