#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "support/data_file.h"

struct zip;

/// Reads and writes archives of arrays in the format of NumPy's savez and savez_compressed.
namespace slopegan {

/// The kinds of NumPy values that can be read. Text has a fixed length and is padded with zeros; `bytes` uses one byte
/// per character, `unicode` four.
enum class NpyKind { boolean, unsigned_integer, signed_integer, real, bytes, unicode };

struct NpyArray {
  NpyKind kind = NpyKind::unsigned_integer;
  /// Bytes per value: 1 for booleans; 1, 2, 4 or 8 for integers; 2, 4 or 8 for floating-point numbers; up to 1024 for
  /// text.
  std::size_t item_size = 1;
  std::vector<std::int64_t> shape;  ///< every size is at least 1
  bool fortran_order = false;       ///< the first index varies fastest, not the last
  std::size_t count = 0;            ///< number of values, the product of the shape
  ByteBuffer values;                ///< count * item_size bytes, little-endian
};

/// Reads the arrays of an archive. Sizes declared in the archive are checked against the size of the file before memory
/// is allocated. All errors are DataErrors that name the file and, if the error is in an array, the array.
class NpzFile {
 public:
  explicit NpzFile(std::filesystem::path path);

  bool has(const std::string& array) const;
  std::vector<std::string> arrays() const;
  /// Throws if the array is missing, empty, damaged or of an unsupported type, such as Python objects.
  NpyArray read(const std::string& array) const;

 private:
  struct Close {
    void operator()(zip* archive) const;
  };

  std::filesystem::path path_;
  std::uint64_t file_size_ = 0;
  std::unique_ptr<zip, Close> archive_;
};

/// Writes an archive with one uint8 array of any size (zip64) as the uncompressed entry <name>.npy. Equal arrays
/// produce identical files. The file is replaced atomically.
///
/// `next` returns consecutive parts of the array in C order, each of which stays valid until the following call. It is
/// called on demand, so memory use does not depend on the size of the file.
///
/// Throws IoError, any exception from `next`, and std::logic_error if `next` returns an empty part before the array is
/// complete. No file is left behind after an exception.
void write_npz(const std::filesystem::path& file, const std::string& name, const std::vector<std::int64_t>& shape,
               const std::function<std::span<const std::byte>()>& next);

}  // namespace slopegan
