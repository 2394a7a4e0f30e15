#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "expect_error.h"
#include "support/errors.h"
#include "support/posix_file.h"
#include "temporary_directory.h"

namespace slopegan {
namespace {

TEST(MappedFile, HoldsTheBytesAlsoOfAFileThatIsUnlinked) {
  const TemporaryDirectory directory;
  const auto path = directory.write("a", "0123");
  const MappedFile file(path);
  std::filesystem::remove(path);
  ASSERT_EQ(file.bytes().size(), 4u);
  EXPECT_EQ(file.bytes()[3], std::byte{'3'});
  EXPECT_TRUE(MappedFile(directory.write("empty", "")).bytes().empty());
}

TEST(MappedFile, NamesWhatIsNotThere) {
  const TemporaryDirectory directory;
  EXPECT_THAT(message_of<IoError>([&] { MappedFile file(directory / "nothing"); }), ::testing::HasSubstr("nothing"));
  EXPECT_THAT(message_of<IoError>([&] { MappedFile file(directory.path()); }), ::testing::HasSubstr("directory"));
}

}  // namespace
}  // namespace slopegan
