#include "support/checksums.h"

#include <fstream>
#include <span>
#include <string>
#include <string_view>

#include <gtest/gtest.h>

#include "support/errors.h"
#include "temporary_directory.h"

namespace slopegan {
namespace {

std::span<const std::byte> bytes(std::string_view text) { return std::as_bytes(std::span(text)); }

// The examples of FIPS 180-2, appendix B.
constexpr auto abc_digest = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
constexpr auto million_digest = "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0";

TEST(Sha256, MatchesPublishedDigests) {
  EXPECT_EQ(sha256_hex("abc"), abc_digest);
  EXPECT_EQ(sha256_hex(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

TEST(Sha256, DoesNotDependOnHowTheDataIsSplit) {
  Sha256 sha;
  sha.update(bytes("a"));
  sha.update({});
  sha.update(bytes("bc"));
  EXPECT_EQ(sha.hex(), abc_digest);
}

TEST(Sha256, HashesTheContentOfAFile) {
  const TemporaryDirectory directory;
  std::ofstream(directory / "million") << std::string(1000000, 'a');
  EXPECT_EQ(sha256_file(directory / "million"), million_digest);
}

TEST(Sha256, ReportsAMissingFileOrADirectoryAsAnIoError) {
  const TemporaryDirectory directory;
  EXPECT_THROW(sha256_file(directory / "missing"), IoError);
  EXPECT_THROW(sha256_file(directory.path()), IoError);
}

TEST(Crc32c, MatchesPublishedValues) {
  std::string ascending, descending;
  for (char c = 0; c < 32; ++c) {
    ascending += c;
    descending.insert(descending.begin(), c);
  }
  // RFC 3720, appendix B.4, and the check value of the CRC catalogue.
  EXPECT_EQ(crc32c(std::string(32, '\0')), 0x8a9136aau);
  EXPECT_EQ(crc32c(std::string(32, '\xff')), 0x62a8ab43u);
  EXPECT_EQ(crc32c(ascending), 0x46dd794eu);
  EXPECT_EQ(crc32c(descending), 0x113fdb5cu);
  EXPECT_EQ(crc32c("123456789"), 0xe3069283u);
  EXPECT_EQ(crc32c(""), 0u);
}

TEST(Base64, AgreesWithRfc4648) {
  EXPECT_EQ(base64(""), "");
  EXPECT_EQ(base64("f"), "Zg==");
  EXPECT_EQ(base64("fo"), "Zm8=");
  EXPECT_EQ(base64("foo"), "Zm9v");
  EXPECT_EQ(base64("foob"), "Zm9vYg==");
  EXPECT_EQ(base64("fooba"), "Zm9vYmE=");
  EXPECT_EQ(base64("foobar"), "Zm9vYmFy");
}

TEST(Base64, EncodesLongTextsInPieces) {
  const std::string text(std::size_t{7} << 20, 'a');  // a multiple of 3, plus 1; "aaa" encodes to YWFh
  const std::string code = base64(text);
  std::string expected;
  for (std::size_t i = 0; i < text.size() / 3; ++i) expected += "YWFh";
  EXPECT_TRUE(code == expected + "YQ==");
}

}  // namespace
}  // namespace slopegan
