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
  /// The tensor's bytes in the data, which starts behind the header.
  std::uint64_t begin = 0;
  std::uint64_t end = 0;
};

struct SafetensorsHeader {
  /// In the order of their data.
  std::vector<TensorEntry> tensors;
  SafetensorsMetadata metadata;
};

/// Between 1 and 512 bytes of printable UTF-8, and not "__metadata__".
bool is_tensor_name(std::string_view name);

/// Where the dtype stands in a file, the first at 0 (the widest first, so that all data are aligned), or -1 for a dtype
/// that slopegan does not store.
int storage_rank(c10::ScalarType dtype);

/// The header as JSON without the padding. The entries are as parse_safetensors_header returns them.
std::string safetensors_header_text(const SafetensorsHeader& header);

/// Checks everything that can be checked without the data: JSON, names, dtypes, shapes of at most 64 dimensions, and
/// that the tensors cover the `data_size` bytes of data without gap or overlap. Throws CheckpointError with the reason,
/// which does not name the file. Safe for any bytes.
SafetensorsHeader parse_safetensors_header(std::string_view text, std::uint64_t data_size);

/// Reads the length and the header from the beginning of an open file and parses it against the file's size; the data
/// follow. A header may take 8 MB. Throws CheckpointError with the reason, and IoError.
SafetensorsHeader read_safetensors_header(PosixFile& file);

}  // namespace slopegan
