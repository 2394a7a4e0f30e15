#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

/// Protocol Buffers' wire format (https://protobuf.dev/programming-guides/encoding/), field by field; what the numbers
/// of the fields mean, the caller knows. Written by hand, because a few small messages are all we need, and LibTorch
/// exports the symbols of the protobuf library that is linked into it: another version in the same process clashes.
namespace slopegan {

/// A message that grows by a field at a time; nested messages are bytes.
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

/// A field of a message that is read.
struct ProtobufField {
  int number = 0;
  std::uint64_t integer = 0;  ///< of a varint, or the bits of a fixed-width field
  std::string_view bytes;     ///< of a string, bytes or a message; points into the message

  float as_float() const;  ///< of a fixed32
};

/// The fields of a message in their order. Safe for any bytes. Throws std::runtime_error for what is no message.
std::vector<ProtobufField> protobuf_fields(std::string_view message);

/// `value` as `size` bytes, the lowest first, appended.
void append_little_endian(std::string& bytes, std::uint64_t value, int size);

/// The number in at most eight bytes, the lowest first.
std::uint64_t little_endian(std::string_view bytes);

/// Cuts the first `count` bytes off `bytes` and returns them. Throws std::runtime_error where there are fewer.
std::string_view take_bytes(std::string_view& bytes, std::uint64_t count);

}  // namespace slopegan
