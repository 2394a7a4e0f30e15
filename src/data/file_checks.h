#pragma once

#include <cstdint>
#include <filesystem>

/// What is asked of a file with data before anything of its size is made.
namespace slopegan {

/// Data sets and their parts hold at most this many bytes.
inline constexpr std::uint64_t max_data_bytes = std::uint64_t{8} << 30;
/// Height and width of stored images.
inline constexpr std::int64_t max_image_side = 4096;

/// How many bytes of data a file of `file_size` bytes may hold: 100 times its own size, where compression is at work,
/// and 64 MiB in any case. gzip leaves 0.6 of Fashion-MNIST and a thousandth of the zeros of a bomb.
std::uint64_t most_believable(std::uint64_t file_size);

/// Throws DataError where `file` says that it holds more `bytes` of data than most_believable.
void check_believable(const std::filesystem::path& file, std::uint64_t bytes, std::uint64_t file_size);

/// Opening a pipe would wait for ever and reading a directory fails late, so only regular files are let through; what
/// else there is, or that there is nothing, is a DataError.
void require_regular_file(const std::filesystem::path& file);

/// Whether something of that name is there, also a link that leads nowhere: whoever reads it says so.
bool has_entry(const std::filesystem::path& path);

}  // namespace slopegan
