#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include <c10/core/ScalarType.h>

#include "support/posix_file.h"

/// The JSON header of a safetensors file.
namespace slopegan {

using SafetensorsMetadata = std::map<std::string, std::string>;

struct TensorEntry {
  std::string name;
  c10::ScalarType dtype = c10::ScalarType::Undefined;
  std::vector<std::int64_t> shape;
  std::uint64_t begin = 0;  ///< byte offset in the data section, which follows the header
  std::uint64_t end = 0;
};

struct SafetensorsHeader {
  std::vector<TensorEntry> tensors;  ///< in the order of their data
  SafetensorsMetadata metadata;
};

/// Whether `name` has 1 to 512 bytes of printable UTF-8 and is not "__metadata__".
bool is_tensor_name(std::string_view name);

/// Returns the position of a dtype in the order in which a file stores its tensors, or −1 for a dtype that slopegan
/// cannot store. Wide dtypes come first, so that all data is aligned.
int storage_rank(c10::ScalarType dtype);

/// Returns the header as JSON without padding. The entries must satisfy the conditions that parse_safetensors_header
/// checks.
std::string safetensors_header_text(const SafetensorsHeader& header);

/// Parses a header and checks everything that can be checked without the data: the JSON, the names, the dtypes, the
/// shapes (at most 64 dimensions), and that the tensors cover the `data_size` bytes of data without gaps or overlaps.
/// Throws CheckpointError with the reason, but without the name of the file. Safe for arbitrary bytes.
SafetensorsHeader parse_safetensors_header(std::string_view text, std::uint64_t data_size);

/// Reads the length and the header (at most 8 MB) from the start of an open file and checks them against the size of
/// the file. Leaves the file position at the start of the data. Throws CheckpointError with the reason if the header is
/// invalid, and IoError if it cannot be read.
SafetensorsHeader read_safetensors_header(PosixFile& file);

}  // namespace slopegan
