#include "support/protobuf.h"

#include <stdexcept>

#include <gtest/gtest.h>

namespace slopegan {
namespace {

// The example of protobuf.dev: field 1 with 150.
TEST(Protobuf, WritesAndReadsTheExampleOfItsGuide) {
  ProtobufMessage message;
  message.add_integer(1, 150);
  EXPECT_EQ(message.bytes(), "\x08\x96\x01");
  const auto fields = protobuf_fields(message.bytes());
  ASSERT_EQ(fields.size(), 1u);
  EXPECT_EQ(fields[0].number, 1);
  EXPECT_EQ(fields[0].integer, 150u);
}

TEST(Protobuf, ReadsBackWhatItWrote) {
  ProtobufMessage message;
  message.add_integer(1, ~std::uint64_t{0});
  message.add_float(16, -0.25f);
  message.add_bytes(300, "testing");
  message.add_double(4, 0.5);
  const auto fields = protobuf_fields(message.bytes());
  ASSERT_EQ(fields.size(), 4u);
  EXPECT_EQ(fields[0].integer, ~std::uint64_t{0});
  EXPECT_EQ(fields[1].number, 16);
  EXPECT_EQ(fields[1].as_float(), -0.25f);
  EXPECT_EQ(fields[2].number, 300);
  EXPECT_EQ(fields[2].bytes, "testing");
  EXPECT_EQ(fields[3].integer, std::uint64_t{0x3fe0000000000000});
}

TEST(Protobuf, RefusesWhatIsNoMessage) {
  const std::string_view cut[] = {"\x08",
                                  "\x0a\x05"
                                  "abc",
                                  "\x0d\x01\x02", "\x08\x96"};
  for (const auto bytes : cut) EXPECT_THROW(protobuf_fields(bytes), std::runtime_error);
  EXPECT_THROW(protobuf_fields(std::string_view("\x00\x01", 2)), std::runtime_error) << "field 0";
  EXPECT_THROW(protobuf_fields("\x0b"), std::runtime_error) << "a group";
  EXPECT_THROW(protobuf_fields("\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"), std::runtime_error) << "11 bytes";
  EXPECT_TRUE(protobuf_fields("").empty());
}

}  // namespace
}  // namespace slopegan
