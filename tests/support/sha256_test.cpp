#include <fstream>
#include <string_view>

#include <gtest/gtest.h>

#include "support/checksums.h"
#include "support/errors.h"
#include "temporary_directory.h"

namespace slopegan {
namespace {

std::span<const std::byte> bytes(std::string_view text) { return std::as_bytes(std::span(text)); }

// The examples of FIPS 180-2, appendix B.
constexpr auto abc_digest = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
constexpr auto million_digest = "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0";

TEST(Sha256, GivesThePublishedDigests) {
  EXPECT_EQ(sha256_hex(bytes("abc")), abc_digest);
  EXPECT_EQ(sha256_hex({}), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

TEST(Sha256, DoesNotDependOnHowTheBytesAreCut) {
  Sha256 sha;
  sha.update(bytes("a"));
  sha.update({});
  sha.update(bytes("bc"));
  EXPECT_EQ(sha.hex(), abc_digest);
}

TEST(Sha256, OfAFileIsThatOfItsContent) {
  const TemporaryDirectory directory;
  std::ofstream(directory / "million") << std::string(1000000, 'a');
  EXPECT_EQ(sha256_file(directory / "million"), million_digest);
}

TEST(Sha256, OfAFileThatIsMissingIsAnIoError) {
  const TemporaryDirectory directory;
  EXPECT_THROW(sha256_file(directory / "missing"), IoError);
  EXPECT_THROW(sha256_file(directory.path()), IoError);
}

}  // namespace
}  // namespace slopegan
