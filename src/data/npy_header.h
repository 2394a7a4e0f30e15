#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace slopegan {

/// What stands before the values of an array in NumPy's .npy format (NEP 1, versions 1 to 3).
struct NpyHeader {
  std::string type;                 ///< such as "|u1" or "<i8": byte order, kind, bytes a value
  std::vector<std::int64_t> shape;  ///< row-major
  std::size_t values_at = 0;        ///< bytes before the first value
};

/// Headers are at most this long: the longest that an array of numbers needs is a tenth of it.
inline constexpr std::size_t longest_npy_header = 4096;

/// Reads the header that `bytes` begin with; these are the first longest_npy_header bytes of the array, or all of them.
/// Throws std::invalid_argument saying what is wrong, for "…: it " to be put before: no such header, Python objects,
/// structured types, Fortran's order, more than 8 dimensions, sizes of more than 2^40.
NpyHeader parse_npy_header(std::string_view bytes);

}  // namespace slopegan
