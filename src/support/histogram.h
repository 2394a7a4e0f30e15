#pragma once

#include <cstdint>
#include <limits>
#include <span>
#include <vector>

namespace slopegan {

/// How often numbers of each size came up. The buckets are those of float32's leading bits: eight to a factor of two on
/// either side of zero, so that no range has to be known beforehand and counting costs a shift and an increment.
class Histogram {
 public:
  struct Bucket {
    double left = 0, right = 0;  ///< |left|, |right| belong to the bucket and to the one beyond it, the latter excluded
    std::int64_t count = 0;
  };

  Histogram();

  /// Numbers that are not finite are left out.
  void add(std::span<const float> values);

  /// The buckets that are not empty, from the least numbers on; each lies right of the one before it.
  std::vector<Bucket> buckets() const;

  std::int64_t count() const;
  /// Of all numbers; 0 where there are none.
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
