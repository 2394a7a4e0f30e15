#include "data/idx_file.h"

#include <array>
#include <span>
#include <string>
#include <vector>

#include "support/bytes.h"
#include "support/errors.h"
#include "support/text.h"

namespace slopegan {

namespace {

constexpr unsigned char unsigned_byte_type = 0x08;

std::string quoted(const std::filesystem::path& path) { return printable(path.string()); }

void check_magic(const std::filesystem::path& file, const std::array<unsigned char, 4>& magic, int dimensions) {
  const std::string found = format_text("{:02x} {:02x} {:02x} {:02x}", magic[0], magic[1], magic[2], magic[3]);
  const std::string expected = format_text("00 00 08 {:02x}", static_cast<unsigned>(dimensions));
  const std::string what = dimensions == 1 ? "labels" : "images";
  std::string reason;
  if (magic[0] != 0 || magic[1] != 0) {
    reason = " is not an IDX file";
  } else if (magic[2] != unsigned_byte_type) {
    reason = format_text(" is an IDX file of type 0x{:02x}, but unsigned bytes (0x08) are expected", magic[2]);
  } else if (magic[3] != dimensions) {
    reason = format_text(" has {} dimension{}, but {} have {}", magic[3], plural_s(magic[3]), what, dimensions);
  } else {
    return;
  }
  throw DataError(quoted(file) + reason + ": it starts with " + found + ", but an IDX file of " + what +
                  " starts with " + expected);
}

/// Returns the number of bytes after the header of a file of this shape.
std::size_t check_shape(const std::filesystem::path& file, const std::vector<std::int64_t>& shape) {
  const std::string claim = quoted(file) + " claims to contain " + shape_text(shape) + " values";
  if (shape[0] == 0) throw DataError(claim + ", but at least one item is expected");
  for (std::size_t i = 1; i < shape.size(); ++i) {
    if (shape[i] < 1 || shape[i] > max_image_side) {
      throw DataError(claim + format_text("; height and width must be in [1, {}]", max_image_side));
    }
  }
  std::uint64_t bytes = 1;  // at most 2^32 * 2^12 * 2^12
  for (const auto size : shape) bytes *= static_cast<std::uint64_t>(size);
  if (bytes > max_data_bytes) throw DataError(claim + ", which exceeds the limit of 8 GiB");
  return static_cast<std::size_t>(bytes);
}

std::vector<std::int64_t> read_shape(GzFile& input, const std::filesystem::path& file, int dimensions) {
  std::array<unsigned char, 4> word{};
  const auto next_word = [&] {
    if (input.read(std::as_writable_bytes(std::span(word))) < word.size()) {
      throw DataError(quoted(file) + format_text(" is too short for an IDX file: the header alone has {} bytes",
                                                 4 * (dimensions + 1)));
    }
  };
  next_word();
  check_magic(file, word, dimensions);
  std::vector<std::int64_t> shape;
  for (int i = 0; i < dimensions; ++i) {
    next_word();
    shape.push_back(static_cast<std::int64_t>(big_endian({reinterpret_cast<const char*>(word.data()), word.size()})));
  }
  return shape;
}

/// Reads exactly `size` bytes, which must be the rest of the file.
ByteBuffer read_rest(GzFile& input, const std::filesystem::path& file, std::size_t size) {
  ByteBuffer data = read_buffer(size, file, [&](std::span<std::byte> into) { return input.read(into); });
  if (data.size < size) {
    throw DataError(quoted(file) + format_text(" is truncated: its header claims {} bytes of data, but there are {}",
                                               size, data.size));
  }
  std::byte extra{};  // reading past the end makes zlib verify the checksum
  if (input.read({&extra, 1}) != 0) {
    throw DataError(quoted(file) + format_text(" is longer than its header says ({} bytes of data)", size));
  }
  return data;
}

}  // namespace

IdxFile::IdxFile(const std::filesystem::path& file, int dimensions)
    : path_(file), input_(file), shape_(read_shape(input_, file, dimensions)), bytes_(check_shape(file, shape_)) {
  check_uncompressed_size(path_, bytes_, input_.file_size());
}

ByteBuffer IdxFile::read_data() { return read_rest(input_, path_, bytes_); }

}  // namespace slopegan
