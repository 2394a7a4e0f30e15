#pragma once

#include <cstdint>

namespace slopegan {

/// Whether a multiple of `every` lies in (before, after]; 0 stands for never.
inline bool is_due(std::int64_t every, std::int64_t before, std::int64_t after) {
  return every > 0 && after / every > before / every;
}

}  // namespace slopegan
