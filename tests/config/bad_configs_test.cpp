#include "config/bad_configs.h"

#include <algorithm>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "config/load_fixture.h"
#include "slow_check.h"
#include "support/text.h"

namespace slopegan {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::StartsWith;

std::string safe(const std::string& text) { return printable(text, 150); }

class BadConfigsSlowCheck : public LoadFixture {
 protected:
  void expect_rejected(const BadConfig& bad) const {
    SCOPED_TRACE(safe(bad.what));
    const auto lines = errors(bad.text);
    ASSERT_FALSE(lines.empty());
    EXPECT_THAT(lines.front(), AllOf(StartsWith(format_text("x.yaml:{}: ", bad.line)), HasSubstr(bad.hint)));
    for (const auto& line : lines) EXPECT_EQ(printable(line, line.size()), line);
  }
};

TEST_F(BadConfigsSlowCheck, EveryMistakeInEveryKeyIsRejectedWithItsLineAndAHint) {
  const auto all = bad_configs();
  EXPECT_GE(all.size(), 400u);
  std::for_each(all.begin(), all.end(), [&](const auto& bad) { expect_rejected(bad); });
  testing::report_check(format_text("{} bad configurations generated from the list of keys", all.size()),
                        HasFailure() ? "FAILED" : "each causes a usage error with file:line and a hint");
}

TEST_F(BadConfigsSlowCheck, HostileYamlIsRejectedWithItsLine) {
  const auto all = hostile_yaml();
  std::for_each(all.begin(), all.end(), [&](const auto& bad) { expect_rejected(bad); });
  testing::report_check(format_text("{} hostile YAML files", all.size()),
                        HasFailure() ? "FAILED" : "each causes a usage error with file:line");
}

TEST_F(BadConfigsSlowCheck, EveryMistakeInAnArgumentIsRejectedWithTheArgumentAndAHint) {
  const auto all = bad_overrides();
  for (const auto& bad : all) {
    SCOPED_TRACE(safe(bad.argument));
    const auto lines = override_errors({bad.argument});
    ASSERT_FALSE(lines.empty());
    EXPECT_THAT(lines.front(),
                AllOf(StartsWith("command line: '" + printable(bad.argument) + "': "), HasSubstr(bad.hint)));
    for (const auto& line : lines) EXPECT_EQ(printable(line, line.size()), line);
  }
  testing::report_check(format_text("{} bad key=value arguments", all.size()),
                        HasFailure() ? "FAILED" : "each causes a usage error with the argument and a hint");
}

}  // namespace
}  // namespace slopegan
