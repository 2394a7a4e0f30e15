#pragma once

#include <cstdint>

namespace slopegan {

/// The consecutive images of a batch that one of several processes works on.
struct Part {
  std::int64_t first = 0;
  std::int64_t count = 0;
  std::int64_t total = 0;  ///< images of the whole batch

  static Part whole(std::int64_t images) { return {0, images, images}; }

  /// Splits a batch evenly: the sizes of the parts differ by at most one image.
  static Part of_rank(std::int64_t rank, std::int64_t ranks, std::int64_t images) {
    const std::int64_t first = rank * images / ranks;
    return {first, (rank + 1) * images / ranks - first, images};
  }

  double share() const { return static_cast<double>(count) / static_cast<double>(total); }
};

}  // namespace slopegan
