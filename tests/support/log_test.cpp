#include "support/log.h"

#include <sstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

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

TEST(Log, WritesNoControlCharacters) {
  EXPECT_THAT(logged("a\x1b[2Jb\r\x07\xff\xc2\x9b"), EndsWith(" a?[2Jb????\?\n"));
  EXPECT_THAT(logged("\xc3\xa9 \xe2\x86\x92"), EndsWith(" \xc3\xa9 \xe2\x86\x92\n"));
}

TEST(Log, DoesNotLetAMessageForgeALine) {
  const TemporaryDirectory directory;
  ::testing::internal::CaptureStderr();
  log::init({});
  log::add_file(directory / "log.txt");
  log::info("one\n2026-01-01 00:00:00.000 info two");
  log::init({});
  ::testing::internal::GetCapturedStderr();
  EXPECT_THAT(read_file(directory / "log.txt", 1000), EndsWith(" one?2026-01-01 00:00:00.000 info two\n"));
}

TEST(Log, WritesTimestampsOfTablesOnlyToTheFile) {
  const TemporaryDirectory directory;
  ::testing::internal::CaptureStderr();
  log::init({});
  log::add_file(directory / "log.txt");
  log::table("arm  FD\na    1\x1b\n");
  log::init({.level = log::Level::warning});
  log::table("not shown at level warning\n");
  log::init({});
  EXPECT_EQ(::testing::internal::GetCapturedStderr(), "arm  FD\na    1?\n");
  const auto file = read_file(directory / "log.txt", 1000);
  EXPECT_THAT(file, HasSubstr(" info arm  FD\n"));
  EXPECT_THAT(file, EndsWith(" info a    1?\n"));
}

TEST(Log, WritesOneJsonObjectPerLine) {
  ::testing::internal::CaptureStderr();
  log::init({.level = log::Level::debug, .style = log::Style::json});
  log::debug("a\"\\\n\x1b\xff\xc3\xa9");
  log::status_line("not part of the log");
  log::table("one\ntwo\n");
  log::error("bad");
  log::init({});
  std::istringstream lines(::testing::internal::GetCapturedStderr());
  std::vector<std::string> messages;
  for (std::string line; std::getline(lines, line);) {
    const auto object = nlohmann::json::parse(line);
    EXPECT_TRUE(object.at("time").is_number());
    EXPECT_TRUE(object.at("level").is_string());
    messages.push_back(object.at("message"));
  }
  EXPECT_THAT(messages, ::testing::ElementsAre("a\"\\??\?\xc3\xa9", "one", "two", "bad"));
}

}  // namespace
}  // namespace slopegan
