#include "support/log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/files.h"
#include "temporary_directory.h"

namespace slopegan {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;

std::string logged(const std::string& message) {
  ::testing::internal::CaptureStderr();
  log::init({});
  log::info(message);
  return ::testing::internal::GetCapturedStderr();
}

TEST(Log, SendsNoControlCharactersWhateverItIsGiven) {
  EXPECT_THAT(logged("a\x1b[2Jb\r\x07\xff\xc2\x9b"), EndsWith(" a?[2Jb????\?\n"));
  EXPECT_THAT(logged("\xc3\xa9 \xe2\x86\x92"), EndsWith(" \xc3\xa9 \xe2\x86\x92\n"));
}

TEST(Log, LetsNoMessageForgeALine) {
  const TemporaryDirectory directory;
  ::testing::internal::CaptureStderr();
  log::init({});
  log::add_file(directory / "log.txt");
  log::info("one\n2026-01-01 00:00:00.000 info two");
  log::init({});
  ::testing::internal::GetCapturedStderr();
  EXPECT_THAT(read_file(directory / "log.txt", 1000), EndsWith(" one?2026-01-01 00:00:00.000 info two\n"));
}

}  // namespace
}  // namespace slopegan
