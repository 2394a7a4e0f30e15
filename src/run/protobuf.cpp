#include "run/protobuf.h"

#include <bit>

namespace slopegan {

namespace {

// https://protobuf.dev/programming-guides/encoding/
constexpr unsigned varint_type = 0, fixed64_type = 1, bytes_type = 2, fixed32_type = 5;

}  // namespace

void append_little_endian(std::string& bytes, std::uint64_t value, int size) {
  for (int i = 0; i < size; ++i) bytes += static_cast<char>((value >> (8 * i)) & 0xff);
}

void ProtobufMessage::add_varint(std::uint64_t value) {
  for (; value >= 0x80; value >>= 7) bytes_ += static_cast<char>((value & 0x7f) | 0x80);
  bytes_ += static_cast<char>(value);
}

void ProtobufMessage::add_tag(int field, unsigned wire_type) {
  add_varint(static_cast<std::uint64_t>(field) << 3 | wire_type);
}

void ProtobufMessage::add_integer(int field, std::uint64_t value) {
  add_tag(field, varint_type);
  add_varint(value);
}

void ProtobufMessage::add_double(int field, double value) {
  add_tag(field, fixed64_type);
  append_little_endian(bytes_, std::bit_cast<std::uint64_t>(value), 8);
}

void ProtobufMessage::add_float(int field, float value) {
  add_tag(field, fixed32_type);
  append_little_endian(bytes_, std::bit_cast<std::uint32_t>(value), 4);
}

void ProtobufMessage::add_bytes(int field, std::string_view bytes) {
  add_tag(field, bytes_type);
  add_varint(bytes.size());
  bytes_ += bytes;
}

void ProtobufMessage::add_packed_doubles(int field, std::span<const double> values) {
  add_tag(field, bytes_type);
  add_varint(values.size() * sizeof(double));
  for (const double value : values) append_little_endian(bytes_, std::bit_cast<std::uint64_t>(value), 8);
}

}  // namespace slopegan
