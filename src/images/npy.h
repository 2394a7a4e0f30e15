#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

/// Headers of arrays in NumPy's .npy format (https://numpy.org/neps/nep-0001-npy-format.html).
namespace slopegan {

struct NpyHeader {
  std::string type;  ///< byte order, kind and bytes per value, for example "|u1" or "<i8"
  std::vector<std::int64_t> shape;
  bool fortran_order = false;  ///< the first index varies fastest, not the last; false for fewer than two dimensions
  std::size_t size = 0;        ///< size of the header in bytes, which is the offset of the first value
};

/// The longest header that is accepted. Headers of numeric arrays are usually much shorter.
inline constexpr std::size_t max_npy_header_bytes = 4096;

/// Parses the header (versions 1 to 3) at the start of `bytes`: the first max_npy_header_bytes of the array, or the
/// whole array if it is shorter. Throws std::invalid_argument for damaged headers, structured types, more than 8
/// dimensions and sizes above 2^40. The message, such as "is not a NumPy array", lacks the name of the file, which the
/// caller must prepend.
NpyHeader parse_npy_header(std::string_view bytes);

/// The header (version 1.0) of a uint8 array in C order, padded to a multiple of 64 bytes.
std::string npy_header(const std::vector<std::int64_t>& shape);

}  // namespace slopegan
