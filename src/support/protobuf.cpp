#include "support/protobuf.h"

#include <bit>
#include <stdexcept>

namespace slopegan {

namespace {

// https://protobuf.dev/programming-guides/encoding/
constexpr unsigned varint_type = 0, fixed64_type = 1, bytes_type = 2, fixed32_type = 5;

std::uint64_t take_varint(std::string_view& bytes) {
  std::uint64_t value = 0;
  for (int shift = 0; shift < 64; shift += 7) {
    const auto byte = static_cast<unsigned char>(take_bytes(bytes, 1).front());
    value |= static_cast<std::uint64_t>(byte & 0x7f) << shift;
    if (byte < 0x80) return value;
  }
  throw std::runtime_error("a number of the message has too many bytes");
}

}  // namespace

std::string_view take_bytes(std::string_view& bytes, std::uint64_t count) {
  if (count > bytes.size()) throw std::runtime_error("the message is cut");
  const auto taken = bytes.substr(0, count);
  bytes.remove_prefix(count);
  return taken;
}

std::uint64_t little_endian(std::string_view bytes) {
  std::uint64_t value = 0;
  for (std::size_t i = bytes.size(); i-- > 0;) value = value << 8 | static_cast<unsigned char>(bytes[i]);
  return value;
}

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

float ProtobufField::as_float() const { return std::bit_cast<float>(static_cast<std::uint32_t>(integer)); }

std::vector<ProtobufField> protobuf_fields(std::string_view message) {
  constexpr std::uint64_t largest_number = (1u << 29) - 1;
  std::vector<ProtobufField> fields;
  while (!message.empty()) {
    const auto tag = take_varint(message);
    if (tag >> 3 == 0 || tag >> 3 > largest_number) throw std::runtime_error("a field of the message has no number");
    ProtobufField& field = fields.emplace_back();
    field.number = static_cast<int>(tag >> 3);
    switch (tag & 7) {
      case varint_type:
        field.integer = take_varint(message);
        break;
      case fixed64_type:
        field.integer = little_endian(take_bytes(message, 8));
        break;
      case bytes_type:
        field.bytes = take_bytes(message, take_varint(message));
        break;
      case fixed32_type:
        field.integer = little_endian(take_bytes(message, 4));
        break;
      default:
        throw std::runtime_error("the message holds a field of an unknown type");
    }
  }
  return fields;
}

}  // namespace slopegan
