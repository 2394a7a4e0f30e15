#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace slopegan {

/// A message in Protocol Buffers' wire format, field by field; nested messages are bytes. Written by hand, because
/// three small messages are all we need, and a protobuf library beside the ones that LibTorch and OpenCV bring along is
/// a known source of clashes.
class ProtobufMessage {
 public:
  void add_integer(int field, std::uint64_t value);  ///< int64, uint64, enum: two's complement
  void add_double(int field, double value);
  void add_float(int field, float value);
  void add_bytes(int field, std::string_view bytes);  ///< string, bytes, message
  void add_packed_doubles(int field, std::span<const double> values);

  const std::string& bytes() const { return bytes_; }

 private:
  void add_tag(int field, unsigned wire_type);
  void add_varint(std::uint64_t value);

  std::string bytes_;
};

/// `value` as `size` bytes, the lowest first, appended.
void append_little_endian(std::string& bytes, std::uint64_t value, int size);

}  // namespace slopegan
