#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include <torch/types.h>

namespace slopegan {

/// Writes one array of bytes as numpy's np.savez does: a zip file with the stored (not compressed) entry
/// <name>.npy, of any size (zip64). `next` gives uint8 tensors, contiguous and on the CPU, whose bytes one after the
/// other are the array in C order; they are asked for when they are needed, so that the memory does not grow with the
/// file. The same array gives the same file. Whoever reads `file` sees the old one or the whole new one.
///
/// Throws IoError, whatever `next` throws, and std::logic_error where it gives another number of bytes than `shape`
/// says; nothing is left behind then.
void write_npz(const std::filesystem::path& file, const std::string& name, const std::vector<std::int64_t>& shape,
               const std::function<torch::Tensor()>& next);

/// The beginning of an .npy file (version 1.0) for uint8 in C order: numpy.lib.format.
std::string npy_header(const std::vector<std::int64_t>& shape);

}  // namespace slopegan
