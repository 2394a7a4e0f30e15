#include "data/file_checks.h"

#include <algorithm>
#include <string>

#include "support/errors.h"
#include "support/text.h"

namespace slopegan {

static constexpr std::uint64_t most_compression = 100, always_believed = std::uint64_t{64} << 20;

std::uint64_t most_believable(std::uint64_t file_size) {
  return std::clamp(file_size, always_believed / most_compression, max_data_bytes / most_compression) *
         most_compression;
}

void check_believable(const std::filesystem::path& file, std::uint64_t bytes, std::uint64_t file_size) {
  if (bytes <= always_believed || bytes / most_compression <= file_size) return;
  throw DataError(printable(file.string()) +
                  format_text(" says that it holds {} bytes of data: more than {} times the {} bytes of the file",
                              bytes, most_compression, file_size));
}

void require_regular_file(const std::filesystem::path& file) {
  const std::string shown = printable(file.string());
  std::error_code error;
  const auto status = std::filesystem::status(file, error);
  switch (status.type()) {
    case std::filesystem::file_type::regular:
      return;
    case std::filesystem::file_type::not_found:
      throw DataError("there is no file " + shown);
    case std::filesystem::file_type::directory:
      throw DataError(shown + " is a directory where a file is expected");
    case std::filesystem::file_type::none:
    case std::filesystem::file_type::unknown:
      throw DataError(shown + " cannot be read: " + error.message());
    default:
      throw DataError(shown + " is a device or a pipe where a regular file is expected");
  }
}

bool has_entry(const std::filesystem::path& path) {
  std::error_code ignored;
  return std::filesystem::exists(std::filesystem::symlink_status(path, ignored));
}

}  // namespace slopegan
