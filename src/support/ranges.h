#pragma once

#include <algorithm>
#include <ranges>
#include <vector>

namespace slopegan {

/// Whether an element of `range` is equal to `value`. The same as std::ranges::contains in C++23.
template <std::ranges::input_range Range, class Value>
bool contains(const Range& range, const Value& value) {
  return std::ranges::find(range, value) != std::ranges::end(range);
}

/// The distinct elements of `values` in ascending order.
template <class Value>
std::vector<Value> sorted_unique(std::vector<Value> values) {
  std::ranges::sort(values);
  const auto repeated = std::ranges::unique(values);
  values.erase(repeated.begin(), repeated.end());
  return values;
}

}  // namespace slopegan
