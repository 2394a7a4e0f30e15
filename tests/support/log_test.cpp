#include "support/log.h"

#include <sstream>
#include <stop_token>
#include <string>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "support/files.h"
#include "temporary_directory.h"

namespace slopegan {
namespace {

using ::testing::ContainsRegex;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;

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

TEST(Log, TheFirstFileStartsWithEarlierWarnings) {
  const TemporaryDirectory directory;
  ::testing::internal::CaptureStderr();
  log::init({});
  log::info("an early message");
  log::warning("an early warning");
  log::add_file(directory / "first.txt");
  log::warning("a late warning");
  log::add_file(directory / "second.txt");
  log::info("a late message");
  log::init({});
  ::testing::internal::GetCapturedStderr();
  const auto first = read_file(directory / "first.txt", 1000);
  EXPECT_THAT(first, Not(HasSubstr("an early message")));
  EXPECT_THAT(first, ContainsRegex(" warning an early warning\n.* warning a late warning\n.* info a late message\n"));
  EXPECT_THAT(read_file(directory / "second.txt", 1000), Not(HasSubstr("warning")));
}

TEST(Log, AFileCanBeAddedWhileOtherThreadsLog) {
  constexpr int files = 30;
  const TemporaryDirectory directory;
  log::init({.level = log::Level::off});
  {
    const std::jthread other([](const std::stop_token& stop) {
      while (!stop.stop_requested()) log::warning("from another thread");
    });
    for (int i = 0; i < files; ++i) log::add_file(directory / std::to_string(i));
  }
  log::info("the last message");
  log::init({});
  for (int i = 0; i < files; ++i) {
    EXPECT_THAT(read_file(directory / std::to_string(i), 1 << 30), EndsWith(" info the last message\n")) << i;
  }
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
