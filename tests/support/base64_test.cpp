#include <string>
#include <string_view>

#include <gtest/gtest.h>

#include "support/checksums.h"

namespace slopegan {
namespace {

std::string encoded(std::string_view text) { return base64(std::as_bytes(std::span(text))); }

TEST(Base64, AgreesWithRfc4648) {
  EXPECT_EQ(encoded(""), "");
  EXPECT_EQ(encoded("f"), "Zg==");
  EXPECT_EQ(encoded("fo"), "Zm8=");
  EXPECT_EQ(encoded("foo"), "Zm9v");
  EXPECT_EQ(encoded("foob"), "Zm9vYg==");
  EXPECT_EQ(encoded("fooba"), "Zm9vYmE=");
  EXPECT_EQ(encoded("foobar"), "Zm9vYmFy");
}

TEST(Base64, HasNoSeamsInLongTexts) {
  const std::string text(std::size_t{7} << 20, 'a');  // a multiple of 3 and one more: "aaa" is YWFh
  const std::string code = encoded(text);
  std::string expected;
  for (std::size_t i = 0; i < text.size() / 3; ++i) expected += "YWFh";
  EXPECT_TRUE(code == expected + "YQ==");
}

}  // namespace
}  // namespace slopegan
